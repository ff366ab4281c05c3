"""Regressions that give, in one fit, a held-out prediction of every row."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from autogluon_causalmix.arrays import Indices, Matrix

RIDGES = np.logspace(-4, 3, 15)
"""Candidates for the penalty, for 100 rows; more rows scale them up."""
LANDMARKS = 100
"""Basis functions of the smooth learner: enough for six parents; cost grows with the square."""
KNOTS = 6
"""Bumps along each feature, in the pairwise learner."""
BUMP = 0.7
"""Width of a bump in standard deviations: neighbouring knots of a normal column overlap."""
MOST_PAIRED = 12
"""Most features whose pairs are multiplied: beyond these 66 products, small tables have too few
rows."""
LEAST_DEFLATION = 0.9
"""Least factor for residuals: below it, the penalty was too small by chance. Noise of 100 rows had
.93 ± .15 of its spread without the bound, and has 1.01 ± .09 with it."""
TREES = 50
LEAF = 5
"""Least rows in a leaf of a tree."""


class Regression(Protocol):
    """A fitted function of features."""

    def predict(self, features: Matrix) -> Matrix:
        """Return predictions, shape (rows, outputs)."""
        ...

    def draw(self, rng: np.random.Generator) -> "Regression":
        """Return a draw from the posterior over functions, of which this is the mean."""
        ...


@dataclass(frozen=True)
class FittedLearner:
    """A fitted learner with held-out predictions for the rows it was fitted to.

    Attributes
    ----------
    name : str
        The learner's name.
    model : Regression
        Predicts for new rows.
    held_out : numpy.ndarray
        Shape (rows, outputs): each row predicted by a fit without it.
    deflation : numpy.ndarray
        Shape (rows,): factors that give held-out residuals the spread of the noise. A held-out
        residual is the noise plus the error of the fit, and only the noise is to be drawn again.
    variance : numpy.ndarray
        Shape (rows, outputs): posterior variance of each held-out prediction.
    """

    name: str
    model: Regression
    held_out: Matrix
    deflation: Matrix
    variance: Matrix


class _Basis(Protocol):
    """Maps features to the columns that predictions are linear in."""

    def expand(self, features: Matrix) -> Matrix: ...


@dataclass(frozen=True)
class _Linear:
    """Predictions that are linear in a basis of the features.

    `root` and `offset_root` are square roots of the posterior covariance of weights and offset, in
    units of the noise, whose covariance has the square root `noise`.
    """

    basis: _Basis
    centre: Matrix
    weights: Matrix
    offset: Matrix
    root: Matrix
    offset_root: float
    noise: Matrix

    def predict(self, features: Matrix) -> Matrix:
        return np.asarray((self.basis.expand(features) - self.centre) @ self.weights + self.offset)

    def draw(self, rng: np.random.Generator) -> "_Linear":
        """Return a draw from the posterior under the Gaussian prior of a ridge penalty."""
        normal = rng.normal(size=(self.root.shape[1] + 1, len(self.noise))) @ self.noise
        weights = self.weights + self.root @ normal[1:]
        return replace(self, weights=weights, offset=self.offset + self.offset_root * normal[0])


@dataclass(frozen=True)
class _Identity:
    """The features themselves."""

    def expand(self, features: Matrix) -> Matrix:
        return features


@dataclass(frozen=True)
class _Bumps:
    """The features and Gaussian bumps at some rows (the Nyström approximation of a kernel)."""

    landmarks: Matrix
    width: float
    whiten: Matrix

    @classmethod
    def at(cls, landmarks: Matrix, width: float) -> "_Bumps":
        """Return the basis in which a ridge penalty is the norm of the kernel."""
        values, vectors = np.linalg.eigh(_kernel(landmarks, landmarks, width))
        kept = values > 1e-6 * values[-1]
        return cls(landmarks, width, vectors[:, kept] / np.sqrt(values[kept]))

    def expand(self, features: Matrix) -> Matrix:
        return np.concatenate(
            [features, _kernel(features, self.landmarks, self.width) @ self.whiten], axis=1
        )


@dataclass(frozen=True)
class _Pairs:
    """The features, a few bumps along each of them, and the products of all pairs."""

    bent: Indices
    knots: Matrix
    pairs: Indices

    @classmethod
    def of(cls, features: Matrix) -> "_Pairs":
        n_features = features.shape[1]
        bent = np.flatnonzero([len(np.unique(column)) > KNOTS for column in features.T])
        knots = np.quantile(features[:, bent], (np.arange(KNOTS) + 0.5) / KNOTS, axis=0)
        pairs = np.empty((0, 2), dtype=np.int64)
        if n_features <= MOST_PAIRED:
            pairs = np.column_stack(np.triu_indices(n_features, 1))
        return cls(bent, knots, pairs)

    def expand(self, features: Matrix) -> Matrix:
        bumps = np.exp(-0.5 * ((features[:, None, self.bent] - self.knots) / BUMP) ** 2)
        products = features[:, self.pairs[:, 0]] * features[:, self.pairs[:, 1]]
        return np.concatenate([features, bumps.reshape(len(features), -1), products], axis=1)


def linear(features: Matrix, targets: Matrix) -> FittedLearner:
    """Fit ridge regression; the leave-one-out error, in closed form, chooses the penalty.

    Parameters
    ----------
    features : numpy.ndarray
        Shape (rows, features).
    targets : numpy.ndarray
        Shape (rows, outputs).
    """
    return _ridge("linear", _Identity(), features, targets)[1]


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
    return _ridge("pairwise", _Pairs.of(features), features, targets)[1]


def smooth(features: Matrix, targets: Matrix, rng: np.random.Generator) -> FittedLearner:
    """Fit kernel ridge regression on a few landmarks (Williams and Seeger, 2001).

    The leave-one-out error chooses the width and the penalty.

    Parameters
    ----------
    features : numpy.ndarray
        Shape (rows, features).
    targets : numpy.ndarray
        Shape (rows, outputs).
    rng : numpy.random.Generator
        Chooses the landmarks.
    """
    distinct = np.unique(features, axis=0)
    chosen = rng.permutation(len(distinct))[:LANDMARKS]
    landmarks = distinct[np.sort(chosen)]
    fits = [
        _ridge("smooth", _Bumps.at(landmarks, width), features, targets)
        for width in np.sqrt(max(features.shape[1], 1)) * np.array([0.5, 1.0, 2.0])
    ]
    return min(fits, key=lambda fit: fit[0])[1]


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
    return FittedLearner(
        "trees", _Forest(forest), held_out, np.ones(len(features)), np.zeros_like(held_out)
    )


@dataclass(frozen=True)
class _Forest:
    forest: Any

    def predict(self, features: Matrix) -> Matrix:
        return np.asarray(self.forest.predict(features)).reshape(len(features), -1)

    def draw(self, rng: np.random.Generator) -> "_Forest":
        """Return itself: a forest has no posterior."""
        return self


def _ridge(
    name: str, basis: _Basis, features: Matrix, targets: Matrix
) -> tuple[float, FittedLearner]:
    """Return the leave-one-out error of the best penalty, and its fit."""
    expanded = basis.expand(features)
    centre, offset = expanded.mean(axis=0), targets.mean(axis=0)
    expanded = expanded - centre
    values, vectors = np.linalg.eigh(expanded.T @ expanded)
    values = np.maximum(values, 0.0)
    rotated = expanded @ vectors
    squares, centred = rotated**2, targets - offset
    projected = rotated.T @ centred
    best: tuple[float, float, Matrix, Matrix] | None = None
    for ridge in RIDGES * max(len(features) / 100.0, 1.0):
        shrink = 1.0 / (values + ridge)
        leverage = np.minimum(squares @ shrink + 1.0 / len(features), 1.0 - 1e-6)
        residual = (centred - rotated @ (shrink[:, None] * projected)) / (1.0 - leverage)[:, None]
        error = float((residual**2).mean())
        if best is None or error < best[0]:
            best = (error, float(ridge), residual, leverage)
    assert best is not None
    error, ridge, residual, leverage = best
    weights = vectors @ (projected / (values + ridge)[:, None])
    # e/(1 − h) is the held-out residual; e/√(1 − h) has the variance of the noise
    # (Cook and Weisberg, 1982).
    noise = _square_root((residual * (1.0 - leverage)[:, None]).T @ residual / len(features))
    root, offset_root = vectors / np.sqrt(values + ridge), 1.0 / np.sqrt(len(features))
    model = _Linear(basis, centre, weights, offset, root, offset_root, noise)
    deflation = np.maximum(np.sqrt(1.0 - leverage), LEAST_DEFLATION)
    variance = (leverage / (1.0 - leverage))[:, None] * (noise**2).sum(axis=0)
    return error, FittedLearner(name, model, targets - residual, deflation, variance)


def _square_root(covariance: Matrix) -> Matrix:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T)


def _kernel(rows: Matrix, landmarks: Matrix, width: float) -> Matrix:
    squares = (rows**2).sum(axis=1)[:, None] + (landmarks**2).sum(axis=1) - 2.0 * rows @ landmarks.T
    return np.asarray(np.exp(-np.maximum(squares, 0.0) / (2.0 * width**2)))
