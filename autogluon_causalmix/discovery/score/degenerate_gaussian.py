"""Scores of graphs for searches: what is asked of one, and the degenerate-Gaussian BIC."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.linalg.lapack import dposv

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.discovery.blocks import BlockCorrelation
from autogluon_causalmix.discovery.constraint.skeleton import Adjacency

LEAST_GAIN = 1e-6
"""A move that gains less is rounding, and two of them could go round and round."""


class Score(Protocol):
    """What a search asks of a score; graphs that imply the same independences get the same."""

    @property
    def n_columns(self) -> int:
        """How many columns there are."""

    @property
    def varying(self) -> frozenset[int]:
        """The columns that are not constant: what the others neither explain nor are explained by."""

    def score(self, node: int, parents: Iterable[int]) -> float:
        """Return the score of column `node` given the columns `parents`, up to a constant of the column."""

    def additions(self, node: int, parents: Sequence[int], candidates: list[int]) -> Matrix:
        """Return by how much each of some columns, as a further parent, raises the score, shape (candidates,)."""

    def removals(self, node: int, parents: Sequence[int]) -> Matrix:
        """Return by how much the score of a column rises without each of its parents, shape (parents,)."""


def total_score(score: Score, dag: Adjacency) -> float:
    """Return the score of a graph, entry [i, j] for i → j: the sum over its columns."""
    return sum(score.score(node, np.flatnonzero(dag[:, node]).tolist()) for node in range(len(dag)))


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
    _values: dict[frozenset[int], float] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def score(self, node: int, parents: Iterable[int]) -> float:
        """Return the score of column `node` given the columns `parents`, up to a constant of the column."""
        # A constant column explains nothing and costs nothing; left in, it would win or lose by rounding.
        varying = self.varying.intersection(parents)
        return self._value(varying | self.varying.intersection([node])) - self._value(varying)

    def additions(self, node: int, parents: Sequence[int], candidates: list[int]) -> Matrix:
        """Return by how much each of some columns, as a further parent, raises the score of a column.

        All of them in one call, shape (candidates,): with R the correlations that the parents leave, the candidate Z
        adds −m/2 log |R_XX − R_XZ R_ZZ⁻¹ R_ZX| / |R_XX|, less its price.
        """
        rest = self.correlation.matrix
        if parents:
            place = self._places(parents)
            rows = rest[place]
            # LAPACK's own name, for numpy's `solve` checks its arguments longer than it solves
            rest = rest - rows.T @ dposv(rows[:, place], rows)[1]
        return (
            -0.5 * self.correlation.total * self._log_ratios(rest, node, candidates)
            - self._prices[node, candidates]
        )

    def removals(self, node: int, parents: Sequence[int]) -> Matrix:
        """Return by how much the score of a column rises without each of its parents, shape (parents,).

        With K the precision of the column and its parents, the parent Z tells
        −m/2 log |K_XX − K_XZ K_ZZ⁻¹ K_ZX| / |K_XX| of it, which is lost, and its price is saved.
        """
        place = self._places([node, *parents])
        precision = np.zeros_like(self.correlation.matrix)
        precision[place[:, None], place] = np.linalg.inv(
            self.correlation.matrix[place[:, None], place]
        )
        return (
            0.5 * self.correlation.total * self._log_ratios(precision, node, parents)
            + self._prices[node, list(parents)]
        )

    def _log_ratios(self, matrix: Matrix, node: int, others: Sequence[int]) -> Matrix:
        """Return log |A_XX − A_XZ A_ZZ⁻¹ A_ZX| / |A_XX| of a column X and each of some others Z."""
        own, place = self._places([node]), self.correlation.features[list(others)]
        ratios = np.empty(len(others))
        alone = (place[:, 1:] < 0).all(axis=1) & (len(own) == 1)
        x, z = own[0], place[alone, 0]
        ratios[alone] = np.log1p(-(matrix[z, x] ** 2) / (matrix[z, z] * matrix[x, x]))
        if alone.all():  # numbers and pairs of levels need no determinant
            return ratios
        place = place[~alone]
        is_there = place >= 0
        cross = np.where(is_there[:, :, None], matrix[place[:, :, None], own], 0.0)
        square = matrix[place[:, :, None], place[:, None, :]]
        square = np.where(
            is_there[:, :, None] & is_there[:, None, :], square, np.eye(place.shape[1])
        )
        whole = matrix[own[:, None], own]
        shared = np.swapaxes(cross, 1, 2) @ np.linalg.solve(square, cross)
        ratios[~alone] = np.linalg.slogdet(whole - shared)[1] - np.linalg.slogdet(whole)[1]
        return ratios

    def _places(self, columns: Sequence[int]) -> Indices:
        """Return the features of some columns."""
        return np.array(
            [feature for column in columns for feature in self._features[column]], dtype=np.int64
        )

    def _value(self, columns: frozenset[int]) -> float:
        """Return the log-likelihood of a set of columns less the price of joining all of them."""
        # Kept by the set alone: the value of a column and its parents is wanted again for each of those parents.
        if columns not in self._values:
            ordered = np.array(sorted(columns), dtype=np.int64)
            place = self._places(ordered.tolist())
            # Searches ask some hundred thousand times, and np.ix_ and slogdet would take twice as long.
            factor = np.linalg.cholesky(self.correlation.matrix[place[:, None], place])
            log_likelihood = -self.correlation.total * np.log(factor.diagonal()).sum()
            self._values[columns] = float(
                log_likelihood - 0.5 * self._prices[ordered[:, None], ordered].sum()
            )
        return self._values[columns]

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return len(self.correlation.width)

    @cached_property
    def varying(self) -> frozenset[int]:
        """The columns that are not constant: what the others neither explain nor are explained by."""
        return frozenset(np.flatnonzero(self.correlation.width).tolist())

    @cached_property
    def _features(self) -> list[list[int]]:
        return [
            [feature for feature in own if feature >= 0]
            for own in self.correlation.features.tolist()
        ]

    @cached_property
    def _prices(self) -> Matrix:
        """Return what it costs to join two columns, shape (columns, columns)."""
        width, total = self.correlation.width, self.correlation.total
        # log(m) / m has its peak at e: fewer rows are never cheaper.
        rows = np.maximum(self.correlation.rows, np.e)
        prices = 0.5 * self.penalty * np.outer(width, width) * np.log(rows) * total / rows
        np.fill_diagonal(prices, 0.0)
        return np.asarray(prices)
