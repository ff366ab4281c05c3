"""`Category`: the words of a column, each a category in its own spelling."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

TRUTHS = {"true", "false"}


@dataclass(frozen=True)
class Category:
    """A column of words.

    Attributes
    ----------
    levels : tuple of str
        The categories, sorted.
    is_settled : bool
        Whether they are categories whatever they look like. AutoGluon looks for dates and for text
        among the others.
    """

    levels: tuple[str, ...]
    is_settled: bool = False

    name = "category"

    @classmethod
    def of(cls, cells: Collection[str], *, is_settled: bool = False) -> "Category":
        """Return the words of a column."""
        return cls(tuple(sorted(cells)), is_settled)

    def value(self, cell: str) -> str:
        """Return the level that a cell spells; the cell itself if it spells none.

        ``True`` is the level ``TRUE``, and ``1.0`` the level ``1``, where no level is spelled so.

        Examples
        --------
        >>> Category(("0", "1")).value("1.0"), Category(("FALSE", "TRUE")).value("True")
        ('1', 'TRUE')
        """
        if cell in self._spellings:
            return cell
        alike = self._alike.get(_key(cell), [])
        return alike[0] if len(alike) == 1 else cell

    @cached_property
    def _spellings(self) -> frozenset[str]:
        return frozenset(self.levels)

    @cached_property
    def _alike(self) -> Mapping[str, list[str]]:
        """The levels by what their spellings share."""
        found: dict[str, list[str]] = {}
        for level in self.levels:
            found.setdefault(_key(level), []).append(level)
        return found

    def text(self, value: str) -> str:
        """Spell a level: as it stands."""
        return value

    def series(self, values: Sequence[str | None]) -> pd.Series:
        """Return words, None as missing; those of another file come after the known ones."""
        if not self.is_settled:
            return pd.Series(values, dtype=object)
        foreign = sorted({value for value in values if value is not None} - set(self.levels))
        return pd.Series(pd.Categorical(list(values), categories=[*self.levels, *foreign]))


def _key(cell: str) -> str:
    """Return what two spellings of one value share."""
    word = unicodedata.normalize("NFC", cell.strip())  # é may be one sign, or two
    if word.casefold() in TRUTHS:
        return word.casefold()
    return word.partition(".")[0] if re.fullmatch(r"[+-]?[0-9]+\.0+", word) else word
