"""Parquet: its types declare the kinds of columns; cells go in and out as pyarrow's text."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.files.sheet import Cell, Sheet
from autogluon_causalmix.whole import written_whole


@dataclass(frozen=True)
class ParquetLayout:
    """How a Parquet file is laid out.

    Attributes
    ----------
    schema : pyarrow.Schema
        Names, types and metadata of its columns.
    """

    schema: Any

    def write(self, path: Path, columns: Mapping[str, Sequence[Cell]]) -> None:
        """Write cells in the types of the file that they are like."""
        arrow, parquet = _pyarrow()
        arrays = {}
        for name, cells in columns.items():
            of = self.schema.field(name).type
            try:
                arrays[name] = _from_text(arrow, cells, of)
            except arrow.ArrowInvalid as error:
                raise TableError(
                    f"{path}: column {name!r} does not fit its type {of} ({error}); write a CSV"
                ) from None
        whole = list(arrays) == self.schema.names  # metadata name all columns
        table = arrow.table(arrays).replace_schema_metadata(self.schema.metadata if whole else None)
        with written_whole(path) as place:
            parquet.write_table(table, place)


def read_parquet(path: Path, content: bytes) -> Sheet:
    """Return the cells of a Parquet file.

    Raises
    ------
    TableError
        The file is broken, repeats a name, or has a column that is neither quantity nor word.
    """
    arrow, parquet = _pyarrow()
    try:
        table = parquet.read_table(io.BytesIO(content))
    except (arrow.ArrowException, OSError) as error:
        raise TableError(f"{path} is a broken Parquet file ({error})") from None
    names = table.column_names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise TableError(f"{path} has columns of the same name: {repeated}; rename them")
    if table.num_rows == 0:
        raise TableError(f"{path}: the table has no rows")
    index = _index_of_pandas(table.schema)
    table = table.drop_columns(index)
    columns, kinds = {}, {}
    for field in table.schema:
        kinds[field.name] = _kind(arrow.types, field.type)
        try:
            text = table[field.name].cast(arrow.string())
            _from_text(arrow, text.slice(0, 1).to_pylist(), field.type)  # the way back
            columns[field.name] = text.to_pylist()
        except arrow.ArrowException:
            raise TableError(
                f"{path}: column {field.name!r} has type {field.type}: "
                "make it a number, a date or text, or leave it out of the file"
            ) from None
    said = f"{path}: the index of pandas is no feature, left out: {index}; reset_index() keeps it"
    layout = ParquetLayout(table.schema)
    return Sheet(path, columns, layout, kinds=kinds, notes=(said,) if index else ())


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write rows of a table that does not come from a Parquet file."""
    _pyarrow()
    with written_whole(path) as place:
        frame.to_parquet(place, index=False)


def _index_of_pandas(schema: Any) -> list[str]:
    """Return the columns in which pandas has kept the index of a frame."""
    described = (schema.pandas_metadata or {}).get("index_columns", [])
    return [name for name in described if isinstance(name, str) and name in schema.names]


def _kind(types: Any, of: Any) -> str:
    if types.is_integer(of) or types.is_floating(of) or types.is_decimal(of):
        return "number"
    return "date" if types.is_timestamp(of) or types.is_date(of) else "category"


def _from_text(arrow: Any, cells: Sequence[Cell], of: Any) -> Any:
    if arrow.types.is_dictionary(of):
        return arrow.array(cells, arrow.string()).dictionary_encode().cast(of)
    return arrow.array(cells, arrow.string()).cast(of)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise TableError(f"Parquet needs pyarrow ({error}): pip install pyarrow") from error
    return pa, parquet
