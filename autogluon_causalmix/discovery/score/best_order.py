"""`BestOrder`: the best order score search (Andrews et al., 2023)."""

from dataclasses import dataclass, field
from random import Random

import numpy as np

from autogluon_causalmix.arrays import Adjacency
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
        self._trees = [
            GrowShrinkTree(
                score, node, np.flatnonzero(allowed[:, node] & varying & varying[node]).tolist()
            )
            for node in range(len(allowed))
        ]

    def search(self, order: list[int], rng: Random) -> Adjacency:
        """Return the graph of the best order, entry [i, j] for i → j.

        Parameters
        ----------
        order : list of int
            The first order; another one may lead to another graph.
        rng : random.Random
            Draws the turns in which the columns move.
        """
        order, turns, moved = list(order), sorted(order), True
        while moved:
            rng.shuffle(turns)
            # A sum, so that every column has its turn.
            moved = sum(_move(node, order, self._trees) for node in turns) > 0
        parents, before = np.zeros((len(order), len(order)), dtype=bool), 0
        for node in order:
            parents[list(self._trees[node].best(before)[0]), node] = True
            before |= 1 << node
        return parents


def _move(node: int, order: list[int], trees: "list[GrowShrinkTree]") -> bool:
    """Move a column to its best place in the order; return whether it moved."""
    others = [other for other in order if other != node]
    sets = [0]  # the columns before each place, bit i for column i
    for other in others:
        sets.append(sets[-1] | 1 << other)
    without = [trees[other].score(before) for other, before in zip(others, sets, strict=False)]
    beside = [
        trees[other].score(before | 1 << node) for other, before in zip(others, sets, strict=False)
    ]
    own = np.array([trees[node].score(before) for before in sets])
    total = own + np.cumsum([0.0, *without]) + np.cumsum([0.0, *reversed(beside)])[::-1]
    place, best = order.index(node), int(np.flatnonzero(total > total.max() - LEAST_GAIN)[-1])
    if total[best] < total[place] + LEAST_GAIN:
        return False
    order[:] = [*others[:best], node, *others[best:]]
    return True


@dataclass(slots=True)
class _Branch:
    """Parents in the order of their addition, their score, and the columns still open, as bits.

    Once computed, `additions` are the bits of the columns with a gain, the best first, and the
    score with each; `kept` are the parents and the score after shrinking.
    """

    parents: tuple[int, ...]
    value: float
    open: int
    additions: dict[int, float] | None = None
    branches: "dict[int, _Branch]" = field(default_factory=dict)
    kept: tuple[tuple[int, ...], float] | None = None


class GrowShrinkTree:
    """The best parents of one column among any set of columns: first grow, then shrink.

    For a set, the tree is followed from the root, at every branch along the best addition in the
    set. Scores are kept, so that similar sets, as in neighbouring orders, need few new scores.

    Parameters
    ----------
    score : Score
        Of the column given its parents.
    node : int
        The column.
    candidates : list of int
        The columns that may be its parents.
    """

    def __init__(self, score: Score, node: int, candidates: list[int]) -> None:
        self._scoring, self._node = score, node
        self._root = _Branch((), 0.0, sum(1 << column for column in candidates))
        self._known: dict[int, float] = {}

    def score(self, among: int) -> float:
        """Return the score with the best parents in a set, bit i for column i; 0 if none is."""
        if among not in self._known:
            self._known[among] = self.best(among)[1]
        return self._known[among]

    def best(self, among: int) -> tuple[tuple[int, ...], float]:
        """Return the best parents in a set, bit i for column i, and the score with them."""
        branch: _Branch | None = self._root
        while branch is not None:
            end, branch = branch, self._next(branch, among)
        if end.kept is None:
            end.kept = self._shrunk(end)
        return end.kept

    def _next(self, branch: _Branch, among: int) -> _Branch | None:
        """Return the branch of the best addition in a set, None if there is no addition."""
        if branch.additions is None:
            branch.additions = self._grown(branch)
        for bit in branch.additions:
            if bit & among:
                return branch.branches.get(bit) or self._lead(branch, branch.additions, bit)
        return None

    def _grown(self, branch: _Branch) -> dict[int, float]:
        candidates = [
            column for column in range(branch.open.bit_length()) if branch.open >> column & 1
        ]
        if not candidates:
            return {}
        gains = self._scoring.additions(self._node, branch.parents, candidates)
        best: list[int] = []
        for place in np.flatnonzero(gains > 0.0).tolist():
            end = len(best)
            while end > 0 and gains[best[end - 1]] < gains[place] - LEAST_GAIN:
                end -= 1
            best.insert(end, place)
        return {1 << candidates[place]: branch.value + float(gains[place]) for place in best}

    def _lead(self, branch: _Branch, additions: dict[int, float], bit: int) -> _Branch:
        """Return a new branch, without the better additions, which are not in the set."""
        passed = list(additions)[: list(additions).index(bit) + 1]
        parents = (*branch.parents, bit.bit_length() - 1)
        branch.branches[bit] = _Branch(parents, additions[bit], branch.open & ~sum(passed))
        return branch.branches[bit]

    def _shrunk(self, branch: _Branch) -> tuple[tuple[int, ...], float]:
        """Return the parents left when no removal has a gain, and the score with them."""
        parents, value = list(branch.parents), branch.value
        while parents:
            gains = self._scoring.removals(self._node, parents)
            worst = int(np.flatnonzero(gains > gains.max() - LEAST_GAIN)[0])
            if gains[worst] <= 0.0:
                break
            value += float(gains[worst])
            del parents[worst]
        return tuple(parents), value
