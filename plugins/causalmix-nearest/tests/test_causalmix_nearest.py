"""The kernel against plain numpy, and on tables where it is known which column decides."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from causalmix_nearest.backbone import MOST_QUERIES, Nearest
from causalmix_nearest.encoding import MOST_LEVELS
from causalmix_nearest.model import OTHERWISE, NearestModel

from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.method import fit
from autogluon_causalmix.plugin import InContextModel, Matrix, Resources, Table


def one_of_eight(n_rows: int, seed: int = 0) -> Table:
    """The third of eight numbers decides the class."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_rows, 8))
    frame = pd.DataFrame(values, columns=list("abcdefgh"))
    noise = 0.3 * rng.logistic(size=n_rows)
    return Table.from_frame(frame.assign(y=np.where(values[:, 2] + noise > 0, "high", "low")), "y")


def conditioned(table: Table, bandwidth: float = 0.3, views: int = 1) -> NearestModel:
    return Nearest(bandwidth).condition(table, n_estimators=views, device="cpu", seed=0)


def test_it_is_the_regression_of_nadaraya_and_watson() -> None:
    table, new = one_of_eight(50), one_of_eight(20, seed=1)
    model = conditioned(table, bandwidth=0.4)
    is_high = (table.labels == "high").to_numpy()
    shown = model.shown[0]
    known, asked = (model.encoding.encode(rows.features)[:, shown] for rows in (table, new))
    expected = []
    for row in asked:
        weights = np.exp(-(((row - known) / 0.4) ** 2).sum(axis=1))
        expected.append((1 - OTHERWISE) * weights[is_high].sum() / weights.sum() + OTHERWISE / 2)
    np.testing.assert_allclose(model.predict_proba(new.features)[:, 0], expected, atol=1e-5)


def test_only_the_order_of_numbers_matters() -> None:
    table = one_of_eight(50)
    stretched = table.with_frame(table.frame.assign(a=np.exp(3 * table.frame["a"])))
    plain, other = conditioned(table), conditioned(Table.from_frame(stretched.frame, "y"))
    np.testing.assert_array_equal(
        plain.predict_proba(table.features), other.predict_proba(stretched.features)
    )


def losses(model: InContextModel, table: Table) -> Matrix:
    return table.task.row_losses(model.predict_proba(table.features), table.targets.astype(int))


def test_fine_tuning_finds_the_column_that_decides() -> None:
    table, new = one_of_eight(300), one_of_eight(500, seed=1)
    before = losses(conditioned(table, views=4), new)
    options = Hyperparameters.parse(
        {"backbone": f"{Nearest.__module__}:Nearest", "generator": None, "finetune_steps": 60}
    )
    model = fit(table, one_of_eight(200, seed=2), options, Resources(60.0)).model
    tuned = getattr(model, "tuned", None)  # which predicts beside the pretrained one
    assert isinstance(tuned, NearestModel)
    weights = tuned.kernel.weight.detach().abs().numpy()
    assert weights.argmax() == 2
    assert weights[2] > 2 * np.delete(weights, 2).max()
    gain = before - losses(model, new)
    assert gain.mean() > 5 * gain.std() / np.sqrt(len(new))


def test_rare_categories_of_a_long_list_look_alike_and_the_report_says_so() -> None:
    rng = np.random.default_rng(0)
    often, rare = [f"c{i}" for i in range(MOST_LEVELS)], ["rare", "seldom"]
    frame = pd.DataFrame({"city": often * 3 + rare, "y": rng.choice(["a", "b"], 62)})
    model = conditioned(Table.from_frame(frame, "y"))
    (note,) = model.notes
    assert note.startswith("nearest tells the 20 most frequent categories of 'city' apart")
    one, other, often_seen = model.predict_proba(pd.DataFrame({"city": [*rare, "c0"]}))
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, often_seen)


def test_rows_are_predicted_in_parts_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    table = one_of_eight(50)
    model = conditioned(table)
    at_once = model.predict_proba(table.features)
    monkeypatch.setattr("causalmix_nearest.model.MOST_QUERIES", 7)
    np.testing.assert_allclose(model.predict_proba(table.features), at_once, atol=1e-6)
    backbone = Nearest()
    small, large = (backbone.memory(n * MOST_QUERIES, 8, tuning=False) for n in (10, 20))
    assert large == pytest.approx(2 * small)


FIND = """
import sys
from autogluon_causalmix.plugin import Backbone
from autogluon_causalmix.plugins import plugin_registry
owner = plugin_registry().of(Backbone).get("nearest").owner
print(owner.plugin, owner.distribution, owner.version, "torch" in sys.modules)
"""


def test_a_fresh_process_finds_it_by_its_entry_point_without_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIND],
        cwd="/",  # outside of the checkout
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["nearest", "causalmix-nearest", "0.1.0", "False"]
