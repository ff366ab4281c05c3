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
    def infer(cls, sheet: Sheet, declared: Mapping[str, str]) -> "Schema":
        """Return the schema of a training file.

        Parameters
        ----------
        sheet : Sheet
            The training file.
        declared : dict of str to str
            What the user says about columns: see `autogluon_causalmix.files.dtypes`.

        Raises
        ------
        TableError
            A column is not what is declared.
        ConfigError
            A declared column does not exist.
        """
        check_columns(declared, list(sheet.columns), sheet.path)
        ignored = tuple(name for name, kind in declared.items() if kind == "ignore")
        read = [
            FileColumn.infer(name, sheet, declared.get(name))
            for name in sheet.columns
            if name not in ignored
        ]
        notes = [note for _, of_column in read for note in of_column]
        if ignored:
            notes.append(f"left out, as --dtypes says: {', '.join(map(repr, ignored))}")
        return cls(tuple(column for column, _ in read), ignored, tuple(notes))

    def frame(self, sheet: Sheet) -> pd.DataFrame:
        """Return the rows of the training file.

        Raises
        ------
        TableError
            A cell cannot be read.
        """
        return pd.DataFrame({column.name: column.read(sheet) for column in self.columns})

    def follow(self, sheet: Sheet, target: str) -> tuple[pd.DataFrame, list[str]]:
        """Return the rows of another file in the types of the training file, and notes.

        Raises
        ------
        TableError
            A column or a label is missing, a cell is none of its column's kind, a class is new.
        """
        missing = [column.name for column in self.columns if column.name not in sheet.columns]
        if missing:
            raise TableError(f"{sheet.path} lacks columns of the training table: {missing}")
        frame = self.frame(sheet)
        self._check_labels(sheet, frame[target], target)
        known = {*self.ignored, *frame.columns}
        extra = [name for name in sheet.columns if name not in known]
        notes = (
            [f"{sheet.path}: ignored, as the training table lacks them: {extra}"] if extra else []
        )
        for column in self.columns:
            notes += _differences(column, frame[column.name], sheet)
        return frame, notes

    def spell(self, frame: pd.DataFrame) -> dict[str, list[Cell]]:
        """Return rows as cells, spelled as in the training file."""
        return {column.name: column.spell(frame[column.name]) for column in self.columns}

    def column(self, name: str) -> FileColumn:
        """Return a column by its name."""
        return next(column for column in self.columns if column.name == name)

    def _check_labels(self, sheet: Sheet, labels: pd.Series, target: str) -> None:
        gaps = labels.isna()
        if gaps.any():
            first = int(gaps.to_numpy().argmax())
            raise TableError(
                f"{sheet.place(first)}: the target {target!r} is missing, "
                f"as in {int(gaps.sum())} rows of {len(labels)}; leave them out"
            )
        known = self.column(target).spellings
        foreign = [row for row, label in enumerate(labels.tolist()) if label not in known]
        if foreign:
            raise TableError(
                f"{sheet.place(foreign[0])}: the target {target!r} is "
                f"{sheet.columns[target][foreign[0]]!r}; no training row has that class, "
                f"they have {_some(sorted(known.values()))}"
            )


def _differences(column: FileColumn, values: pd.Series, sheet: Sheet) -> list[str]:
    """Say where a column of another file holds what the training file has not shown."""
    said = f"{sheet.path}: column {column.name!r}"
    notes = []
    if isinstance(column.kind, Category):
        foreign = sorted(set(values.dropna()) - set(column.kind.levels))
        if foreign:
            notes.append(
                f"{said} has words that no training row has, read as missing: {_some(foreign)}"
            )
    gaps = int(values.isna().sum())
    if isinstance(column.kind, Number) and column.kind.whole and gaps and not column.has_gaps:
        notes.append(
            f"{said} lacks {gaps} values, no training row does: AutoGluon puts 0 in their place"
        )
    return notes


def _some(words: Sequence[str], most: int = 12) -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return f"{list(words[:most])}{more}"
