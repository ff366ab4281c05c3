"""`MixedTest`: χ² where a table of counts can carry it, the degenerate-Gaussian test everywhere else."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.independence.contingency import ChiSquare
from autogluon_causalmix.discovery.independence.degenerate_gaussian import DegenerateGaussian

ROWS_PER_DEGREE = 2.0
"""Fewer rows for each degree of freedom leave χ² without power; the degenerate Gaussian, which sees no interactions,
then finds more. Between 1 and 5 the skeletons of known networks hardly change."""


@dataclass(frozen=True)
class MixedTest:
    """Tests X ⟂ Y | S on the table of counts if all are categories and rows suffice, on Gaussian blocks if not.

    Parameters
    ----------
    gaussian : DegenerateGaussian
        For numeric columns, missing cells and sparse tables.
    counts : ChiSquare
        Of the categories, on the same rows.
    is_counted : numpy.ndarray of bool
        Shape (columns,): categories of two or more levels that every row observes.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> a, b = rng.integers(2, size=(2, 500))
    >>> test = MixedTest.of(np.column_stack([a, b, a ^ b, rng.normal(size=500)]), categorical=[0, 1, 2])
    >>> test.p_values(np.array([0, 0]), np.array([2, 3]), np.array([[1], [1]])).round(2)
    array([0.  , 0.83])
    """

    gaussian: DegenerateGaussian
    counts: ChiSquare
    is_counted: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, values: Matrix, categorical: Collection[int]) -> "MixedTest":
        """Return the test on a matrix in the encoding of `Table.encode`; NaN marks what is missing."""
        return cls.on(Blocks.of(values, categorical), np.ones(len(values)))

    @classmethod
    def on(cls, blocks: Blocks, weights: Matrix) -> "MixedTest":
        """Return the test on rows that count as often as `weights`, shape (rows,), say."""
        is_counted = blocks.levels.max(axis=0, initial=0) > 0
        return cls(
            DegenerateGaussian(blocks.correlations(weights)),
            ChiSquare(blocks.levels, weights),
            is_counted,
        )

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return self.gaussian.n_columns

    def p_values(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return p-values, shape (T,), as `DegenerateGaussian` and `ChiSquare` do."""
        counted = self.is_counted[x] & self.is_counted[y] & self.is_counted[given].all(axis=1)
        counted &= self.counts.rows >= ROWS_PER_DEGREE * self.counts.degrees(x, y, given)
        p = np.empty(len(x))
        for test, chosen in ((self.counts, counted), (self.gaussian, ~counted)):
            p[chosen] = test.p_values(x[chosen], y[chosen], given[chosen])
        return p
