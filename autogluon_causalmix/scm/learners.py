"""Regressions that give, in one fit, a held-out prediction of every row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.bases import Bumps, Identity, Pairs
from autogluon_causalmix.scm.ridge import (
    FittedLearner,
    ridge_regression,
    ridge_regression_on_best,
)

Learner = Callable[[Matrix, Matrix, np.random.Generator], FittedLearner]

LANDMARKS = 100
"""Basis functions of the smooth learner: enough for six parents; cost grows with the square."""
ROWS_FOR_LANDMARKS = 2_000
"""Rows among which landmarks are chosen."""
TREES = 50
LEAF = 5
"""Least rows in a leaf of a tree."""


def linear(features: Matrix, targets: Matrix) -> FittedLearner:
    """Fit ridge regression.

    Parameters
    ----------
    features : numpy.ndarray
        Shape (rows, features).
    targets : numpy.ndarray
        Shape (rows, outputs).
    """
    return ridge_regression("linear", Identity(), features, targets)


def pairwise(features: Matrix, targets: Matrix) -> FittedLearner:
    """Fit ridge regression on bumps along each feature and on products of pairs.

    After Lou et al. (2013).

    Parameters
    ----------
    features : numpy.ndarray
        Shape (rows, features).
    targets : numpy.ndarray
        Shape (rows, outputs).
    """
    return ridge_regression("pairwise", Pairs.of(features), features, targets)


def smooth(features: Matrix, targets: Matrix, rng: np.random.Generator) -> FittedLearner:
    """Fit kernel ridge regression of one of three widths on landmarks (Williams and Seeger, 2001).

    The widest is tried first, and a narrower one as long as the error falls.

    Parameters
    ----------
    features : numpy.ndarray
        Shape (rows, features).
    targets : numpy.ndarray
        Shape (rows, outputs).
    rng : numpy.random.Generator
        Chooses the landmarks.
    """
    some = rng.permutation(len(features))[:ROWS_FOR_LANDMARKS]
    distinct = _distinct(features[some], rng)
    chosen = rng.permutation(len(distinct))[:LANDMARKS]
    landmarks = distinct[np.sort(chosen)]
    widths = np.sqrt(max(features.shape[1], 1)) * np.array([2.0, 1.0, 0.5])
    bases = (Bumps.at(landmarks, width) for width in widths)
    return ridge_regression_on_best("smooth", bases, features, targets)


def trees(features: Matrix, targets: Matrix, rng: np.random.Generator) -> FittedLearner:
    """Fit extremely randomised trees on bootstraps (Geurts et al., 2006).

    A row is held out of every third tree or so; these predict it.

    Parameters
    ----------
    features : numpy.ndarray
        Shape (rows, features).
    targets : numpy.ndarray
        Shape (rows, outputs).
    rng : numpy.random.Generator
        Seeds the trees.
    """
    from sklearn.ensemble import ExtraTreesRegressor

    forest = ExtraTreesRegressor(
        TREES,
        min_samples_leaf=LEAF,
        max_features=1.0,
        bootstrap=True,
        oob_score=lambda *_: 0.0,  # scikit-learn's own warns about constant targets; it is unused
        random_state=int(rng.integers(2**31)),
    )
    forest.fit(features, targets if targets.shape[1] > 1 else targets[:, 0])
    held_out = np.asarray(forest.oob_prediction_).reshape(targets.shape)
    # A row may be in all bootstraps; the mean stands for the prediction of a tree without it.
    held_out = np.where(np.isfinite(held_out), held_out, targets.mean(axis=0))
    model, ones, zeros = _Forest(forest), np.ones(len(features)), np.zeros_like(held_out)
    return FittedLearner("trees", model, model.predict(features), held_out, ones, zeros)


LEARNERS: dict[str, Learner] = {
    "linear": lambda features, targets, _: linear(features, targets),
    "pairwise": lambda features, targets, _: pairwise(features, targets),
    "smooth": smooth,
    "trees": trees,
}
"""Candidates for a mechanism; one is chosen per node, by held-out log-likelihood."""


def _distinct(rows: Matrix, rng: np.random.Generator) -> Matrix:
    """Return each distinct row once: a random sum of their entries tells rows apart."""
    sums = np.einsum("ij,j->i", rows, rng.normal(size=rows.shape[1]))
    return np.asarray(rows[np.unique(sums, return_index=True)[1]])


@dataclass(frozen=True)
class _Forest:
    forest: Any

    def predict(self, features: Matrix) -> Matrix:
        return np.asarray(self.forest.predict(features)).reshape(len(features), -1)

    def draw(self, rng: np.random.Generator) -> "_Forest":
        """Return itself: a forest has no posterior."""
        return self
