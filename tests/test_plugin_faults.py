"""Bad packages, installed as any other: the host goes on and names plugin, package and remedy."""

import importlib
import logging
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from autogluon_causalmix import augment, plugins
from autogluon_causalmix.errors import CausalMixError, GeneratorError, OutOfTime
from autogluon_causalmix.plugins import load_plugins

MODULE = """
from dataclasses import dataclass
from autogluon_causalmix.plugin import hookimpl

@dataclass(frozen=True)
class Bad:
    def fit(self, table, rng, resources):
        {fit}
        return Fitted(table)

@dataclass(frozen=True)
class Fitted:
    table: object

    def sample(self, n_rows, rng):
        {sample}
        return self.table.take(rng.integers(len(self.table), size=n_rows))

@hookimpl
def causalmix_register_generators(register):
    {hook}
    register("bad", Bad)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that installs a distribution with one module and its entry point."""

    def install_one(distribution: str, code: str) -> Path:
        module = distribution.replace("-", "_")
        info = tmp_path / f"{module}-1.2.dist-info"
        info.mkdir()
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code), encoding="utf-8")
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n", encoding="utf-8"
        )
        points = f"[autogluon_causalmix]\n{module} = {module}\n"
        (info / "entry_points.txt").write_text(points, encoding="utf-8")
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, module, raising=False)
        return tmp_path

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(logging.getLogger("autogluon"), "propagate", True)
    return install_one


@pytest.fixture(autouse=True)
def loaded_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look plugins up as a fresh process does."""
    monkeypatch.setattr("autogluon_causalmix.generation.plugin_registry", load_plugins)


def bad(fit: str = "", sample: str = "", hook: str = "") -> str:
    return MODULE.format(fit=fit or "pass", sample=sample or "pass", hook=hook or "pass")


def drawn(generator: str, **options: Any) -> pd.DataFrame:
    frame = pd.DataFrame({"dose": np.arange(40.0), "cured": ["no", "yes"] * 20})
    return augment(frame, "cured", 30, generator=generator, **options)


REFUSED: dict[str, tuple[str, type[CausalMixError], str]] = {
    "raises in fit": (
        bad(fit="raise ValueError('too few rows')"),
        GeneratorError,
        "Bad.fit (plugin 'stranger' of stranger 1.2) raised ValueError: too few rows",
    ),
    "raises when it draws": (
        bad(sample="raise ValueError('no rows today')"),
        GeneratorError,
        "Fitted.sample (plugin 'stranger' of stranger 1.2) raised ValueError: no rows today",
    ),
    "lacks a library in fit": (
        bad(fit="import no_such_library"),
        GeneratorError,
        "raised ModuleNotFoundError: No module named 'no_such_library'; install what provides",
    ),
    "hangs in fit": (
        bad(fit="while True: pass"),
        OutOfTime,
        "Bad.fit (plugin 'stranger' of stranger 1.2) was cut off after",
    ),
    "hangs when it draws": (
        bad(sample="while True: pass"),
        OutOfTime,
        "Fitted.sample (plugin 'stranger' of stranger 1.2) was cut off after",
    ),
    "exits": (
        bad(fit="raise SystemExit(3)"),
        GeneratorError,
        "Bad.fit (plugin 'stranger' of stranger 1.2) raised SystemExit: 3",
    ),
    "returns no rows": (
        bad(sample="return None"),
        GeneratorError,
        "(plugin 'stranger' of stranger 1.2) broke the contract of its rows: it returned NoneType",
    ),
    "returns too few": (
        bad(sample="n_rows -= 1"),
        GeneratorError,
        "(plugin 'stranger' of stranger 1.2) broke the contract of its rows: it returned 29 rows",
    ),
    "returns other columns": (
        bad(sample="return self.table.frame.head(n_rows)"),
        GeneratorError,
        "it returned DataFrame, not a Table",
    ),
}


@pytest.mark.parametrize(("code", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_a_bad_generator_is_named_in_a_typed_error_and_the_next_one_draws(
    code: str, error: type[CausalMixError], message: str, install: Callable[..., Path]
) -> None:
    install("stranger", code)
    load_plugins()  # imports the built-in modules, which is not the generator's time
    started = time.monotonic()
    with pytest.raises(error) as raised:
        drawn("bad", time_limit=0.5)
    assert message in str(raised.value)
    assert time.monotonic() - started < 5
    assert len(drawn("bootstrap")) == 30


def test_a_generator_that_prints_draws_all_the_same(
    install: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    install("stranger", bad(fit="print('epoch 1')", hook="print('hello')"))
    assert len(drawn("bad")) == 30
    assert "epoch 1" in capsys.readouterr().out


SEEDS = "import random, numpy, torch; random.seed(0); numpy.random.seed(0); torch.manual_seed(0)"


def test_global_seeds_that_a_plugin_changes_change_no_row_of_others(
    install: Callable[..., Path],
) -> None:
    before = torch.get_rng_state()
    rows = drawn("perturb", seed=5)
    install("stranger", bad(fit=SEEDS, sample=SEEDS, hook=SEEDS))
    drawn("bad")
    assert drawn("perturb", seed=5).equals(rows)
    torch.set_rng_state(before)


LACKING = (
    "No module named 'no_such_library'; install what provides 'no_such_library', or uninstall the "
    "plugin"
)

NOT_LOADED: dict[str, tuple[str, str]] = {
    "lacks a library": (
        "import no_such_library",
        f"ModuleNotFoundError: {LACKING}",
    ),
    "lacks a part of a library": (
        "from json import no_such_function",
        "ImportError: cannot import name 'no_such_function' from 'json'",
    ),
    "does not end": ("while True: pass", "its import was cut off after 0.30 s"),
    "hangs in its hook": (
        bad(hook="while True: pass"),
        "the call of its hooks was cut off after 0.30 s",
    ),
    "does not compile": ("def fit(", "SyntaxError: '(' was never closed"),
}


@pytest.mark.parametrize(("code", "reason"), NOT_LOADED.values(), ids=NOT_LOADED)
def test_a_plugin_that_cannot_be_loaded_is_skipped_with_the_reason(
    code: str,
    reason: str,
    install: Callable[..., Path],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plugins, "LOAD_SECONDS", 0.3)
    install("stranger", code)
    assert len(drawn("bootstrap")) == 30
    assert f"Skipping plugin 'stranger' of stranger 1.2: {reason}" in caplog.text
    with pytest.raises(CausalMixError, match="there is no generator 'bad'") as error:
        drawn("bad")
    assert reason in str(error.value)


def test_the_command_lists_what_failed_and_why_and_what_still_works(
    install: Callable[..., Path],
) -> None:
    install("aaa-lacking", "import no_such_library")
    install("bbb-sound", bad())
    path = install("ccc-late", bad())
    environment = {"PYTHONPATH": os.pathsep.join([str(path), *sys.path]), "COLUMNS": "300"}
    done = subprocess.run(
        [sys.executable, "-c", "from autogluon_causalmix.cli.app import main; main()", "plugins"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    said = " ".join(done.stdout.split())
    assert "bbb-sound 1.2" in said
    lacking = f"not loaded: plugin 'aaa_lacking' of aaa-lacking 1.2: ModuleNotFoundError: {LACKING}"
    assert lacking in said
    assert (
        "not loaded: plugin 'ccc_late' of ccc-late 1.2: the name of generator 'bad' (plugin "
        "'ccc_late' of ccc-late 1.2) is taken by plugin 'bbb_sound' of bbb-sound 1.2; rename or "
        "uninstall one"
    ) in said
