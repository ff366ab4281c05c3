"""Loops of the degenerate-Gaussian BIC: log-ratios of determinants for many sets of parents.

Import this module inside the functions that use it: it imports numba.

Features are in the order of their columns: those of column c are `starts[c]` to `starts[c + 1]`.
"""

import math

import numpy as np

from autogluon_causalmix.arrays import Indices, Mask, Matrix
from autogluon_causalmix.discovery.score.compiled import compiled
from autogluon_causalmix.discovery.score.ranking import rank


@compiled("f8(f8[:,::1], i8)")
def _log_determinant(matrix: Matrix, size: int) -> float:
    """Return the log-determinant of a positive definite matrix, which is overwritten."""
    product = 0.0
    for i in range(size):
        pivot = matrix[i, i]
        product += math.log(pivot)
        for j in range(i + 1, size):
            factor = matrix[j, i] / pivot
            for k in range(i + 1, j + 1):
                matrix[j, k] -= factor * matrix[k, i]
    return product


@compiled("void(f8[:,::1], i8, i8, f8[:,::1], i8, i8, f8)")
def _add(
    matrix: Matrix, start: int, stop: int, rows: Matrix, first: int, last: int, sign: float
) -> None:
    """Add `sign` times the sum of v vᵀ to a block; v are rows from `first` to `last`.

    The block is the lower half of the features from `start` to `stop`.
    """
    for k in range(first, last):
        row = rows[k]
        for i in range(start, stop):
            factor = sign * row[i]
            for j in range(start, i + 1):
                matrix[i, j] += factor * row[j]


@compiled("f8(f8[:,::1], i8, i8, f8[:,::1], i8, i8, f8, f8[:,:,::1])")
def _log_ratio(
    matrix: Matrix,
    start: int,
    stop: int,
    rows: Matrix,
    first: int,
    last: int,
    sign: float,
    room: Matrix,
) -> float:
    """Return log |B| − log |A|: A is a block, and B the same after `_add`.

    `room`, shape (2, widest, widest), is of the widest block.
    """
    if stop == start + 1:
        more = 0.0
        for k in range(first, last):
            more += rows[k, start] * rows[k, start]
        return math.log1p(sign * more / matrix[start, start])
    before, after, width = room[0], room[1], stop - start
    for i in range(width):
        for j in range(i + 1):
            total = matrix[start + i, start + j]
            before[i, j] = total
            for k in range(first, last):
                total += sign * rows[k, start + i] * rows[k, start + j]
            after[i, j] = total
    return _log_determinant(after, width) - _log_determinant(before, width)


@compiled("f8[:,:,::1](i8[::1])")
def _room(starts: Indices) -> Matrix:
    """Return the room for determinants of blocks."""
    widest = 0
    for column in range(len(starts) - 1):
        widest = max(widest, starts[column + 1] - starts[column])
    return np.empty((2, widest, widest))


@compiled("void(f8[:,::1], i8, f8[:,::1], i8, i8)")
def _subtract(rows: Matrix, size: int, factor: Matrix, place: int, end: int) -> None:
    """Subtract from row `size` those before it, each times its entry at `place` of `factor`.

    Four at a time, in the order of one by one: a row that is read and written less often takes half
    the time.
    """
    row, k = rows[size], 0
    while k + 3 < size:
        one, two, three, four = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
        a, b = factor[k, place], factor[k + 1, place]
        c, d = factor[k + 2, place], factor[k + 3, place]
        for i in range(end):
            row[i] = row[i] - a * one[i] - b * two[i] - c * three[i] - d * four[i]
        k += 4
    while k < size:
        one, a = rows[k], factor[k, place]
        for i in range(end):
            row[i] -= a * one[i]
        k += 1


@compiled("i8(f8[:,::1], i8[::1], i8, i8, f8[:,::1])")
def _eliminate(matrix: Matrix, starts: Indices, column: int, size: int, rows: Matrix) -> int:
    """Eliminate the features of a column, after `size` others; return how many there are now.

    The rows become those of the Cholesky factor: the correlations of all features, given these, are
    those of `matrix` minus the sum of v vᵀ over the rows v.
    """
    end = len(matrix)
    for feature in range(starts[column], starts[column + 1]):
        row, given = rows[size], matrix[feature]
        for i in range(end):
            row[i] = given[i]
        _subtract(rows, size, rows, feature, end)
        scale = 1.0 / math.sqrt(row[feature])
        for i in range(end):
            row[i] *= scale
        size += 1
    return size


@compiled("void(f8[:,::1], i8[::1], b1[::1], b1[::1], f8[:,::1])")
def _begin(
    matrix: Matrix, starts: Indices, candidates: Mask, still_open: Mask, left: Matrix
) -> None:
    """Copy the candidates and their blocks."""
    for column in range(len(candidates)):
        still_open[column] = candidates[column]
        if candidates[column]:
            for i in range(starts[column], starts[column + 1]):
                for j in range(starts[column], i + 1):
                    left[i, j] = matrix[i, j]


@compiled("i8(f8[::1], b1[::1], f8, b1[::1], i8[::1])")
def _next_of(gain: Matrix, among: Mask, least: float, still_open: Mask, ranked: Indices) -> int:
    """Return the first column of a set by `rank`, −1 where there is none.

    The columns up to it are open no more.
    """
    for place in range(rank(gain, least, ranked)):
        still_open[ranked[place]] = False
        if among[ranked[place]]:
            return int(ranked[place])
    return -1


@compiled(
    "void(f8[:,::1], i8[::1], f8[:,::1], f8, i8[::1], i8[:,::1], b1[:,::1], b1[:,::1], f8, "
    "f8[:,::1], f8[:,::1], f8[:,:,::1], i8[::1])"
)
def additions(
    matrix: Matrix,
    starts: Indices,
    penalties: Matrix,
    total: float,
    nodes: Indices,
    parents: Indices,
    candidates: Mask,
    among: Mask,
    least: float,
    rows: Matrix,
    left: Matrix,
    gains: Matrix,
    steps: Indices,
) -> None:
    """Write the gain from each candidate as a further parent, for each step of a walk.

    The ratio of X given P, with Z and without, is that of Z given P, with X and without: so X is
    eliminated once, after P, for all candidates Z. P grows along the walk: what was eliminated
    stays, and so does what is left of each candidate. `rows` and `left` have the shape of `matrix`.
    """
    n, room = candidates.shape[1], _room(starts)
    ranked, still_open = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.bool_)
    for request in range(len(nodes)):
        node, size, done, step = nodes[request], 0, 0, 0
        _begin(matrix, starts, candidates[request], still_open, left)
        for parent in parents[request]:
            if parent >= 0:  # else padding
                size = _eliminate(matrix, starts, parent, size, rows)
        while step < gains.shape[1]:
            end = _eliminate(matrix, starts, node, size, rows)
            gain = gains[request, step]
            for column in range(n):
                gain[column] = -np.inf
                if still_open[column]:
                    start, stop = starts[column], starts[column + 1]
                    _add(left, start, stop, rows, done, size, -1.0)
                    ratio = _log_ratio(left, start, stop, rows, size, end, -1.0, room)
                    gain[column] = -0.5 * total * ratio - penalties[node, column]
            step, done = step + 1, size
            chosen = _next_of(gain, among[request], least, still_open, ranked)
            if chosen < 0:
                break
            size = _eliminate(matrix, starts, chosen, size, rows)
        steps[request] = step


@compiled("i8(i8[::1], i8, i8[::1], i8)")
def _append(starts: Indices, column: int, features: Indices, size: int) -> int:
    """Append the features of a column to `size` others; return how many there are now."""
    for feature in range(starts[column], starts[column + 1]):
        features[size] = feature
        size += 1
    return size


@compiled("void(f8[:,::1], i8[::1], i8, f8[:,::1], f8[:,::1])")
def _invert_factor(
    matrix: Matrix, features: Indices, size: int, factor: Matrix, inverse: Matrix
) -> None:
    """Write the inverse of the Cholesky factor of the first `size` features, taken from the last.

    The first rows and columns of `inverse` are those of the last features. Row k of `factor` ends
    with the feature that is eliminated there, so that loops over what is left begin at 0.
    """
    for place in range(size):
        end = size - place
        row, own, given = factor[place], inverse[place], matrix[features[end - 1]]
        for i in range(end):
            row[i] = given[features[i]]
        _subtract(factor, place, factor, end - 1, end)
        for i in range(size):
            own[i] = 1.0 if i == place else 0.0
        _subtract(inverse, place, factor, end - 1, place)
        scale = 1.0 / math.sqrt(row[end - 1])
        for i in range(end):
            row[i] *= scale
        for i in range(place + 1):
            own[i] *= scale


@compiled(
    "void(f8[:,::1], i8[::1], f8[:,::1], f8, i8[::1], i8[:,::1], b1[:,::1], f8[:,::1], f8[:,::1], "
    "f8[:,::1])"
)
def removals(
    matrix: Matrix,
    starts: Indices,
    penalties: Matrix,
    total: float,
    nodes: Indices,
    parents: Indices,
    candidates: Mask,
    rows: Matrix,
    inverse: Matrix,
    gains: Matrix,
) -> None:
    """Write the gain from removing each parent that is a candidate.

    The ratio of X given P, with Z and without, is that of the precision of Z among P, without X
    and with X. The rows of the inverse of the Cholesky factor of P and X add up to both. `rows`
    and `inverse` have the shape of `matrix`.
    """
    features, room = np.empty(len(matrix), dtype=np.int64), _room(starts)
    for request in range(len(nodes)):
        node = nodes[request]
        size = width = _append(starts, node, features, 0)
        for place in range(parents.shape[1] - 1, -1, -1):
            if parents[request, place] >= 0:  # else padding
                size = _append(starts, parents[request, place], features, size)
        _invert_factor(matrix, features, size, rows, inverse)
        start = 0
        for parent in parents[request]:
            if parent < 0:
                break
            stop = start + starts[parent + 1] - starts[parent]
            if candidates[request, parent]:
                for i in range(start, stop):
                    for j in range(start, i + 1):
                        rows[i, j] = 0.0
                _add(rows, start, stop, inverse, start, size - width, 1.0)
                ratio = _log_ratio(rows, start, stop, inverse, size - width, size, 1.0, room)
                gains[request, parent] = -0.5 * total * ratio + penalties[node, parent]
            start = stop
