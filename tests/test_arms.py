"""The studies of arms and of causal fidelity on a table whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study_cases import measured, value

from benchmarks import arms, causal_fidelity
from benchmarks.study.cells import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table of 200 rows whose feature x decides the class."""
    rng = np.random.default_rng(0)
    x, color = rng.normal(size=200), rng.choice(["red", "blue"], 200)
    table = pd.DataFrame({"x": x, "color": color, "target": np.where(x > 0, "yes", "no")})
    table.to_csv(tmp_path / "binary.csv", index=False)
    return tmp_path


def test__causal_fidelity__rows_beyond_the_training_rows__cannot_be_told_from_real(
    folder: Path,
) -> None:
    every = causal_fidelity.arms_of(
        {"graphs": 1, "discoverer": {"name": "pc+fci", "bootstraps": 1}}, 60
    )
    found = measured(
        causal_fidelity.STUDY, folder, {name: every[name] for name in ("real", "ours")}, ["binary"]
    )
    assert value(found["binary", 0, "real"], "tstr") > 0.99
    assert value(found["binary", 0, "ours"], "tstr") > 0.9
    assert value(found["binary", 0, "ours"], "detection") < 0.8


def test__causal_fidelity__stock_parts_cut_off__is_a_result_and_ours_is_a_failure(
    folder: Path,
) -> None:
    import causallearn.search.ConstraintBased.PC  # noqa: F401  no import delays the cut, which
    import dowhy.gcm  # noqa: F401  then comes in the first of PC's tests

    given: dict[str, Settings] = {
        "stock": {"rows": "stock", "limit": 0.01},
        "ours": {"rows": "ours", "options": {"required": [["nothing", "target"]]}},
    }
    found = measured(causal_fidelity.STUDY, folder, given, ["binary"])
    stock, ours = found["binary", 0, "stock"], found["binary", 0, "ours"]
    assert stock.values is not None
    assert stock.values["raised"] == "OutOfTime: stock was cut off after 0.01 s"
    assert value(stock, "finished") == 0.0
    assert ours.failed
    assert "nothing" in ours.error


@pytest.mark.slow
def test__arms__zero_shot_and_fine_tuning__start_from_the_same_loss(folder: Path) -> None:
    given: dict[str, Settings] = {
        "zero-shot": {"finetune": False},
        "real rows": {"generator": None, "finetune_steps": 3},
    }
    found = measured(arms.STUDY, folder, given, ["binary"])
    plain, tuned = (found["binary", 0, arm] for arm in given)
    assert value(plain, "roc_auc") > 0.9
    assert value(plain, "kept") == 0.0
    assert tuned.values is not None
    assert tuned.values["report"]["rows"] == {"real": 90, "validation": 30, "synthetic": 0}
