"""The grid that a column's values lie on, such as whole numbers, cents or days."""

from typing import Any

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Mask, Matrix

MOST_DECIMALS = 9
"""Finer grids (a nanometre in metres) are not looked for."""

CHANCE = 1e-6
"""Values count as lying on a grid where random floats would do so with a smaller probability."""

UNITS = ("D", "h", "min", "s", "ms", "us")
"""Of times, from the coarsest to the finest, as pandas spells them."""


def decimals(values: Matrix, stored: np.dtype[Any]) -> int | None:
    """Return the smallest number of decimals at which all values equal their rounding, else None.

    Floats are discrete themselves, so that some equal their rounding by chance, the more so the
    larger and the fewer bits they have. A grid therefore has to be much coarser than the spacing of
    the floats: the product of spacing over grid step, over all distinct values, is below `CHANCE`.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (n,): finite.
    stored : numpy.dtype
        The float dtype that they come from and go back to: their spacing is that of its floats.

    Examples
    --------
    >>> decimals(np.array([3.0, 41200.0, 7.0]), np.dtype("float64"))
    0
    >>> decimals(np.array([19.99, 5.5, 3.0]), np.dtype("float64"))
    2
    >>> decimals(np.array([0.1, 2 / 3]), np.dtype("float64")) is None
    True
    """
    distinct = np.unique(values)
    native = distinct.astype(stored)
    with np.errstate(over="ignore"):  # of the largest float of all, which is infinite
        spacing = np.spacing(np.abs(native[native != 0])).astype("float64")
    for places in range(MOST_DECIMALS + 1):
        if (to_decimals(distinct, places).astype(stored) == native).all():
            by_chance = np.minimum(spacing * 10.0**places, 1.0)
            return places if np.log(by_chance).sum() < np.log(CHANCE) else None
    return None


def to_decimals(values: Matrix, places: int) -> Matrix:
    """Return values rounded to `places` decimals; those that are so already keep every bit.

    Examples
    --------
    >>> to_decimals(np.array([2.346, -0.001, np.nan]), 2)
    array([2.35, 0.  ,  nan])
    """
    with np.errstate(over="ignore", invalid="ignore"):  # a float so large is whole, and is kept
        rounded = np.round(values, places)
    keep = (rounded == values) | ~np.isfinite(rounded)
    return np.where(keep, values, rounded + 0.0)  # + 0.0: there is no minus zero on a grid


def coarsest_unit(times: pd.Series) -> str | None:
    """Return the largest of `UNITS` of which all times are multiples, None where they are finer.

    Dates count from midnight of the first of January 1970 on the clock of their own time zone.

    Parameters
    ----------
    times : pandas.Series
        Dates or durations of a NumPy dtype or with a time zone, none missing.

    Examples
    --------
    >>> coarsest_unit(pd.Series(pd.to_datetime(["2021-03-01 08:30", "2021-03-04 23:00"])))
    'min'
    >>> coarsest_unit(pd.Series(pd.date_range("2021-03-01", periods=3, tz="Asia/Kolkata")))
    'D'
    """
    finest = _length(times.dt.unit)
    coarser = (unit for unit in UNITS if _length(unit) > finest)
    return next((unit for unit in coarser if len(times) and _is_on(times, unit).all()), None)


def to_unit(times: pd.Series, unit: str) -> pd.Series:
    """Return times rounded to `unit`; its multiples stay as they are.

    Where a clock is put forward over a multiple, the next one is taken; where it is put back, so
    that a multiple comes twice, the first.

    Examples
    --------
    >>> to_unit(pd.Series(pd.to_datetime(["2021-03-01 08:31", "2021-03-04 23:00"])), "D").tolist()
    [Timestamp('2021-03-01 00:00:00'), Timestamp('2021-03-05 00:00:00')]
    """
    rounded = _clock(times).dt.round(unit)
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        following = rounded + _length(unit)
        rounded = _in_zone(rounded, times.dtype).fillna(_in_zone(following, times.dtype))
    return times.where(_is_on(times, unit), rounded)


def _is_on(times: pd.Series, unit: str) -> Mask:
    """Whether each time, on its own clock, is a multiple of `unit`."""
    clock = _clock(times)
    step = _length(unit) // _length(clock.dt.unit)
    return np.asarray(clock.astype("int64") % step == 0)


def _clock(times: pd.Series) -> pd.Series:
    """Return what a clock in the times' own zone shows."""
    return times.dt.tz_localize(None) if isinstance(times.dtype, pd.DatetimeTZDtype) else times


def _in_zone(clock: pd.Series, dtype: pd.DatetimeTZDtype) -> pd.Series:
    """Return the first moment at which a clock in the zone shows this, NaT where it never does."""
    first = np.ones(len(clock), dtype=bool)
    moments: pd.Series = clock.dt.tz_localize(dtype.tz, ambiguous=first, nonexistent="NaT")
    return moments


def _length(unit: str) -> pd.Timedelta:
    return pd.Timedelta(f"1{unit}")
