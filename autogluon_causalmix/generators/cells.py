"""Rows drawn from real ones class by class, and tables put together from cells of real rows."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Indices
from autogluon_causalmix.generators.conditional import matching
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class ClassByClass(ABC):
    """A fitted generator that draws the rows of a class from the real rows of that class alone.

    Attributes
    ----------
    table : Table
        The real rows.
    """

    table: Table

    @abstractmethod
    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw `n_rows` rows, of the classes of `table`."""

    def can_condition(self, where: Mapping[Hashable, object]) -> bool:
        """Return whether the class is given, and nothing else."""
        return set(where) == {self.table.target}

    def sample_where(
        self, n_rows: int, rng: np.random.Generator, where: Mapping[Hashable, object]
    ) -> Table:
        """Draw rows of one class, from its real rows alone."""
        own = self.table.take(matching(self.table, where))
        return replace(self, table=own).sample(n_rows, rng)


def take_cells(table: Table, rows: Indices) -> Table:
    """Return a table whose cell [i, j] is that of the real row ``rows[i, j]``, bit for bit.

    Parameters
    ----------
    table : Table
        The real rows.
    rows : numpy.ndarray
        Positions of real rows, shape (rows to draw, columns).

    Examples
    --------
    >>> frame = pd.DataFrame({"dose": [1, 2, 3], "cured": ["no", "no", "yes"]})
    >>> take_cells(Table.from_frame(frame, "cured"), np.array([[2, 0], [0, 2]])).frame
       dose cured
    0     3    no
    1     1   yes
    """
    cells = {
        column.name: _values(table.frame[column.name], own)
        for column, own in zip(table.columns, rows.T, strict=True)
    }
    return table.with_frame(pd.DataFrame(cells, columns=table.frame.columns))


def rows_by_class(table: Table) -> list[Indices]:
    """Return the positions of the rows of each class, in the order of `Table.classes`.

    Examples
    --------
    >>> frame = pd.DataFrame({"dose": [1, 2, 3], "cured": ["no", "yes", "no"]})
    >>> [rows.tolist() for rows in rows_by_class(Table.from_frame(frame, "cured"))]
    [[0, 2], [1]]
    """
    return [np.flatnonzero(table.targets == code) for code in np.unique(table.targets)]


def notes_on_single_rows(table: Table) -> list[str]:
    """Return a note for each class with one row, which can only be copied.

    Examples
    --------
    >>> frame = pd.DataFrame({"dose": [1, 2, 3], "cured": ["no", "yes", "no"]})
    >>> notes_on_single_rows(Table.from_frame(frame, "cured"))
    ["class 'yes' has one row: all rows drawn of it come from this row"]
    """
    return [
        f"class {label!r} has one row: all rows drawn of it come from this row"
        for label, rows in zip(table.classes.tolist(), rows_by_class(table), strict=True)
        if len(rows) == 1
    ]


def _values(column: pd.Series, rows: Indices) -> pd.Series:
    taken = column.iloc[rows].reset_index(drop=True)
    return taken if taken.dtype == column.dtype else taken.astype(column.dtype)  # as Table.take
