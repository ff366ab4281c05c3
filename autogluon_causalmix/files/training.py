"""`TrainingFile`: the file that says what every other file of a command means."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from autogluon_causalmix.errors import ConfigError, TableError
from autogluon_causalmix.files.content import PARQUET, read_bytes
from autogluon_causalmix.files.delimited import Dialect, read_delimited
from autogluon_causalmix.files.parquet import ParquetLayout, read_parquet, write_frame
from autogluon_causalmix.files.schema import Schema
from autogluon_causalmix.files.sheet import FileLayout, Sheet
from autogluon_causalmix.table import Table
from autogluon_causalmix.task import is_continuous

TEXT = (".csv", ".tsv", ".txt", ".dat", ".data", "")
UNSPLIT = "; does no comma, semicolon, tab or bar stand between its cells?"


@dataclass(frozen=True)
class TrainingFile:
    """A training file, and how to read and write others like it.

    Attributes
    ----------
    path : Path
        The file.
    table : Table
        Its rows: whole numbers with gaps are ``Int64``, words are objects, declared categories are
        categories.
    schema : Schema
        Its columns.
    layout : Dialect or ParquetLayout
        How it is laid out.
    """

    path: Path
    table: Table
    schema: Schema
    layout: FileLayout

    @classmethod
    def read(
        cls, path: Path, target: str, declared: Mapping[str, str] | None = None
    ) -> "TrainingFile":
        """Return a training file.

        Parameters
        ----------
        path : Path
            A CSV or Parquet file.
        target : str
            The column to predict.
        declared : dict of str to str, optional
            What the user says about columns: see `autogluon_causalmix.files.dtypes`.

        Raises
        ------
        TableError
            The file cannot be read, or is no table to learn from; names the cell.
        ConfigError
            A declared column does not exist, or is the target and to be ignored.
        """
        declared = declared or {}
        if declared.get(target) == "ignore":
            raise ConfigError(f"--dtypes: the target {target!r} cannot be ignored")
        sheet = read_sheet(path)
        if target not in sheet.columns:
            raise TableError(
                f"{path}: the target {target!r} is not a column of the table; its columns are "
                f"{list(sheet.columns)}{'' if len(sheet.columns) > 1 else UNSPLIT}"
            )
        schema, frame = Schema.infer(sheet, target, declared)
        frame = _plain_target(frame, target)
        if is_continuous(frame[target]):
            raise TableError(
                f"{path}: the target {target!r} is continuous ({frame[target].nunique()} values); "
                "choose a target with classes, cut it into bins, or name it a category in --dtypes"
            )
        try:
            table = Table.from_frame(frame, target)
        except TableError as error:
            raise TableError(f"{path}: {error}") from None
        return cls(path, table, schema, sheet.layout)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows, features and target."""
        return self.table.frame

    def read_test(self, path: Path) -> tuple[pd.DataFrame, list[str]]:
        """Return the rows of another file in the types of this one, and notes.

        Raises
        ------
        TableError
            The file cannot be read, or does not follow this one; names file, column, line and cell.
        """
        target = str(self.table.target)
        frame, notes = self.schema.follow(read_sheet(path), target)
        return _plain_target(frame, target), notes

    def write(self, frame: pd.DataFrame, path: Path) -> None:
        """Write rows like those of this file, in the format that the suffix says.

        As Parquet, with tabs (.tsv), or as other text in the dialect of this file, which is kept
        where the suffix is this file's own.
        """
        is_parquet = isinstance(self.layout, ParquetLayout)
        as_parquet = path.suffix.lower() == ".parquet"
        if as_parquet and not is_parquet:
            write_frame(path, frame)
            return
        layout = Dialect() if is_parquet and not as_parquet else self.layout
        if isinstance(layout, Dialect) and _kind(path) != _kind(self.path):
            layout = _delimited(layout, path)
        layout.write(path, self.schema.spell(frame))


def _delimited(dialect: Dialect, path: Path) -> Dialect:
    """Return the dialect with the delimiter that the suffix of a file says."""
    kind, delimiter = _kind(path), dialect.delimiter
    if kind == ".tsv":
        delimiter = "\t"
    elif kind == ".csv" and delimiter == "\t":
        delimiter = ","
    if delimiter == dialect.delimiter:
        return dialect
    return replace(dialect, delimiter=delimiter, preamble="")  # which may name the other one


def _kind(path: Path) -> str:
    """Return the suffix of a file, that of its content where it is gzipped."""
    return (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()


def check_suffix(path: Path, like: Path) -> None:
    """Refuse to write what is no text and no Parquet.

    Parameters
    ----------
    path : Path
        What is to be written.
    like : Path
        The training file, whose suffix is always right.

    Raises
    ------
    ConfigError
        The suffix is that of another format.
    """
    known = _kind(path) in TEXT or path.suffix.lower() == ".parquet"
    if not known and path.suffix != like.suffix:
        raise ConfigError(
            f"--out {path}: {path.suffix} is not written; choose .csv, .csv.gz or .parquet"
        )


def read_sheet(path: Path) -> Sheet:
    """Return the cells of a CSV or Parquet file, as text.

    Raises
    ------
    TableError
        The file cannot be read.
    """
    content = read_bytes(path)
    if content.startswith(PARQUET) or path.suffix.lower() == ".parquet":
        return read_parquet(path, content)
    return read_delimited(path, content)


def _plain_target(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return the rows with the words of the target as objects: its classes are those that occur."""
    if isinstance(frame[target].dtype, pd.CategoricalDtype):
        return frame.astype({target: object})
    return frame
