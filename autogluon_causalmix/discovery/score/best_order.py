"""`BestOrder`: the best order score search (Andrews et al., 2023)."""

from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autogluon_causalmix.arrays import Adjacency, Indices, Mask, Matrix
from autogluon_causalmix.discovery.score.protocol import LEAST_GAIN, Score


class BestOrder:
    """Searches for an order of the columns that no move of a single column improves.

    One column after the other moves to its best place among the others, until no column moves. The
    score of an order is the sum of the scores of its columns given their parents, which grow-shrink
    trees choose among the columns before them. The trees keep their scores, so that a second search
    takes less time than the first.

    Many orders have equal scores, up to rounding. Scores that differ by less than `LEAST_GAIN` are
    equal, and a rule decides: the last place, the first column, the parent that was added first.
    If rounding decided, the graph would depend on the processor.

    Parameters
    ----------
    score : Score
        Of a column given its parents.
    allowed : numpy.ndarray of bool
        Shape (columns, columns): the edges that a graph may have.
    """

    def __init__(self, score: Score, allowed: Adjacency) -> None:
        varying = np.isin(np.arange(len(allowed)), list(score.varying))
        self._trees = GrowShrinkTrees(score, allowed & varying & varying[:, None])

    def search(self, order: list[int], rng: Random) -> Adjacency:
        """Return the graph of the best order, entry [i, j] for i → j.

        Parameters
        ----------
        order : list of int
            The first order; another one may lead to another graph.
        rng : random.Random
            Draws the turns in which the columns move.
        """
        places, turns, moved = np.array(order, dtype=np.int64), sorted(order), True
        while moved:
            rng.shuffle(turns)
            # A sum, so that every column has its turn.
            moved = sum(self._trees.move(node, places) for node in turns) > 0
        dag = np.zeros((len(order), len(order)), dtype=bool)
        before = np.zeros(len(order), dtype=bool)
        for node in places.tolist():
            dag[self._trees.best(node, before)[0], node] = True
            before[node] = True
        return dag


class GrowShrinkTrees:
    """The best parents of each column among any set of columns: first grow, then shrink.

    For a set, the column's tree is followed from the root, at every branch along the best addition
    in the set. Scores are kept, so that similar sets, as in neighbouring orders, need few new ones.
    A walk is a compiled loop. It asks for the scores that it lacks, so that many are computed at
    once: those of all walks of a move, and of each as far as it goes.

    Parameters
    ----------
    score : Score
        Of a column given its parents.
    allowed : numpy.ndarray of bool
        Shape (columns, columns): entry [i, j] if i may be a parent of j.
    """

    def __init__(self, score: Score, allowed: Adjacency) -> None:
        from autogluon_causalmix.discovery.score import grow_shrink as loops

        self._scoring, self._loops, n = score, loops, len(allowed)
        self._candidates = np.ascontiguousarray(allowed.T)
        self._links = np.zeros((n, loops.FIELDS), dtype=np.int64)
        self._links[:, loops.NODE], self._links[:, loops.START] = np.arange(n), -1
        self._values = np.array([[0.0, np.nan]] * n)
        self._additions, self._worth = np.zeros((n, 2), dtype=np.int64), np.zeros(n)
        self._counts = np.array([n, 0, 0, 0])
        self._asked = np.zeros((2, 3 * n), dtype=np.int64)
        self._sets = np.zeros((3 * n, n), dtype=np.bool_)

    def move(self, node: int, order: Indices) -> bool:
        """Move a column to its best place in the order, in place; return whether it moved."""
        known = np.full((3, len(order)), np.nan)
        while True:
            self._make_room_for_branches(3 * len(order))
            here = self._loops.look_up(
                node, order, known, *self._arrays, self._asked, self._sets, self._counts
            )
            if not self._counts[self._loops.TO_GROW :].any():
                return bool(self._loops.move(node, order, known, here, LEAST_GAIN))
            self._answer()

    def best(self, node: int, among: Mask) -> tuple[Indices, float]:
        """Return the best parents of a column in a set, and the score with them.

        Parameters
        ----------
        node : int
            The column.
        among : numpy.ndarray of bool
            Shape (columns,).
        """
        while True:
            self._make_room_for_branches(len(among))
            end = self._loops.end(node, among, *self._arrays, self._counts)
            if self._links[end, self._loops.START] >= 0:
                break
            self._grow(np.array([end]), among[None])
        parents, values = self._shrunk(np.array([end]))
        return parents[0][parents[0] >= 0], float(values[0])

    @property
    def _arrays(self) -> tuple[Indices, Matrix, Indices, Matrix]:
        return self._links, self._values, self._additions, self._worth

    def _answer(self) -> None:
        """Grow and shrink the branches that a walk asks for."""
        to_grow, to_shrink = self._counts[self._loops.TO_GROW :].tolist()
        if to_grow:
            self._grow(self._asked[0, :to_grow], self._sets[:to_grow])
        if to_shrink:
            branches = self._asked[1, :to_shrink]
            self._values[branches, self._loops.KEPT] = self._shrunk(branches)[1]
            self._links[branches, self._loops.ASKED] = 0

    def _grow(self, branches: Indices, sets: Mask) -> None:
        """Compute the additions of branches, and of those after them on walks in sets."""
        parents, still_open = self._described(branches)
        nodes = self._links[branches, self._loops.NODE]
        gains, steps = self._scoring.additions(nodes, parents, still_open, sets)
        self._make_room_for_branches(int(steps.sum()))
        needed = self._counts[self._loops.ADDITIONS] + steps.sum() * len(self._candidates)
        if needed > len(self._worth):
            self._additions = _longer(self._additions, needed)
            self._worth = _longer(self._worth, needed)
        self._loops.extend(branches, gains, steps, sets, *self._arrays, self._counts, LEAST_GAIN)

    def _shrunk(self, branches: Indices) -> tuple[Indices, Matrix]:
        """Return the parents left when no removal has a gain, padded, and the scores with them."""
        parents, values = self._described(branches)[0], self._values[branches, self._loops.VALUE]
        nodes, left = self._links[branches, self._loops.NODE], np.arange(len(branches))
        any_of_them = np.ones(parents.shape, dtype=np.bool_)
        while len(left):
            gains = self._scoring.removals(nodes[left], parents[left], any_of_them[: len(left)])
            dropped = np.empty(len(left), dtype=np.bool_)
            self._loops.drop(gains, left, parents, values, LEAST_GAIN, dropped)
            left = left[dropped]
        return parents, values

    def _described(self, branches: Indices) -> tuple[Indices, Mask]:
        """Return the parents of branches, and the columns that may be added to them."""
        shape = len(branches), len(self._candidates)
        parents, still_open = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.bool_)
        self._loops.describe(
            branches, self._links, self._additions, self._candidates, parents, still_open
        )
        return parents, still_open

    def _make_room_for_branches(self, more: int) -> None:
        needed = self._counts[self._loops.BRANCHES] + more
        if needed > len(self._links):
            self._links, self._values = _longer(self._links, needed), _longer(self._values, needed)


def _longer(array: NDArray[Any], needed: int) -> NDArray[Any]:
    """Return a copy with at least `needed` rows, and with twice as many as before."""
    longer = np.zeros((max(needed, 2 * len(array)), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer
