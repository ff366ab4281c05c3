"""The whole method on one table: what the report says must be what was done."""

import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix.backbones.tabpfn import Mini
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.errors import CausalMixError, ConfigError, GeneratorError, UnknownPlugin
from autogluon_causalmix.finetuning.rows import class_codes
from autogluon_causalmix.generation import augment
from autogluon_causalmix.method import NOT_REPRODUCIBLE, Fitted, fit
from autogluon_causalmix.model import CausalMixModel
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.task import Classification

QUICK: dict[str, Any] = {
    "backbone": "mini",
    "generator": "bootstrap",
    "finetune_steps": 3,
    "n_estimators": 1,
}


def table(rows: int = 60, seed: int = 0) -> Table:
    """Return rows whose label is the sign of a number, with noise."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, 2)), columns=["cause", "noise"])
    return Table.from_frame(
        frame.assign(y=np.where(frame["cause"] + rng.normal(size=rows) > 0, "b", "a")), "y"
    )


def fitted(
    real: Table, validation: Table | None = None, seconds: float = 60, **options: Any
) -> Fitted:
    return fit(real, validation, Hyperparameters.parse(QUICK | options), Resources(seconds))


@dataclass(frozen=True)
class Endless:
    """A generator that ignores its resources."""

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> Any:
        while True:
            time.sleep(0.001)


@dataclass(frozen=True)
class Broken:
    """A generator that fails."""

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> Any:
        raise KeyError("planted")


def test_a_generator_without_end_is_cut_off_and_real_rows_are_used() -> None:
    report = fitted(table(), seconds=24, generator=f"{__name__}:Endless").report
    assert report.generator is None
    assert report.rows.synthetic == 0
    assert report.curve[-1].step == 3, "fine-tuning on real rows went on"
    assert any("cut off" in note and "real rows alone" in note for note in report.notes)
    assert report.notes[-1] == NOT_REPRODUCIBLE
    assert NOT_REPRODUCIBLE not in fitted(table(), finetune=False).report.notes


def test_fine_tuning_that_the_clock_ends_says_that_it_is_not_reproducible() -> None:
    report = fitted(table(), seconds=2, generator=None, finetune_steps=100_000).report
    assert any(note.startswith("fine-tuning was cut off at step") for note in report.notes)
    assert report.notes[-1] == NOT_REPRODUCIBLE


def test_a_generator_that_fails_is_named() -> None:
    with pytest.raises(GeneratorError, match=r"Broken.*KeyError.*planted"):
        fitted(table(), generator=f"{__name__}:Broken")


def test_the_scores_of_the_report_are_those_of_the_model() -> None:
    validation = table(40, seed=1)
    done = fitted(table(), validation, learning_rate=1e-3)
    kept = done.report.tuned if done.report.kept == "fine-tuned" else done.report.pretrained
    again = Classification().scores(
        done.model.predict_proba(validation.features), class_codes(done.model, validation)
    )
    assert kept is not None
    assert again.log_loss == pytest.approx(kept.log_loss, abs=1e-5)
    assert again.roc_auc == pytest.approx(kept.roc_auc, abs=1e-5)


def test_zero_shot_is_the_pretrained_model_and_nothing_else() -> None:
    real = table()
    plain = Mini().condition(real, n_estimators=1, device="cpu", seed=0)
    done = fitted(real, finetune=False)
    np.testing.assert_array_equal(
        done.model.predict_proba(real.features), plain.predict_proba(real.features)
    )
    assert (done.report.kept, done.report.reason) == ("pretrained", "fine-tuning is switched off")
    assert done.report.generator is None


def test_held_out_rows_come_back_as_context() -> None:
    """The model predicts with all rows, as its weights conditioned on all of them do."""
    real = table()
    done = fitted(real, learning_rate=1e-3)
    assert done.report.rows.real + done.report.rows.validation == len(real)
    tuned = getattr(done.model, "tuned", done.model)
    plain = Mini().condition(real, n_estimators=1, device="cpu", seed=0)
    plain.network.load_state_dict(tuned.network.state_dict())
    np.testing.assert_array_equal(
        tuned.predict_proba(real.features), plain.predict_proba(real.features)
    )


def test_without_early_stopping_every_step_is_taken_on_all_rows() -> None:
    for validation in (None, table(30, seed=1)):
        report = fitted(table(), validation, early_stopping=False, finetune_steps=2).report
        assert (report.kept_step, report.rows.real, report.rows.validation) == (2, 60, 0)


def test_validation_rows_of_an_unknown_class_are_left_out_and_counted() -> None:
    real, validation = table(), table(30, seed=1)
    frame = validation.frame.copy()
    frame.loc[:4, "y"] = "c"
    done = fitted(real, real.with_frame(frame))
    assert done.report.rows.validation == 25
    assert any("5 validation rows" in note for note in done.report.notes)


def test_the_only_row_of_a_class_is_learned_from() -> None:
    frame = table().frame.copy()
    frame.loc[0, "y"] = "only"
    done = fitted(Table.from_frame(frame, "y"))
    assert list(done.model.classes) == ["a", "b", "only"]
    assert done.report.curve[-1].step == 3


def test_one_class_is_predicted_with_certainty() -> None:
    frame = table().frame.assign(y="a")
    done = fitted(Table.from_frame(frame, "y"))
    assert done.report.reason == "the rows hold a single class"
    np.testing.assert_array_equal(
        done.model.predict_proba(frame.drop(columns="y")), np.ones((60, 1))
    )


def test_the_same_seed_gives_the_same_report_and_another_seed_another() -> None:
    def facts(seed: int) -> dict[str, Any]:
        return fitted(table(), random_state=seed, generator="scm").report.model_dump(
            exclude={"seconds", "generator"}
        )

    assert facts(1) == facts(1)
    assert facts(1)["curve"] != facts(2)["curve"]


def test_augment_needs_a_generator() -> None:
    with pytest.raises(ConfigError, match="augment argument 'generator'.*got None"):
        augment(table().frame, "y", 3, generator=None)  # type: ignore[arg-type]


def test_scm_rows_carry_the_signal_of_the_real_ones() -> None:
    report = fitted(table(200), generator="scm").report
    assert report.generator is not None
    graph = report.generator.description["graph"]
    assert isinstance(graph, dict)
    nodes, beliefs = graph["nodes"], np.array(graph["probability"])
    belief = {
        name: beliefs[nodes.index(name), 2] + beliefs[2, nodes.index(name)]
        for name in ("cause", "noise")
    }
    assert belief["cause"] > 0.9
    assert belief["noise"] < 0.5


@pytest.mark.parametrize("ratio", [0.01, 0.03, 0.06])
def test_synthetic_rows_too_few_for_an_episode_are_left_out_and_said(ratio: float) -> None:
    """One to three rows of up to two classes: a context of each class leaves no query."""
    mixing = {"role": "episode", "ratio": ratio}
    report = fitted(table(40), mixing=mixing, finetune_steps=4).report
    assert report.kept_step <= 4
    if report.rows.synthetic == 0:
        assert any("too few for a context and a query" in note for note in report.notes)


@pytest.mark.parametrize("rows", [20, 12])
def test_many_classes_of_few_rows_are_predicted_whatever_can_be_held_out(rows: int) -> None:
    """Of 20 rows of 19 classes none can be held out; of two rows each, half can."""
    labels = (
        [f"class {i % 19}" for i in range(20)] if rows == 20 else [f"{i % 12}" for i in range(24)]
    )
    frame = pd.DataFrame({"x": np.arange(float(len(labels))), "y": labels})
    done = fitted(Table.from_frame(frame, "y"), generator=None)
    assert np.isfinite(done.model.predict_proba(frame[["x"]])).all()
    if rows == 20:
        assert done.report.kept == "pretrained"
        assert any("no row can be held out" in note for note in done.report.notes)


def test_rows_of_one_class_each_are_not_fine_tuned_on() -> None:
    frame = pd.DataFrame({"x": np.arange(24.0), "y": [f"class {i}" for i in range(24)]})
    real = Table.from_frame(frame, "y")
    with pytest.raises(CausalMixError):
        fitted(real, backbone="nothing of this name")
    assert "every class has a single row" in real.task.obstacle(real.targets)


@pytest.mark.parametrize(
    ("generator", "error", "said"),
    [
        ({"name": "scm", "discoverer": "nope"}, UnknownPlugin, "no discoverer 'nope'"),
        (
            {"name": "scm", "discoverer": {"name": "boss", "bootstrap": 3}},
            ConfigError,
            "discoverer 'boss': has no option 'bootstrap'",
        ),
        ({"name": "scm", "backbone": "nope"}, UnknownPlugin, "no backbone 'nope'"),
        ({"name": "nope"}, UnknownPlugin, "no generator 'nope'"),
        ({"name": "scm", "graph": 3}, ConfigError, "has no option 'graph'"),
    ],
)
def test_nested_names_are_checked_before_any_work(
    generator: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        augment(table().frame, "y", 3, generator=generator)
    with pytest.raises(error, match=said):
        CausalMixModel.check({"generator": generator})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"seed": -1}, "'seed'.*greater than or equal to 0, got -1"),
        ({"n_rows": 10.0}, "'n_rows'.*valid integer, got 10.0"),
        ({"n_rows": 0}, "'n_rows'.*greater than or equal to 1, got 0"),
        ({"time_limit": None}, "'time_limit'.*got None"),
        ({"num_cpus": 0}, "'num_cpus'.*got 0"),
    ],
)
def test_arguments_of_augment_are_refused_by_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=f"augment argument {said}"):
        augment(table().frame, "y", **{"n_rows": 3, "generator": "bootstrap", **given})


def test_augment_says_its_fallbacks_as_warnings(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("autogluon"), "propagate", True)  # AutoGluon's is off
    caplog.set_level(logging.WARNING, "autogluon.causalmix")  # whatever AutoGluon's verbosity is
    augment(table(10).frame, "y", 5, generator="scm")
    assert any("too few" in record.message for record in caplog.records)
    assert {record.levelname for record in caplog.records} == {"WARNING"}


@dataclass(frozen=True)
class Constant:
    """A generator as somebody writes it in a notebook: it repeats the first rows."""

    start: int = 0

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "Repeated":
        return Repeated(table, self.start)


@dataclass(frozen=True)
class Repeated:
    table: Table
    start: int

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        return self.table.take(np.full(n_rows, self.start))

    def describe(self) -> dict[str, object]:
        return {}


@pytest.mark.parametrize("generator", [Constant, Constant(0)], ids=["class", "object"])
def test_augment_takes_a_generator_of_a_notebook(
    generator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Constant, "__module__", "__main__")
    frame = table().frame
    drawn = augment(frame, "y", 3, generator=generator)
    pd.testing.assert_frame_equal(drawn, frame.iloc[[0, 0, 0]].reset_index(drop=True))


def test_what_is_no_generator_is_refused_and_so_is_an_object_in_a_fit() -> None:
    with pytest.raises(ConfigError, match="a generator has a method fit"):
        augment(table().frame, "y", 3, generator=object)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="put its class into a module and name it 'module:Class'"):
        CausalMixModel.check({"generator": Constant(0)})
