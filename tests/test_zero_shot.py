"""The zero-shot benchmark: metrics on known truths, the table limits, and cells that are run once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import zero_shot
from benchmarks.pretraining import checkpoint, network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small tables and two that are past the limits."""
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


def test__read_tables__past_the_limits__left_out(folder: Path) -> None:
    tables = {name: (x, y) for name, x, y in zero_shot.read_tables(folder)}
    assert set(tables) == {"binary", "three"}
    x, y = tables["binary"]
    assert x["color"].dtype == "category"
    assert set(y) == {0, 1}


def test__splits__disjoint_and_of_the_promised_size() -> None:
    pairs = list(zero_shot.splits(np.arange(400) % 3))
    assert len(pairs) == 3
    for train, test in pairs:
        assert len(train) == 240
        assert len(test) == 160
        assert not set(train) & set(test)


def test__calibration_error__known_gap() -> None:
    p = np.tile([0.9, 0.1], (100, 1))
    assert zero_shot.calibration_error(np.repeat([0, 1], [90, 10]), p) == pytest.approx(0.0)
    assert zero_shot.calibration_error(np.repeat([0, 1], [50, 50]), p) == pytest.approx(0.4)


def test__mean_auc__class_absent_from_the_test_rows__left_out() -> None:
    y = np.array([0, 0, 1, 1])
    p = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.75, 0.15, 0.1]])
    assert zero_shot.mean_auc(y, p) == pytest.approx(0.75)


def test__run__again__nothing_measured_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, config = network.build(16, 2, 2)
    weights = folder / "tiny.safetensors"
    checkpoint.export(net.state_dict(), config, weights)
    out = folder / "out"
    cells = zero_shot.run([weights], folder, out)
    assert len(cells) == 2 * 3 * 4  # tables, splits, models
    forest = [cell.auc for cell in cells if cell.model == "random forest"]
    assert min(forest) > 0.95

    monkeypatch.setattr(zero_shot, "measure", None)
    assert zero_shot.run([weights], folder, out) == cells
    assert len(json.loads((out / "zero_shot.json").read_text())) == len(cells)
    assert "| random forest |" in zero_shot.markdown(cells)
