"""What a user should know of how a column of a training file is read."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from autogluon_causalmix.files.categories import Category
from autogluon_causalmix.files.dates import Date
from autogluon_causalmix.files.numbers import CELLS_TO_SNIFF, Number, code_among
from autogluon_causalmix.files.sheet import Cell, Sheet

Kind = Number | Date | Category

MEASURE = re.compile(r"([A-Z]{3} ?)?([-+]?[0-9][0-9.,]*)(\s?[^\W\d_]\D{0,9})?")
FEWEST_COUNTED = 10  # rows, below which a column may count them by chance


def on_signs(
    name: str, kind: Number | Date, cells: Sequence[str], odd: frozenset[str]
) -> Iterator[str]:
    """Say which signs are read as missing values, and how amounts and unusual dates are read."""
    if odd:
        signs = ", ".join(map(repr, sorted(odd)))
        yield f"column {name!r}: {signs} is read as a missing value"
    if cells and not kind.is_plain:
        yield (
            f"column {name!r} is read as {kind.name}s: {cells[0]!r} is {kind.value(cells[0])}; "
            f"{declaration(name, 'category')} in --dtypes makes its cells categories"
        )


def on_spellings(
    name: str, kind: Kind, values: Mapping[Cell, object], spellings: Mapping[object, str]
) -> Iterator[str]:
    """Say where two spellings of one number are one, or two spellings of one word are two.

    Parameters
    ----------
    name : str
        The column's name.
    kind : Number, Date or Category
        What its cells are.
    values : dict of cell to value
        What each cell means.
    spellings : dict of value to cell
        How each value is written.
    """
    words: dict[str, str] = {}
    for cell, value in values.items():
        text = str(cell)
        if isinstance(kind, Category):
            other = words.setdefault(" ".join(text.casefold().split()), text)
            if other != text:
                yield f"column {name!r}: {other!r} and {text!r} are two categories, not one"
                return
        elif spellings[value].strip(" +-") != text.strip(" +-"):  # minus zero is zero
            yield (
                f"column {name!r}: {text!r} and {spellings[value]!r} are one {kind.name}, written "
                f"as the latter; {declaration(name, 'category')} in --dtypes keeps them apart"
            )
            return


def on_counter(name: str, cells: Sequence[Cell]) -> Iterator[str]:
    """Say where a column counts the rows."""
    first = cells[0] or ""
    if len(cells) < FEWEST_COUNTED or not first.isdecimal():
        return
    if all(cell == str(int(first) + row) for row, cell in enumerate(cells)):
        yield (
            f"column {name!r} counts the rows, which is no property of them; "
            f"{declaration(name, 'ignore')} in --dtypes leaves the column out"
        )


def on_words(name: str, sheet: Sheet, cells: Sequence[str]) -> Iterator[str]:
    """Say where a column of words could have been something else."""
    read = f"column {name!r} is read as categories"
    code = code_among(cells) if Number.infer(cells, sheet.decimal) else None
    formats = [date.format for date in Date.candidates(cells)]
    if code is not None:
        hint = f"{declaration(name, 'number')} in --dtypes makes it a number"
        yield f"{read}: {code!r} looks like a code; {hint}"
    elif formats:
        hint = f"{declaration(name, f'date:{formats[0]}')} in --dtypes makes it a date"
        yield f"{read}: {cells[0]!r} may be any of {formats}; {hint}"
    elif cells and all(Number.infer([cell], sheet.decimal) for cell in cells):
        yield f"{read}: its numbers are spelled in several ways, as {cells[0]!r} and {cells[-1]!r}"
    elif cells and all(any(Date.candidates([cell])) for cell in cells[:CELLS_TO_SNIFF]):
        yield f"{read}: its dates are spelled in several ways, as {_unlike(cells)}"
    elif _are_measures(cells, sheet.decimal):
        hint = "leave units and signs out of the cells to read the column as numbers"
        yield f"{read}: {cells[0]!r} is no number; {hint}"
    else:
        for strange, others in _strange(cells, sheet.decimal):
            place = sheet.place(sheet.columns[name].index(strange))
            hint = f"leave such cells empty to read the column as {others}s"
            yield f"{read}: {strange!r} ({place}) is no {others} like most others; {hint}"


def declaration(name: str, kind: str) -> str:
    """Return the JSON that declares the kind of a column.

    Examples
    --------
    >>> declaration("zip", "category")
    '{"zip": "category"}'
    """
    return json.dumps({name: kind}, ensure_ascii=False)


def _strange(cells: Sequence[str], decimal: str) -> Iterator[tuple[str, str]]:
    """Yield the first of the few cells that are no number, or no date, where most are one."""
    words = [cell for cell in cells if Number.infer([cell], decimal) is None]
    if 0 < len(words) < len(cells) / 2:
        yield words[0], "number"
        return
    for date in chain.from_iterable(Date.candidates([cell]) for cell in cells[:2]):
        words = [cell for cell in cells if date.value(cell) is None]
        if 0 < len(words) < len(cells) / 2:
            yield words[0], "date"
            return


def _unlike(cells: Sequence[str]) -> str:
    """Return two cells, the second in another spelling than the first."""
    others = (cell for cell in cells if not any(Date.candidates([cells[0], cell])))
    return f"{cells[0]!r} and {next(others, cells[-1])!r}"


def _are_measures(cells: Sequence[str], decimal: str) -> bool:
    """Whether all cells are numbers with one unit, or with signs around them: 5 kg, (3.00), <5."""
    found = [MEASURE.fullmatch(cell.strip("()<>~≤≥− ")) for cell in cells]
    units = {match.group(1, 3) for match in found if match}
    if not cells or not all(found) or len(units) > 1:
        return False
    return Number.infer([match[2] for match in found if match], decimal) is not None
