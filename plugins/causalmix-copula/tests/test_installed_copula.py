"""The installed package: found by its entry point, used by its name, and inert until named."""

import os
import subprocess
import sys

import numpy as np
import pytest

from autogluon_causalmix import augment
from autogluon_causalmix.errors import PluginError
from autogluon_causalmix.generators.contract import draw, fit_generator
from autogluon_causalmix.plugin import Generator, Resources
from autogluon_causalmix.plugins import load_plugins, plugin_registry
from autogluon_causalmix.testing import mixed_scm

FIND_AND_DRAW = """
import numpy as np, pandas as pd
from autogluon_causalmix import augment
from autogluon_causalmix.plugin import Generator
from autogluon_causalmix.plugins import plugin_registry
import sys
assert "causalmix_copula" not in sys.modules
owner = plugin_registry().of(Generator).get("copula").owner
frame = pd.DataFrame({"dose": np.arange(40.0), "cured": ["no", "yes"] * 20})
rows = augment(frame, "cured", 25, generator="copula")
print(owner.plugin, owner.distribution, owner.version, len(rows))
"""


def test_a_fresh_process_finds_it_by_its_entry_point() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIND_AND_DRAW],
        cwd="/",  # outside of the checkout
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["copula", "causalmix-copula", "0.1.0", "25"]


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
    with_the_copula = augment(frame, "risk", 80, generator="bootstrap", seed=3)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: ())
    monkeypatch.setattr("autogluon_causalmix.generation.plugin_registry", load_plugins)
    assert "copula" not in load_plugins().of(Generator).names
    assert augment(frame, "risk", 80, generator="bootstrap", seed=3).equals(with_the_copula)


def test_a_class_in_main_is_refused_before_any_worker_starts() -> None:
    with pytest.raises(PluginError, match="ray workers"):
        plugin_registry().of(Generator).get("__main__:Copula")
