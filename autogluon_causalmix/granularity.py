"""The grid that a column's values lie on, such as whole numbers, cents or days."""

from typing import Any

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Mask, Matrix

MOST_DECIMALS = 9
"""Finer grids (a nanometre in metres) are not looked for."""

CHANCE = 1e-6
"""Values count as lying on a grid where random floats would do so with a smaller probability."""

EXACT = 2.0**53
"""Below it 64-bit floats hold every whole number."""

STRIDE_CHANCE = 1e-3
"""The same for multiples: a wrong one costs little, as all values that were seen lie on it."""

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


def stride(counts: Matrix) -> int:
    """Return the largest number of which all are multiples, 1 where that may be chance.

    Of n different whole numbers beside 0, the differences of random ones are all multiples of m
    with a probability of about m^(1 − n).

    Parameters
    ----------
    counts : numpy.ndarray
        Shape (n,): whole numbers from 0 upwards, 0 among them.

    Examples
    --------
    >>> stride(50 * np.arange(9.0)), stride(50 * np.arange(2.0)), stride(np.arange(9.0))
    (50, 1, 1)
    """
    distinct = np.unique(counts)
    if not len(distinct) or distinct[-1] >= EXACT:
        return 1
    step = int(np.gcd.reduce(distinct.astype("int64")))
    return step if step > 1 and (2.0 - len(distinct)) * np.log(step) < np.log(STRIDE_CHANCE) else 1


def to_steps(values: Matrix, step: float) -> Matrix:
    """Return floats rounded to multiples of a step.

    Examples
    --------
    >>> to_steps(np.array([0.0, 0.7, np.nan]), 0.5)
    array([0. , 0.5, nan])
    """
    return np.asarray(np.rint(values / step) * step)


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


def counts(times: pd.Series, unit: str) -> Matrix:
    """Return how many units each time is behind the first on the clock, shape (rows,)."""
    clock = _clock(times)
    return np.asarray((clock - clock.min()) / _length(unit), dtype="float64")


def to_unit(
    times: pd.Series, unit: str, step: int = 1, first: pd.Series | None = None
) -> pd.Series:
    """Return times rounded to `unit`; its multiples stay as they are.

    Where a clock is put forward over a multiple, the next one is taken; where it is put back, so
    that a multiple comes twice, the first.

    Parameters
    ----------
    times : pandas.Series
        Dates or durations of a NumPy dtype or with a time zone.
    unit : str
        One of `UNITS`.
    step : int
        How many units lie between two times of the grid.
    first : pandas.Series, optional
        A time of the grid, shape (1,); needed where the step is not 1.

    Examples
    --------
    >>> to_unit(pd.Series(pd.to_datetime(["2021-03-01 08:31", "2021-03-04 23:00"])), "D").tolist()
    [Timestamp('2021-03-01 00:00:00'), Timestamp('2021-03-05 00:00:00')]
    """
    clock, length, on = _clock(times), step * _length(unit), _is_on(times, unit)
    if first is None:
        rounded = clock.dt.round(unit)
    else:
        start = _clock(first).iloc[0]
        rounded = start + ((clock - start) / length).round() * length
        on &= np.asarray((clock - start) % length == pd.Timedelta(0))
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        following = _in_zone(rounded + length, times.dtype)
        behind = rounded.dt.tz_localize(  # where the next one is skipped, too
            times.dtype.tz, ambiguous=np.ones(len(times), dtype=bool), nonexistent="shift_forward"
        )
        rounded = _in_zone(rounded, times.dtype).fillna(following).fillna(behind)
    return times.where(on, rounded)


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
