"""`Schema`: the columns of a training file, and what every file that follows is held to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.files.categories import Category
from autogluon_causalmix.files.columns import FileColumn
from autogluon_causalmix.files.dtypes import check_columns
from autogluon_causalmix.files.numbers import Number
from autogluon_causalmix.files.sheet import Cell, Sheet

BARE = "0123456789.,+-eE '"


@dataclass(frozen=True)
class Schema:
    """The columns of a training file.

    Attributes
    ----------
    columns : tuple of FileColumn
        In the order of the file.
    ignored : tuple of str
        The names of columns that the user leaves out.
    notes : tuple of str
        What the user should know of how they are read.
    """

    columns: tuple[FileColumn, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]

    @classmethod
    def infer(
        cls, sheet: Sheet, target: str, declared: Mapping[str, str]
    ) -> "tuple[Schema, pd.DataFrame]":
        """Return the schema of a training file, and its rows.

        Parameters
        ----------
        sheet : Sheet
            The training file.
        target : str
            The column to predict; it is always read as classes.
        declared : dict of str to str
            What the user says about columns: see `autogluon_causalmix.files.dtypes`.

        Raises
        ------
        TableError
            A column is not what is declared, or holds an infinite value.
        ConfigError
            A declared column does not exist.
        """
        check_columns(declared, list(sheet.columns), sheet.path)
        ignored = tuple(name for name, kind in declared.items() if kind == "ignore")
        columns, values, notes = [], {}, [*sheet.notes]
        for name in sheet.columns:
            if name not in ignored:
                column, values[name], said = FileColumn.infer(
                    name, sheet, declared.get(name), as_classes=name == target
                )
                columns.append(column)
                notes += said
        if ignored:
            notes.append(f"left out, as --dtypes says: {', '.join(map(repr, ignored))}")
        return cls(tuple(columns), ignored, tuple(notes)), pd.DataFrame(values)

    def follow(self, sheet: Sheet, target: str) -> tuple[pd.DataFrame, list[str]]:
        """Return the rows of another file in the types of the training file, and notes.

        Raises
        ------
        TableError
            A column or a label is missing, a cell is none of its column's kind, a class is new.
        """
        if target not in sheet.columns:
            raise TableError(
                f"{sheet.path} lacks the target {target!r}, without which nothing can be scored; "
                f"its columns are {_some(list(sheet.columns))}"
            )
        missing = [column.name for column in self.columns if column.name not in sheet.columns]
        if missing:
            raise TableError(
                f"{sheet.path} lacks columns of the training table: {_some(missing)}; "
                f"its columns are {_some(list(sheet.columns))}"
            )
        self._check_labels(sheet, target)
        frame = pd.DataFrame({column.name: column.read(sheet) for column in self.columns})
        known = {*self.ignored, *frame.columns}
        extra = [name for name in sheet.columns if name not in known]
        notes = [*sheet.notes]
        if extra:
            notes.append(f"{sheet.path}: ignored, as the training table lacks them: {extra}")
        for column in self.columns:
            notes += _differences(column, frame[column.name], sheet)
        return frame, notes

    def spell(self, frame: pd.DataFrame) -> dict[str, list[Cell]]:
        """Return rows as cells, spelled as in the training file."""
        return {column.name: column.spell(frame[column.name]) for column in self.columns}

    def column(self, name: str) -> FileColumn:
        """Return a column by its name."""
        return next(column for column in self.columns if column.name == name)

    def _check_labels(self, sheet: Sheet, target: str) -> None:
        """Refuse the first row whose label is missing, or no class of the training file."""
        column, cells = self.column(target), sheet.columns[target]
        lacking, foreign = column.lacking(sheet), column.foreign(sheet)
        for row, cell in enumerate(cells):
            if cell in lacking:
                raise TableError(f"{sheet.place(row)}: the target {target!r} is missing")
            if cell in foreign:
                raise TableError(
                    f"{sheet.place(row)}: the target {target!r} is {cell!r}, a class that no "
                    f"training row has; they have {_some(sorted(column.spellings.values()))}"
                )


def _differences(column: FileColumn, values: pd.Series, sheet: Sheet) -> list[str]:
    """Say where a column of another file holds what the training file has not shown."""
    said = f"{sheet.path}: column {column.name!r}"
    notes = []
    if not column.spellings and len(column.lacking(sheet)) < len(set(sheet.columns[column.name])):
        notes.append(f"{said} is ignored, as the training table has no value in it")
    if isinstance(column.kind, Category):
        foreign = sorted(set(values.dropna()) - set(column.kind.levels))
        if foreign:
            notes.append(
                f"{said} has words that no training row has, read as missing: {_some(foreign)}"
            )
    if isinstance(column.kind, Number) and column.kind.is_share:
        bare = [cell for cell in sheet.columns[column.name] if cell and not cell.strip(BARE)]
        if bare:
            sign = column.kind.suffix.strip()
            notes.append(f"{said} has cells without {sign!r}, read as if they had it: {bare[0]!r}")
    if isinstance(column.kind, Number) and column.kind.whole and not column.has_gaps:
        gaps, cut = int(values.isna().sum()), int((values.dropna() % 1 != 0).sum())
        if gaps:
            notes.append(f"{said} has {gaps} gaps, no training row has one: AutoGluon puts 0 there")
        if cut:
            notes.append(f"{said} has {cut} fractions, no training row has one: they are cut off")
    return notes


def _some(words: Sequence[str], most: int = 12) -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return f"{list(words[:most])}{more}"
