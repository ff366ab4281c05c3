"""Loops over grow-shrink trees: walks along their branches, and moves of a column in an order.

Import this module inside the functions that use it: it imports numba.

All trees lie in four arrays. A row of `links` is a branch, by the places below; a row of `values`
is the score of its parents, and the score after shrinking, NaN until that is known. A row of
`additions` is a column that may be added to a branch and the branch with it, −1 until a walk
gets there; `worth` is the score with it. `counts` holds how many branches, additions, branches to
grow and branches to shrink there are.
"""

import numpy as np

from autogluon_causalmix.arrays import Adjacency, Indices, Mask, Matrix
from autogluon_causalmix.discovery.score.compiled import compiled
from autogluon_causalmix.discovery.score.ranking import rank

NODE, COLUMN, BEFORE, PLACE, START, STOP, ASKED = range(7)
"""Of a branch: the column whose tree it is in, the parent added last, the branch before it, its
place in the additions of that one, where its own additions start (−1 until it is grown) and stop,
and whether the score is asked for them already."""

FIELDS = 7
"""Places in a row of `links`."""

VALUE, KEPT = range(2)
"""Of a branch: the score of its parents, and the score after shrinking."""

BRANCHES, ADDITIONS, TO_GROW, TO_SHRINK = range(4)
"""Places in `counts`."""


@compiled("i8(i8, b1[::1], i8[:,::1], f8[:,::1], i8[:,::1], f8[::1], i8[::1])")
def end(
    branch: int,
    among: Mask,
    links: Indices,
    values: Matrix,
    additions: Indices,
    worth: Matrix,
    counts: Indices,
) -> int:
    """Return the branch at the end of a walk along the best additions in a set.

    It has no addition in the set, or it is not grown yet.
    """
    while links[branch, START] >= 0:
        place, stop = links[branch, START], links[branch, STOP]
        while place < stop and not among[additions[place, 0]]:
            place += 1
        if place == stop:
            break
        if additions[place, 1] < 0:
            new = counts[BRANCHES]
            counts[BRANCHES] += 1
            additions[place, 1] = new
            links[new, NODE], links[new, COLUMN] = links[branch, NODE], additions[place, 0]
            links[new, BEFORE], links[new, PLACE] = branch, place
            links[new, START], links[new, ASKED] = -1, 0
            values[new, VALUE], values[new, KEPT] = worth[place], np.nan
        branch = additions[place, 1]
    return branch


@compiled(
    "f8(i8, b1[::1], i8[:,::1], f8[:,::1], i8[:,::1], f8[::1], i8[:,::1], b1[:,::1], i8[::1])"
)
def score(
    root: int,
    among: Mask,
    links: Indices,
    values: Matrix,
    additions: Indices,
    worth: Matrix,
    asked: Indices,
    sets: Mask,
    counts: Indices,
) -> float:
    """Return the score with the best parents in a set; ask for what it lacks, as `look_up` does."""
    last = end(root, among, links, values, additions, worth, counts)
    if links[last, START] < 0 or np.isnan(values[last, KEPT]):
        kind = 0 if links[last, START] < 0 else 1
        if not links[last, ASKED] and counts[TO_GROW + kind] < asked.shape[1]:
            links[last, ASKED] = 1
            asked[kind, counts[TO_GROW + kind]] = last
            if kind == 0:
                for column in range(len(among)):  # assigning the row would compile for 2 s
                    sets[counts[TO_GROW], column] = among[column]
            counts[TO_GROW + kind] += 1
        return np.nan
    return values[last, KEPT]  # type: ignore[no-any-return]


@compiled(
    "i8(i8, i8[::1], f8[:,::1], i8[:,::1], f8[:,::1], i8[:,::1], f8[::1], i8[:,::1], b1[:,::1], "
    "i8[::1])"
)
def look_up(
    node: int,
    order: Indices,
    known: Matrix,
    links: Indices,
    values: Matrix,
    additions: Indices,
    worth: Matrix,
    asked: Indices,
    sets: Mask,
    counts: Indices,
) -> int:
    """Write the scores that are not known yet; return the place of the column in the order.

    `known`, shape (3, columns), is NaN where a score is not known: of the column at each place
    among the others, of the other that is there without it before, and of that one with it. What
    stays NaN needs branches that have to be grown or shrunk first: these are in the rows of
    `asked`, as far as it has room, and `sets` has the columns of the walks that want them grown.
    """
    counts[TO_GROW] = counts[TO_SHRINK] = 0
    among = np.zeros(len(order), dtype=np.bool_)
    here, place = 0, 0
    for other in order:
        if other == node:
            here = place
            continue
        for which in range(3):
            if np.isnan(known[which, place]):
                among[node] = which == 2
                known[which, place] = score(
                    node if which == 0 else other,
                    among, links, values, additions, worth, asked, sets, counts,
                )  # fmt: skip
        among[node], among[other] = False, True
        place += 1
    known[0, place] = score(node, among, links, values, additions, worth, asked, sets, counts)
    return here


@compiled("b1(i8, i8[::1], f8[:,::1], i8, f8)")
def move(node: int, order: Indices, known: Matrix, here: int, least: float) -> bool:
    """Move a column to its best place in the order, if the gain is at least `least`.

    `known` is that of `look_up`, with all scores, and `here` the place that it returned. Returns
    whether the column moved.
    """
    n = len(order)
    own, without, beside = known[0], known[1], known[2]
    after = 0.0
    for place in range(n - 2, -1, -1):  # of all columns that would come after the moved one
        after += beside[place]
        own[place] += after
    before, most, best = 0.0, -np.inf, n - 1
    for place in range(n):
        own[place] += before
        before += without[place]
        most = max(most, own[place])
    while own[best] <= most - least:  # the last of equal ones
        best -= 1
    if own[best] < own[here] + least:
        return False
    step = 1 if best > here else -1
    for place in range(here, best, step):
        order[place] = order[place + step]
    order[best] = node
    return True


@compiled("void(i8[::1], i8[:,::1], i8[:,::1], b1[:,::1], i8[:,::1], b1[:,::1])")
def describe(
    branches: Indices,
    links: Indices,
    additions: Indices,
    candidates: Adjacency,
    parents: Indices,
    still_open: Mask,
) -> None:
    """Write the parents of branches, in the order of their addition, and the columns still open.

    `parents`, shape (branches, columns), is padded with −1. Columns that were passed over as better
    than the addition of a walk are not open, for they are not in its set.
    """
    for row in range(len(branches)):
        branch = branches[row]
        node = links[branch, NODE]
        for column in range(len(candidates)):
            still_open[row, column], parents[row, column] = candidates[node, column], -1
        size, at = 0, branch
        while at != node:  # the root of a tree has the number of its column
            before = links[at, BEFORE]
            for place in range(links[before, START], links[at, PLACE] + 1):
                still_open[row, additions[place, 0]] = False
            parents[row, size] = links[at, COLUMN]
            size, at = size + 1, before
        for place in range(size // 2):
            one, other = parents[row, place], parents[row, size - 1 - place]
            parents[row, place], parents[row, size - 1 - place] = other, one


@compiled(
    "void(i8[::1], f8[:,:,::1], i8[::1], b1[:,::1], i8[:,::1], f8[:,::1], i8[:,::1], f8[::1], "
    "i8[::1], f8)"
)
def extend(
    branches: Indices,
    gains: Matrix,
    steps: Indices,
    sets: Mask,
    links: Indices,
    values: Matrix,
    additions: Indices,
    worth: Matrix,
    counts: Indices,
    least: float,
) -> None:
    """Give branches, and those after them on a walk in a set, their additions, as `rank` says."""
    ranked = np.empty(gains.shape[2], dtype=np.int64)
    for row in range(len(branches)):
        branch = branches[row]
        for step in range(steps[row]):
            if step > 0:
                branch = end(branch, sets[row], links, values, additions, worth, counts)
            start = counts[ADDITIONS]
            stop = start + rank(gains[row, step], least, ranked)
            for place in range(start, stop):
                column = ranked[place - start]
                worth[place] = gains[row, step, column] + values[branch, VALUE]
                additions[place, 0], additions[place, 1] = column, -1
            links[branch, START], links[branch, STOP], links[branch, ASKED] = start, stop, 0
            counts[ADDITIONS] = stop


@compiled("void(f8[:,::1], i8[::1], i8[:,::1], f8[::1], f8, b1[::1])")
def drop(
    gains: Matrix, left: Indices, parents: Indices, values: Matrix, least: float, dropped: Mask
) -> None:
    """Drop the parent with the largest gain, if that is above 0; write where one was dropped.

    Of gains that differ by less than `least`, the parent that was added first is dropped. The rows
    of `gains` and `dropped` are those rows of `parents` and of `values` that `left` names.
    """
    last = parents.shape[1] - 1
    for number in range(len(left)):
        row = left[number]
        most = 0.0
        for column in range(gains.shape[1]):
            most = max(most, gains[number, column])
        dropped[number] = most > 0.0
        if most > 0.0:
            worst = 0
            while gains[number, parents[row, worst]] <= most - least:
                worst += 1
            values[row] += gains[number, parents[row, worst]]
            for place in range(worst, last):
                parents[row, place] = parents[row, place + 1]
            parents[row, last] = -1
