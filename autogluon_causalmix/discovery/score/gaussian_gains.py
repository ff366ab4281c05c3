"""Loops of the degenerate-Gaussian BIC: log-ratios of determinants for many sets of parents.

Import this module inside the functions that use it: it imports numba.

Features are in the order of their columns: those of column c are `starts[c]` to `starts[c + 1]`.
"""

import math

import numpy as np

from autogluon_causalmix.arrays import Indices, Mask, Matrix
from autogluon_causalmix.discovery.score.compiled import compiled


@compiled("f8(f8[:,::1])")
def _log_determinant(matrix: Matrix) -> float:
    """Return the log-determinant of a positive definite matrix, which is overwritten."""
    product = 0.0
    for i in range(len(matrix)):
        pivot = matrix[i, i]
        product += math.log(pivot)
        for j in range(i + 1, len(matrix)):
            factor = matrix[j, i] / pivot
            for k in range(i + 1, j + 1):
                matrix[j, k] -= factor * matrix[k, i]
    return product


@compiled("f8(f8[:,::1], i8, f8[:,::1], i8, i8, i8, i8, f8)")
def _log_ratio(
    base: Matrix,
    feature: int,
    rows: Matrix,
    start: int,
    width: int,
    split: int,
    end: int,
    sign: float,
) -> float:
    """Return log |A + S| − log |A| of a block of `width` features.

    S is `sign` times the sum of v vᵀ over the rows v from `split` to `end`, at the places from
    `start`. A is `sign` times the sum over those before `split`, plus the block of `base` from
    `feature` where `sign` is −1.
    """
    if width == 1:
        alone, more = 0.0 if sign > 0.0 else base[feature, feature], 0.0
        for k in range(split):
            alone += sign * rows[k, start] * rows[k, start]
        for k in range(split, end):
            more += rows[k, start] * rows[k, start]
        return math.log1p(sign * more / alone)
    before, after = np.empty((width, width)), np.empty((width, width))
    for i in range(width):
        for j in range(i + 1):
            total = 0.0 if sign > 0.0 else base[feature + i, feature + j]
            for k in range(split):
                total += sign * rows[k, start + i] * rows[k, start + j]
            before[i, j] = total
            for k in range(split, end):
                total += sign * rows[k, start + i] * rows[k, start + j]
            after[i, j] = total
    return _log_determinant(after) - _log_determinant(before)


@compiled("i8(i8[::1], i8, i8[::1], i8)")
def _append(starts: Indices, column: int, features: Indices, size: int) -> int:
    """Append the features of a column to `size` others; return how many there are now."""
    for feature in range(starts[column], starts[column + 1]):
        features[size] = feature
        size += 1
    return size


@compiled("i8(i8[::1], i8[::1], i8[::1])")
def _list_parents(starts: Indices, parents: Indices, features: Indices) -> int:
    """Write the features of parents, padded with −1; return how many there are."""
    size = 0
    for parent in parents:
        if parent < 0:
            break
        size = _append(starts, parent, features, size)
    return size


@compiled("void(f8[:,::1], i8[::1], i8, i8, f8[:,::1])")
def _eliminate(matrix: Matrix, features: Indices, size: int, last: int, rows: Matrix) -> None:
    """Eliminate the first `last` of `size` features.

    The rows become those of the Cholesky factor: the correlations of the other features, given
    these, are those of `matrix` minus the sum of v vᵀ over the rows v.
    """
    for place in range(last):
        row, given = rows[place], matrix[features[place]]
        for i in range(size):
            row[i] = given[features[i]]
        for k in range(place):
            other, factor = rows[k], rows[k, place]
            for i in range(size):
                row[i] -= factor * other[i]
        scale = 1.0 / math.sqrt(row[place])
        for i in range(size):
            row[i] *= scale


@compiled(
    "void(f8[:,::1], i8[::1], f8[:,::1], f8, i8[::1], i8[:,::1], b1[:,::1], f8[:,::1], f8[:,::1])"
)
def additions(
    matrix: Matrix,
    starts: Indices,
    penalties: Matrix,
    total: float,
    nodes: Indices,
    parents: Indices,
    candidates: Mask,
    rows: Matrix,
    gains: Matrix,
) -> None:
    """Write the gain from each candidate as a further parent.

    The ratio of X given P, with Z and without, is that of Z given P, with X and without: so X is
    eliminated once, after P, for all candidates Z. `rows` has the shape of `matrix`.
    """
    features = np.empty(len(matrix), dtype=np.int64)
    for request in range(len(nodes)):
        node = nodes[request]
        split = _list_parents(starts, parents[request], features)
        end = _append(starts, node, features, split)
        size = end
        for column in range(candidates.shape[1]):
            if candidates[request, column]:
                size = _append(starts, column, features, size)
        _eliminate(matrix, features, size, end, rows)
        place = end
        for column in range(candidates.shape[1]):
            if candidates[request, column]:
                start = starts[column]
                width = starts[column + 1] - start
                ratio = _log_ratio(matrix, start, rows, place, width, split, end, -1.0)
                gains[request, column] = -0.5 * total * ratio - penalties[node, column]
                place += width


@compiled("void(f8[:,::1], i8[::1], i8, f8[:,::1], f8[:,::1])")
def _invert_factor(
    matrix: Matrix, features: Indices, size: int, factor: Matrix, inverse: Matrix
) -> None:
    """Write the inverse of the lower Cholesky factor of the first `size` features."""
    for i in range(size):
        for j in range(i + 1):
            total = matrix[features[i], features[j]]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            factor[i, j] = math.sqrt(total) if i == j else total / factor[j, j]
        for j in range(size):
            inverse[i, j] = 1.0 if i == j else 0.0
        for k in range(i):
            for j in range(k + 1):
                inverse[i, j] -= factor[i, k] * inverse[k, j]
        for j in range(i + 1):
            inverse[i, j] /= factor[i, i]


@compiled(
    "void(f8[:,::1], i8[::1], f8[:,::1], f8, i8[::1], i8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1])"
)
def removals(
    matrix: Matrix,
    starts: Indices,
    penalties: Matrix,
    total: float,
    nodes: Indices,
    parents: Indices,
    rows: Matrix,
    inverse: Matrix,
    gains: Matrix,
) -> None:
    """Write the gain from removing each parent.

    The ratio of X given P, with Z and without, is that of the precision of Z among P, without X
    and with X. The rows of the inverse of the Cholesky factor of P and X add up to both. `rows`
    and `inverse` have the shape of `matrix`.
    """
    features = np.empty(len(matrix), dtype=np.int64)
    for request in range(len(nodes)):
        node = nodes[request]
        split = _list_parents(starts, parents[request], features)
        end = _append(starts, node, features, split)
        _invert_factor(matrix, features, end, rows, inverse)
        start = 0
        for parent in parents[request]:
            if parent < 0:
                break
            width = starts[parent + 1] - starts[parent]
            ratio = _log_ratio(matrix, 0, inverse, start, width, split, end, 1.0)
            gains[request, parent] = -0.5 * total * ratio + penalties[node, parent]
            start += width
