"""What stands for a missing value where a network has no idea of them."""

from collections.abc import Sequence

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.column import Column

MISSING = -1.0
"""Code of a category that is missing."""


def fillings(columns: Sequence[Column], rows: Matrix) -> Matrix:
    """Return what stands for a missing value of each feature, shape (features,).

    The mean of a number, a category of its own, and `MISSING` where a whole column is missing.
    """
    return np.array([_filling(*pair) for pair in zip(columns, rows.T, strict=True)])


def _filling(column: Column, values: Matrix) -> float:
    known = values[~np.isnan(values)]
    if column.is_categorical or len(known) == 0:
        return MISSING
    return float(known.mean())
