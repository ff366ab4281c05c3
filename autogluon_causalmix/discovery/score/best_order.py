"""`BestOrder`: the best order score search (Andrews, Ramsey, Sanchez-Romero, Camchong and Kummerfeld, 2023)."""

from dataclasses import dataclass, field
from random import Random

import numpy as np

from autogluon_causalmix.discovery.constraint.skeleton import Adjacency
from autogluon_causalmix.discovery.score.degenerate_gaussian import LEAST_GAIN, Score


class BestOrder:
    """Searches for an order of columns that no move of a single column improves.

    One column after the other moves to its best place in the order, all others staying in theirs, until none moves. An
    order is worth what its columns score given their parents, which grow-shrink trees choose among the columns before.
    The trees keep what they have scored, so that a second search costs less than the first.

    Parameters
    ----------
    score : Score
        Of a column given its parents.
    allowed : numpy.ndarray of bool
        Shape (columns, columns): which edges may be.
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
            Where the search begins; from another order it may end in another graph.
        rng : random.Random
            Draws in which turn the columns are moved.
        """
        order, turns, moved = list(order), sorted(order), True
        while moved:
            rng.shuffle(turns)
            moved = (
                sum(_move(node, order, self._trees) for node in turns) > 0
            )  # all of them have their turn
        parents, before = np.zeros((len(order), len(order)), dtype=bool), 0
        for node in order:
            parents[list(self._trees[node].best(before)[0]), node] = True
            before |= 1 << node
        return parents


def _move(node: int, order: list[int], trees: "list[GrowShrinkTree]") -> bool:
    """Move a column to its best place in the order; return whether it moved."""
    others = [other for other in order if other != node]
    sets = [0]  # bit i for column i: the others before each place
    for other in others:
        sets.append(sets[-1] | 1 << other)
    without = [trees[other].score(before) for other, before in zip(others, sets, strict=False)]
    beside = [
        trees[other].score(before | 1 << node) for other, before in zip(others, sets, strict=False)
    ]
    own = np.array([trees[node].score(before) for before in sets])
    total = own + np.cumsum([0.0, *without]) + np.cumsum([0.0, *reversed(beside)])[::-1]
    place, best = order.index(node), len(others) - int(total[::-1].argmax())
    if total[best] < total[place] + LEAST_GAIN:
        return False
    order[:] = [*others[:best], node, *others[best:]]
    return True


@dataclass(slots=True)
class _Branch:
    """Parents that were added one after the other, their value, and which columns may still be added, as bits.

    Once known, `additions` are the bits of the columns that are worth it, the best first, with the value that each
    leads to, and `kept` is what shrinking leaves of parents and value.
    """

    parents: tuple[int, ...]
    value: float
    open: int
    additions: dict[int, float] | None = None
    branches: "dict[int, _Branch]" = field(default_factory=dict)
    kept: tuple[tuple[int, ...], float] | None = None


class GrowShrinkTree:
    """The best parents of one column among any set of columns: good ones are added, then bad ones removed.

    A set walks down the tree, at every branch along the best addition that it has. What was scored on the way is kept,
    so that sets which are much alike, as those of neighbouring orders are, need few scores anew.

    Parameters
    ----------
    score : Score
        Of the column given its parents.
    node : int
        The column.
    candidates : list of int
        Which columns may be its parents.
    """

    def __init__(self, score: Score, node: int, candidates: list[int]) -> None:
        self._scoring, self._node = score, node
        self._root = _Branch((), 0.0, sum(1 << column for column in candidates))
        self._known: dict[int, float] = {}

    def score(self, among: int) -> float:
        """Return what the best parents in a set are worth, bit i for column i; 0 without parents."""
        if among not in self._known:
            self._known[among] = self.best(among)[1]
        return self._known[among]

    def best(self, among: int) -> tuple[tuple[int, ...], float]:
        """Return the best parents in a set, bit i for column i, and what they are worth."""
        branch: _Branch | None = self._root
        while branch is not None:
            end, branch = branch, self._next(branch, among)
        if end.kept is None:
            end.kept = self._shrunk(end)
        return end.kept

    def _next(self, branch: _Branch, among: int) -> _Branch | None:
        """Return where the best addition that a set has leads to; None where it has no more."""
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
        best = [place for place in np.argsort(-gains, kind="stable").tolist() if gains[place] > 0.0]
        return {1 << candidates[place]: branch.value + float(gains[place]) for place in best}

    def _lead(self, branch: _Branch, additions: dict[int, float], bit: int) -> _Branch:
        """Return a new branch; it does not offer again what the set, which went past it, does not have."""
        passed = list(additions)[: list(additions).index(bit) + 1]
        parents = (*branch.parents, bit.bit_length() - 1)
        branch.branches[bit] = _Branch(parents, additions[bit], branch.open & ~sum(passed))
        return branch.branches[bit]

    def _shrunk(self, branch: _Branch) -> tuple[tuple[int, ...], float]:
        """Return the parents that are left when none is worth less than nothing, and their value."""
        parents, value = list(branch.parents), branch.value
        while parents:
            gains = self._scoring.removals(self._node, parents)
            worst = int(gains.argmax())
            if gains[worst] <= 0.0:
                break
            value += float(gains[worst])
            del parents[worst]
        return tuple(parents), value
