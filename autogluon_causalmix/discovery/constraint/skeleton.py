"""`pc_stable`: the skeleton of the PC algorithm, with many tests in one call."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from autogluon_causalmix.arrays import Adjacency, Indices, Matrix
from autogluon_causalmix.discovery.independence.protocol import IndependenceTest

Separators = dict[tuple[int, int], frozenset[int]]

TESTS_PER_CALL = 20_000
"""Enough to make Python's overhead small, few enough for the cache; 5,000–50,000 are as fast."""


@dataclass(frozen=True)
class Skeleton:
    """Which columns are adjacent, and which sets separate the others.

    Attributes
    ----------
    adjacent : numpy.ndarray of bool
        Symmetric, shape (columns, columns).
    separators : dict
        The separating set of every pair (x, y), x < y, that a test has separated.
    """

    adjacent: Adjacency
    separators: Separators


def pc_stable(
    test: IndependenceTest,
    alpha: float,
    max_depth: int | None = None,
    possible: Adjacency | None = None,
    required: Adjacency | None = None,
) -> Skeleton:
    """Find the skeleton of the order-independent PC algorithm (Colombo and Maathuis, 2014).

    A pair is not tested again after the first set that separates it. Sets of its closest neighbours
    are tested first.

    Parameters
    ----------
    test : IndependenceTest
        Tests many triples in one call.
    alpha : float
        A pair with a p-value above it is separated.
    max_depth : int, optional
        Largest conditioning set; by default as large as the neighbourhoods allow.
    possible, required : numpy.ndarray of bool, optional
        Symmetric, shape (columns, columns): pairs that may be adjacent (by default all), and pairs
        that are adjacent without a test (by default none).

    Examples
    --------
    A chain a → b → c: b separates its ends.

    >>> from autogluon_causalmix.discovery.independence.mixed import MixedTest
    >>> rng = np.random.default_rng(0)
    >>> a, noise = rng.normal(size=500), rng.normal(size=(2, 500))
    >>> b = a + noise[0]
    >>> values = np.column_stack([a, b, b + noise[1]])
    >>> found = pc_stable(MixedTest.of(values, categorical=[]), alpha=0.05)
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
        search = _Depth(test, alpha, depth, adjacent, closeness)
        found = search.separate(adjacent & free)
        if depth == 0:
            closeness = search.closeness
        for (x, y), separator in found.items():
            adjacent[x, y] = adjacent[y, x] = False
            separators[x, y] = separator
        depth += 1
    return Skeleton(adjacent, separators)


class _Depth:
    """All tests with conditioning sets of one size, from the neighbourhoods before any of them."""

    def __init__(
        self,
        test: IndependenceTest,
        alpha: float,
        depth: int,
        adjacent: Adjacency,
        closeness: Matrix,
    ) -> None:
        self.test, self.alpha, self.depth = test, alpha, depth
        self.closeness = closeness.copy()
        self.neighbours = [np.flatnonzero(row) for row in adjacent]

    def separate(self, testable: Adjacency) -> Separators:
        """Return the pairs that some set separates, and the first such set."""
        pairs = np.argwhere(testable if self.depth else np.triu(testable))
        sides = {(int(x), int(y)): self._others(int(x), int(y)) for x, y in pairs}
        sides = {pair: others for pair, others in sides.items() if len(others) >= self.depth}
        found: Separators = {}
        done = 0
        while sides:
            # The sets tested per pair double each round: most pairs are separated by the first few.
            size = max(8, done)
            self._round(sides, done, done + size, found)
            done += size
            sides = {
                (x, y): others
                for (x, y), others in sides.items()
                if done < len(_sets(len(others), self.depth))
                and (min(x, y), max(x, y)) not in found
            }
        return found

    def _others(self, x: int, y: int) -> Indices:
        """Return the neighbours of x without y, those close to both first."""
        others: Indices = self.neighbours[x][self.neighbours[x] != y]
        if self.depth == 0:
            return others
        near_both = np.minimum(self.closeness[x, others], self.closeness[y, others])
        return np.asarray(others[np.argsort(-near_both, kind="stable")])

    def _round(
        self, sides: dict[tuple[int, int], Indices], start: int, stop: int, found: Separators
    ) -> None:
        """Test the sets numbered `start` to `stop` of every remaining pair."""
        given = [others[_sets(len(others), self.depth)[start:stop]] for others in sides.values()]
        x, y = np.array(list(sides)).T
        lengths = [len(sets) for sets in given]
        x, y, stacked = np.repeat(x, lengths), np.repeat(y, lengths), np.concatenate(given)
        for begin in range(0, len(x), TESTS_PER_CALL):
            part = slice(begin, begin + TESTS_PER_CALL)
            p = self.test.p_values(x[part], y[part], stacked[part])
            if self.depth == 0:
                self.closeness[x[part], y[part]] = self.closeness[y[part], x[part]] = 1.0 - p
            for index in begin + np.flatnonzero(p > self.alpha):
                pair = (min(int(x[index]), int(y[index])), max(int(x[index]), int(y[index])))
                found.setdefault(pair, frozenset(stacked[index].tolist()))


@lru_cache(maxsize=32)
def _sets(n: int, size: int) -> Indices:
    """Return all subsets of ``range(n)`` of one size, shape (subsets, size), in lexical order."""
    if size == 0:
        return np.empty((1, 0), dtype=np.int64)
    return np.array(list(combinations(range(n), size)), dtype=np.int64).reshape(-1, size)
