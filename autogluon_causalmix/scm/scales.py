"""`Scale`: numeric columns in units that suit learners, and back into the observed range."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from autogluon_causalmix.arrays import Matrix

FAR_OUT = 5.0
"""Standard deviations: a column with values beyond is ranked, or one row would dominate a fit."""


@dataclass(frozen=True)
class Scale:
    """A monotone map of one numeric column: standardised or, with far outliers, normal scores.

    Attributes
    ----------
    values, scores : numpy.ndarray
        Knots of the map, both increasing: it is linear between them and constant beyond.

    Examples
    --------
    >>> scale = Scale.of(np.array([1.0, 2.0, 3.0, np.nan]))
    >>> scale.forward(np.array([3.0, np.nan])).round(2), scale.back(np.array([0.0, 99.0])).round(2)
    (array([1.22,  nan]), array([2., 3.]))
    >>> Scale.of(np.array([1e300, -3.0, 0.0, 1.0] * 50)).forward(np.array([1e300])).round(2)
    array([1.73])
    """

    values: Matrix
    scores: Matrix

    @classmethod
    def of(cls, column: Matrix) -> "Scale":
        """Choose the map for a column of shape (rows,), NaN where a value is missing."""
        present = column[~np.isnan(column)]
        if len(present) == 0:
            return cls(np.array([0.0]), np.array([0.0]))
        largest = np.abs(present).max() or 1.0
        unit = present / largest
        spread = unit.std()
        standard = (unit - unit.mean()) / spread if spread > 1e-12 else np.zeros(len(unit))
        if np.abs(standard).max() <= FAR_OUT:
            ends = [int(present.argmin()), int(present.argmax())]
            return cls(present[ends], standard[ends])
        values, member = np.unique(present, return_inverse=True)
        ranks = stats.rankdata(present)
        scores = np.empty(len(values))
        scores[member] = stats.norm.ppf((ranks - 0.5) / len(present))
        return cls(values, scores)

    def forward(self, column: Matrix) -> Matrix:
        """Return scores of values."""
        return _interpolated(column, self.values, self.scores)

    def back(self, scores: Matrix) -> Matrix:
        """Return values of scores, none beyond what was observed."""
        return _interpolated(scores, self.scores, self.values)


def _interpolated(at: Matrix, knots: Matrix, heights: Matrix) -> Matrix:
    """Interpolate linearly without differences of heights: those of ±1e308 overflow."""
    if len(knots) == 1 or knots[0] == knots[-1]:
        return np.where(np.isnan(at), np.nan, heights[0])
    clipped = np.clip(at, knots[0], knots[-1])
    right = np.clip(
        np.searchsorted(knots, np.where(np.isnan(at), knots[0], clipped)), 1, len(knots) - 1
    )
    half_gap = knots[right] / 2.0 - knots[right - 1] / 2.0
    ahead = clipped / 2.0 - knots[right - 1] / 2.0
    share = np.divide(ahead, half_gap, out=np.where(np.isnan(at), np.nan, 0.0), where=half_gap > 0)
    return np.asarray(heights[right - 1] * (1.0 - share) + heights[right] * share)
