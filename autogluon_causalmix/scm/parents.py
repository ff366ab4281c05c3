"""`ParentFeatures`: the parents of a node as one matrix of features that any learner takes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.scales import Scale

MOST_LEVELS = 20
"""Indicators per categorical parent; the levels beyond are rare, and share the reference."""


@dataclass(frozen=True)
class ParentFeatures:
    """How parents become features: numbers scaled, categories as indicators, missing values as their own.

    Examples
    --------
    >>> parents = np.array([[1.0, 0.0], [3.0, 1.0], [np.nan, 2.0], [2.0, 2.0]])
    >>> ParentFeatures.of(parents, categorical=[False, True]).transform(parents).round(1)
    array([[-1.2,  0. ,  0. ,  1. ],
           [ 1.2,  0. ,  0. ,  0. ],
           [ 0. ,  1. ,  1. ,  0. ],
           [ 0. ,  0. ,  1. ,  0. ]])
    """

    kinds: tuple[Scale | Matrix, ...]
    marked: tuple[bool, ...]

    @classmethod
    def of(cls, parents: Matrix, categorical: Sequence[bool]) -> "ParentFeatures":
        """Learn the features from rows of parents, shape (rows, parents), in the encoding of `Table.encode`."""
        kinds = tuple(
            _frequent_levels(column) if is_code else Scale.of(column)
            for column, is_code in zip(parents.T, categorical, strict=True)
        )
        return cls(kinds, tuple(bool(np.isnan(column).any()) for column in parents.T))

    def transform(self, parents: Matrix) -> Matrix:
        """Return features, shape (rows, features)."""
        parts = [np.empty((len(parents), 0))]
        for column, kind, marked in zip(parents.T, self.kinds, self.marked, strict=True):
            if not isinstance(kind, Scale):
                parts.append((column[:, None] == kind[None, :]).astype("float64"))
                continue
            missing = np.isnan(column)
            parts.append(np.where(missing, 0.0, kind.forward(column))[:, None])
            if marked:
                parts.append(missing.astype("float64")[:, None])
        return np.concatenate(parts, axis=1)


def _frequent_levels(codes: Matrix) -> Matrix:
    """Return the levels that get an indicator, most frequent first, all but the least frequent one."""
    levels, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
    ordered = levels[np.lexsort((levels, -counts))]
    # Where codes are missing, no indicator is set for them: then every level needs its own.
    return ordered[: MOST_LEVELS if np.isnan(codes).any() else min(MOST_LEVELS, len(ordered) - 1)]
