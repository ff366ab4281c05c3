"""`Scale`: numeric columns in units that suit learners, and back into the observed range."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from autogluon_causalmix.arrays import Indices, Matrix

FAR_OUT = 5.0
"""Standard deviations: a column with values beyond is ranked, or one row would dominate a fit."""


@dataclass(frozen=True)
class Scale:
    """A monotone map of one numeric column: standardised or, with far outliers, normal scores.

    Attributes
    ----------
    values, scores : numpy.ndarray
        Knots of the map, both increasing: it is linear between them and constant beyond.
    is_bound : tuple of bool
        Whether several values lie at the lowest and at the highest: then it is a bound of them.

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
    is_bound: tuple[bool, bool]

    @classmethod
    def of(cls, column: Matrix) -> "Scale":
        """Choose the map for a column of shape (rows,), NaN where a value is missing."""
        return _chosen(column.astype("float64").tobytes())

    def forward(self, column: Matrix) -> Matrix:
        """Return scores of values."""
        return _interpolated(column, self.values, self.scores)

    def back(self, scores: Matrix) -> Matrix:
        """Return values of scores, none beyond what was observed."""
        return _interpolated(scores, self.scores, self.values)

    def moved(self, scores: Matrix, steps: Matrix) -> Matrix:
        """Return values of scores moved by steps, none beyond what was observed.

        A step that leads out is turned back at the end (Schuster, 1985), where values would else
        pile up. At an end that is a bound they do, as real ones.
        """
        low, high = np.where(self.is_bound, [-np.inf, np.inf], self.scores[[0, -1]])
        ends = np.clip(scores, low, high) + steps
        ends = np.where(ends < low, 2 * low - ends, ends)
        ends = np.where(ends > high, 2 * high - ends, ends)
        return self.back(ends)


def _interpolated(at: Matrix, knots: Matrix, heights: Matrix) -> Matrix:
    """Interpolate linearly without differences of heights: those of ±1e308 overflow."""
    if len(knots) == 1 or knots[0] == knots[-1]:
        return np.where(np.isnan(at), np.nan, heights[0])
    clipped = np.clip(at, knots[0], knots[-1])
    right: Indices | int = 1
    if len(knots) > 2:
        found = np.searchsorted(knots, np.where(np.isnan(at), knots[0], clipped))
        right = np.clip(found, 1, len(knots) - 1)
    half_gap = knots[right] / 2.0 - knots[right - 1] / 2.0
    ahead = clipped / 2.0 - knots[right - 1] / 2.0
    share = np.divide(ahead, half_gap, out=np.where(np.isnan(at), np.nan, 0.0), where=half_gap > 0)
    return np.asarray(heights[right - 1] * (1.0 - share) + heights[right] * share)


@lru_cache(maxsize=128)
def _chosen(raw: bytes) -> Scale:
    """Choose the map, and keep it: a column is a parent of many others, in many graphs."""
    column = np.frombuffer(raw)
    present = column[~np.isnan(column)]
    if len(present) == 0:
        return Scale(np.array([0.0]), np.array([0.0]), (True, True))
    is_bound = (
        int((present == present.min()).sum()) > 1,
        int((present == present.max()).sum()) > 1,
    )
    largest = np.abs(present).max() or 1.0
    unit = present / largest
    spread = unit.std()
    standard = (unit - unit.mean()) / spread if spread > 1e-12 else np.zeros(len(unit))
    if np.abs(standard).max() <= FAR_OUT:
        ends = [int(present.argmin()), int(present.argmax())]
        return Scale(present[ends], standard[ends], is_bound)
    values, member = np.unique(present, return_inverse=True)
    ranks = stats.rankdata(present)
    scores = np.empty(len(values))
    scores[member] = stats.norm.ppf((ranks - 0.5) / len(present))
    return Scale(values, scores, is_bound)
