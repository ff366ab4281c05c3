"""Possible-d-separation sets, in which FCI looks for separating sets (Spirtes et al., 2000)."""

from collections import deque
from collections.abc import Iterator
from itertools import chain, combinations, islice

import numpy as np

from autogluon_causalmix.arrays import Adjacency, Marks, Mask, Matrix
from autogluon_causalmix.discovery.independence.protocol import IndependenceTest

Subset = tuple[int, ...]

ARROWHEAD = 1

PAIRS_PER_BATCH, SETS_PER_PAIR = 64, 64
"""Pairs, and sets of each, in one batch; after a separated pair, the later ones are tested anew."""


def remove_edges(
    marks: Marks,
    separators: dict[tuple[int, int], set[int]],
    test: IndependenceTest,
    alpha: float,
    kept: Adjacency,
    max_depth: int | None = None,
) -> Adjacency:
    """Return the edges that no subset of a possible-d-separation set separates.

    Parameters
    ----------
    marks : numpy.ndarray
        Shape (nodes, nodes): entry [i, j] is the mark at i of the edge between i and j. Removed
        edges are set to 0.
    separators : dict
        Gets the separating set of every pair (x, y), x < y, whose edge is removed.
    test, alpha : IndependenceTest, float
        A pair with a p-value above `alpha` is separated.
    kept : numpy.ndarray of bool
        Shape (nodes, nodes): edges that are kept without a test.
    max_depth : int, optional
        Largest subset; by default all subsets are tested.
    """
    pairs: list[tuple[int, int]] = [
        (x, y) for x, y in np.argwhere(np.triu((marks != 0) & ~kept)).tolist()
    ]
    while pairs:
        reach, batch = semi_directed(marks), pairs[:PAIRS_PER_BATCH]
        found = _first_separated(
            batch, [_subsets(marks, reach, pair, max_depth) for pair in batch], test, alpha
        )
        if found is None:
            pairs = pairs[PAIRS_PER_BATCH:]
            continue
        place, separator = found
        x, y = batch[place]
        marks[x, y] = marks[y, x] = 0
        separators[x, y] = set(separator)
        pairs = pairs[place + 1 :]  # the sets of later pairs may differ without the edge
    return np.asarray(marks != 0)


def _subsets(
    marks: Marks, reach: Mask, pair: tuple[int, int], max_depth: int | None
) -> Iterator[Subset]:
    """Yield subsets of two or more columns of either end's set that PC has not tested, by size."""
    near = [set(np.flatnonzero(marks[end]).tolist()) for end in pair]
    for ends in (pair, pair[::-1]):
        candidates = possible_d_separation(marks, reach, *ends)
        largest = len(candidates) if max_depth is None else min(len(candidates), max_depth)
        by_size = (combinations(candidates, size) for size in range(2, largest + 1))
        for subset in chain.from_iterable(by_size):
            if not any(neighbours.issuperset(subset) for neighbours in near):
                yield subset


def _first_separated(
    pairs: list[tuple[int, int]],
    subsets: list[Iterator[Subset]],
    test: IndependenceTest,
    alpha: float,
) -> tuple[int, Subset] | None:
    """Return the position of the first separated pair, and the first subset that separates it."""
    found: tuple[int, Subset] | None = None
    waiting = list(range(len(pairs)))
    while waiting:
        taken = [
            (place, subset) for place in waiting for subset in islice(subsets[place], SETS_PER_PAIR)
        ]
        p = _p_values([(*pairs[place], subset) for place, subset in taken], test)
        separated = np.flatnonzero(p > alpha)
        if len(separated):
            found = taken[separated[0]]
        counts = np.bincount([place for place, _ in taken], minlength=len(pairs))
        waiting = [
            place
            for place in waiting
            if counts[place] == SETS_PER_PAIR and (found is None or place < found[0])
        ]
    return found


def _p_values(triples: list[tuple[int, int, Subset]], test: IndependenceTest) -> Matrix:
    """Return p-values of tests with conditioning sets of several sizes, one call per size."""
    p, sizes = np.zeros(len(triples)), np.array([len(given) for _, _, given in triples])
    for size in np.unique(sizes):
        group = np.flatnonzero(sizes == size)
        x, y, given = zip(*(triples[place] for place in group), strict=True)
        p[group] = test.p_values(
            np.array(x), np.array(y), np.array([sorted(held) for held in given])
        )
    return p


def semi_directed(marks: Marks) -> Mask:
    """Return whether a path from i to j exists with no arrowhead towards i, shape (nodes, nodes).

    Parameters
    ----------
    marks : numpy.ndarray
        Shape (nodes, nodes): entry [i, j] is the mark at i of the edge between i and j.
    """
    reach: Mask = (marks != 0) & (marks != ARROWHEAD)
    for middle in range(len(marks)):
        reach |= reach[:, middle, None] & reach[middle]
    return reach


def possible_d_separation(marks: Marks, reach: Mask, x: int, y: int) -> list[int]:
    """Return the possible-d-separation set of x towards y, as causal-learn defines it.

    A node is in it if there is a path from x to it on which every inner node is a collider or part
    of a triangle. Of nodes that are no neighbours of x, causal-learn also requires that a node
    before it on some path may be an ancestor of x or of the node itself. The
    paths it considers depend on the order of the visits: ascending here, that of a set in
    causal-learn.

    Parameters
    ----------
    marks : numpy.ndarray
        Shape (nodes, nodes): entry [i, j] is the mark at i of the edge between i and j.
    reach : numpy.ndarray of bool
        `semi_directed` of the same marks.
    x, y : int
        The ends of an edge.
    """
    near: dict[int, list[int]] = {}
    first = [node for node in np.flatnonzero(marks[x]).tolist() if node != y]
    found = set(first)
    before: dict[int, set[int]] = {x: set(first)}
    queue = deque((x, node) for node in first)
    seen = set(queue)
    while queue:
        a, b = queue.popleft()
        if any(reach[r, x] or reach[r, b] for r in before.get(b, ()) if r not in (b, x)):
            found.add(b)
        if b not in near:
            near[b] = np.flatnonzero(marks[b]).tolist()
        for c in near[b]:
            if c in (a, x, y):
                continue
            before.setdefault(c, set()).add(b)
            collides = marks[b, a] == ARROWHEAD and marks[b, c] == ARROWHEAD
            if (collides or marks[a, c] != 0) and (a, c) not in seen:
                seen.add((a, c))
                queue.append((a, c))
    # causal-learn sorts by name; the order decides which separating set is found first.
    return sorted(found - {x, y}, key=lambda node: f"X{node + 1}", reverse=True)
