"""The copula package as users get it: installed, found by its entry point, named, and as the tutorial says."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from autogluon_causalmix import augment
from autogluon_causalmix.errors import PluginError
from autogluon_causalmix.generators.contract import draw, fit_generator
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.plugins import load_plugins, plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.testing import mixed_scm

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "plugins" / "causalmix-copula"
TUTORIAL = (ROOT / "docs" / "plugins" / "tutorial.md").read_text(encoding="utf-8")

FIND_AND_DRAW = """
import numpy as np, pandas as pd
from autogluon_causalmix import augment
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.plugins import plugin_registry
import sys
assert "causalmix_copula" not in sys.modules
owner = plugin_registry().of(Generator).get("copula").owner
frame = pd.DataFrame({"dose": np.arange(40.0), "cured": ["no", "yes"] * 20})
rows = augment(frame, "cured", 25, generator="copula")
print(owner.plugin, owner.distribution, owner.version, len(rows), sys.modules["causalmix_copula"].__file__)
"""


def run(code: str, path: Path | None = None) -> str:
    """Run code in a fresh process, outside of the checkout, and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(path or "")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_fresh_process_finds_it_by_its_entry_point() -> None:
    said = run(FIND_AND_DRAW).split(maxsplit=4)
    assert said[:4] == ["copula", "causalmix-copula", "0.1.0", "25"]


@pytest.mark.slow
def test_the_package_installs_from_its_folder_and_is_used_from_there(tmp_path: Path) -> None:
    source = shutil.copytree(
        PACKAGE, tmp_path / "source", ignore=shutil.ignore_patterns("build", "*.egg-info")
    )
    target = tmp_path / "site"
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(target)]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, str(source)], check=True, timeout=240
    )
    said = run(FIND_AND_DRAW, target).split(maxsplit=4)
    assert said[:4] == ["copula", "causalmix-copula", "0.1.0", "25"]
    assert said[4] == str(target / "causalmix_copula.py")


def test_it_draws_within_the_contract_and_keeps_associations_of_mixed_columns() -> None:
    table = mixed_scm(2_000, np.random.default_rng(0))[0]
    entry = plugin_registry().of(Generator).get("copula")
    rng = np.random.default_rng(1)
    fitted = fit_generator(
        entry.create({"shrinkage": 0.0}), table, rng, Resources(60.0), owner=entry.owner
    )
    frame = draw(fitted, table, 4_000, rng, owner=entry.owner).frame
    real, drawn = (
        rows.groupby("smoker")["age"].mean().diff().iloc[-1] for rows in (table.frame, frame)
    )
    assert real < -20  # smokers are younger: the simulator's own age → smoker
    assert drawn == pytest.approx(real, abs=3.0)


def test_installing_it_changes_nothing_that_does_not_name_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = mixed_scm(60, np.random.default_rng(0))[0].frame
    beside_the_copula = augment(frame, "risk", 80, generator="bootstrap", seed=3)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: ())
    monkeypatch.setattr("autogluon_causalmix.generation.plugin_registry", load_plugins)
    assert "copula" not in load_plugins().of(Generator).names
    assert augment(frame, "risk", 80, generator="bootstrap", seed=3).equals(beside_the_copula)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TUTORIAL, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("language", "file"),
    [("python", PACKAGE / "causalmix_copula.py"), ("toml", PACKAGE / "pyproject.toml")],
)
def test_the_tutorial_quotes_the_package_word_for_word(language: str, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    quotes = [block for block in blocks(language) if block.startswith(f"# {file.name}\n")]
    assert quotes
    for quote in quotes:
        excerpt = quote.partition("\n")[2]
        assert excerpt in text, f"not in {file.name}:\n{excerpt}"


def test_the_other_code_of_the_tutorial_runs() -> None:
    namespace: dict[str, object] = {}
    own = [block for block in blocks("python") if not block.startswith("# causalmix_copula.py\n")]
    assert len(own) == 3
    for block in own:
        exec(compile(textwrap.dedent(block), "tutorial.md", "exec"), namespace)


def test_a_class_in_main_is_refused_before_any_worker_starts() -> None:
    with pytest.raises(PluginError, match="ray workers"):
        plugin_registry().of(Generator).get("__main__:Copula")
