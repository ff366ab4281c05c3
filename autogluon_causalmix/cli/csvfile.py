"""Reading a CSV that a person wrote: one clear message where it cannot be read."""

import csv
import io
from pathlib import Path

import pandas as pd

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.table import Table


def read_csv(path: Path) -> pd.DataFrame:
    """Return the table of a CSV file with a header.

    Raises
    ------
    TableError
        The file is missing, empty, not UTF-8, cut short, or repeats a column name.
    """
    text = _text(path)
    _check_rows(path, text)
    return pd.read_csv(io.StringIO(text))


def read_training(path: Path, target: str) -> tuple[pd.DataFrame, Table]:
    """Return the table of a CSV file as it is and as a `Table` with this target."""
    frame = read_csv(path)
    try:
        return frame, Table.from_frame(frame, target)
    except TableError as error:
        raise TableError(f"{path}: {error}") from None


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    if not text.strip():
        raise TableError(f"{path} is empty")
    return text


def _check_rows(path: Path, text: str) -> None:
    """Refuse what pandas would mend in silence: repeated names, rows that are too long or too short."""
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = next(reader)
        repeated = sorted({name for name in header if header.count(name) > 1})
        if repeated:
            raise TableError(f"{path} has columns of the same name: {repeated}; rename them")
        for row in reader:
            if row and len(row) != len(header):
                raise TableError(
                    f"{path}, line {reader.line_num}: {len(row)} fields where the header has {len(header)}; "
                    "is the file cut short?"
                )
    except csv.Error as error:
        raise TableError(
            f"{path}, line {reader.line_num}: {error}; is the file cut short?"
        ) from None
