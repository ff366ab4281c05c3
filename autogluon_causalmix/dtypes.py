"""What the values of a dtype are, whoever stores them: NumPy, pandas, Arrow, sparse arrays.

Values are of one of four kinds: *categories* (text, booleans, intervals, objects), *floats*
(decimals, too), *whole numbers* (periods, too) and *times* (dates, durations). A dtype that stores
them in its own way is read as the plain dtype that stands for it, and written by pandas' own cast.
"""

from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api import types

Kind = Literal["category", "float", "whole", "time"]

KIND_OF_LETTER: dict[str, Kind] = {
    **dict.fromkeys("bOUS", "category"),
    **dict.fromkeys("iu", "whole"),
    **dict.fromkeys("Mm", "time"),
    "f": "float",
}
"""By the letter that NumPy and pandas give each dtype; complex numbers have no kind."""


def kind_of(dtype: Any) -> Kind | None:
    """Return what kind of values a dtype holds, None for numbers that are no quantities.

    Examples
    --------
    >>> [kind_of(dtype) for dtype in (pd.Int8Dtype(), pd.PeriodDtype("M"), np.dtype("complex64"))]
    ['whole', 'whole', None]
    """
    if isinstance(dtype, pd.PeriodDtype):
        return "whole"
    if dtype.kind == "O" and types.is_numeric_dtype(dtype):  # decimals
        return "float"
    return KIND_OF_LETTER.get(dtype.kind)


def plain_dtype(dtype: Any) -> Any:
    """Return the plain dtype of pandas that stands for a foreign one.

    A dense one for a sparse one; NumPy's for Arrow's dates and durations; objects for those of
    Arrow that NumPy lacks; 64 bits for half and long floats, of which pandas has no index. All
    others stand for themselves.

    Examples
    --------
    >>> plain_dtype(pd.SparseDtype("int64")), plain_dtype(np.dtype("float16"))
    (dtype('int64'), dtype('float64'))
    """
    if isinstance(dtype, pd.SparseDtype):
        return plain_dtype(dtype.subtype)  # type: ignore[attr-defined]
    if isinstance(dtype, pd.ArrowDtype) and kind_of(dtype) == "time":
        clock, zone = stored_dtype(dtype), getattr(dtype.pyarrow_dtype, "tz", None)
        unit: Any = np.datetime_data(clock)[0]
        return clock if zone is None else pd.DatetimeTZDtype(unit, zone)
    if isinstance(dtype, pd.ArrowDtype) and dtype.kind == "O":
        return np.dtype(object)
    if dtype.kind == "f" and stored_dtype(dtype).itemsize not in (4, 8):
        return np.dtype("float64")
    return dtype


def plain(values: pd.Series) -> pd.Series:
    """Return values in the dtype that stands for theirs, see `plain_dtype`."""
    dtype = plain_dtype(values.dtype)
    return values if dtype == values.dtype else values.astype(dtype)


def numbers_as_objects(values: pd.Series) -> bool:
    """Return whether a column of objects holds numbers alone: floats, integers, decimals.

    Examples
    --------
    >>> numbers_as_objects(pd.Series([1, 2.5, None], dtype=object)), numbers_as_objects(
    ...     pd.Series([1, "2"], dtype=object)
    ... )
    (True, False)
    """
    numbers = {"floating", "integer", "mixed-integer-float", "decimal"}
    return values.dtype == np.dtype(object) and types.infer_dtype(values, skipna=True) in numbers


def stored_dtype(dtype: Any) -> np.dtype[Any]:
    """Return NumPy's dtype of the numbers that a dtype stores.

    Examples
    --------
    >>> stored_dtype(pd.Float32Dtype()), stored_dtype(pd.SparseDtype("int8"))
    (dtype('float32'), dtype('int8'))
    """
    if isinstance(dtype, pd.PeriodDtype):
        return np.dtype("int64")
    if dtype.kind == "O":  # decimals
        return np.dtype("float64")
    dense: Any = dtype.subtype if isinstance(dtype, pd.SparseDtype) else dtype  # type: ignore[attr-defined]
    stored: np.dtype[Any] = np.dtype(getattr(dense, "numpy_dtype", dense))
    return stored
