"""Learners that say, in one fit, what they would have predicted for each row without having seen it."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from autogluon_causalmix.arrays import Matrix

RIDGES = np.logspace(-4, 3, 15)
LANDMARKS = 100
"""Basis functions of the smooth learner: enough for six or so parents; the cost grows with their square."""
KNOTS = 6
BUMP = 0.7
"""Width of a bump in standard deviations: neighbouring knots of a normal column overlap."""
MOST_PAIRED = 12
"""Features whose pairs are multiplied: 66 products; with more, the products outnumber the rows of small tables."""
LEAST_DEFLATION = 0.9
"""Below it, the penalty was chosen too small by luck: noise of 100 rows had .93 ± .15 of its spread, now 1.01 ± .09."""
TREES = 50
LEAF = 5


class Fitted(Protocol):
    """A fitted learner."""

    def predict(self, features: Matrix) -> Matrix:
        """Return predictions, shape (rows, outputs)."""
        ...

    def draw(self, rng: np.random.Generator) -> "Fitted":
        """Return a function that the rows leave possible: a draw from the posterior, of which this is the mean."""
        ...


@dataclass(frozen=True)
class Fit:
    """A fitted learner beside its honest predictions for the rows it was fitted to.

    Attributes
    ----------
    name : str
        The learner's name.
    model : Fitted
        Predicts for new rows.
    held_out : numpy.ndarray
        Shape (rows, outputs): each row predicted by a fit without it.
    deflation : numpy.ndarray
        Shape (rows,): what a held-out residual is multiplied with to have the noise's spread: a held-out residual
        holds the noise and the error of the fit, and only the first is to be drawn again.
    variance : numpy.ndarray
        Shape (rows, outputs): posterior variance of each held-out prediction.
    """

    name: str
    model: Fitted
    held_out: Matrix
    deflation: Matrix
    variance: Matrix


class _Basis(Protocol):
    """Turns features into what predictions are linear in."""

    def expand(self, features: Matrix) -> Matrix: ...


@dataclass(frozen=True)
class _Linear:
    """Predictions that are linear in a basis of the features.

    `root` and `offset_root` are square roots of the posterior's covariance of the weights and of the offset, in units
    of the noise, whose own square root is `noise`.
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
        """Return a draw from the posterior under the Gaussian prior that the ridge penalty is."""
        normal = rng.normal(size=(self.root.shape[1] + 1, len(self.noise))) @ self.noise
        weights, offset = (
            self.weights + self.root @ normal[1:],
            self.offset + self.offset_root * normal[0],
        )
        return replace(self, weights=weights, offset=offset)


@dataclass(frozen=True)
class _Identity:
    """The features themselves."""

    def expand(self, features: Matrix) -> Matrix:
        return features


@dataclass(frozen=True)
class _Bumps:
    """The features, and Gaussian bumps at some of the rows (the Nyström approximation of a kernel)."""

    landmarks: Matrix
    width: float
    whiten: Matrix

    @classmethod
    def at(cls, landmarks: Matrix, width: float) -> "_Bumps":
        """Return the basis in which a ridge penalty is the kernel's own norm."""
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

    bent: npt.NDArray[np.int64]
    knots: Matrix
    pairs: npt.NDArray[np.int64]

    @classmethod
    def of(cls, features: Matrix) -> "_Pairs":
        n_features = features.shape[1]
        bent = np.flatnonzero([len(np.unique(column)) > KNOTS for column in features.T])
        knots = np.quantile(features[:, bent], (np.arange(KNOTS) + 0.5) / KNOTS, axis=0)
        few = n_features <= MOST_PAIRED
        pairs = (
            np.column_stack(np.triu_indices(n_features, 1))
            if few
            else np.empty((0, 2), dtype=np.int64)
        )
        return cls(bent, knots, pairs)

    def expand(self, features: Matrix) -> Matrix:
        bumps = np.exp(-0.5 * ((features[:, None, self.bent] - self.knots) / BUMP) ** 2)
        products = features[:, self.pairs[:, 0]] * features[:, self.pairs[:, 1]]
        return np.concatenate([features, bumps.reshape(len(features), -1), products], axis=1)


def linear(features: Matrix, targets: Matrix) -> Fit:
    """Fit ridge regression, its penalty chosen by the leave-one-out error, which has a closed form.

    Parameters
    ----------
    features : numpy.ndarray
        Shape (rows, features).
    targets : numpy.ndarray
        Shape (rows, outputs).
    """
    return _ridge("linear", _Identity(), features, targets)[1]


def pairwise(features: Matrix, targets: Matrix) -> Fit:
    """Fit ridge regression on bumps along each feature and products of pairs (after Lou et al., 2013).

    Parameters
    ----------
    features : numpy.ndarray
        Shape (rows, features).
    targets : numpy.ndarray
        Shape (rows, outputs).
    """
    return _ridge("pairwise", _Pairs.of(features), features, targets)[1]


def smooth(features: Matrix, targets: Matrix, rng: np.random.Generator) -> Fit:
    """Fit kernel ridge regression on a few landmarks (Williams and Seeger, 2001), width and penalty by leave-one-out.

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


def trees(features: Matrix, targets: Matrix, rng: np.random.Generator) -> Fit:
    """Fit extremely randomised trees on bootstraps (Geurts et al., 2006); a row is held out of every third tree.

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
        oob_score=lambda *_: (
            0.0
        ),  # scikit-learn's own score warns about constant targets, and nobody reads it
        random_state=int(rng.integers(2**31)),
    )
    forest.fit(features, targets if targets.shape[1] > 1 else targets[:, 0])
    held_out = np.asarray(forest.oob_prediction_).reshape(targets.shape)
    # A small forest can leave a row out of no tree; the mean is what a model without it would say at the least.
    held_out = np.where(np.isfinite(held_out), held_out, targets.mean(axis=0))
    return Fit("trees", _Forest(forest), held_out, np.ones(len(features)), np.zeros_like(held_out))


@dataclass(frozen=True)
class _Forest:
    forest: Any

    def predict(self, features: Matrix) -> Matrix:
        return np.asarray(self.forest.predict(features)).reshape(len(features), -1)

    def draw(self, rng: np.random.Generator) -> "_Forest":
        """Return itself: what is left open is not known."""
        return self


def _ridge(name: str, basis: _Basis, features: Matrix, targets: Matrix) -> tuple[float, Fit]:
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
    # e/(1 − h) is the held-out residual, e/√(1 − h) has the variance of the noise (Cook and Weisberg, 1982).
    noise = _square_root((residual * (1.0 - leverage)[:, None]).T @ residual / len(features))
    model = _Linear(
        basis,
        centre,
        weights,
        offset,
        vectors / np.sqrt(values + ridge),
        1.0 / np.sqrt(len(features)),
        noise,
    )
    deflation = np.maximum(np.sqrt(1.0 - leverage), LEAST_DEFLATION)
    variance = (leverage / (1.0 - leverage))[:, None] * (noise**2).sum(axis=0)
    return error, Fit(name, model, targets - residual, deflation, variance)


def _square_root(covariance: Matrix) -> Matrix:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T)


def _kernel(rows: Matrix, landmarks: Matrix, width: float) -> Matrix:
    squares = (rows**2).sum(axis=1)[:, None] + (landmarks**2).sum(axis=1) - 2.0 * rows @ landmarks.T
    return np.asarray(np.exp(-np.maximum(squares, 0.0) / (2.0 * width**2)))
