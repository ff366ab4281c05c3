"""`Column`: what must be known of one column to encode it as floats and to decode it again.

A column is accepted when its values survive the way to floats and back, in their own dtype;
whatever does not is refused by name.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autogluon_causalmix.arrays import Indices, Mask, Matrix
from autogluon_causalmix.dtypes import kind_of, plain, plain_dtype, stored_dtype
from autogluon_causalmix.errors import TableError
from autogluon_causalmix.granularity import (
    coarsest_unit,
    counts,
    decimals,
    stride,
    to_decimals,
    to_steps,
    to_unit,
)

SAFE = 2**62
"""Sums and differences of two integers below it fit 64 bits."""


@dataclass(frozen=True, eq=False)  # by identity: an index of levels has no single truth value
class Column:
    """What must be known of one column to encode it as floats and to decode it again.

    Observed values come back bit for bit, as long as 64-bit floats can tell them apart. Values
    between them are put on the column's own grid: its decimals, or its unit of time.

    Attributes
    ----------
    name : Hashable
        The column's name.
    dtype : pandas or numpy dtype
        Its dtype, given back by `decode`.
    levels : pandas.Index or None
        The categories, in the order of their codes; None for a numeric column.
    offset : int
        Subtracted from whole numbers and times before they become floats, so that 64-bit keys
        survive.
    places : int or None
        Decimals that all floats of the column keep to, 0 for whole ones; None where there are more
        than `autogluon_causalmix.granularity.MOST_DECIMALS`, and for other kinds.
    step : int
        All whole numbers are multiples of it behind the least one, all floats multiples of it in
        their last decimal, all times that many units apart: prices in fives, halves of a star,
        quarters of an hour.
    unit : str or None
        The largest of day, hour, minute, second, ms and us of which all times are multiples, on the
        clock of their own time zone, as pandas spells it (``"D"``); None where they are finer, and
        for other kinds.
    gap : object
        What stands for a missing value in a column of objects.

    Examples
    --------
    >>> price = Column.of(pd.Series([1.5, 19.99, 7.0], name="price"))
    >>> price.decode(np.array([1.5, 3.14159])).tolist()
    [1.5, 3.14]
    """

    name: Hashable
    dtype: Any
    levels: pd.Index | None
    offset: int
    places: int | None = None
    unit: str | None = None
    step: int = 1
    gap: Any = np.nan

    @classmethod
    def of(cls, values: pd.Series, as_category: bool = False) -> "Column":
        """Describe one column; a target is read as categories whatever its dtype.

        Raises
        ------
        TableError
            An infinite value, or a dtype or values that cannot be drawn.
        """
        try:
            column = _describe(values, as_category)
            encoded = column.encode(values)
            decoded = column.decode(encoded)
            survives = np.array_equal(column.encode(decoded), encoded, equal_nan=True)
        except TableError:
            raise
        except Exception as error:  # foreign code may raise anything
            raise _refusal(values) from error
        if not survives or decoded.dtype != values.dtype:
            raise _refusal(values)
        return column

    @property
    def is_categorical(self) -> bool:
        """Whether values are categories rather than quantities."""
        return self.levels is not None

    @property
    def is_ordered(self) -> bool:
        """Whether the categories have an order of their own."""
        return isinstance(self.dtype, pd.CategoricalDtype) and bool(self.dtype.ordered)

    @property
    def is_whole(self) -> bool:
        """Whether values are counted in whole numbers: integers, periods, dates and durations."""
        return not self.is_categorical and kind_of(self.dtype) in ("whole", "time")

    @property
    def is_time(self) -> bool:
        """Whether values are dates, durations or periods."""
        return self.is_whole and (
            kind_of(self.dtype) == "time" or isinstance(self.dtype, pd.PeriodDtype)
        )

    def encode(self, values: pd.Series) -> Matrix:
        """Return `values` as floats of shape (rows,): codes of categories, NaN where missing."""
        if self.levels is not None:
            codes = _codes(plain(values), self.levels).astype("float64")
            return np.where(codes < 0, np.nan, codes)
        if not self.is_whole:
            return values.to_numpy(dtype="float64", na_value=np.nan)
        if values.dtype.kind == "f":  # fractions, where all training rows had whole numbers
            return values.to_numpy(dtype="float64", na_value=np.nan) - self.offset
        missing = values.isna().to_numpy()
        encoded = np.full(len(values), np.nan)
        whole = _as_integers(values[~missing], self.dtype)
        encoded[~missing] = (whole - self.offset).astype("float64")
        return encoded

    def decode(self, values: Matrix) -> pd.Series:
        """Return floats of shape (rows,) in the column's own dtype, on its grid, in its limits."""
        missing = np.isnan(values)
        if self.levels is not None:
            return self._categories(np.where(missing, -1, values).astype("int64"), self.levels)
        if not self.is_whole:
            floats = values if self.places is None else self._on_grid(values, self.places)
            return pd.Series(floats, name=self.name).astype(self.dtype)
        if kind_of(self.dtype) == "whole":
            return self._whole_numbers(values, missing)
        times = self.moments(values)
        if self.unit is not None:
            first = None if self.step == 1 else self.moments(np.zeros(1))
            times = to_unit(times, self.unit, self.step, first)
        return times.astype(self.dtype)

    def moments(self, values: Matrix) -> pd.Series:
        """Return floats of shape (rows,) as times that need not lie on the grid."""
        missing = np.isnan(values)
        if isinstance(self.dtype, pd.PeriodDtype):
            return self._whole_numbers(values, missing)
        dtype = plain_dtype(self.dtype)
        day = pd.Timedelta("1D") // pd.Timedelta(f"1{np.datetime_data(dtype.base)[0]}")
        limit = 2**63 - 1 - (0 if self.unit is None else day)  # rounding to a day stays inside
        whole = _integers(values, missing, self.offset, (-limit, limit))
        return pd.Series(whole.astype("int64"), name=self.name).astype(dtype).mask(missing)

    def _on_grid(self, values: Matrix, places: int) -> Matrix:
        stepped = values if self.step == 1 else to_steps(values, self.step / 10.0**places)
        rounded = to_decimals(stepped, places)
        return np.where(rounded == values, values, rounded)  # there is a minus zero in the data

    def _categories(self, codes: Indices, levels: pd.Index) -> pd.Series:
        if isinstance(self.dtype, pd.CategoricalDtype):
            return pd.Series(
                pd.Categorical.from_codes(codes.tolist(), dtype=self.dtype), name=self.name
            )
        gap = np.empty(1, dtype=object)
        gap[0] = self.gap  # the last one, for code −1
        values = np.append(levels.astype(object).to_numpy(), gap)
        return pd.Series(values[codes], name=self.name, dtype=object).astype(self.dtype)

    def _whole_numbers(self, values: Matrix, missing: Mask) -> pd.Series:
        is_period = isinstance(self.dtype, pd.PeriodDtype)
        stored = np.iinfo(stored_dtype(self.dtype))
        limits = (int(stored.min) + is_period, int(stored.max))  # the lowest period means missing
        counted = values if self.step == 1 else to_steps(values, self.step)
        whole = _integers(counted, missing, self.offset, limits)
        decoded = (
            pd.Series(
                pd.arrays.PeriodArray(whole.astype("int64"), dtype=self.dtype), name=self.name
            )
            if is_period
            else pd.Series(whole, name=self.name, dtype=self.dtype)
        )
        return decoded.mask(missing) if missing.any() else decoded


def _describe(values: pd.Series, as_category: bool) -> Column:
    name, dtype, kind = values.name, values.dtype, kind_of(values.dtype)
    if kind is None:
        raise _refusal(values)
    present = values.dropna()
    if kind == "float":
        _check_finite(present)
    if as_category or kind == "category":
        return Column(name, dtype, _levels(values), 0, gap=_gap(values))
    if kind == "float":
        numbers = present.to_numpy(dtype="float64")
        numbers = numbers[~np.isnan(numbers)]  # pandas can hold NaN beside NA
        places = decimals(numbers, stored_dtype(dtype))
        step = 1 if places is None else stride(np.append(np.rint(abs(numbers) * 10.0**places), 0))
        return Column(name, dtype, None, 0, places=places, step=step)
    whole = _as_integers(present, dtype)
    offset = int(whole.min()) if len(present) else 0
    if kind == "whole":
        return Column(name, dtype, None, offset, step=stride((whole - offset).astype("float64")))
    unit = coarsest_unit(plain(present))
    step = 1 if unit is None else stride(counts(plain(present), unit))
    return Column(name, dtype, None, offset, unit=unit, step=step)


def _gap(values: pd.Series) -> Any:
    """Return what stands for the first missing value of a column of objects."""
    missing = values[values.isna()]
    return missing.iloc[0] if values.dtype == np.dtype(object) and len(missing) else np.nan


def _check_finite(present: pd.Series) -> None:
    infinite = int(np.isinf(present.to_numpy(dtype="float64")).sum())
    if infinite:
        raise TableError(
            f"column {present.name!r} holds {infinite} infinite values; replace them by NaN"
        )


def _refusal(values: pd.Series, reason: str = "") -> TableError:
    return TableError(
        f"column {values.name!r} {reason}has dtype {values.dtype}: "
        "make it a number, a date or a category"
    )


def _levels(values: pd.Series) -> pd.Index:
    """Return the categories of a dtype, else of the values, sorted where they can be."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.dtype.categories
    present = plain(values.dropna())
    is_object = present.dtype == np.dtype(object)
    try:
        if is_object:
            _check_distinct(present)
        levels = pd.Index(present.unique(), dtype=object if is_object else None)
    except TypeError as error:
        raise _refusal(values, f"holds values that are no categories ({error}) and ") from error
    try:
        return levels.sort_values()
    except (TypeError, NotImplementedError):  # without an order, that of appearance is as good
        return levels


def _codes(values: pd.Series, levels: pd.Index) -> npt.NDArray[np.signedinteger[Any]]:
    """Return the position of each value among the levels, −1 where it is missing or unknown."""
    if values.dtype == levels.dtype == np.dtype(object):  # pandas would make dates of them
        return levels.get_indexer(pd.Index(values.to_numpy(), dtype=object))
    return pd.Categorical(values, categories=levels).codes


def _check_distinct(present: pd.Series) -> None:
    """Refuse objects that are equal but not the same: True and 1 would be one level."""
    seen: dict[Any, Any] = {}
    for _, value in dict.fromkeys(zip(map(type, present), present, strict=True)):
        other = seen.setdefault(value, value)
        if type(other) is not type(value) and str(other) != str(value):
            raise _refusal(present, f"holds {other!r} and {value!r}, which are equal, and ")


def _as_integers(values: pd.Series, dtype: Any) -> npt.NDArray[Any]:
    """Return values, none missing, in whole numbers of `dtype`, with exact differences."""
    if kind_of(dtype) == "time" or isinstance(dtype, pd.PeriodDtype):
        whole = plain(values).astype(plain_dtype(dtype)).astype("int64").to_numpy()
    else:
        whole = values.to_numpy(dtype=object)
    if all(-SAFE < limit < SAFE for limit in (whole.min(initial=0), whole.max(initial=0))):
        return whole.astype("int64")
    return whole.astype(object)


def _integers(
    values: Matrix, missing: Mask, offset: int, limits: tuple[int, int]
) -> npt.NDArray[Any]:
    """Return floats relative to an offset as whole numbers inside the limits, 0 where missing."""
    rounded = np.rint(np.where(missing, 0.0, values))
    safe = abs(offset) < SAFE and np.abs(rounded).max(initial=0) < SAFE
    whole = (
        rounded.astype("int64")
        if safe
        else np.array([int(value) for value in rounded], dtype=object)
    )
    return np.asarray(np.clip(whole + offset, *limits))
