"""`Space`: rows of mixed columns as points, whose distances count all columns alike."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.table import Table

MOST_OWN_LEVELS = 50
"""Of a category that have a coordinate of their own; rarer ones share one, to bound the memory."""

FARTHEST = 1e6
"""Standard deviations from the mean at which points stop, so that squares stay finite."""


@dataclass(frozen=True)
class Space:
    """Rows of mixed columns as points.

    A number is measured in standard deviations of the real rows. Two different categories are at
    distance 1, and so are a value and a gap. Squared distances add up over columns.

    Attributes
    ----------
    centres, scales : numpy.ndarray
        Mean and standard deviation of each numeric column, shape (columns,); unused for others.
    levels : tuple of numpy.ndarray or None
        The codes of each category with coordinates of their own; None for numeric columns.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"dose": [1.0, 3.0], "cured": ["no", "yes"]})
    >>> table = Table.from_frame(frame, "cured")
    >>> distances(*2 * [Space.of(table).points(table)]).round(3)  # (2 deviations)² + 1
    array([[0.   , 2.236],
           [2.236, 0.   ]])
    """

    centres: Matrix
    scales: Matrix
    levels: tuple[Indices | None, ...]

    @classmethod
    def of(cls, table: Table) -> "Space":
        """Return the space with the scales of `table`."""
        values = table.encode()
        levels = tuple(
            _frequent(column_values) if column.is_categorical else None
            for column, column_values in zip(table.columns, values.T, strict=True)
        )
        centres, scales = zip(*(centre_and_scale(column) for column in values.T), strict=True)
        return cls(np.array(centres), np.array(scales), levels)

    def points(self, table: Table, *, without_target: bool = False) -> Matrix:
        """Return the rows of a table of the same columns as points, shape (rows, coordinates)."""
        parts = [
            self._number(values, position) if levels is None else _indicators(values, levels)
            for position, (values, levels) in enumerate(
                zip(table.encode().T, self.levels, strict=True)
            )
            if not (without_target and position == table.target_position)
        ]
        return np.column_stack(parts)

    def _number(self, values: Matrix, position: int) -> Matrix:
        """Return distances from the mean, 0 where missing, and whether missing: shape (rows, 2)."""
        missing = np.isnan(values)
        scaled = values / self.scales[position] - self.centres[position] / self.scales[position]
        return np.column_stack(
            [np.where(missing, 0.0, np.clip(scaled, -FARTHEST, FARTHEST)), missing]
        )


def centre_and_scale(values: Matrix) -> tuple[float, float]:
    """Return mean and standard deviation of the present values.

    The deviation of a constant column is taken to be its value, or 1 where that is 0.
    """
    present = values[~np.isnan(values)]
    peak = float(np.abs(present).max(initial=0.0)) or 1.0
    relative = present / peak  # squares of ±1e308 are no floats
    centre = float(relative.mean()) if len(present) else 0.0
    deviation = float(relative.std()) if len(present) else 1.0
    return centre * peak, (deviation if deviation > 1e-12 else 1.0) * peak


def distances(first: Matrix, second: Matrix) -> Matrix:
    """Return Euclidean distances between points, shape (first rows, second rows)."""
    return np.asarray(cdist(first, second))


def distances_within(points: Matrix) -> Matrix:
    """Return the distances of points to each other, infinite to themselves."""
    found = distances(points, points)
    np.fill_diagonal(found, np.inf)
    return found


def _frequent(codes: Matrix) -> Indices:
    present, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
    return np.sort(present[np.argsort(-counts, kind="stable")[:MOST_OWN_LEVELS]]).astype("int64")


def _indicators(codes: Matrix, levels: Indices) -> Matrix:
    """Return an indicator of each level, of all others, and of a gap, times √½."""
    own = codes[:, None] == levels
    missing = np.isnan(codes)
    rest = ~own.any(axis=1) & ~missing
    return np.column_stack([own, rest, missing]) * math.sqrt(0.5)
