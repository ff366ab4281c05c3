"""`Blocks`: every column of a mixed table as a block of features, and their correlations."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats
from scipy.special import ndtri

from autogluon_causalmix.arrays import Indices, Mask, Matrix

FEWEST_ROWS_PER_INDICATOR = 5
"""Rarer levels share one indicator: counts below about 5 are far from Gaussian (Cochran, 1954)."""

MOST_INDICATORS_IN_BLOCK = 12
"""Per category: each is a degree of freedom in every test, and small tables have few."""


@dataclass(frozen=True)
class Blocks:
    """Columns as blocks of features: one normal score of a number, indicators of a category.

    Attributes
    ----------
    features : numpy.ndarray
        Shape (rows, features); 0 where the column is missing.
    observed : numpy.ndarray of bool
        Shape (rows, columns).
    block : numpy.ndarray of int
        Shape (features,): the column that each feature belongs to.
    levels : numpy.ndarray of int
        Shape (rows, columns): 0, 1, 2, … for the levels of categories without missing cells; 0 in
        other columns.

    Examples
    --------
    >>> values = np.array([[0.1, 0.0], [2.5, 1.0], [0.7, 2.0], [np.nan, 0.0]] * 10)
    >>> Blocks.of(values, categorical=[1]).block
    array([0, 1, 1])
    """

    features: Matrix
    observed: Mask
    block: Indices
    levels: Indices

    @classmethod
    def of(cls, values: Matrix, categorical: Collection[int]) -> "Blocks":
        """Turn a matrix as `Table.encode` returns it into blocks; constant columns get no feature.

        Parameters
        ----------
        values : numpy.ndarray
            Shape (rows, columns): numbers, codes of categories, NaN where missing.
        categorical : collection of int
            Positions of the columns that hold codes.
        """
        parts = [
            _indicators(column) if position in categorical else _normal_scores(column)
            for position, column in enumerate(values.T)
        ]
        block = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
        features = np.column_stack([np.empty((len(values), 0)), *parts])
        observed = ~np.isnan(values)
        levels = np.zeros(values.shape, dtype=np.int64)
        for position in categorical:
            if observed[:, position].all():
                levels[:, position] = np.unique(values[:, position], return_inverse=True)[1]
        return cls(features, observed, block, levels)

    def correlations(self, weights: Matrix | None = None) -> "BlockCorrelation":
        """Return the correlations of all features, each from the rows that observe both columns.

        Parameters
        ----------
        weights : numpy.ndarray, optional
            Shape (rows,): how often each row counts, as in a bootstrap; by default once.
        """
        weights = np.ones(len(self.features)) if weights is None else weights
        seen = self.observed.astype("float64")
        mask = seen[:, self.block]
        counts = weights @ mask
        centred = (
            self.features - (weights @ (self.features * mask)) / np.where(counts > 0, counts, 1.0)
        ) * mask
        weighted = centred * weights[:, None]
        variance = (weighted * centred).T @ mask
        scale = np.sqrt(variance * variance.T)
        matrix = np.divide(
            weighted.T @ centred, scale, out=np.zeros_like(scale), where=scale > 1e-12
        )
        np.fill_diagonal(matrix, 1.0)
        varies = np.diag(variance) > 1e-12
        rows = _kish(seen, weights)
        if not self.observed.all():
            matrix = _nearest_correlation(matrix)
        width = np.bincount(self.block[varies], minlength=self.observed.shape[1])
        total = float(weights.sum() ** 2 / max((weights**2).sum(), 1.0))
        return BlockCorrelation(_ridged(matrix, total), self.block, width, rows, total)


@dataclass(frozen=True)
class BlockCorrelation:
    """The correlations of blocks of features, and the numbers of rows behind them.

    Attributes
    ----------
    matrix : numpy.ndarray
        Positive definite correlations, shape (features, features).
    block : numpy.ndarray of int
        Shape (features,): the column of each feature.
    width : numpy.ndarray of int
        Shape (columns,): number of features of each column that vary; 0 for a constant column.
    rows : numpy.ndarray
        Shape (columns, columns): Kish's effective number of rows that observe both columns.
    total : float
        Kish's effective number of all rows.
    """

    matrix: Matrix
    block: Indices
    width: Indices
    rows: Matrix
    total: float

    @cached_property
    def features(self) -> Indices:
        """The features of each column, shape (columns, widest), padded with −1."""
        counts = np.bincount(self.block, minlength=len(self.width))
        features = np.full((len(counts), max(int(counts.max(initial=0)), 1)), -1)
        for column, count in enumerate(counts):
            features[column, :count] = np.flatnonzero(self.block == column)
        return features


def _normal_scores(column: Matrix) -> Matrix:
    """Return the van der Waerden scores of a column, shape (rows, 1); (rows, 0) if constant."""
    present = ~np.isnan(column)
    if np.unique(column[present]).size < 2:
        return np.empty((len(column), 0))
    scores = np.zeros(len(column))
    scores[present] = ndtri((stats.rankdata(column[present]) - 0.5) / present.sum())
    return np.asarray(scores[:, None])


def _indicators(column: Matrix) -> Matrix:
    """Return indicators of all frequent levels but one; rare levels share one.

    They have shape (rows, levels − 1), where the rare levels count as one level.
    """
    levels, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    by_count = levels[np.lexsort((levels, -counts))]
    frequent = by_count[: max(int((counts >= FEWEST_ROWS_PER_INDICATOR).sum()), 2)][
        :MOST_INDICATORS_IN_BLOCK
    ]
    # The reference is all other levels together, or the least frequent one if there are none.
    own = frequent if len(frequent) < len(levels) else frequent[:-1]
    return np.asarray((column[:, None] == own[None, :]).astype("float64"))


def _kish(seen: Matrix, weights: Matrix) -> Matrix:
    """Return Kish's effective number of rows of every pair of columns, shape (columns, columns).

    A bootstrap is worth half its rows; a test at 5 % that counts all of them rejects 17 % of true
    null hypotheses.
    """
    total = (seen * weights[:, None]).T @ seen
    squares = (seen * (weights**2)[:, None]).T @ seen
    return np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)


def _nearest_correlation(matrix: Matrix) -> Matrix:
    """Clip the negative eigenvalues that can result from pairwise deletion."""
    values, vectors = np.linalg.eigh(matrix)
    if values.min(initial=0.0) >= 0:
        return matrix
    clipped = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = np.sqrt(np.maximum(np.diag(clipped), 1e-12))
    clipped = clipped / np.outer(scale, scale)
    np.fill_diagonal(clipped, 1.0)
    return np.asarray(clipped)


def _ridged(matrix: Matrix, rows: float) -> Matrix:
    """Add a ridge of a tenth of a row, with which collinear columns are invertible.

    The size of the tests does not change.
    """
    ridged = matrix / (1.0 + 0.1 / max(rows, 1.0))
    np.fill_diagonal(ridged, 1.0)
    return ridged
