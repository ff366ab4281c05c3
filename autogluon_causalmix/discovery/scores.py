"""The degenerate-Gaussian BIC: how well the parents of a column explain it, for searches that compare graphs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from autogluon_causalmix.discovery.blocks import BlockCorrelation, Matrix


@dataclass(frozen=True)
class DegenerateGaussianBIC:
    """BIC of a column given its parents on blocks of features (Andrews, Ramsey and Cooper, 2019); higher is better.

    With Σ the correlations of the features and m the rows that they rest on, a column X with parents P scores
    −m/2 (log |Σ_XP| − log |Σ_P|) − penalty · ½ log m · width(X) · width(P). It is the value of the set X ∪ P less that
    of P, so graphs that imply the same independences get the same score, whatever the rows.

    Where cells are missing, the penalty of X and a parent Y is that of a BIC on the m_XY rows that observe both,
    m / m_XY · ½ log m_XY: it joins them where m_XY rows alone would. A count that hung on all of P, as the test's
    does, would turn edges by what is missing.

    Parameters
    ----------
    correlation : BlockCorrelation
        Of the rows to explain.
    penalty : float
        Multiplies the price of a parameter, ½ log m: 1 is the BIC, more makes sparser graphs.

    Examples
    --------
    >>> from autogluon_causalmix.discovery.blocks import Blocks
    >>> rng = np.random.default_rng(0)
    >>> cause = rng.integers(3, size=400).astype(float)
    >>> values = np.column_stack([cause, (cause == 1) + 0.5 * rng.normal(size=400), rng.normal(size=400)])
    >>> bic = DegenerateGaussianBIC(Blocks.of(values, categorical=[0]).correlations())
    >>> bic.score(1, [0]) > bic.score(1, []) > bic.score(1, [2])
    True
    """

    correlation: BlockCorrelation
    penalty: float = 1.0
    _values: dict[frozenset[int], float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def score(self, node: int, parents: Iterable[int]) -> float:
        """Return the score of column `node` given the columns `parents`, up to a constant of the column."""
        # A constant column explains nothing and costs nothing; left in, it would win or lose by rounding.
        varying = self._varying.intersection(parents)
        return self._value(varying | self._varying.intersection([node])) - self._value(varying)

    def _value(self, columns: frozenset[int]) -> float:
        """Return the log-likelihood of a set of columns less the price of joining all of them."""
        # Kept by the set alone: the value of a column and its parents is wanted again for each of those parents.
        if columns not in self._values:
            ordered = np.array(sorted(columns), dtype=np.int64)
            place = np.array([feature for column in ordered for feature in self._features[column]], dtype=np.int64)
            # Searches ask some hundred thousand times, and np.ix_ and slogdet would take twice as long.
            factor = np.linalg.cholesky(self.correlation.matrix[place[:, None], place])
            log_likelihood = -self.correlation.total * np.log(factor.diagonal()).sum()
            self._values[columns] = float(log_likelihood - 0.5 * self._prices[ordered[:, None], ordered].sum())
        return self._values[columns]

    @cached_property
    def _varying(self) -> frozenset[int]:
        return frozenset(np.flatnonzero(self.correlation.width).tolist())

    @cached_property
    def _features(self) -> list[list[int]]:
        block = self.correlation.block
        return [np.flatnonzero(block == column).tolist() for column in range(len(self.correlation.width))]

    @cached_property
    def _prices(self) -> Matrix:
        """Return what it costs to join two columns, shape (columns, columns)."""
        width, total = self.correlation.width, self.correlation.total
        # log(m) / m has its peak at e: fewer rows are never cheaper.
        rows = np.maximum(self.correlation.rows, np.e)
        prices = 0.5 * self.penalty * np.outer(width, width) * np.log(rows) * total / rows
        np.fill_diagonal(prices, 0.0)
        return np.asarray(prices)
