"""Arms, presets, the space of a search, and the warm-up: what harnesses take from the package."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from autogluon.common.space import Categorical, Space
from autogluon.tabular import TabularPredictor

from autogluon_causalmix import CausalMixModel
from autogluon_causalmix.arms import ARMS, search_space
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.presets import PRESETS

QUICK: dict[str, Any] = {"backbone": "mini", "finetune_steps": 2, "n_estimators": 1}


def table(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, 3)), columns=list("abc"))
    return frame.assign(label=np.where(frame["a"] > 0, "yes", "no"))


def test_arms_are_json_and_parse_to_options_of_their_own() -> None:
    assert json.loads(json.dumps(ARMS)) == ARMS
    parsed = [CausalMixModel.check(options) for options in ARMS.values()]
    assert len({options.model_dump_json() for options in parsed}) == len(ARMS)


@pytest.mark.parametrize("arm", ARMS)
def test_a_search_begins_with_the_defaults_and_stays_in_its_arm(arm: str) -> None:
    space = search_space(arm)
    assert not set(space) & {"backbone", "generator", "finetune", *ARMS[arm]}
    first = Hyperparameters.parse({**ARMS[arm], **{name: s.default for name, s in space.items()}})
    assert first == Hyperparameters.parse(ARMS[arm])
    for name, values in space.items():
        ends = values.data if isinstance(values, Categorical) else (values.lower, values.upper)
        for value in ends:
            CausalMixModel.check({**ARMS[arm], name: value})


@pytest.mark.slow
def test_autogluon_searches_the_space_of_the_model(tmp_path: Path) -> None:
    own: dict[str, Any] = {"backbone": "mini", "finetune_steps": 1, "generator": None}
    predictor = TabularPredictor("label", path=str(tmp_path), verbosity=0).fit(
        table(),
        hyperparameters={CausalMixModel: own},
        hyperparameter_tune_kwargs={"num_trials": 3, "scheduler": "local", "searcher": "random"},
    )
    tried = [facts["hyperparameters"] for facts in predictor.info()["model_info"].values()]
    tried = [options for options in tried if "backbone" in options]
    assert len(tried) == 3
    assert all(options["finetune_steps"] == 1 for options in tried), "what a user sets is fixed"
    assert len({str(options["n_estimators"]) + str(options["learning_rate"]) for options in tried})
    assert not any(isinstance(value, Space) for options in tried for value in options.values())


@pytest.mark.slow
def test_a_preset_fits_every_arm_under_its_name(tmp_path: Path) -> None:
    (model,) = PRESETS["causalmix_arms"]["hyperparameters"]
    arms = [{**options, **QUICK} for options in PRESETS["causalmix_arms"]["hyperparameters"][model]]
    predictor = TabularPredictor("label", path=str(tmp_path), verbosity=0).fit(
        table(), presets=[PRESETS["causalmix_arms"], {"hyperparameters": {model: arms}}]
    )
    assert sorted(predictor.model_names()) == sorted(f"CausalMix {arm}" for arm in ARMS)


def test_the_preset_beside_the_default_models_has_all_of_them() -> None:
    hyperparameters = PRESETS["causalmix_and_default"]["hyperparameters"]
    assert {CausalMixModel, "GBM", "CAT", "RF"} <= set(hyperparameters)


@pytest.mark.slow
def test_a_warm_up_leaves_the_first_fit_nothing_to_import(tmp_path: Path) -> None:
    """In a process of its own: modules that a fit imports after the warm-up are counted."""
    script = """
import sys
import pandas as pd
from autogluon_causalmix import CausalMixModel
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.method import fit
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

options = {"backbone": "mini", "finetune_steps": 2}
if WARM:
    CausalMixModel.warmup(hyperparameters={**options, "ag_args": {}}, num_cpus=1, num_gpus=0)
before = set(sys.modules)
frame = pd.DataFrame({"a": range(60), "b": list("xyz") * 20}).assign(label=[0, 1] * 30)
fit(Table.from_frame(frame, "label"), None, Hyperparameters.parse(options), Resources(120.0))
print(len(set(sys.modules) - before))
"""
    counted = {}
    for warm in (True, False):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script.replace("WARM", str(warm))],
            capture_output=True, text=True, check=True, timeout=280, cwd=tmp_path,
        )  # fmt: skip
        counted[warm] = int(done.stdout.split()[-1])
    assert counted[True] <= 5
    assert counted[False] > 500, "without it, the fit pays for the imports"


def test_a_warm_up_takes_what_names_columns_of_the_table_to_come() -> None:
    generator = {"name": "scm", "graphs": 1, "required": [["dose", "cured"]]}
    options = {"backbone": "mini", "generator": generator, "n_estimators": 1}
    CausalMixModel.warmup(hyperparameters=options, num_gpus=0)
    with pytest.raises(ConfigError, match="bootstrap"):
        CausalMixModel.warmup(
            hyperparameters={**options, "generator": {**generator, "bootstrap": 3}}, num_gpus=0
        )


def test_a_warm_up_refuses_what_a_fit_refuses() -> None:
    with pytest.raises(ConfigError, match="learning_rate"):
        CausalMixModel.warmup(hyperparameters={"learning_rate": -1.0}, num_gpus=0)
