"""`QuotientNML`: the quotient normalised maximum likelihood of a graph of categories."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import xlogy

from autogluon_causalmix.arrays import Indices, Mask, Matrix
from autogluon_causalmix.discovery.independence.chi_square import CELLS_PER_BATCH


@dataclass(frozen=True)
class QuotientNML:
    """Quotient normalised maximum likelihood of categories (Silander et al., 2018).

    A set of columns is one category, whose levels are all combinations of theirs. Its value is the
    maximum log-likelihood of its counts minus the regret, which is the penalty for the fit. A
    column X with parents P has the score value(X ∪ P) − value(P); higher is better. Graphs that
    imply the same independences have the same score. Interactions are found like any other
    dependence, and there is no parameter to set.

    Parameters
    ----------
    codes : numpy.ndarray of int
        Shape (rows, columns): levels of each column, 0, 1, 2, …
    weights : numpy.ndarray
        Shape (rows,): how often each row counts, as in a bootstrap. The counts are scaled to Kish's
        effective number of rows: a bootstrap is worth half its rows.
    penalty : float
        Multiplies the regret: 1 is the normalised likelihood, more makes sparser graphs.

    Examples
    --------
    An exclusive or: neither cause alone explains the effect, both together determine it.

    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.integers(2, size=(2, 500))
    >>> score = QuotientNML(np.column_stack([a, b, a ^ b]), np.ones(500))
    >>> score.score(2, [0, 1]) > score.score(2, []) > score.score(2, [0])
    True
    """

    codes: Indices
    weights: Matrix
    penalty: float = 1.0
    _values: dict[frozenset[int], float] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def score(self, node: int, parents: Iterable[int]) -> float:
        """Return the score of column `node` given its parents."""
        given = tuple(parents)
        return float(self._unions(given, [node])[0]) - self._value(given)

    def additions(
        self, nodes: Indices, parents: Indices, candidates: Mask, among: Mask
    ) -> tuple[Matrix, Indices]:
        """Return gains from further parents, of one step; see `Score`."""
        gains = np.full((len(candidates), 1, candidates.shape[1]), -np.inf)
        for row, node in enumerate(nodes.tolist()):
            given = tuple(parents[row][parents[row] >= 0].tolist())
            places = np.flatnonzero(candidates[row]).tolist()
            gains[row, 0, places] = (
                self._unions((node, *given), places)
                - self._unions(given, places)
                - self.score(node, given)
            )
        return gains, np.ones(len(nodes), dtype=np.int64)

    def removals(self, nodes: Indices, parents: Indices, candidates: Mask) -> Matrix:
        """Return the gain from removing each parent; `Score` describes the arrays."""
        gains = np.full(parents.shape, -np.inf)
        for row, node in enumerate(nodes.tolist()):
            given = parents[row][parents[row] >= 0].tolist()
            whole = self.score(node, given)
            for gone in given:
                if candidates[row, gone]:
                    left = [one for one in given if one != gone]
                    gains[row, gone] = self.score(node, left) - whole
        return gains

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.codes.shape[1])

    @cached_property
    def varying(self) -> frozenset[int]:
        """Columns that are not constant."""
        return frozenset(np.flatnonzero(self._levels > 1).tolist())

    @cached_property
    def _levels(self) -> Indices:
        return np.asarray(self.codes.max(axis=0, initial=0) + 1)

    @cached_property
    def _counted(self) -> Matrix:
        """Weights scaled to Kish's effective number of rows, shape (rows,)."""
        return np.asarray(self.weights * self.weights.sum() / (self.weights**2).sum())

    def _value(self, columns: tuple[int, ...]) -> float:
        return float(self._unions(columns[1:], [columns[0]])[0]) if columns else 0.0

    def _unions(self, columns: tuple[int, ...], candidates: Sequence[int]) -> Matrix:
        """Return the value of a set of columns with each candidate, shape (candidates,)."""
        sets = [frozenset((*columns, candidate)) for candidate in candidates]
        new = [place for place, union in enumerate(sets) if union not in self._values]
        if new:
            values = self._counted_unions(columns, np.array([candidates[place] for place in new]))
            self._values.update(zip((sets[place] for place in new), values.tolist(), strict=True))
        return np.array([self._values[union] for union in sets])

    def _counted_unions(self, columns: tuple[int, ...], candidates: Indices) -> Matrix:
        """Compute the values that `_unions` keeps, in batches of candidates that fit in memory."""
        combination = np.zeros(len(self.codes), dtype=np.int64)
        for column in columns:
            combination = np.unique(
                combination * self._levels[column] + self.codes[:, column], return_inverse=True
            )[1]
        widest = int(self._levels[candidates].max())
        cells = (int(combination.max()) + 1) * widest
        size = max(CELLS_PER_BATCH // max(cells, len(combination)), 1)
        likelihoods = np.concatenate(
            [
                self._log_likelihoods(combination * widest, candidates[begin : begin + size], cells)
                for begin in range(0, len(candidates), size)
            ]
        )
        levels = self._levels[list(columns)].prod(dtype="float64") * self._levels[candidates]
        return likelihoods - self.penalty * log_regret(float(self._counted.sum()), levels)

    def _log_likelihoods(self, places: Indices, candidates: Indices, cells: int) -> Matrix:
        """Return the maximum log-likelihoods of a set of columns with candidates.

        `places`, shape (rows,), is the first cell of each row's combination, among `cells` cells.
        """
        index = places + self.codes[:, candidates].T + np.arange(len(candidates))[:, None] * cells
        weights = np.broadcast_to(self._counted, index.shape)
        counts = np.bincount(index.ravel(), weights.ravel(), minlength=len(candidates) * cells)
        counts = counts.reshape(len(candidates), cells).astype("float64", copy=False)
        total = self._counted.sum()
        return np.asarray(xlogy(counts, counts).sum(axis=1) - total * np.log(total))


def log_regret(rows: float, levels: Matrix) -> Matrix:
    """Return the log-regret of categories with numbers of levels `levels`, in `rows` rows.

    The regret is the sum of the maximum likelihoods of all samples of that size. The approximation
    of Szpankowski and Weinberger (2012) holds for few levels and also for more levels than rows.

    Examples
    --------
    The exact logarithms are 3.02 and 35.45.

    >>> log_regret(250.0, np.array([2.0, 20.0])).round(1)
    array([ 3.1, 35.5])
    """
    ratio = levels / rows
    c = 0.5 + 0.5 * np.sqrt(1.0 + 4.0 / ratio)
    by_rows = rows * (np.log(ratio) + (ratio + 2.0) * np.log(c) - 1.0 / c)
    return np.asarray(by_rows - 0.5 * np.log(c + 2.0 / ratio))
