"""The zero-shot study: its limits, its models, and cells that are measured once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study_cases import measured, value

from benchmarks import zero_shot
from benchmarks.pretraining import checkpoint, network
from benchmarks.study.cells import cells_of
from benchmarks.study.tables import load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small tables whose feature x decides the class, and two that are past the limits."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    color = pd.Series(rng.choice(["red", "blue"], 200)).where(rng.random(200) > 0.1)
    tables = {
        "binary": pd.DataFrame({"x": x, "color": color, "target": np.where(x > 0, "yes", "no")}),
        "three": pd.DataFrame(
            {"x": x, "target": pd.cut(x, [-9, -0.5, 0.5, 9], labels=["a", "b", "c"])}
        ),
        "wide": pd.DataFrame(rng.normal(size=(50, 46))).assign(target="a"),
        "many": pd.DataFrame({"x": x, "target": np.arange(200) % 11}),
    }
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def test__zero_shot__past_the_limits__left_out_with_the_reason(folder: Path) -> None:
    cells, notes = cells_of(zero_shot.STUDY, load(folder), {"any": {"model": "random forest"}}, 1)
    assert {cell.table.name for cell in cells} == {"binary", "three"}
    assert notes == [
        "many is left out: 11 classes; the study takes at most 10",
        "wide is left out: 46 features; the study takes at most 45",
    ]


def test__zero_shot__new_weights__cost_their_own_cells_only(folder: Path) -> None:
    net, config = network.build(16, 2, 2)
    paths = [folder / f"{name}.safetensors" for name in ("tiny", "other")]
    for path, temperature in zip(paths, (1.0, 2.0), strict=True):
        checkpoint.export(net.state_dict(), config, path, temperature=temperature)
    names = ["binary", "three"]
    first = measured(zero_shot.STUDY, folder, zero_shot.arms_of([], paths[:1]), names, splits=3)
    assert len(first) == 2 * 3 * 4  # tables, splits, models
    forest = [value(o, "roc_auc") for (_, _, arm), o in first.items() if arm == "random forest"]
    assert min(forest) > 0.95
    assert len({arm for _, _, arm in first}) == 4

    both = measured(zero_shot.STUDY, folder, zero_shot.arms_of([], paths), names, splits=3)
    assert len(both) == 2 * 3 * 5
    assert {key: both[key] for key in first} == first
    assert len(list((folder / "out").rglob("*.json"))) == 2 * 3 * 5


def test__aligned__class_without_a_training_row__gets_no_probability() -> None:
    p = zero_shot.aligned(np.array([[0.3, 0.7]]), np.array([0, 2]), 3)
    assert p.tolist() == [[0.3, 0.0, 0.7]]
