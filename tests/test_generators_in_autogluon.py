"""Every installed generator as a hyperparameter: in folds, in a search, in a saved predictor."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from autogluon.common.space import Categorical
from autogluon.tabular import TabularPredictor

from autogluon_causalmix import CausalMixModel, FitReport
from autogluon_causalmix.arms import search_space
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.plugins import plugin_registry

QUICK: dict[str, Any] = {"backbone": "mini", "finetune_steps": 1, "n_estimators": 1}
SMALL = {"backbone": "mini", "steps": 2, "epochs": 2, "levels": 2}
"""Values of options of generators that spare the tests a download, or time."""

ENTRIES = [*plugin_registry().of(Generator)]
FROM_PACKAGES = [each for each in ENTRIES if each.owner.distribution != "autogluon-causalmix"]
GENERATORS: dict[str, dict[str, object]] = {
    entry.name: {"name": entry.name, **{n: SMALL[n] for n in entry.options() if n in SMALL}}
    for entry in FROM_PACKAGES or ENTRIES
}
"""Those of the packages, where there are any: the built-in ones are tested without them."""

IN_WORKERS = [entry.name for entry in FROM_PACKAGES] or ["pfn", "tabebm"]
"""A worker imports all that it needs, ten seconds long; these two also load a backbone there."""

LOADED = """
import importlib.metadata, json, sys
import pandas as pd
from autogluon.tabular import TabularPredictor

folder, frame, out, *gone = sys.argv[1:]
sys.modules.update(dict.fromkeys(gone))  # whoever imports one is told that there is none
importlib.metadata.entry_points = lambda **_: ()
predictor = TabularPredictor.load(folder)
rows = pd.read_pickle(frame)
names = predictor.model_names()
pd.to_pickle({name: predictor.predict_proba(rows, model=name) for name in names}, out)
"""


def table(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    number, word = rng.normal(size=rows), rng.choice(["red", "green"], rows)
    label = np.where(number + 0.3 * rng.normal(size=rows) > 0, "yes", "no")
    return pd.DataFrame({"number": number, "word": word, "label": label})


def fitted(path: Path, models: list[dict[str, Any]], **kwargs: Any) -> TabularPredictor:
    predictor = TabularPredictor("label", path=str(path), verbosity=0)
    return predictor.fit(
        table(),
        hyperparameters={CausalMixModel: models},
        fit_weighted_ensemble=False,
        raise_on_model_failure=True,
        **kwargs,
    )


def bags(path: Path, strategy: str, generators: dict[str, dict[str, object]]) -> TabularPredictor:
    """Return a predictor with a bag of two folds for each of some generators."""
    folds = {"fold_fitting_strategy": strategy, "refit_folds": False}
    models = [
        {
            **QUICK,
            "generator": generator,
            "ag_args": {"name_suffix": f" {name}"},
            "ag_args_ensemble": folds,
        }
        for name, generator in generators.items()
    ]
    return fitted(path, models, num_bag_folds=2)


def used(predictor: TabularPredictor) -> list[str]:
    """Return the generators whose rows took part, one for each fit, sorted."""
    reports = [FitReport.read(path) for path in Path(predictor.path).rglob("fit_report.json")]
    return sorted(each.generator.name for each in reports if each.generator and each.rows.synthetic)


@pytest.mark.slow
def test_each_draws_rows_in_folds_and_its_predictor_loads_without_its_package(
    tmp_path: Path,
) -> None:
    predictor = bags(tmp_path / "predictor", "sequential_local", GENERATORS)
    assert used(predictor) == sorted([*GENERATORS, *GENERATORS])

    table().to_pickle(tmp_path / "frame.pkl")
    paths = [str(tmp_path / name) for name in ("predictor", "frame.pkl", "out.pkl")]
    modules = {entry.factory.__module__.partition(".")[0] for entry in FROM_PACKAGES}
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOADED, *paths, *modules], check=True, timeout=200
    )
    predicted = pd.read_pickle(tmp_path / "out.pkl")
    assert len(predicted) == len(GENERATORS)
    for name, probabilities in predicted.items():
        own = predictor.predict_proba(table(), model=name)
        pd.testing.assert_frame_equal(probabilities, own, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_WORKERS)
def test_one_draws_rows_in_folds_of_parallel_workers(name: str, tmp_path: Path) -> None:
    predictor = bags(tmp_path, "parallel_local", {name: GENERATORS[name]})
    assert used(predictor) == [name, name]


@pytest.mark.slow
def test_a_search_tries_each_and_none_at_all(tmp_path: Path) -> None:
    fixed = {name: space.default for name, space in search_space().items()}
    predictor = fitted(
        tmp_path,
        [{**fixed, **QUICK, "generator": Categorical(*GENERATORS.values(), None)}],
        hyperparameter_tune_kwargs={
            "num_trials": len(GENERATORS) + 1,
            "scheduler": "local",
            "searcher": "random",
        },
    )
    assert used(predictor) == sorted(GENERATORS)
    tried = [facts["hyperparameters"] for facts in predictor.info()["model_info"].values()]
    assert [options["generator"] for options in tried].count(None) == 1


NOISE = """
from dataclasses import dataclass
from autogluon_causalmix.plugin import hookimpl

@dataclass(frozen=True)
class Again:
    def fit(self, table, rng, resources):
        return Fitted(table)

@dataclass(frozen=True)
class Fitted:
    table: object

    def sample(self, n_rows, rng):
        return self.table.take(rng.integers(len(self.table), size=n_rows))

@hookimpl
def causalmix_register_generators(register):
    register("again", Again)
"""
FIT = """
import sys
import pandas as pd
from autogluon.tabular import TabularPredictor
from autogluon_causalmix import CausalMixModel

if __name__ == "__main__":
    folder, frame = sys.argv[1:]
    own = {"backbone": "mini", "finetune_steps": 1, "n_estimators": 1, "generator": "again"}
    folds = {"fold_fitting_strategy": "parallel_local", "refit_folds": False}
    TabularPredictor("label", path=folder, verbosity=0).fit(
        pd.read_pickle(frame),
        hyperparameters={CausalMixModel: [own | {"ag_args_ensemble": folds}]},
        num_bag_folds=2,
        raise_on_model_failure=True,
    )
"""


@pytest.mark.slow
def test_what_a_stranger_installed_works_in_workers_and_is_not_needed_to_predict(
    tmp_path: Path,
) -> None:
    """Fitted where the package is, loaded in a process that lacks it."""
    site = tmp_path / "site"
    info = site / "again-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "again.py").write_text(textwrap.dedent(NOISE))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: again\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[autogluon_causalmix]\nagain = again\n")
    table().to_pickle(tmp_path / "frame.pkl")
    paths = [str(tmp_path / name) for name in ("predictor", "frame.pkl")]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FIT, *paths],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(site), *sys.path])},
        check=True,
        timeout=200,
    )
    predictor = TabularPredictor.load(paths[0], verbosity=0)
    assert set(used(predictor)) == {"again"}
    assert "again" not in sys.modules
    assert predictor.predict_proba(table()).shape == (60, 2)
