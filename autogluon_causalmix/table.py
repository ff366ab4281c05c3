"""`Table`: a frozen view of one training table, and its two-way encoding as a matrix of floats."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.column import Column
from autogluon_causalmix.dtypes import plain
from autogluon_causalmix.errors import TableError
from autogluon_causalmix.task import Classification, Task

FEW_ROWS = 10
"""In so few, text that differs in every row is no sign of an identifier."""

MOSTLY = 0.9
"""Share of different words from which on they point at rows: one key in two rows is still a key."""

CHANCE = 1e-3
"""Of random whole numbers never to meet, below which they are keys: a birthday problem."""


@dataclass(frozen=True, eq=False)  # by identity: two frames have no single truth value
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
        P(class) of every row, shape (rows, levels of the target), for synthetic rows that a teacher
        has labelled. The target's own column then holds a draw from it.
    task : Task
        What depends on the kind of target.

    Examples
    --------
    >>> sex, ill = ["f", "m", "f"], ["no", "yes", "no"]
    >>> frame = pd.DataFrame({"age": [31, 54, 47], "sex": sex, "ill": ill})
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
    task: Task = field(default_factory=Classification)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, target: Hashable) -> "Table":
        """Check `frame` and return it as a `Table`.

        Raises
        ------
        TableError
            No frame, no rows, no such target, no feature, a repeated column name, a missing or
            continuous target, an infinite value, or a column that cannot be drawn in its dtype.
        """
        _check_frame(frame)
        _check_shape(frame, target)
        frame = frame.reset_index(drop=True)
        columns = tuple(
            Column.of(frame[name], as_category=name == target) for name in frame.columns
        )
        task = Classification()
        task.check(frame[target])
        return cls(frame, target, columns, task=task)

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
        codes = self.columns[self.target_position].encode(self.labels)
        return self.levels[np.unique(codes[~np.isnan(codes)]).astype("int64")]

    @cached_property
    def targets(self) -> Matrix:
        """The target in the encoding of `encode`, shape (rows,)."""
        return self.columns[self.target_position].encode(self.labels)

    @property
    def problem_type(self) -> str:
        """AutoGluon's name of the problem."""
        return self.task.problem_type(self.targets)

    @property
    def feature_columns(self) -> tuple[Column, ...]:
        """The columns without the target."""
        return tuple(column for column in self.columns if column.name != self.target)

    def encode(self) -> Matrix:
        """Return the table as floats, shape (rows, columns), see `Column.encode`."""
        return encode(self.columns, self.frame)

    def decode(self, values: Matrix) -> "Table":
        """Return what `encode` returned, or other floats like it, as a table of these columns."""
        decoded = {
            column.name: column.decode(values[:, i]) for i, column in enumerate(self.columns)
        }
        frame = pd.DataFrame(decoded, columns=self.frame.columns)
        return replace(self, frame=frame, soft_labels=None)

    def with_frame(self, frame: pd.DataFrame) -> "Table":
        """Return other rows of the same columns as a table."""
        frame = frame[list(self.frame.columns)].reset_index(drop=True)
        return replace(self, frame=frame, soft_labels=None)

    def take(self, rows: Indices) -> "Table":
        """Return the rows at these positions as a table of the same columns."""
        soft = None if self.soft_labels is None else self.soft_labels[rows]
        frame = self.frame.iloc[rows].reset_index(drop=True)
        if not frame.dtypes.equals(self.frame.dtypes):  # pandas widens small sparse integers
            frame = frame.astype(self.frame.dtypes)
        return replace(self, frame=frame, soft_labels=soft)


def encode(columns: Sequence[Column], frame: pd.DataFrame) -> Matrix:
    """Return these columns of any frame as floats, shape (rows, columns).

    A category that a column does not know is missing.

    Raises
    ------
    TableError
        A value is infinite; the message names the column and the row.
    """
    values = np.column_stack([column.encode(frame[column.name]) for column in columns])
    rows, places = np.nonzero(np.isinf(values))
    if len(rows):
        row, column = frame.index[rows[0]], columns[places[0]]
        raise TableError(
            f"column {column.name!r} is {values[rows[0], places[0]]} in row {row!r}; "
            "infinite values cannot be used, make them missing (NaN)"
        )
    return values


def identifiers(table: Table) -> tuple[Hashable, ...]:
    """Return the features whose every row has a category of its own: names, keys, e-mail addresses.

    A generator can only copy such values, and a model cannot learn from them.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": [f"patient {i}" for i in range(40)], "ill": ["no", "yes"] * 20})
    >>> identifiers(Table.from_frame(frame, target="ill"))
    ('id',)
    """
    return tuple(name for name in table.categorical if _is_identifier(table.frame[name]))


def copied(table: Table) -> dict[Hashable, str]:
    """Return why the real values of a feature, which a generator repeats, may point at a row.

    These are the `identifiers`, words of which nearly all stand in one row, and whole numbers that
    are never the same although they lie close together: keys, numbers of customers.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": range(40, 80), "ill": ["no", "yes"] * 20})
    >>> copied(Table.from_frame(frame, target="ill"))
    {'id': 'has another value in every row'}
    """
    found = {column.name: _singularity(column, table) for column in table.feature_columns}
    return {name: reason for name, reason in found.items() if reason}


def _singularity(column: Column, table: Table) -> str:
    present = plain(table.frame[column.name].dropna())
    rows, distinct = (
        len(present),
        present.nunique() if column.is_categorical or column.is_whole else 0,
    )
    if rows <= FEW_ROWS or distinct < MOSTLY * rows or column.is_time:
        return ""
    if not column.is_categorical:
        width = float(np.nanmax(column.encode(table.frame[column.name]))) / column.step + 1
        by_chance = np.exp(-(rows**2) / (2 * width))  # that none of them meet
        return "has another value in every row" if distinct == rows and by_chance < CHANCE else ""
    every = (
        "another value in every row" if distinct == rows else f"{distinct} values in {rows} rows"
    )
    return f"has {every}"


def _is_identifier(values: pd.Series) -> bool:
    present = values.dropna()
    return len(present) > FEW_ROWS and not plain(present).duplicated().any()


def _check_frame(frame: object) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise TableError(
            f"a table is a pandas.DataFrame, got {type(frame).__name__}; make one with "
            "pandas.DataFrame(...) or, where there is one, with its method to_pandas()"
        )
    if isinstance(frame.columns, pd.MultiIndex):
        raise TableError(
            f"column names must be single, these have {frame.columns.nlevels} levels; "
            'join them, as in frame.columns = ["_".join(map(str, name)) for name in frame.columns]'
        )
    if any(isinstance(name, type(pd.NA)) for name in frame.columns):
        raise TableError("a column has the name <NA>, which is equal to no name; rename it")
    repeated = frame.columns[frame.columns.duplicated()].unique().tolist()
    if repeated:
        raise TableError(f"column names must be unique, these stand more than once: {repeated}")


def _check_shape(frame: pd.DataFrame, target: Hashable) -> None:
    if not len(frame.columns):
        raise TableError("the table has no columns; it needs a target and at least one feature")
    if not isinstance(target, Hashable):
        raise TableError(
            f"the target, a {type(target).__name__}, is not a column of the table; "
            f"name one of {list(frame.columns)}"
        )
    if target not in frame.columns:
        raise TableError(
            f"the target {target!r} is not a column of the table; "
            f"its columns are {list(frame.columns)}"
        )
    if len(frame.columns) < 2:
        raise TableError(f"the table has no feature: its only column is the target {target!r}")
    if not len(frame):
        raise TableError("the table has no rows")
