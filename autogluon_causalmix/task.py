"""`Task`: what depends on the kind of target; `Classification` is the one there is.

Targets are arrays in the encoding of the table: codes of classes. K is the number of classes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
from pandas.api import types
from scipy.stats import rankdata
from sklearn.model_selection import train_test_split

from autogluon_causalmix.arrays import Indices, Mask, Matrix
from autogluon_causalmix.dtypes import kind_of, numbers_as_objects, plain
from autogluon_causalmix.errors import TableError
from autogluon_causalmix.records import Scores

if TYPE_CHECKING:
    from torch import Tensor

Targets = Indices | Matrix
"""Codes of classes, shape (rows,), as whole numbers or as floats."""

SMALLEST = float(np.finfo("float64").eps)
"""Probability below which a log-loss does not grow: scikit-learn's own bound."""

MOST_NUMBERED_CLASSES = 20
"""Different numbers that count as classes whatever their share of the rows."""


class Task(Protocol):
    """One kind of target: how it is checked, split, learned and scored."""

    def check(self, labels: pd.Series) -> None:
        """Refuse labels that are no targets of this kind.

        Raises
        ------
        TableError
            The message names the column and the way out.
        """
        ...

    def problem_type(self, targets: Targets) -> str:
        """Return AutoGluon's name of the problem."""
        ...

    def obstacle(self, targets: Targets) -> str:
        """Return why nothing can be learned from these targets, empty where something can."""
        ...

    def answerable(self, targets: Targets, known: Targets) -> Mask:
        """Return which targets can be predicted by a model that has seen `known`."""
        ...

    def hold_out(
        self, targets: Targets, share: float, rng: np.random.Generator
    ) -> tuple[Indices, Indices]:
        """Return the positions of training and of held-out rows, both in order."""
        ...

    def anchors(self, targets: Targets) -> Indices:
        """Return the positions of rows without which the others cannot be predicted."""
        ...

    def can_be_episode(self, targets: Targets) -> bool:
        """Return whether rows are enough for a context and a query of their own."""
        ...

    def loss(self, outputs: "Tensor", targets: "Tensor") -> "Tensor":
        """Return the mean training loss of outputs (rows, K)."""
        ...

    def responses(self, targets: Targets, known: Targets) -> Matrix:
        """Return what a least-squares fit learns in place of targets, shape (rows, outputs)."""
        ...

    def skill(self, predicted: Matrix, targets: Targets) -> float:
        """Return how well predicted responses (rows, outputs) tell the targets apart."""
        ...

    def row_losses(self, predicted: Matrix, targets: Targets) -> Matrix:
        """Return the loss of each prediction, shape (rows,)."""
        ...

    def scores(self, predicted: Matrix, targets: Targets) -> Scores:
        """Return the scores of predictions."""
        ...


@dataclass(frozen=True)
class Classification:
    """Classes: cross-entropy, stratified splits, log-loss and ROC-AUC.

    Examples
    --------
    >>> task = Classification()
    >>> task.problem_type(np.array([0.0, 2.0, 1.0])), task.obstacle(np.zeros(3))
    ('multiclass', 'the rows hold a single class')
    >>> task.scores(np.array([[0.8, 0.2], [0.4, 0.6]]), np.array([0, 1])).roc_auc
    1.0
    """

    def check(self, labels: pd.Series) -> None:
        """Check that every row has a label, and that labels are classes.

        Raises
        ------
        TableError
            A label is missing, or the labels are continuous.
        """
        missing = int(labels.isna().sum())
        if missing:
            raise TableError(
                f"the target {labels.name!r} is missing in {missing} rows; drop them first"
            )
        if is_continuous(labels):
            raise TableError(
                f"the target {labels.name!r} is continuous ({plain(labels).nunique()} values); "
                "this package classifies: choose a target with classes, or cut it into bins"
            )

    def problem_type(self, targets: Targets) -> str:
        """Return ``"binary"`` or ``"multiclass"``."""
        return "binary" if len(np.unique(targets)) <= 2 else "multiclass"

    def obstacle(self, targets: Targets) -> str:
        """Return why nothing can be learned from these classes, empty where something can."""
        if len(np.unique(targets)) < 2:
            return "the rows hold a single class"
        return "" if self.can_be_episode(targets) else "every class has a single row"

    def answerable(self, targets: Targets, known: Targets) -> Mask:
        """Return which rows have a class that `known` has."""
        return np.isin(targets, known)

    def hold_out(
        self, targets: Targets, share: float, rng: np.random.Generator
    ) -> tuple[Indices, Indices]:
        """Hold out rows; each class keeps a row for training.

        Stratified where there are enough rows for that, else half of the other rows at most.
        """
        classes, member, counts = np.unique(targets, return_inverse=True, return_counts=True)
        n_held_out = max(round(share * len(targets)), len(classes))
        frequent = np.flatnonzero(counts[member] > 1)
        if len(frequent) - n_held_out <= (counts > 1).sum():
            rows = rng.permutation(len(targets))
            others = np.setdiff1d(rows, rows[self.anchors(targets[rows])])
            held_out = rng.choice(others, min(n_held_out, len(others) // 2), replace=False)
        else:
            seed = int(rng.integers(2**31))
            _, held_out = train_test_split(
                frequent, test_size=n_held_out, stratify=targets[frequent], random_state=seed
            )
        return np.setdiff1d(np.arange(len(targets)), held_out), np.sort(held_out)

    def anchors(self, targets: Targets) -> Indices:
        """Return the first row of each class: a class that the context lacks is never predicted."""
        return np.unique(targets, return_index=True)[1]

    def can_be_episode(self, targets: Targets) -> bool:
        """Return whether some class has a second row, which can be asked for.

        Examples
        --------
        >>> task = Classification()
        >>> task.can_be_episode(np.array([0, 1])), task.can_be_episode(np.array([0, 1, 1]))
        (False, True)
        """
        return len(np.unique(targets)) < len(targets)

    def loss(self, outputs: "Tensor", targets: "Tensor") -> "Tensor":
        """Return the mean cross-entropy of logits (rows, K).

        Targets are classes (rows,) or their probabilities (rows, K).
        """
        from torch.nn import functional

        return functional.cross_entropy(outputs, targets)

    def responses(self, targets: Targets, known: Targets) -> Matrix:
        """Return indicators of the classes of `known`, shape (rows, classes)."""
        return np.asarray(targets[:, None] == np.unique(known), dtype="float64")

    def skill(self, predicted: Matrix, targets: Targets) -> float:
        """Return the one-vs-rest ROC-AUC of predicted indicators."""
        return one_vs_rest_auc(predicted, targets)

    def row_losses(self, predicted: Matrix, targets: Targets) -> Matrix:
        """Return the log-loss of each row, shape (rows,), from probabilities (rows, K)."""
        chosen = predicted[np.arange(len(targets)), targets].astype("float64")
        losses: Matrix = -np.log(np.maximum(chosen, SMALLEST))
        return losses

    def scores(self, predicted: Matrix, targets: Targets) -> Scores:
        """Return log-loss and one-vs-rest ROC-AUC of probabilities (rows, K).

        The AUC is None where a class has no row.
        """
        complete = len(np.unique(targets)) == predicted.shape[1] > 1
        return Scores(
            log_loss=float(self.row_losses(predicted, targets).mean()),
            roc_auc=one_vs_rest_auc(predicted, targets) if complete else None,
        )


def one_vs_rest_auc(scores: Matrix, targets: Targets) -> float:
    """Return the mean over classes of P(score of a row of the class > score of another row).

    Ties count half (Mann and Whitney, 1947).

    Parameters
    ----------
    scores : numpy.ndarray
        Shape (rows, K), columns in the order of the classes; any numbers that rise with the
        probability of the class.
    targets : numpy.ndarray
        Shape (rows,): K different classes.

    Returns
    -------
    float
        ½ where there is one class.

    Examples
    --------
    >>> one_vs_rest_auc(np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]]), np.array([0, 0, 1]))
    0.5
    """
    classes = np.unique(targets)
    if len(classes) < 2:
        return 0.5
    areas = []
    for score, label in zip(scores.T, classes, strict=True):
        own = targets == label
        ranks = rankdata(score)[own].sum() - own.sum() * (own.sum() + 1) / 2.0
        areas.append(ranks / (own.sum() * (~own).sum()))
    return float(np.mean(areas))


def is_continuous(labels: pd.Series) -> bool:
    """Whether labels look like a regression target: too many different numbers, each too rare.

    Whole numbers, and numbers as objects, are classes where there are at most 20, or one to every
    20 rows. Fractions are classes where there are at most 20, and half of them occur at least as
    often as there are different ones: 0.5 and 1.5 in thirty rows each, but not sixty measured
    values that happen to repeat once rounded.

    Examples
    --------
    >>> is_continuous(pd.Series([0.5, 1.5] * 30)), is_continuous(pd.Series(np.arange(60) / 7))
    (False, True)
    """
    is_number = types.is_numeric_dtype(labels) and kind_of(labels.dtype) in ("float", "whole")
    if not is_number and not numbers_as_objects(labels):
        return False
    counts = labels.dropna().astype("float64").value_counts()
    if is_number and (counts.index.to_numpy() % 1 != 0).any():
        return len(counts) > MOST_NUMBERED_CLASSES or bool(counts.median() < len(counts))
    return len(counts) > MOST_NUMBERED_CLASSES and len(counts) > 0.05 * int(counts.sum())
