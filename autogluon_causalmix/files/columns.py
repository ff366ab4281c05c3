"""`FileColumn`: what the cells of one column mean, and how its values are spelled."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.files import notes
from autogluon_causalmix.files.categories import Category
from autogluon_causalmix.files.dates import Date
from autogluon_causalmix.files.kinds import MISSING, infer_kind
from autogluon_causalmix.files.notes import Kind
from autogluon_causalmix.files.numbers import LARGEST, Number
from autogluon_causalmix.files.sheet import Cell, Sheet


@dataclass(frozen=True)
class FileColumn:
    """One column of a training file.

    Attributes
    ----------
    name : str
        As it stands in the header.
    kind : Number, Date or Category
        What its cells are.
    missing : frozenset of str
        The cells that mean a missing value, besides None.
    gap : str or None
        The most frequent of them in the file: how a missing value is written.
    has_gaps : bool
        Whether there are any.
    spellings : dict of value to str
        The values of the file, each in the first spelling that it has.
    """

    name: str
    kind: Kind
    missing: frozenset[str]
    gap: Cell
    has_gaps: bool
    spellings: Mapping[Any, str]

    @classmethod
    def infer(
        cls, name: str, sheet: Sheet, declared: str | None, *, as_classes: bool
    ) -> "tuple[FileColumn, pd.Series, list[str]]":
        """Return a column of a training file, its values, and notes on how it is read.

        Parameters
        ----------
        name : str
            The column's name.
        sheet : Sheet
            The training file.
        declared : str or None
            What the user says that its cells are.
        as_classes : bool
            Whether it is the target: then dates are words, and no other kind was to be expected.

        Raises
        ------
        TableError
            Its cells are not what is declared.
        """
        counted = [cell for cell, _ in Counter(sheet.columns[name]).most_common()]
        kind, odd, said = infer_kind(name, sheet, counted, declared)
        if as_classes:
            kind, said = _classes(kind, counted, sheet.decimal), []
        missing = odd if isinstance(kind, Category) else MISSING | odd
        missing = missing if sheet.says_missing else missing | {""}
        default = None if sheet.says_missing else ""
        gaps = [cell for cell in counted if _is_missing(cell, missing)]
        gap = gaps[0] if gaps else default
        column = cls(name, kind, missing, gap, bool(gaps), {})
        values = column._values(sheet)
        spellings = {value: cell for cell, value in reversed(values.items()) if cell is not None}
        alike = notes.on_spellings(name, kind, values, spellings)
        column = replace(column, spellings=spellings)
        return column, column._series(sheet, values), [*said, *alike]

    def read(self, sheet: Sheet) -> pd.Series:
        """Return the column of a file, which may be another one, in the types of the training file.

        A column that is empty in the training file is empty in every other one.

        Raises
        ------
        TableError
            A cell is none of this kind, or is infinite; names file, line, column and cell.
        """
        return self._series(sheet, self._values(sheet) if self.spellings else {})

    def _series(self, sheet: Sheet, values: Mapping[Cell, Any]) -> pd.Series:
        """Return a column of a file, given the values of its cells; refuse infinite ones."""
        cells = sheet.columns[self.name]
        series = self.kind.series([values.get(cell) for cell in cells])
        if isinstance(self.kind, Number) and series.dtype == "float64":
            limit = LARGEST if self.kind.whole else np.inf
            large = np.flatnonzero(series.abs() >= limit)
            if len(large):
                what = "infinite values" if np.isinf(series[large[0]]) else "integers over 64 bits"
                raise TableError(
                    f"{sheet.place(int(large[0]))}: column {self.name!r} holds {len(large)} "
                    f"{what}, the first is {_short(cells[large[0]])}; "
                    "leave such cells empty, or leave these rows out"
                )
        return series.rename(self.name)

    def foreign(self, sheet: Sheet) -> set[Cell]:
        """Return the cells of a file, present ones, whose value no row of the training file has."""
        kind, missing = self._in(sheet), self._missing_in(sheet)
        present = {cell for cell in sheet.columns[self.name] if cell is not None}
        filled = {cell for cell in present if not _is_missing(cell, missing)}
        return {cell for cell in filled if kind.value(cell) not in self.spellings}

    def lacking(self, sheet: Sheet) -> set[Cell]:
        """Return the cells of a file that mean a missing value."""
        missing = self._missing_in(sheet)
        return {cell for cell in sheet.columns[self.name] if _is_missing(cell, missing)}

    def _missing_in(self, sheet: Sheet) -> frozenset[str]:
        """Return the cells of a file that mean a missing value: empty ones, if it has no others."""
        return self.missing if sheet.says_missing else self.missing | {""}

    def spell(self, values: pd.Series) -> list[Cell]:
        """Return values as cells: those of the training file as they stand, others like them."""
        gaps = values.isna()
        return [
            self.gap if gap else self.spellings.get(value) or self.kind.text(value)
            for value, gap in zip(values.tolist(), gaps, strict=True)
        ]

    def _values(self, sheet: Sheet) -> dict[Cell, Any]:
        """Return the values of the distinct cells of a file that are not missing."""
        kind, cells = self._in(sheet), sheet.columns[self.name]
        missing = self._missing_in(sheet)
        present = [cell for cell in dict.fromkeys(cells) if cell is not None]
        filled = [cell for cell in present if not _is_missing(cell, missing)]
        values: dict[Cell, Any] = {cell: kind.value(cell) for cell in filled}
        for cell in filled:
            if values[cell] is None:
                frequent = [*self.spellings.values()][-1:]
                like = f" such as {frequent[0]!r} of the training table" if frequent else ""
                raise TableError(
                    f"{sheet.place(cells.index(cell))}: column {self.name!r} holds {_short(cell)}, "
                    f"which is no {kind.name}{like}; leave the cell empty where it is missing"
                )
        return values

    def _in(self, sheet: Sheet) -> Kind:
        """Return the kind as a file spells it that may be another than the training file."""
        missing = self._missing_in(sheet)
        distinct = dict.fromkeys(sheet.columns[self.name])
        present = [cell for cell in distinct if cell is not None and cell.strip() not in missing]
        if isinstance(self.kind, Number) and self.kind.decimal != sheet.decimal:
            if not sheet.decimal_is_sure and None not in map(self.kind.value, present):
                return self.kind  # rather than a guess
            found = Number.infer(present, sheet.decimal)
            return self.kind if found is None else self.kind.with_marks(found)
        if isinstance(self.kind, Date) and None in map(self.kind.value, present):
            date = Date.infer(present)
            return self.kind if date is None else date.on_the_clock_of(self.kind)
        return self.kind


def _classes(kind: Kind, cells: Sequence[Cell], decimal: str) -> Kind:
    """Return the kind of a target: dates are numbers where they can be, else words."""
    present = [cell for cell in cells if cell]
    return (
        (Number.infer(present, decimal) or Category.of(present)) if isinstance(kind, Date) else kind
    )


def _short(cell: Cell, most: int = 60) -> str:
    return repr(cell if cell is None or len(cell) <= most else f"{cell[:most]}…")


def _is_missing(cell: Cell, missing: frozenset[str]) -> bool:
    return cell is None or cell.strip() in missing
