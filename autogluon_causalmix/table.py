"""`Table`: a frozen view of one training table, and its two-way encoding as a matrix of floats."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.errors import TableError
from autogluon_causalmix.task import Classification, Task


@dataclass(frozen=True)
class Column:
    """What must be known of one column to encode it as floats and to decode it again.

    Attributes
    ----------
    name : Hashable
        The column's name.
    dtype : pandas or numpy dtype
        Its dtype, given back by `decode`.
    levels : pandas.Index or None
        The categories, in the order of their codes; None for a numeric column.
    offset : int
        Subtracted from whole numbers and dates before they become floats, so that 64-bit keys survive.
    """

    name: Hashable
    dtype: Any
    levels: pd.Index | None
    offset: int

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
        """Whether values are whole numbers: integers, dates and durations."""
        return not self.is_categorical and not types.is_float_dtype(self.dtype)

    def encode(self, values: pd.Series) -> Matrix:
        """Return `values` as floats of shape (rows,): codes of categories, NaN where missing."""
        if self.levels is not None:
            codes = pd.Series(pd.Categorical(values, categories=self.levels).codes, dtype="float64")
            return codes.mask(codes < 0).to_numpy()
        if not self.is_whole:
            return values.to_numpy(dtype="float64", na_value=np.nan)
        missing = values.isna().to_numpy()
        encoded = np.full(len(values), np.nan)
        encoded[~missing] = (_as_integers(values[~missing]) - self.offset).astype("float64")
        return encoded

    def decode(self, values: Matrix) -> pd.Series:
        """Return floats of shape (rows,) in the column's own dtype: whole numbers rounded, codes as categories."""
        missing = np.isnan(values)
        if self.levels is not None:
            codes = np.where(missing, -1, values).astype("int64")
            categories = pd.Categorical.from_codes(
                codes.tolist(), categories=self.levels, ordered=self.is_ordered
            )
            decoded = pd.Series(categories, name=self.name)
            return (
                decoded
                if isinstance(self.dtype, pd.CategoricalDtype)
                else decoded.astype(object).astype(self.dtype)
            )
        if not self.is_whole:
            return pd.Series(values, name=self.name).astype(self.dtype)
        return _from_integers(values, missing, self)


@dataclass(frozen=True)
class Table:
    """One training table: features and target in one frame, and what kind of thing each column is.

    Build one with `from_frame`; the rooms behind it trust what it holds.

    Attributes
    ----------
    frame : pandas.DataFrame
        Features and target, shape (rows, columns), index 0 … rows − 1.
    target : Hashable
        The target's name; the target is always categorical.
    columns : tuple of Column
        One per column of `frame`, in its order.
    soft_labels : numpy.ndarray or None
        P(class) of every row, shape (rows, levels of the target), for rows whose label is a belief: synthetic ones
        that a teacher has labelled. The target's own column then holds a draw from it.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [31, 54, 47], "sex": ["f", "m", "f"], "ill": ["no", "yes", "no"]})
    >>> table = Table.from_frame(frame, target="ill")
    >>> table.numeric, table.categorical, table.problem_type
    (('age',), ('sex',), 'binary')
    >>> table.encode()
    array([[ 0.,  0.,  0.],
           [23.,  1.,  1.],
           [16.,  0.,  0.]])
    >>> table.decode(table.encode()).frame.equals(table.frame)
    True
    """

    frame: pd.DataFrame
    target: Hashable
    columns: tuple[Column, ...]
    soft_labels: Matrix | None = None

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, target: Hashable) -> "Table":
        """Check `frame` and return it as a `Table`.

        Raises
        ------
        TableError
            No rows, no such target, no feature, a repeated column name, a missing or continuous target,
            an infinite value, or a dtype that is neither a quantity nor a category.
        """
        _check_shape(frame, target)
        frame = frame.reset_index(drop=True)
        columns = tuple(
            _describe(frame[name], as_category=name == target) for name in frame.columns
        )
        return cls(frame, target, columns)

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def numeric(self) -> tuple[Hashable, ...]:
        """Names of the numeric features."""
        return tuple(column.name for column in self.columns if not column.is_categorical)

    @cached_property
    def categorical(self) -> tuple[Hashable, ...]:
        """Names of the categorical features, without the target."""
        return tuple(
            column.name
            for column in self.columns
            if column.is_categorical and column.name != self.target
        )

    @property
    def features(self) -> pd.DataFrame:
        """The frame without the target."""
        return self.frame.drop(columns=[self.target])

    @property
    def labels(self) -> pd.Series:
        """The target."""
        return self.frame[self.target]

    @cached_property
    def target_position(self) -> int:
        """Position of the target among the columns."""
        return next(i for i, column in enumerate(self.columns) if column.name == self.target)

    @property
    def levels(self) -> pd.Index:
        """The levels of the target, in the order of their codes; not all need occur."""
        levels = self.columns[self.target_position].levels
        assert levels is not None
        return levels

    @cached_property
    def classes(self) -> pd.Index:
        """The classes that occur, in the order of their codes."""
        return self.levels[self.levels.isin(self.labels.unique())]

    @cached_property
    def targets(self) -> Matrix:
        """The target in the encoding of `encode`, shape (rows,)."""
        return self.columns[self.target_position].encode(self.labels)

    @property
    def task(self) -> Task:
        """What depends on the kind of target."""
        return Classification()

    @property
    def problem_type(self) -> str:
        """AutoGluon's name of the problem."""
        return self.task.problem_type(self.targets)

    @property
    def feature_columns(self) -> tuple[Column, ...]:
        """The columns without the target."""
        return tuple(column for column in self.columns if column.name != self.target)

    def encode(self) -> Matrix:
        """Return the table as floats, shape (rows, columns): codes of categories, NaN where missing."""
        return encode(self.columns, self.frame)

    def decode(self, values: Matrix) -> "Table":
        """Return a matrix in the encoding of `encode` as a table of this table's dtypes and categories."""
        decoded = {
            column.name: column.decode(values[:, i]) for i, column in enumerate(self.columns)
        }
        return Table(pd.DataFrame(decoded, columns=self.frame.columns), self.target, self.columns)

    def with_frame(self, frame: pd.DataFrame) -> "Table":
        """Return other rows of the same columns as a table."""
        return Table(
            frame[list(self.frame.columns)].reset_index(drop=True), self.target, self.columns
        )

    def take(self, rows: npt.NDArray[np.int64]) -> "Table":
        """Return the rows at these positions as a table of the same columns."""
        soft = None if self.soft_labels is None else self.soft_labels[rows]
        return Table(self.frame.iloc[rows].reset_index(drop=True), self.target, self.columns, soft)


def encode(columns: Sequence[Column], frame: pd.DataFrame) -> Matrix:
    """Return these columns of any frame as floats, shape (rows, columns); a category they do not know is missing."""
    return np.column_stack([column.encode(frame[column.name]) for column in columns])


def _check_shape(frame: pd.DataFrame, target: Hashable) -> None:
    repeated = frame.columns[frame.columns.duplicated()].unique().tolist()
    if repeated:
        raise TableError(f"column names must be unique, these stand more than once: {repeated}")
    if target not in frame.columns:
        raise TableError(
            f"the target {target!r} is not a column of the table; its columns are {list(frame.columns)}"
        )
    if len(frame.columns) < 2:
        raise TableError(f"the table has no feature: its only column is the target {target!r}")
    if frame.empty:
        raise TableError("the table has no rows")
    labels = frame[target]
    if labels.isna().any():
        raise TableError(
            f"the target {target!r} is missing in {int(labels.isna().sum())} rows; drop them first"
        )
    if is_continuous(labels):
        raise TableError(
            f"the target {target!r} is continuous ({labels.nunique()} values); this package classifies: "
            "choose a target with classes, or cut it into bins"
        )


def is_continuous(labels: pd.Series) -> bool:
    """Whether labels look like a regression target: fractions, or more than 20 numbers on over 5 % of the rows."""
    if not types.is_numeric_dtype(labels) or types.is_bool_dtype(labels):
        return False
    numbers = labels.dropna().astype("float64")
    distinct = numbers.nunique()
    return bool((numbers % 1 != 0).any()) or (distinct > 20 and distinct > 0.05 * len(numbers))


def _describe(values: pd.Series, as_category: bool) -> Column:
    """Return the `Column` of one series; the target is read as categories whatever its dtype."""
    if as_category or _is_category(values):
        return Column(values.name, values.dtype, _levels(values), 0)
    if not (types.is_numeric_dtype(values) or _is_time(values)) or types.is_complex_dtype(values):
        raise TableError(
            f"column {values.name!r} has dtype {values.dtype}: make it a number, a date or a category"
        )
    if types.is_float_dtype(values):
        infinite = int(np.isinf(values.to_numpy(dtype="float64", na_value=np.nan)).sum())
        if infinite:
            raise TableError(
                f"column {values.name!r} holds {infinite} infinite values; replace them by NaN"
            )
        return Column(values.name, values.dtype, None, 0)
    present = values.dropna()
    return Column(
        values.name, values.dtype, None, int(_as_integers(present).min()) if len(present) else 0
    )


def _is_category(values: pd.Series) -> bool:
    dtype = values.dtype
    return (
        isinstance(dtype, pd.CategoricalDtype)
        or types.is_bool_dtype(dtype)
        or types.is_object_dtype(dtype)
        or (types.is_string_dtype(dtype))
    )


def _is_time(values: pd.Series) -> bool:
    return types.is_datetime64_any_dtype(values.dtype) or types.is_timedelta64_dtype(values.dtype)


def _levels(values: pd.Series) -> pd.Index:
    """Return the categories of a series: those of its dtype, else its values, sorted where they can be."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.dtype.categories
    try:
        present = pd.Index(values.dropna().unique())
    except TypeError as error:
        raise TableError(
            f"column {values.name!r} holds values that are no categories ({error})"
        ) from error
    try:
        return present.sort_values()
    except TypeError:  # values of several types have no order; that of their appearance is as good
        return present


SAFE = 2**62  # sums and differences of two integers below it fit 64 bits


def _as_integers(values: pd.Series) -> npt.NDArray[Any]:
    """Return whole numbers, dates and durations without missing values as integers whose differences are exact."""
    whole = values.astype("int64").to_numpy() if _is_time(values) else values.to_numpy(dtype=object)
    if all(-SAFE < limit < SAFE for limit in (whole.min(initial=0), whole.max(initial=0))):
        return whole.astype("int64")
    return whole.astype(object)


def _from_integers(values: Matrix, missing: npt.NDArray[np.bool_], column: Column) -> pd.Series:
    """Return floats relative to the column's offset in its integer, date or duration dtype, kept inside its limits."""
    rounded = np.rint(np.where(missing, 0.0, values))
    safe = abs(column.offset) < SAFE and np.abs(rounded).max(initial=0) < SAFE
    whole = (
        rounded.astype("int64")
        if safe
        else np.array([int(value) for value in rounded], dtype=object)
    )
    is_time = types.is_datetime64_any_dtype(column.dtype) or types.is_timedelta64_dtype(
        column.dtype
    )
    limits = np.iinfo("int64" if is_time else str(column.dtype).lower())
    whole = np.clip(whole + column.offset, limits.min, limits.max)
    if is_time:
        return pd.Series(whole.astype("int64"), name=column.name).astype(column.dtype).mask(missing)
    return pd.Series(whole, name=column.name, dtype=column.dtype).mask(missing)
