"""`DegenerateGaussianBIC`: the BIC of a graph of mixed columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dposv

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.discovery.blocks import BlockCorrelation


@dataclass(frozen=True)
class DegenerateGaussianBIC:
    """BIC of a column given its parents, on blocks of features (Andrews, Ramsey and Cooper, 2019).

    With Σ the correlations of the features and m the number of rows, a column X with parents P has
    the score −m/2 (log |Σ_XP| − log |Σ_P|) − penalty · ½ log m · width(X) · width(P); higher is
    better. It is the value of the set X ∪ P minus that of P, so that graphs which imply the same
    independences have the same score on any rows.

    With missing cells, the penalty of X and a parent Y is that of a BIC on the m_XY rows that
    observe both, m / m_XY · ½ log m_XY: the edge is added where it would be on those rows alone. If
    the count depended on all of P, as in the test, the missing cells would decide directions.

    Parameters
    ----------
    correlation : BlockCorrelation
        Of the rows.
    penalty : float
        Multiplies the penalty per parameter, ½ log m: 1 is the BIC, more makes sparser graphs.

    Examples
    --------
    >>> from autogluon_causalmix.discovery.blocks import Blocks
    >>> rng = np.random.default_rng(0)
    >>> cause = rng.integers(3, size=400).astype(float)
    >>> effect = (cause == 1) + 0.5 * rng.normal(size=400)
    >>> values = np.column_stack([cause, effect, rng.normal(size=400)])
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
        """Return the score of column `node` given its parents, up to a constant of the column."""
        # A constant column has no effect; rounding would decide on it if it were not left out.
        varying = self.varying.intersection(parents)
        return self._value(varying | self.varying.intersection([node])) - self._value(varying)

    def additions(self, node: int, parents: Sequence[int], candidates: list[int]) -> Matrix:
        """Return the gain from each candidate as a further parent, shape (candidates,).

        With R the correlations given the parents, the gain from a candidate Z is
        −m/2 log(|R_XX − R_XZ R_ZZ⁻¹ R_ZX| / |R_XX|) minus its penalty.
        """
        rest = self.correlation.matrix
        if parents:
            place = self._places(parents)
            rows = rest[place]
            # LAPACK's function: NumPy's `solve` spends more time on checks than on solving.
            rest = rest - rows.T @ dposv(rows[:, place], rows)[1]
        return (
            -0.5 * self.correlation.total * self._log_ratios(rest, node, candidates)
            - self._penalties[node, candidates]
        )

    def removals(self, node: int, parents: Sequence[int]) -> Matrix:
        """Return the gain from removing each parent, shape (parents,).

        With K the precision of the column and its parents, the gain from removing Z is
        m/2 log(|K_XX − K_XZ K_ZZ⁻¹ K_ZX| / |K_XX|) plus its penalty.
        """
        place = self._places([node, *parents])
        precision = np.zeros_like(self.correlation.matrix)
        precision[place[:, None], place] = np.linalg.inv(
            self.correlation.matrix[place[:, None], place]
        )
        return (
            0.5 * self.correlation.total * self._log_ratios(precision, node, parents)
            + self._penalties[node, list(parents)]
        )

    def _log_ratios(self, matrix: Matrix, node: int, others: Sequence[int]) -> Matrix:
        """Return log(|A_XX − A_XZ A_ZZ⁻¹ A_ZX| / |A_XX|) of a column X and each other column Z."""
        own, place = self._places([node]), self.correlation.features[list(others)]
        ratios = np.empty(len(others))
        alone = (place[:, 1:] < 0).all(axis=1) & (len(own) == 1)
        x, z = own[0], place[alone, 0]
        ratios[alone] = np.log1p(-(matrix[z, x] ** 2) / (matrix[z, z] * matrix[x, x]))
        if alone.all():  # columns with one feature need no determinant
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
        """Return the log-likelihood of a set of columns minus the penalties of all its pairs."""
        # The set is the key: a column and its parents share one value with each of those parents.
        if columns not in self._values:
            ordered = np.array(sorted(columns), dtype=np.int64)
            place = self._places(ordered.tolist())
            # Called some 100,000 times in a search; np.ix_ and slogdet would take twice as long.
            factor = np.linalg.cholesky(self.correlation.matrix[place[:, None], place])
            log_likelihood = -self.correlation.total * np.log(factor.diagonal()).sum()
            self._values[columns] = float(
                log_likelihood - 0.5 * self._penalties[ordered[:, None], ordered].sum()
            )
        return self._values[columns]

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.correlation.width)

    @cached_property
    def varying(self) -> frozenset[int]:
        """Columns that are not constant."""
        return frozenset(np.flatnonzero(self.correlation.width).tolist())

    @cached_property
    def _features(self) -> list[list[int]]:
        return [
            [feature for feature in own if feature >= 0]
            for own in self.correlation.features.tolist()
        ]

    @cached_property
    def _penalties(self) -> Matrix:
        """Penalties of the edge between two columns, shape (columns, columns)."""
        width, total = self.correlation.width, self.correlation.total
        # log(m) / m has its maximum at e; with the bound, fewer rows never have a smaller penalty.
        rows = np.maximum(self.correlation.rows, np.e)
        penalties = 0.5 * self.penalty * np.outer(width, width) * np.log(rows) * total / rows
        np.fill_diagonal(penalties, 0.0)
        return np.asarray(penalties)
