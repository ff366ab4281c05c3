"""`MixedTest`: χ² on categories with enough rows, the degenerate-Gaussian test elsewhere."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Indices, Mask, Matrix
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.independence.chi_square import ChiSquare
from autogluon_causalmix.discovery.independence.degenerate_gaussian import DegenerateGaussian

ROWS_PER_DEGREE = 2.0
"""With fewer rows per degree of freedom, χ² has less power than the degenerate-Gaussian test.

Values between 1 and 5 hardly change the skeletons of known networks.
"""


@dataclass(frozen=True)
class MixedTest:
    """Tests X ⟂ Y | S by χ² if all are categories with enough rows, else on Gaussian blocks.

    Parameters
    ----------
    gaussian : DegenerateGaussian
        The test for numeric columns, missing cells and sparse tables.
    counts : ChiSquare
        The test for categories, on the same rows.
    is_counted : numpy.ndarray of bool
        Shape (columns,): categories of two or more levels without missing cells.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> a, b = rng.integers(2, size=(2, 500))
    >>> values = np.column_stack([a, b, a ^ b, rng.normal(size=500)])
    >>> test = MixedTest.of(values, categorical=[0, 1, 2])
    >>> test.p_values(np.array([0, 0]), np.array([2, 3]), np.array([[1], [1]])).round(2)
    array([0.  , 0.83])
    """

    gaussian: DegenerateGaussian
    counts: ChiSquare
    is_counted: Mask

    @classmethod
    def of(cls, values: Matrix, categorical: Collection[int]) -> "MixedTest":
        """Return the test on a matrix that `Table.encode` returns; arguments as for `Blocks.of`."""
        return cls.on(Blocks.of(values, categorical), np.ones(len(values)))

    @classmethod
    def on(cls, blocks: Blocks, weights: Matrix) -> "MixedTest":
        """Return the test on weighted rows; `weights`, shape (rows,), is how often each counts."""
        is_counted = blocks.levels.max(axis=0, initial=0) > 0
        return cls(
            DegenerateGaussian(blocks.correlations(weights)),
            ChiSquare(blocks.levels, weights),
            is_counted,
        )

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return self.gaussian.n_columns

    def p_values(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return p-values, shape (T,); NaN where there are too few rows."""
        counted = self.is_counted[x] & self.is_counted[y] & self.is_counted[given].all(axis=1)
        counted &= self.counts.rows >= ROWS_PER_DEGREE * self.counts.degrees(x, y, given)
        p = np.empty(len(x))
        for test, chosen in ((self.counts, counted), (self.gaussian, ~counted)):
            p[chosen] = test.p_values(x[chosen], y[chosen], given[chosen])
        return p
