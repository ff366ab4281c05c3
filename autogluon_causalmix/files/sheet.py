"""`Sheet`: the cells of a file as text, before anything is read into them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Cell = str | None
"""The text of a cell; None where the file itself says that it is missing."""


class FileLayout(Protocol):
    """How a file is laid out, so that another one can be written like it."""

    def write(self, path: Path, columns: Mapping[str, Sequence[Cell]]) -> None:
        """Write cells, column by column, into a new file."""


@dataclass(frozen=True)
class Sheet:
    """The cells of a file.

    Attributes
    ----------
    path : Path
        The file.
    columns : dict of str to sequence of str or None
        The cells by the name of their column, each of length rows.
    layout : FileLayout
        How the file is laid out.
    decimal : str
        The decimal mark of its numbers, ``"."`` or ``","``.
    lines : sequence of int
        The line in which each row begins; empty where a file has no lines.
    kinds : dict of str to str
        The kinds of columns that the file itself declares, by name; such a file also says which
        cells are missing.
    notes : tuple of str
        What the user should know of how the file is read.
    decimal_is_sure : bool
        Whether cells show the decimal mark, such as 3,5; else it is a guess, as 1,234 may be a
        thousand.
    """

    path: Path
    columns: Mapping[str, Sequence[Cell]]
    layout: FileLayout
    decimal: str = "."
    lines: Sequence[int] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    decimal_is_sure: bool = True

    @property
    def says_missing(self) -> bool:
        """Whether the file says which cells are missing, so that ``""`` and ``"NA"`` are words."""
        return bool(self.kinds)

    def place(self, row: int) -> str:
        """Return where a row stands, in words, for messages."""
        where = f"line {self.lines[row]}" if self.lines else f"row {row + 1}"
        return f"{self.path}, {where}"
