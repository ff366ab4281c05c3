"""Which kind of column its cells make: numbers, dates or categories."""

from collections.abc import Sequence

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.files import notes
from autogluon_causalmix.files.categories import Category
from autogluon_causalmix.files.dates import ZONE, Date
from autogluon_causalmix.files.notes import Kind
from autogluon_causalmix.files.numbers import Number, code_among
from autogluon_causalmix.files.sheet import Cell, Sheet

MISSING = frozenset({
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "NaT", "None", "n/a", "nan", "null",
})  # fmt: skip
"""Cells that are missing values in a column of numbers or dates; among words they are words."""

ODD = frozenset({"?", ".", "-", "--", "–", "—", "*", "na", "n.a.", "N.A."})
"""Signs that are missing values in a column of numbers or dates, too, which its user is told."""


def infer_kind(
    name: str, sheet: Sheet, counted: Sequence[Cell], declared: str | None
) -> tuple[Kind, frozenset[str], list[str]]:
    """Return the kind of a column, the odd signs that mean a missing value in it, and notes.

    Parameters
    ----------
    name : str
        The column's name.
    sheet : Sheet
        The training file.
    counted : sequence of str or None
        The distinct cells.
    declared : str or None
        What the user says that they are.

    Raises
    ------
    TableError
        The cells are not what is declared.
    """
    filled = [cell for cell in counted if cell is not None and (cell.strip() or sheet.says_missing)]
    present = [cell for cell in filled if cell.strip() not in MISSING]
    declared = declared or sheet.kinds.get(name)
    odd = frozenset(cell.strip() for cell in present) & ODD if declared is None else frozenset()
    certain = [cell for cell in present if cell.strip() not in odd]
    if declared is None:
        kind = _guess(certain, sheet.decimal) if certain or not filled else Category.of(filled)
    else:
        kind = _declared(name, sheet, filled, present, declared)
    if not isinstance(kind, Category):
        said = notes.on_signs(name, kind, certain, odd) if declared is None else ()
        return kind, odd, [*said, *notes.on_counter(name, sheet.columns[name])]
    looks_like_dates = any(Date.candidates(certain))
    words = Category.of(filled, is_settled=declared is not None or looks_like_dates)
    said = notes.on_words(name, sheet, certain) if declared is None else ()
    return words, frozenset(), list(said)


def _guess(cells: Sequence[str], decimal: str) -> Kind:
    if not cells:
        return Number()  # nothing stands in the column
    number = Number.infer(cells, decimal)
    if number is not None:
        return Category.of(cells) if code_among(cells) else Date.compact(cells) or number
    return Date.infer(cells) or Category.of(cells)


def _declared(
    name: str, sheet: Sheet, filled: Sequence[str], present: Sequence[str], declared: str
) -> Kind:
    """Return the declared kind; a cell that is none of it is refused when the column is read."""
    if declared == "category":
        return Category.of(filled, is_settled=True)
    if declared.startswith("date"):
        return _declared_date(name, sheet, present, declared.partition(":")[2])
    number = Number.infer(present, sheet.decimal) or Number(decimal=sheet.decimal)
    if declared == "whole":
        for cell in present:
            value = number.value(cell)
            if value is not None and not float(value).is_integer():
                place = sheet.place(sheet.columns[name].index(cell))
                raise TableError(f"{place}: column {name!r} holds {cell!r}, no whole number")
    return number


def _declared_date(name: str, sheet: Sheet, present: Sequence[str], pattern: str) -> Date:
    if pattern:
        return Date.of_format(pattern, present)
    fitting = list(Date.candidates(present))
    if len(fitting) == 1:
        return fitting[0]
    found = f"fits {[date.format for date in fitting]}" if fitting else "has no known format"
    offsets = sorted({zone[0] for cell in present if (zone := ZONE.search(cell))})
    if len(offsets) > 1:
        raise TableError(
            f"{sheet.path}: column {name!r} has times that are {offsets[0]} and {offsets[1]}, "
            "as a clock is put forward; convert it to UTC"
        )
    raise TableError(
        f"{sheet.path}: column {name!r}, for example {next(iter(present), '')!r}, {found}; "
        f"say in --dtypes which it has, as in {notes.declaration(name, 'date:%d/%m/%Y')}"
    )
