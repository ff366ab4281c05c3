"""Foundation models in causal models: mechanisms and labels follow predicted probabilities."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix.backbones.tabpfn import Mini
from autogluon_causalmix.backbones.tabpfn_context import TabPFNContext
from autogluon_causalmix.config import Hyperparameters, Named
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.finetuning.rows import class_codes, encode_rows
from autogluon_causalmix.generators.scm import SCMGenerator
from autogluon_causalmix.method import fit
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.scm.in_context import (
    FEWEST_IN_HALF,
    MOST_PREDICTED_LEVELS,
    Conditioner,
    InContext,
    Teacher,
    limits_of_context,
)
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import mixed_scm

MINI = Conditioner(Named(name="mini"), seed=0)


def test_in_context__category__probabilities_are_near_the_truth() -> None:
    rng = np.random.default_rng(0)
    cause = rng.normal(size=(400, 1))
    mechanism = InContext((False,), MINI, is_category=True)
    mechanism.fit(cause, (rng.random((400, 1)) < 1 / (1 + np.exp(-2 * cause))).astype(float))
    at = np.repeat([-1.0, 0.0, 1.0], 300)[:, None]
    share = (
        mechanism.evaluate(at, np.tile(np.linspace(0, 1, 300), 3)[:, None])
        .reshape(3, 300)
        .mean(axis=1)
    )
    assert share == pytest.approx(1 / (1 + np.exp([2.0, 0.0, -2.0])), abs=0.12)


class Mirrored(TabPFNContext):
    """`mini`, whose classes and probabilities stand in reverse order."""

    @property
    def classes(self) -> Any:
        return self.__dict__["classes"][::-1]

    @classes.setter
    def classes(self, classes: Any) -> None:
        self.__dict__["classes"] = classes

    def predict_proba(self, features: pd.DataFrame) -> Any:
        return super().predict_proba(features)[:, ::-1]

    def logits(self, view: int, context: Any, labels: Any, query: Any) -> Any:
        return super().logits(view, context, len(self.classes) - 1 - labels, query).flip(-1)

    def probabilities(self, logits: Any) -> Any:
        return super().probabilities(logits.flip(-1)).flip(-1)


class Mirror(Mini):
    """Conditions `Mirrored` models."""

    def condition(self, table: Table, *, n_estimators: int, device: str, seed: int) -> Any:
        model = super().condition(table, n_estimators=n_estimators, device=device, seed=seed)
        model.__class__ = Mirrored
        return model


@pytest.mark.parametrize("is_category", [True, False])
def test_in_context__classes_in_another_order__equal_values(is_category: bool) -> None:
    rng = np.random.default_rng(0)
    cause = rng.normal(size=(120, 1))
    values = (cause > 0).astype(float) if is_category else cause + 0.1 * rng.normal(size=(120, 1))
    drawn = []
    for name in ("mini", f"{__name__}:Mirror"):
        conditioner = Conditioner(Named(name=name), seed=0)
        mechanism = InContext((False,), conditioner, is_category=is_category)
        mechanism.fit(cause, values)
        drawn.append(mechanism.evaluate(cause, np.linspace(0.01, 0.99, 120)[:, None]))
    assert np.array_equal(drawn[0], drawn[1])


def test_in_context__number__follows_its_cause_and_rises_with_its_noise() -> None:
    rng = np.random.default_rng(1)
    cause = rng.integers(2, size=(300, 1)).astype(float)
    effect = 3 * cause + rng.normal(size=(300, 1))
    mechanism = InContext((True,), MINI, is_category=False)
    mechanism.fit(cause, effect)
    noise = np.linspace(0.001, 0.999, 300)[:, None]
    for level in (0.0, 1.0):
        drawn = mechanism.evaluate(np.full((300, 1), level), noise)[:, 0]
        assert drawn.mean() == pytest.approx(3 * level, abs=0.3)
        assert drawn.std() == pytest.approx(1.0, abs=0.3)
        assert (np.diff(drawn) >= 0).all(), "a quantile function rises"
        assert np.isin(drawn, effect).all()


def test_in_context__missing_and_unseen_parents__still_observed_values() -> None:
    rng = np.random.default_rng(2)
    parents = np.column_stack([rng.normal(size=60), rng.integers(3, size=60)])
    parents[::7] = np.nan
    values = np.rint(rng.normal(size=(60, 1)))
    values[::5] = np.nan
    mechanism = InContext((False, True), MINI, is_category=False)
    mechanism.fit(parents, values)
    drawn = mechanism.evaluate(np.array([[0.0, 9.0], [np.nan, np.nan]]), rng.random((2, 1)))
    assert np.isin(drawn, values[~np.isnan(values)]).all()


def test_teacher__rows__have_its_probabilities_and_labels_drawn_from_them() -> None:
    rng = np.random.default_rng(3)
    table, _ = mixed_scm(200, rng)
    teacher = Teacher.of(table, MINI)
    rows = teacher.label(table.take(np.zeros(1000, dtype="int64")), rng)
    assert rows.soft_labels is not None
    predicted = teacher.model.predict_proba(table.features.iloc[[0]])[
        0, np.argsort(np.argsort(rows.levels))
    ]
    assert rows.soft_labels[0] == pytest.approx(predicted, abs=1e-6)
    drawn = rows.labels.value_counts(normalize=True).reindex(table.classes).to_numpy()
    assert drawn == pytest.approx(predicted, abs=0.06)


def test_teacher__target_of_whole_numbers__keeps_dtype_and_name() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({0: rng.normal(size=50), 1: rng.integers(5, 8, size=50)})
    table = Table.from_frame(frame, 1)
    rows = Teacher.of(table, MINI).label(table, rng)
    assert rows.frame.dtypes.equals(frame.dtypes)
    assert rows.labels.isin([5, 6, 7]).all()


def test_scm__teacher__labels_are_a_sink_and_reach_the_loss_as_probabilities() -> None:
    table, _ = mixed_scm(150, np.random.default_rng(5))
    fitted = SCMGenerator(label="teacher", backbone="mini", graphs=2).fit(
        table, np.random.default_rng(0), Resources(100.0)
    )
    rows = fitted.sample(40, np.random.default_rng(0))
    teacher = fitted.chosen.model.teacher
    assert teacher is not None
    rows_in_loss = encode_rows(teacher.model, rows)
    assert rows_in_loss is not None
    assert rows_in_loss.soft is not None
    assert rows_in_loss.soft == pytest.approx(teacher.model.predict_proba(rows.features), abs=1e-6)
    assert np.array_equal(rows_in_loss.labels, class_codes(teacher.model, rows))
    assert not np.array(fitted.describe()["graph"]["probability"])[table.target_position].any()  # type: ignore[index]


def test_fit__teacher__same_seed_same_weights_and_others_than_with_drawn_labels() -> None:
    table, _ = mixed_scm(80, np.random.default_rng(6))
    kept = {}
    for name, label in (("once", "teacher"), ("again", "teacher"), ("node", "node")):
        generator = {"name": "scm", "label": label, "backbone": "mini", "graphs": 1}
        options = {
            "backbone": "mini",
            "generator": generator,
            "finetune_steps": 2,
            "n_estimators": 1,
        }
        fitted = fit(
            table,
            None,
            Hyperparameters.parse(options | {"early_stopping": False}),
            Resources(100.0),
        )
        kept[name] = fitted.model.predict_proba(table.features)
    assert np.array_equal(kept["once"], kept["again"])
    assert not np.array_equal(kept["once"], kept["node"])


def test_scm__pfn__every_child_is_the_foundation_models_but_categories_of_many_levels() -> None:
    rng = np.random.default_rng(7)
    table, _ = mixed_scm(60, rng)
    frame = table.frame.assign(
        town=np.array([f"t{i}" for i in range(MOST_PREDICTED_LEVELS + 2)])[
            rng.integers(12, size=60)
        ]
    )
    wide = Table.from_frame(frame, table.target)
    generator = SCMGenerator(
        mechanism="pfn",
        backbone="mini",
        graphs=1,
        required=(("region", "town"),),
        discoverer="target-star",
    )
    said = generator.fit(wide, np.random.default_rng(0), Resources(100.0)).describe()
    chosen = said["mechanisms"]
    assert isinstance(chosen, dict)
    assert set(chosen["income"]) == {"pfn"}
    assert not set(chosen["town"]) & {"pfn"}
    assert any("'town'" in note and "10 levels" in note for note in said["notes"])  # type: ignore[attr-defined]


def test_scm__pfn_and_likelihood_weights__refused() -> None:
    with pytest.raises(ConfigError, match="'weighting' by likelihood needs held-out rows"):
        SCMGenerator(mechanism="pfn", weighting="likelihood")


class WatchedMini(Mini):
    """`Mini` that keeps the devices it was asked to run on, and runs on the CPU."""

    devices: ClassVar[set[str]] = set()

    def condition(
        self, table: Table, *, n_estimators: int, device: str, seed: int
    ) -> TabPFNContext:
        self.devices.add(device)
        return super().condition(table, n_estimators=n_estimators, device="cpu", seed=seed)


@pytest.mark.parametrize(
    "options", [{"label": "teacher"}, {"mechanism": "pfn"}], ids=["teacher", "mechanism"]
)
def test_scm__device_of_the_resources__reaches_the_foundation_model(
    options: dict[str, str],
) -> None:
    WatchedMini.devices.clear()
    table, _ = mixed_scm(60, np.random.default_rng(8))
    generator = SCMGenerator(
        backbone=f"{__name__}:WatchedMini",
        graphs=1,
        discoverer="target-star",
        **options,  # type: ignore[arg-type]
    )
    resources = Resources(100.0, device="cuda:1").share(0.9)
    generator.fit(table, np.random.default_rng(0), resources)
    assert WatchedMini.devices == {"cuda:1"}


def test_teacher__device_of_the_conditioner__holds_the_network() -> None:
    table, _ = mixed_scm(60, np.random.default_rng(9))
    assert (
        Teacher.of(table, Conditioner(Named(name="mini"), 0, device="meta")).model.device == "meta"
    )


def test_in_context__few_values__ignores_the_cause_and_a_note_says_so() -> None:
    rng = np.random.default_rng(10)
    rows = 2 * FEWEST_IN_HALF
    cause = np.repeat([0.0, 1.0], rows // 2)
    frame = pd.DataFrame({"cause": cause, "full": 9 * cause + rng.normal(size=rows)})
    frame["short"] = frame["full"].mask(np.arange(rows) == 0)
    noise = np.full((2, 1), 0.5)
    gaps = {}
    for name in ("full", "short"):
        mechanism = InContext((True,), MINI, is_category=False)
        mechanism.fit(frame[["cause"]].to_numpy(), frame[[name]].to_numpy())
        gaps[name] = np.ptp(mechanism.evaluate(np.array([[0.0], [1.0]]), noise))
    assert gaps["full"] > 5
    assert gaps["short"] == 0
    table = Table.from_frame(frame.assign(y=cause > 0, constant=1.0), "y")
    (note,) = limits_of_context(table)
    assert "['short']" in note
    assert "as if they had no causes" in note
