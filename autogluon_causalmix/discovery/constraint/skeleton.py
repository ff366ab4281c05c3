"""`pc_stable`: the skeleton of the PC algorithm, all tests of one depth in a few calls of linear algebra."""

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from autogluon_causalmix.arrays import Indices
from autogluon_causalmix.discovery.independence.degenerate_gaussian import IndependenceTest

Adjacency = npt.NDArray[np.bool_]
Marks = npt.NDArray[np.int64]
"""Entry [i, j] is the mark at i of the edge between i and j: 0 no edge, −1 tail, 1 arrowhead, 2 circle."""
Separators = dict[tuple[int, int], frozenset[int]]

BATCH = 20_000
"""Tests in one call: enough to drown Python's overhead, few enough to stay in the cache (measured: 5k to 50k alike)."""


@dataclass(frozen=True)
class Skeleton:
    """Who is adjacent to whom, and what separates the rest.

    Attributes
    ----------
    adjacent : numpy.ndarray of bool
        Symmetric, shape (columns, columns).
    separators : dict
        For pairs (x, y), x < y, that tests have separated, the columns that did.
    """

    adjacent: Adjacency
    separators: Separators


def pc_stable(
    test: IndependenceTest,
    alpha: float,
    max_depth: int | None = None,
    possible: Adjacency | None = None,
    required: Adjacency | None = None,
    unite: bool = False,
) -> Skeleton:
    """Find the skeleton of the order-independent PC algorithm (Colombo and Maathuis, 2014).

    A pair leaves the search with the first set that separates it; sets of its closest neighbours are tried first.

    Parameters
    ----------
    test : IndependenceTest
        Judges many triples in one call.
    alpha : float
        Pairs are separated by p-values above it.
    max_depth : int, optional
        Largest conditioning set; by default as large as the neighbourhoods allow.
    possible, required : numpy.ndarray of bool, optional
        Symmetric, shape (columns, columns): pairs that may be adjacent (all by default), pairs that are (none).
    unite : bool
        Go on testing and unite all sets that separate a pair at its depth, as causal-learn does: the edges
        are the same, the separating sets larger, the work a multiple.

    Examples
    --------
    A chain a → b → c: b separates its ends.

    >>> from autogluon_causalmix.discovery.independence.degenerate_gaussian import DegenerateGaussian
    >>> rng = np.random.default_rng(0)
    >>> a, noise = rng.normal(size=500), rng.normal(size=(2, 500))
    >>> b = a + noise[0]
    >>> found = pc_stable(DegenerateGaussian.of(np.column_stack([a, b, b + noise[1]]), categorical=[]), alpha=0.05)
    >>> found.adjacent.astype(int), found.separators
    (array([[0, 1, 0],
           [1, 0, 1],
           [0, 1, 0]]), {(0, 2): frozenset({1})})
    """
    n = test.n_columns
    adjacent = ~np.eye(n, dtype=bool) if possible is None else possible & ~np.eye(n, dtype=bool)
    free = np.ones((n, n), dtype=bool) if required is None else ~required
    separators: Separators = {}
    closeness = np.zeros((n, n))
    depth = 0
    while (
        adjacent.any()
        and adjacent.sum(axis=1).max() > depth
        and (max_depth is None or depth <= max_depth)
    ):
        search = _Depth(test, alpha, depth, adjacent, closeness, unite)
        found = search.separate(adjacent & free)
        if depth == 0:
            closeness = search.closeness
        for (x, y), separator in found.items():
            adjacent[x, y] = adjacent[y, x] = False
            separators[x, y] = separator
        depth += 1
    return Skeleton(adjacent, separators)


class _Depth:
    """All tests with conditioning sets of one size, neighbourhoods as they were when the depth began."""

    def __init__(
        self,
        test: IndependenceTest,
        alpha: float,
        depth: int,
        adjacent: Adjacency,
        closeness: npt.NDArray[np.float64],
        unite: bool,
    ) -> None:
        self.test, self.alpha, self.depth, self.unite = test, alpha, depth, unite
        self.closeness = closeness.copy()
        self.neighbours = [np.flatnonzero(row) for row in adjacent]

    def separate(self, testable: Adjacency) -> Separators:
        """Return the pairs that some set separates, and the set."""
        pairs = np.argwhere(testable if self.depth else np.triu(testable))
        sides = {(int(x), int(y)): self._others(int(x), int(y)) for x, y in pairs}
        sides = {pair: others for pair, others in sides.items() if len(others) >= self.depth}
        found: Separators = {}
        done = 0
        while sides:
            # Sets per pair double each round: most pairs part at the first few, the rest need few rounds.
            size = max(8, done)
            self._round(sides, done, done + size, found)
            done += size
            sides = {
                (x, y): others
                for (x, y), others in sides.items()
                if done < len(_sets(len(others), self.depth))
                and (self.unite or (min(x, y), max(x, y)) not in found)
            }
        return found

    def _others(self, x: int, y: int) -> Indices:
        """Return the neighbours of x but y, those close to both first."""
        others: Indices = self.neighbours[x][self.neighbours[x] != y]
        if self.unite or self.depth == 0:
            return others
        near_both = np.minimum(self.closeness[x, others], self.closeness[y, others])
        return np.asarray(others[np.argsort(-near_both, kind="stable")])

    def _round(
        self, sides: dict[tuple[int, int], Indices], start: int, stop: int, found: Separators
    ) -> None:
        """Test the sets numbered `start` to `stop` of every pair that is left."""
        given = [others[_sets(len(others), self.depth)[start:stop]] for others in sides.values()]
        x, y = np.array(list(sides)).T
        lengths = [len(sets) for sets in given]
        x, y, stacked = np.repeat(x, lengths), np.repeat(y, lengths), np.concatenate(given)
        for begin in range(0, len(x), BATCH):
            part = slice(begin, begin + BATCH)
            p = self.test.p_values(x[part], y[part], stacked[part])
            if self.depth == 0:
                self.closeness[x[part], y[part]] = self.closeness[y[part], x[part]] = 1.0 - p
            for index in begin + np.flatnonzero(p > self.alpha):
                pair = (min(int(x[index]), int(y[index])), max(int(x[index]), int(y[index])))
                separator = frozenset(stacked[index].tolist())
                if self.unite:
                    found[pair] = found.get(pair, frozenset()) | separator
                else:
                    found.setdefault(pair, separator)


@cache
def _sets(n: int, size: int) -> Indices:
    """Return all subsets of ``range(n)`` of one size, shape (subsets, size), in the order of their positions."""
    if size == 0:
        return np.empty((1, 0), dtype=np.int64)
    return np.array(list(combinations(range(n), size)), dtype=np.int64).reshape(-1, size)
