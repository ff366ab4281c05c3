"""Bases of regressions: features as the columns that predictions are linear in."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import block_diag
from scipy.linalg.lapack import dpstrf, dtrtri

from autogluon_causalmix.arrays import Indices, Matrix

KNOTS = 6
"""Bumps along each feature, of `Pairs`."""
BUMP = 0.7
"""Width of a bump in standard deviations: neighbouring knots of a normal column overlap."""
LEAST_NEW = 1e-5
"""Share of a bump that the bumps before it do not span; one with less is left out."""
MOST_BENT = 100
"""Most features with bumps: the cost grows with the cube of their number."""
MOST_PAIRED = 12
"""Most features whose pairs are multiplied: beyond these 66 products, small tables have too few
rows."""


class Basis(Protocol):
    """Maps features, shape (rows, features), to the columns that predictions are linear in."""

    @property
    def prior(self) -> Matrix | None:
        """A square root of the prior covariance of the weights, shape (columns, directions).

        A ridge penalty gives its factor; None is the identity.
        """
        ...

    def expand(self, features: Matrix) -> Matrix:
        """Return the columns, shape (rows, columns)."""
        ...


@dataclass(frozen=True)
class Identity:
    """The features themselves."""

    prior: None = None

    def expand(self, features: Matrix) -> Matrix:
        """Return the features."""
        return features


@dataclass(frozen=True)
class Bumps:
    """The features and Gaussian bumps at some rows (the Nyström approximation of a kernel)."""

    landmarks: Matrix
    width: float
    prior: Matrix

    @classmethod
    def at(cls, landmarks: Matrix, width: float) -> "Bumps":
        """Return the basis with the prior under which a ridge penalty is the norm of the kernel.

        A pivoted Cholesky factor takes one bump after the other, each time the one that those
        taken span least.

        Parameters
        ----------
        landmarks : numpy.ndarray
            Shape (landmarks, features): the centres of the bumps.
        width : float
            Their standard deviation.
        """
        products = _kernel(landmarks, landmarks, width)
        factor, order, rank, _ = dpstrf(products, tol=LEAST_NEW, lower=1)
        whiten, _ = dtrtri(np.tril(factor[:rank, :rank]), lower=1)
        prior = block_diag(np.eye(landmarks.shape[1]), whiten.T)
        return cls(landmarks[order[:rank] - 1], width, prior)

    def expand(self, features: Matrix) -> Matrix:
        """Return the features and the bumps."""
        return np.concatenate([features, _kernel(features, self.landmarks, self.width)], axis=1)


@dataclass(frozen=True)
class Pairs:
    """The features, a few bumps along each of them, and the products of all pairs."""

    bent: Indices
    knots: Matrix
    pairs: Indices
    prior: None = None

    @classmethod
    def of(cls, features: Matrix) -> "Pairs":
        """Return the basis with knots at quantiles of the features, shape (rows, features)."""
        n_features = features.shape[1]
        bent = np.flatnonzero([len(np.unique(column)) > KNOTS for column in features.T])
        if len(bent) > MOST_BENT:
            bent = bent[:0]
        knots = np.quantile(features[:, bent], (np.arange(KNOTS) + 0.5) / KNOTS, axis=0)
        pairs = np.empty((0, 2), dtype=np.int64)
        if n_features <= MOST_PAIRED:
            pairs = np.column_stack(np.triu_indices(n_features, 1))
        return cls(bent, knots, pairs)

    def expand(self, features: Matrix) -> Matrix:
        """Return the features, the bumps and the products."""
        bumps = np.exp(-0.5 * ((features[:, None, self.bent] - self.knots) / BUMP) ** 2)
        products = features[:, self.pairs[:, 0]] * features[:, self.pairs[:, 1]]
        return np.concatenate([features, bumps.reshape(len(features), -1), products], axis=1)


def _kernel(rows: Matrix, landmarks: Matrix, width: float) -> Matrix:
    squares = rows @ (-2.0 * landmarks.T)
    squares += (rows**2).sum(axis=1)[:, None] + (landmarks**2).sum(axis=1)
    np.maximum(squares, 0.0, out=squares)
    squares *= -0.5 / width**2
    return np.exp(squares, out=squares)
