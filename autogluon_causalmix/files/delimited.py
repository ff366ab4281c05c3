"""Tables of delimited text (CSV, TSV): split into cells, and joined again in the same dialect."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.files.content import decode, encode
from autogluon_causalmix.files.numbers import decimal_mark
from autogluon_causalmix.files.sheet import Cell, Sheet

DELIMITERS = (",", ";", "\t", "|")
LINES_TO_SNIFF = 50
LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


@dataclass(frozen=True)
class Dialect:
    """How a file of delimited text is spelled.

    Attributes
    ----------
    delimiter : str
        What stands between two cells.
    newline : str
        What ends a line.
    encoding : str
        A codec's name.
    preamble : str
        The lines before the header: ``sep=;`` or comments.
    quoted_names : frozenset of str
        The columns whose name stands in quotes.
    bare : dict of str to frozenset of str
        The columns whose cells stand in quotes without need, and their cells that do not.
    """

    delimiter: str = ","
    newline: str = "\n"
    encoding: str = "utf-8"
    preamble: str = ""
    quoted_names: frozenset[str] = frozenset()
    bare: Mapping[str, frozenset[str]] | None = None

    def write(self, path: Path, columns: Mapping[str, Sequence[Cell]]) -> None:
        """Write a header and a line per row."""
        header = [self._quoted(name, name in self.quoted_names) for name in columns]
        bare = self.bare or {}
        cells = [
            [self._quoted(text or "", name in bare and text not in bare[name]) for text in column]
            for name, column in columns.items()
        ]
        lines = [self.delimiter.join(row) for row in (header, *zip(*cells, strict=True))]
        text = self.preamble + "".join(line + self.newline for line in lines)
        encode(path, text, self.encoding)

    def _quoted(self, text: str, always: bool) -> str:
        if always or self.needs_quotes(text):
            return '"' + text.replace('"', '""') + '"'
        return text

    def needs_quotes(self, text: str) -> bool:
        """Whether a cell of this text would not be read as one cell without quotes."""
        return any(mark in text for mark in (self.delimiter, "\n", "\r")) or text.startswith('"')


@dataclass(frozen=True)
class _Record:
    line: int
    cells: list[str]
    quoted: list[bool]


def read_delimited(path: Path, content: bytes) -> Sheet:
    """Return the cells of a file of delimited text with a header.

    Raises
    ------
    TableError
        The file is empty, in a foreign encoding or cut short, repeats a name, or has rows of
        another length than its header.
    """
    text, encoding = decode(path, content)
    preamble, delimiter = _opening(text)
    records = _records(path, text, len(preamble), delimiter)
    if delimiter == "," and _is_padded(records):
        delimiter = ", "
        records = _records(path, text, len(preamble), delimiter)
    header, *rows = records
    _check(path, header, rows, delimiter)
    columns = {name: [row.cells[i] for row in rows] for i, name in enumerate(header.cells)}
    newline = next((end for end in ("\r\n", "\n", "\r") if end in text), "\n")
    dialect = Dialect(delimiter, newline, encoding, preamble)
    dialect = _with_quotes(dialect, header, rows) if '"' in text else dialect
    decimal, is_sure = decimal_mark(columns.values(), delimiter)
    lines = [row.line for row in rows]
    return Sheet(path, columns, dialect, decimal, lines, decimal_is_sure=is_sure)


def _opening(text: str) -> tuple[str, str]:
    """Return the lines before the header, and the delimiter."""
    announced = re.match(r"sep=([^\r\n]+)(?:\r\n|\n|\r)", text, flags=re.IGNORECASE)
    if announced:
        return announced[0], announced[1]
    end, last = 0, ""
    while text.startswith("#", end):
        found = LINE.match(text, end)
        assert found
        end, last = found.end(), found[0]
    if not text[end:].strip():
        return "", _sniff(text)
    delimiter = _sniff(text[end:])
    first = LINE.match(text, end)
    if last and first and last.count(delimiter) == first[0].count(delimiter):
        end -= len(last)  # a header that begins with #, no comment
    return text[:end], delimiter


def _sniff(text: str) -> str:
    """Return the delimiter that is as frequent in every line, else that of the header."""
    plain = re.sub(r'"[^"]*"', "", text[:200_000]).strip("\r\n")
    lines = [line for line in re.split(r"[\r\n]+", plain) if line][:LINES_TO_SNIFF]
    whole = lines[:-1] if len(lines) > 2 else lines  # the last one may be cut off
    counts = {mark: [line.count(mark) for line in whole] for mark in DELIMITERS}
    return max(
        DELIMITERS,
        key=lambda mark: (
            len({*counts[mark]} - {0}) == 1 and 0 not in counts[mark],
            counts[mark][0],
        ),
    )


def _records(path: Path, text: str, start: int, delimiter: str) -> list[_Record]:
    return [record for record in _split(path, text, start, delimiter) if record.cells != [""]]


def _split(path: Path, text: str, start: int, delimiter: str) -> Iterator[_Record]:
    """Yield every line's cells; a line of a cell in quotes may be several lines of the file."""
    end, first = re.escape(delimiter), re.escape(delimiter[0])
    cell = re.compile(
        rf'(?:"([^"]*(?:""[^"]*)*)"|((?:[^"{first}\r\n][^{first}\r\n]*)?))({end}|\r\n|\n|\r|\Z)'
    )
    feed = "\n" if "\n" in text else "\r"
    line = 1 + text.count(feed, 0, start)
    record = _Record(line, [], [])
    while start < len(text):
        found = cell.match(text, start)
        if found is None:
            raise TableError(
                f"{path}, line {line}: a quote is never closed, or text follows it; "
                "is the file cut short?"
            )
        quoted, bare, ending = found.groups()
        record.cells.append(bare if quoted is None else quoted.replace('""', '"'))
        record.quoted.append(quoted is not None)
        line += 0 if quoted is None else quoted.count(feed)
        start = found.end()
        if ending != delimiter:
            yield record
            line += 1
            record = _Record(line, [], [])
        elif start == len(text):  # the file ends behind a delimiter
            yield _Record(record.line, [*record.cells, ""], [*record.quoted, False])


def _is_padded(records: Sequence[_Record]) -> bool:
    """Whether a space follows every delimiter."""
    behind = [cell for record in records for cell in record.cells[1:]]
    return bool(behind) and all(cell.startswith(" ") for cell in behind)


def _check(path: Path, header: _Record, rows: Sequence[_Record], delimiter: str) -> None:
    """Refuse repeated names, rows of another length, and a last column that is not there."""
    names, width = header.cells, len(header.cells)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise TableError(f"{path} has columns of the same name: {repeated}; rename them")
    for row in rows:
        found = len(row.cells)
        if found != width:
            cause = "is the file cut short"
            if found > width:
                cause = f"does {delimiter!r} stand in a cell without quotes, or end the line"
            raise TableError(
                f"{path}, line {row.line}: {found} fields where the header has {width}; {cause}?"
            )
    if not rows:
        raise TableError(f"{path}: the table has no rows")
    if names[-1] == "" and width > 1 and all(row.cells[-1] == "" for row in rows):
        raise TableError(
            f"{path}: every line ends with {delimiter!r}, an empty column without a name; remove it"
        )


def _with_quotes(dialect: Dialect, header: _Record, rows: Sequence[_Record]) -> Dialect:
    """Note which names and which columns' cells stand in quotes."""
    names = [name for name, quoted in zip(header.cells, header.quoted, strict=True) if quoted]
    bare: dict[str, frozenset[str]] = {}
    for i, name in enumerate(header.cells):
        marked = [(row.cells[i], row.quoted[i]) for row in rows]
        if any(quoted and not dialect.needs_quotes(text) for text, quoted in marked):
            bare[name] = frozenset(text for text, quoted in marked if not quoted)
    return Dialect(
        dialect.delimiter,
        dialect.newline,
        dialect.encoding,
        dialect.preamble,
        frozenset(names),
        bare,
    )
