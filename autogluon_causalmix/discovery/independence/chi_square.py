"""`ChiSquare`: Pearson's test on contingency tables, thousands of tests in one call."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from autogluon_causalmix.arrays import Indices, Matrix

CELLS_PER_BATCH = 2_000_000
"""Row indices and table cells in one batch, at most 50 MB."""


@dataclass(frozen=True)
class ChiSquare:
    """Pearson's χ² test of X ⟂ Y | S on a table per stratum of S (Spirtes et al., 2000).

    It finds any dependence, also interactions, but needs a stratum for every combination of S.
    Strata in which X or Y does not vary add neither to the statistic nor to its degrees of freedom.

    Parameters
    ----------
    codes : numpy.ndarray of int
        Shape (rows, columns): levels of each column, 0, 1, 2, …
    weights : numpy.ndarray
        Shape (rows,): how often each row counts, as in a bootstrap. The counts are scaled to Kish's
        effective number of rows: a bootstrap is worth half its rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.integers(2, size=(2, 500))
    >>> test = ChiSquare(np.column_stack([a, b, a ^ b]), np.ones(500))
    >>> test.p_values(np.array([0, 0]), np.array([2, 1]), np.array([[1], [2]])).round(3)
    array([0., 0.])
    """

    codes: Indices
    weights: Matrix

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.codes.shape[1])

    @cached_property
    def levels(self) -> Indices:
        """Number of levels of each column, shape (columns,)."""
        return np.asarray(self.codes.max(axis=0, initial=0) + 1)

    @cached_property
    def rows(self) -> float:
        """Kish's effective number of rows."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())

    def degrees(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return the degrees of freedom of full tables, shape (T,)."""
        strata = self.levels[given].astype("float64").prod(axis=1)
        return np.asarray(strata * (self.levels[x] - 1) * (self.levels[y] - 1))

    def p_values(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return p-values, shape (T,); 1 where no stratum has two levels of both."""
        p = np.ones(len(x))
        for tests, (strata, n_x, n_y) in self._same_shape(x, y, given):
            index = np.zeros((len(tests), len(self.codes)), dtype=np.int64)
            for column in given[tests].T:
                index = index * self.levels[column][:, None] + self.codes[:, column].T
            index = (index * n_x + self.codes[:, x[tests]].T) * n_y + self.codes[:, y[tests]].T
            index += np.arange(len(tests))[:, None] * (strata * n_x * n_y)
            weights = np.broadcast_to(self.weights * (self.rows / self.weights.sum()), index.shape)
            counts = np.bincount(
                index.ravel(), weights.ravel(), minlength=len(tests) * strata * n_x * n_y
            )
            shape = len(tests), strata, n_x, n_y
            statistic, degrees = _pearson(counts.reshape(shape).astype(np.float64, copy=False))
            p[tests] = np.where(degrees > 0, stats.chi2.sf(statistic, np.maximum(degrees, 1)), 1.0)
        return p

    def _same_shape(
        self, x: Indices, y: Indices, given: Indices
    ) -> Iterator[tuple[Indices, tuple[int, int, int]]]:
        """Yield batches of tests with equal tables: positions, and (strata, levels of X, of Y)."""
        shapes = np.column_stack([self.levels[given].prod(axis=1), self.levels[x], self.levels[y]])
        distinct, member = np.unique(shapes, axis=0, return_inverse=True)
        for number, (strata, n_x, n_y) in enumerate(distinct.tolist()):
            tests = np.flatnonzero(member.reshape(-1) == number)
            size = max(CELLS_PER_BATCH // max(len(self.codes), strata * n_x * n_y), 1)
            for begin in range(0, len(tests), size):
                yield tests[begin : begin + size], (strata, n_x, n_y)


def _pearson(counts: Matrix) -> tuple[Matrix, Matrix]:
    """Return statistics and degrees of freedom, shape (T,), summed over strata.

    `counts` has shape (T, strata, levels of X, levels of Y).
    """
    of_x, of_y = counts.sum(axis=3), counts.sum(axis=2)
    total = of_x.sum(axis=2)
    expected = (
        of_x[..., :, None] * of_y[..., None, :] / np.where(total > 0, total, 1.0)[..., None, None]
    )
    terms = np.divide(
        (counts - expected) ** 2, expected, out=np.zeros_like(counts), where=expected > 0
    )
    vary_x, vary_y = (np.maximum((margin > 0).sum(axis=2) - 1, 0) for margin in (of_x, of_y))
    return terms.sum(axis=(1, 2, 3)), np.asarray((vary_x * vary_y).sum(axis=1))
