"""What a user should know of how a column of a training file is read."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain

from autogluon_causalmix.files.dates import Date
from autogluon_causalmix.files.numbers import Number, code_among
from autogluon_causalmix.files.sheet import Cell, Sheet

FEWEST_COUNTED = 10  # rows, below which a column may count them by chance


def on_signs(
    name: str, kind: Number | Date, cells: Sequence[str], odd: frozenset[str]
) -> Iterator[str]:
    """Say which signs are read as missing values, and how amounts and shares are read."""
    if odd:
        signs = ", ".join(map(repr, sorted(odd)))
        yield f"column {name!r}: {signs} is read as a missing value"
    if isinstance(kind, Number) and not kind.is_plain:
        yield (
            f"column {name!r} is read as numbers: {cells[0]!r} is {kind.value(cells[0])}; "
            f"{declaration(name, 'category')} in --dtypes makes its cells categories"
        )


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
        if len(words) < len(cells) / 2:
            yield words[0], "date"
            return
