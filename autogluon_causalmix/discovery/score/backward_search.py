"""`backward_search`: the second phase of greedy equivalence search (Chickering, 2002)."""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations, islice

import numpy as np

from autogluon_causalmix.arrays import Adjacency, Marks
from autogluon_causalmix.discovery.score.protocol import LEAST_GAIN, Score

SUBSETS_PER_EDGE = 64
"""Subsets of shared neighbours that are tried per edge: all of up to six neighbours, else some."""

Deletion = tuple[int, int, tuple[int, ...]]
"""The ends of an edge x → y or x − y, and the neighbours of y that become effects of both."""


def backward_search(score: Score, dag: Adjacency) -> Marks:
    """Return the equivalence class that no deletion of an edge improves, as the marks of its CPDAG.

    The graph of a wrong order has more edges than the true graph. The best deletion among all
    graphs of its equivalence class is made, until no deletion raises the score.

    Parameters
    ----------
    score : Score
        Of a column given its parents.
    dag : numpy.ndarray of bool
        Shape (columns, columns): entry [i, j] for i → j, without cycles.

    Examples
    --------
    Columns 0, 1, 2 form a chain; a graph with the order 0, 2, 1 needs all three edges.

    >>> from autogluon_causalmix.discovery.blocks import Blocks
    >>> from autogluon_causalmix.discovery.score.degenerate_gaussian import DegenerateGaussianBIC
    >>> rng = np.random.default_rng(0)
    >>> cause, noise = rng.normal(size=500), rng.normal(size=(2, 500))
    >>> values = np.column_stack([cause, cause + noise[0], cause + noise[0] + noise[1]])
    >>> bic = DegenerateGaussianBIC(Blocks.of(values, categorical=[]).correlations())
    >>> dag = np.array([[0, 1, 1], [0, 0, 0], [0, 1, 0]], dtype=bool)
    >>> backward_search(bic, dag)
    array([[ 0, -1,  0],
           [-1,  0, -1],
           [ 0, -1,  0]])
    """
    marks = class_of(dag)
    while (deletion := _best_deletion(score, marks)) is not None:
        marks = class_of(member_of(_without(marks, deletion)))
    return marks


def class_of(dag: Adjacency) -> Marks:
    """Return the marks of a graph's CPDAG.

    The arrows of its colliders stay, and those that follow from them by the first three of Meek's
    rules (1995); all other edges lose their direction. All edges of a step are found at once.

    Examples
    --------
    >>> class_of(np.array([[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=bool))
    array([[ 0, -1,  0,  0],
           [-1,  0,  0, -1],
           [ 0,  0,  0, -1],
           [ 0,  1,  1,  0]])
    """
    near = dag | dag.T
    apart = ~near & ~np.eye(len(dag), dtype=bool)
    arrows = dag & _paths(apart, dag)
    undirected = near & ~arrows & ~arrows.T
    while True:
        compelled = _paths(arrows.T, apart) | _paths(arrows, arrows)
        for x, y in np.argwhere(undirected & ~compelled):
            between = np.flatnonzero(undirected[x] & arrows[:, y])
            compelled[x, y] = apart[between[:, None], between].any()
        compelled &= undirected
        if not compelled.any():
            return np.where(arrows | undirected, -1, 0) + arrows.T
        arrows |= compelled
        undirected = near & ~arrows & ~arrows.T


def _paths(first: Adjacency, second: Adjacency) -> Adjacency:
    """Return whether a step by `first` and one by `second` lead from i to j."""
    return np.asarray(first.astype("float64") @ second > 0.0)


def member_of(marks: Marks) -> Adjacency:
    """Return an acyclic graph of an equivalence class (Dor and Tarsi, 1992).

    It has the edges and the arrows of `marks`, and no collider that they do not have.

    Raises
    ------
    ValueError
        There is no such graph.
    """
    dag, near = (marks == -1) & (marks.T == 1), marks != 0
    undirected = near & ~dag & ~dag.T
    left = list(range(len(marks)))
    while left:
        last = next(
            (node for node in left if _may_be_last(node, dag, undirected, near, left)), None
        )
        if last is None:
            raise ValueError("no directed graph has these edges, arrows and colliders")
        left.remove(last)
        dag[left, last] |= undirected[left, last]
    return np.asarray(dag)


def _may_be_last(
    node: int, dag: Adjacency, undirected: Adjacency, near: Adjacency, left: list[int]
) -> bool:
    """Return whether a node may be the last of those left.

    It has no effect among them, and all its neighbours may be its causes without a new collider.
    """
    others = [other for other in left if near[node, other]]
    if dag[node, others].any():
        return False
    free = [other for other in others if undirected[node, other]]
    return all(near[one, other] for one in free for other in others if one != other)


def _best_deletion(score: Score, marks: Marks) -> Deletion | None:
    """Return the deletion with the largest gain, the first of equal ones; None if none has."""
    best, most = None, 0.0
    near, undirected = marks != 0, (marks == -1) & (marks.T == -1)
    for x in range(len(marks)):
        options = list(_deletions(x, marks, near, undirected))
        gains = _gains(score, options)
        for (deletion, _), gain in zip(options, gains, strict=True):
            if gain > most + LEAST_GAIN:
                best, most = deletion, gain
    return best


def _deletions(
    x: int, marks: Marks, near: Adjacency, undirected: Adjacency
) -> Iterator[tuple[Deletion, list[int]]]:
    """Yield deletions of edges x → y and x − y, each with the other causes of y in its graph."""
    for y in np.flatnonzero(marks[x] == -1).tolist():
        causes = np.flatnonzero(
            (marks[:, y] == -1) & (marks[y] == 1) & (np.arange(len(marks)) != x)
        ).tolist()
        for effects, rest in _ways(np.flatnonzero(undirected[y] & near[x]).tolist(), near):
            yield (x, y, effects), [*causes, *rest]


def _gains(score: Score, options: Sequence[tuple[Deletion, list[int]]]) -> list[float]:
    """Return the gains of deletions."""
    shape = len(options), score.n_columns
    parents, gone = np.full(shape, -1, dtype=np.int64), np.zeros(shape, dtype=np.bool_)
    for row, ((x, _, _), others) in enumerate(options):
        parents[row, : len(others) + 1] = [*others, x]
        gone[row, x] = True
    nodes = np.array([y for (_, y, _), _ in options], dtype=np.int64)
    gains: list[float] = score.removals(nodes, parents, gone)[gone].tolist()
    return gains


def _ways(shared: list[int], near: Adjacency) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Yield subsets of shared neighbours, small ones first, and the others if all are adjacent."""
    subsets = chain.from_iterable(combinations(shared, size) for size in range(len(shared) + 1))
    for effects in islice(subsets, SUBSETS_PER_EDGE):
        rest = [node for node in shared if node not in effects]
        if all(near[one, other] for one, other in combinations(rest, 2)):
            yield effects, rest


def _without(marks: Marks, deletion: Deletion) -> Marks:
    """Return the marks after a deletion."""
    x, y, effects = deletion
    marks = marks.copy()
    marks[x, y] = marks[y, x] = 0
    for effect in effects:
        marks[effect, y] = 1
        if marks[x, effect] == marks[effect, x] == -1:
            marks[effect, x] = 1
    return marks
