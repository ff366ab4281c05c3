"""`Classification`, against scikit-learn and against what a split must keep."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from autogluon_causalmix.task import Classification

TASK = Classification()


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_scores_are_those_of_scikit_learn(classes: int) -> None:
    rng = np.random.default_rng(classes)
    predicted = rng.dirichlet(np.ones(classes), size=200)
    targets = np.concatenate([np.arange(classes), rng.integers(classes, size=200 - classes)])
    given_scores = predicted[:, 1] if classes == 2 else predicted
    scores = TASK.scores(predicted, targets)
    assert scores.log_loss == pytest.approx(log_loss(targets, predicted), abs=1e-12)
    assert scores.roc_auc == pytest.approx(
        roc_auc_score(targets, given_scores, multi_class="ovr"), abs=1e-12
    )


def test_a_sure_mistake_costs_what_scikit_learn_says() -> None:
    predicted, targets = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([1, 0])
    assert TASK.scores(predicted, targets).log_loss == pytest.approx(
        log_loss(targets, predicted, labels=[0, 1]), abs=1e-6
    )


def test_the_training_loss_of_certain_probabilities_is_that_of_their_classes() -> None:
    logits, targets = torch.randn(20, 3), torch.arange(20) % 3
    soft = torch.nn.functional.one_hot(targets, 3).float()
    assert torch.allclose(TASK.loss(logits, targets), TASK.loss(logits, soft), atol=1e-6)
    own = TASK.row_losses(torch.softmax(logits, 1).numpy(), targets.numpy()).mean()
    assert float(TASK.loss(logits, targets)) == pytest.approx(own, abs=1e-6)


@given(
    counts=st.lists(st.integers(1, 30), min_size=2, max_size=9).filter(lambda c: max(c) > 3),
    share=st.floats(0.1, 0.4),
    seed=st.integers(0, 99),
)
def test_a_split_loses_no_row_and_leaves_every_class_one_to_learn_from(
    counts: list[int], share: float, seed: int
) -> None:
    targets = np.repeat(np.arange(len(counts)), counts).astype("float64")
    kept, held_out = TASK.hold_out(targets, share, np.random.default_rng(seed))
    assert sorted([*kept, *held_out]) == list(range(len(targets)))
    assert set(targets[kept]) == set(targets)
    assert 0 < len(held_out) <= max(round(share * len(targets)), len(counts))
    again = TASK.hold_out(targets, share, np.random.default_rng(seed))
    assert np.array_equal(kept, again[0])


@pytest.mark.parametrize("classes", [2, 10, 19])
def test_classes_of_two_rows_each_leave_an_episode_to_learn_from(classes: int) -> None:
    targets = np.repeat(np.arange(classes), 2).astype("float64")
    kept, held_out = TASK.hold_out(targets, 0.2, np.random.default_rng(0))
    assert TASK.can_be_episode(targets[kept])
    assert len(held_out) > 0


@given(targets=st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_anchors_hold_each_class_once(targets: list[int]) -> None:
    codes = np.array(targets)
    anchors = TASK.anchors(codes)
    assert sorted(codes[anchors]) == sorted(set(targets))
    assert TASK.can_be_episode(codes) == (len(anchors) < len(codes))


def test_what_stands_in_the_way_is_said() -> None:
    assert TASK.obstacle(np.zeros(9)) == "the rows hold a single class"
    assert TASK.obstacle(np.arange(9.0)) == "every class has a single row"
    assert TASK.obstacle(np.array([0.0, 1.0, 1.0])) == ""


def test_rows_of_an_unseen_class_cannot_be_answered() -> None:
    seen = np.array([0.0, 2.0])
    assert TASK.answerable(np.array([0.0, 1.0, 2.0, np.nan]), seen).tolist() == [
        True,
        False,
        True,
        False,
    ]
