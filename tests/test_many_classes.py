"""Tables with more classes than a backbone knows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from autogluon.tabular import TabularPredictor

from autogluon_causalmix import CausalMixModel, FitReport
from autogluon_causalmix.backbones.contract import condition
from autogluon_causalmix.backbones.many_classes import ManyClasses, _of_classes, draw_groupings
from autogluon_causalmix.backbones.tabpfn import Mini
from autogluon_causalmix.errors import BackboneError
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import check_backbone
from autogluon_causalmix.testing.checks import OWNER


def rings(n_classes: int, rows_per_class: int = 8) -> Table:
    """Return rows whose class is the direction of two numbers."""
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(n_classes), rows_per_class)
    angle = 2 * np.pi * (label + 0.2 * rng.normal(size=len(label))) / n_classes
    frame = pd.DataFrame({"x": np.cos(angle), "y": np.sin(angle)})
    return Table.from_frame(frame.assign(label=[f"class {i:03}" for i in label]), "label")


@pytest.mark.parametrize(("n_classes", "n_groups"), [(11, 10), (19, 10), (100, 10), (30, 2)])
def test_no_two_classes_share_all_groups_and_no_group_is_empty(
    n_classes: int, n_groups: int
) -> None:
    groupings = draw_groupings(n_classes, n_groups, np.random.default_rng(0))
    assert len(set(map(tuple, groupings.T))) == n_classes
    for grouping in groupings:
        sizes = np.bincount(grouping, minlength=n_groups)
        assert 1 <= sizes.min() <= sizes.max() <= -(-n_classes // n_groups)


def test_groups_that_are_certain_name_the_class_and_equal_ones_none() -> None:
    groupings = draw_groupings(19, 10, np.random.default_rng(0))
    certain = torch.eye(10)[torch.as_tensor(groupings)]  # of each class, (M, 19, 10)
    assert torch.allclose(_of_classes(certain, groupings), torch.eye(19), atol=1e-4)
    even = torch.full((4, 1, 10), 0.1)
    assert torch.allclose(_of_classes(even, groupings), torch.full((1, 19), 1 / 19))


def test_fifteen_classes_are_learned_by_a_model_of_ten() -> None:
    table = rings(15)
    model = condition(Mini(), table, n_estimators=2, device="cpu", seed=0, owner=OWNER)
    assert isinstance(model, ManyClasses)
    predicted = model.predict_proba(table.features)
    assert (model.classes[predicted.argmax(axis=1)] == table.labels).mean() > 0.8
    (note,) = (note for note in model.notes if "groups" in note)
    assert note == (
        "the 15 classes are more than the 10 of mini: it predicts groups of them, in 4 groupings"
    )


@pytest.mark.slow
def test_a_model_of_groups_keeps_the_contract_of_backbones() -> None:
    check_backbone(Mini(), {"12 classes": rings(12, 5)})


def test_a_target_whose_name_is_no_text_stays_the_target() -> None:
    frame = rings(12).frame.rename(columns={"label": 7})
    table = Table.from_frame(frame.assign(**{"7": np.arange(len(frame)) % 3}), 7)
    model = condition(Mini(), table, n_estimators=1, device="cpu", seed=0, owner=OWNER)
    named = Table.from_frame(table.frame.rename(columns={7: "label"}), "label")
    same = condition(Mini(), named, n_estimators=1, device="cpu", seed=0, owner=OWNER)
    found, expected = (each.predict_proba(table.features) for each in (model, same))
    assert np.allclose(found, expected)


def test_more_than_a_hundred_classes_are_refused() -> None:
    with pytest.raises(BackboneError, match="'label' has 101 classes, and at most 100 are"):
        condition(Mini(), rings(101, 1), n_estimators=1, device="cpu", seed=0, owner=OWNER)


@pytest.mark.slow
def test_autogluon_fits_twelve_classes_and_the_report_says_how(tmp_path: Path) -> None:
    frame = rings(12, 20).frame
    options = {"backbone": "mini", "generator": None, "finetune_steps": 2, "n_estimators": 1}
    predictor = TabularPredictor("label", path=str(tmp_path), verbosity=0).fit(
        frame, hyperparameters={CausalMixModel: options}, raise_on_model_failure=True
    )
    (path,) = Path(predictor.path).rglob("fit_report.json")
    assert any("the 12 classes are more than" in note for note in FitReport.read(path).notes)
    assert predictor.evaluate(frame)["accuracy"] > 0.6


def test_limits_are_those_of_the_named_backbone() -> None:
    def limits(backbone: object) -> tuple[int, int, int]:
        model = CausalMixModel(problem_type="binary", hyperparameters={"backbone": backbone})
        model.initialize()
        found = model.params_aux
        return found["max_rows"], found["max_features"], found["max_classes"]

    newer = {"name": "tabpfn", "version": "v2.5"}
    assert limits("mini") == (10_000, 500, 100)
    assert limits(newer) == (50_000, 2_000, 100)
    assert limits({"name": "ensemble", "backbones": ["mini", newer]}) == (10_000, 500, 100)
