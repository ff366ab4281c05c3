"""`DegenerateGaussianBIC`: the BIC of a graph of mixed columns."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from autogluon_causalmix.arrays import Indices, Mask, Matrix
from autogluon_causalmix.discovery.blocks import BlockCorrelation
from autogluon_causalmix.discovery.score.protocol import LEAST_GAIN

ENTRIES_PER_BATCH = 10**8
"""Entries of the correlations × sets of parents in one batch; it takes some tenths of a second."""

MOST_STEPS = 32
"""Of a walk in one call; it goes on in the next."""

ENTRIES_OF_GAINS = 10**7
"""In one call, of all walks and steps."""


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

    def additions(
        self, nodes: Indices, parents: Indices, candidates: Mask, among: Mask
    ) -> tuple[Matrix, Indices]:
        """Return gains from further parents, for each step of a walk; see `Score`."""
        from autogluon_causalmix.discovery.score.gaussian_gains import additions

        most = max(min(MOST_STEPS, ENTRIES_OF_GAINS // max(candidates.size, 1)), 1)
        gains = np.empty((len(nodes), most, candidates.shape[1]))
        steps = np.empty(len(nodes), dtype=np.int64)
        for some in self._batches(len(nodes)):
            sets = nodes[some], parents[some], candidates[some], among[some]
            additions(*self._arrays, *sets, LEAST_GAIN, *self._room, gains[some], steps[some])
        return gains, steps

    def removals(self, nodes: Indices, parents: Indices, candidates: Mask) -> Matrix:
        """Return the gain from removing each parent; `Score` describes the arrays."""
        from autogluon_causalmix.discovery.score.gaussian_gains import removals

        gains = np.full(parents.shape, -np.inf)
        for some in self._batches(len(nodes)):
            sets = nodes[some], parents[some], candidates[some]
            removals(*self._arrays, *sets, *self._room, gains[some])
        return gains

    def _batches(self, n_sets: int) -> Iterator[slice]:
        """Yield parts of some sets, for compiled loops, which nothing interrupts."""
        size = max(ENTRIES_PER_BATCH // max(self.correlation.matrix.size, 1), 1)
        return (slice(begin, begin + size) for begin in range(0, n_sets, size))

    @property
    def _room(self) -> tuple[Matrix, Matrix]:
        """Where the compiled loops keep what they compute on the way; not shared by threads."""
        return np.empty_like(self.correlation.matrix), np.empty_like(self.correlation.matrix)

    @cached_property
    def _arrays(self) -> tuple[Matrix, Indices, Matrix, float]:
        """What the compiled loops take; features are in the order of their columns."""
        block = self.correlation.block
        assert (np.diff(block) >= 0).all(), "the features of a column must be neighbours"
        starts = np.searchsorted(block, np.arange(self.n_columns + 1))
        matrix = np.ascontiguousarray(self.correlation.matrix)
        return matrix, starts, self._penalties, float(self.correlation.total)

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
