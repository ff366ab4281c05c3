"""`ParentFeatures`: the parents of a node as one matrix of numeric features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.scales import Scale

MOST_INDICATORS_OF_PARENT = 20
"""Per categorical parent; rarer levels have no indicator, like the reference level."""


@dataclass(frozen=True)
class ParentFeatures:
    """Numbers on their `Scale`, categories as indicators, and an indicator of missing numbers.

    Attributes
    ----------
    kinds : tuple of Scale or numpy.ndarray
        Per parent, its scale, or the codes that get an indicator.
    marked : tuple of bool
        Whether each parent has missing values.

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
        """Choose features for parents (rows, parents), in the encoding of `Table.encode`."""
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
    """Return the levels that get an indicator, most frequent first; the rarest is the reference.

    Where codes are missing, no indicator is set for them, so every level needs its own.
    """
    levels, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
    ordered = levels[np.lexsort((levels, -counts))]
    most = len(ordered) if np.isnan(codes).any() else len(ordered) - 1
    return ordered[: min(MOST_INDICATORS_OF_PARENT, most)]
