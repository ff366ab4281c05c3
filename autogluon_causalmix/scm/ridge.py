"""`ridge_regression`: a fit with held-out predictions of its rows, in closed form."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.bases import Basis

PENALTIES = np.logspace(-4, 3, 15)
"""Candidates, for 100 rows; more rows scale them up."""
LEAST_DEFLATION = 0.9
"""Least factor for residuals: below it, the penalty was too small by chance. Noise of 100 rows had
.93 ± .15 of its spread without the bound, and has 1.01 ± .09 with it."""
RESIDUALS_PER_BATCH = 200_000
"""Residuals of all penalties in memory at a time: 2 MB stay in the cache."""


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
    fitted, held_out : numpy.ndarray
        Shape (rows, outputs): each row predicted by the model, and by a fit without the row.
    deflation : numpy.ndarray
        Shape (rows,): factors that give held-out residuals the spread of the noise. A held-out
        residual is the noise plus the error of the fit, and only the noise is to be drawn again.
    variance : numpy.ndarray
        Shape (rows, outputs): posterior variance of each held-out prediction.
    """

    name: str
    model: Regression
    fitted: Matrix
    held_out: Matrix
    deflation: Matrix
    variance: Matrix

    def error(self, targets: Matrix) -> float:
        """Return the mean squared error of the held-out predictions of `targets`."""
        return float(((targets - self.held_out) ** 2).mean())


@dataclass(frozen=True)
class Linear:
    """Predictions that are linear in a basis of the features.

    `root` and `offset_root` are square roots of the posterior covariance of weights and offset, in
    units of the noise, whose covariance has the square root `noise`.
    """

    basis: Basis
    centre: Matrix
    weights: Matrix
    offset: Matrix
    root: Matrix
    offset_root: float
    noise: Matrix

    def predict(self, features: Matrix) -> Matrix:
        """Return predictions, shape (rows, outputs)."""
        return np.asarray((self.basis.expand(features) - self.centre) @ self.weights + self.offset)

    def draw(self, rng: np.random.Generator) -> "Linear":
        """Return a draw from the posterior under the Gaussian prior of a ridge penalty."""
        normal = rng.normal(size=(self.root.shape[1] + 1, len(self.noise))) @ self.noise
        weights = self.weights + self.root @ normal[1:]
        return replace(self, weights=weights, offset=self.offset + self.offset_root * normal[0])


def ridge_regression(name: str, basis: Basis, features: Matrix, targets: Matrix) -> FittedLearner:
    """Fit ridge regression on a basis; the leave-one-out error chooses the penalty.

    Parameters
    ----------
    name : str
        The learner's name.
    basis : Basis
        What predictions are linear in.
    features, targets : numpy.ndarray
        Shape (rows, features) and (rows, outputs).
    """
    expanded = basis.expand(features)
    centre, offset = expanded.mean(axis=0), targets.mean(axis=0)
    expanded = expanded - centre
    values, vectors = np.linalg.eigh(expanded.T @ expanded)
    values = np.maximum(values, 0.0)
    rotated, centred = expanded @ vectors, targets - offset
    projected = rotated.T @ centred
    penalties = PENALTIES * max(len(features) / 100.0, 1.0)
    leverages = _leverages(rotated, values, penalties)
    best = int(_errors(rotated, centred, projected, values, penalties, leverages).argmin())
    penalty, leverage = float(penalties[best]), leverages[:, best]
    shrunk = projected / (values + penalty)[:, None]
    explained = rotated @ shrunk
    residual = (centred - explained) / (1.0 - leverage)[:, None]
    # e/(1 − h) is the held-out residual; e/√(1 − h) has the variance of the noise
    # (Cook and Weisberg, 1982).
    noise = _square_root((residual * (1.0 - leverage)[:, None]).T @ residual / len(features))
    root, offset_root = vectors / np.sqrt(values + penalty), 1.0 / np.sqrt(len(features))
    return FittedLearner(
        name,
        Linear(basis, centre, vectors @ shrunk, offset, root, offset_root, noise),
        explained + offset,
        targets - residual,
        np.maximum(np.sqrt(1.0 - leverage), LEAST_DEFLATION),
        (leverage / (1.0 - leverage))[:, None] * (noise**2).sum(axis=0),
    )


def _leverages(rotated: Matrix, values: Matrix, penalties: Matrix) -> Matrix:
    """Return the leverage of each row under each penalty, shape (rows, penalties)."""
    leverages = rotated**2 @ (1.0 / (values[:, None] + penalties))
    return np.minimum(leverages + 1.0 / len(rotated), 1.0 - 1e-6)


def _errors(
    rotated: Matrix,
    centred: Matrix,
    projected: Matrix,
    values: Matrix,
    penalties: Matrix,
    leverages: Matrix,
) -> Matrix:
    """Return the sum of squared leave-one-out residuals under each penalty, shape (penalties,)."""
    shape = len(penalties), projected.shape[1]
    shrink = (1.0 / (values[:, None] + penalties))[:, :, None]
    weights = (shrink * projected[:, None]).reshape(len(values), shape[0] * shape[1])
    size = max(RESIDUALS_PER_BATCH // weights.shape[1], 1)
    errors = np.zeros(len(penalties))
    for begin in range(0, len(rotated), size):
        some = slice(begin, begin + size)
        explained = (rotated[some] @ weights).reshape(-1, *shape)
        squares = ((centred[some, None] - explained) ** 2).sum(axis=2)
        errors += (squares / (1.0 - leverages[some]) ** 2).sum(axis=0)
    return errors


def _square_root(covariance: Matrix) -> Matrix:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T)
