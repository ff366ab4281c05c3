"""`Date`: how the dates and times of a column are spelled."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, product

import pandas as pd

DAYS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d.%m.%y",
    "%d/%m/%y", "%m/%d/%y",
)  # fmt: skip
TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
FORMATS = (
    *DAYS,
    *(f"{day}{gap}{time}" for day, gap, time in product(DAYS, (" ", "T"), TIMES)),
    *TIMES,
    "%Y-%m",
)
ENDING = re.compile(r"(?:[ T]00:00(?::00)?|:00)?(?:\.0+)?(?:Z| UTC|[+-]\d\d:?\d\d)?$")


@dataclass(frozen=True)
class Date:
    """The spelling of a column of dates, with or without a time.

    Attributes
    ----------
    format : str
        As of `datetime.strptime`.
    ending : str
        What all cells end with besides: a midnight, seconds that are 0, a zone.
    padded : bool
        Whether days, months and hours below ten have a zero.
    digits : int
        Digits of fractions of a second.

    Examples
    --------
    >>> day = Date.infer(["1.3.2021", "24.12.2021"])
    >>> day.text(pd.Timestamp(2021, 3, 9, 17))
    '9.3.2021'
    """

    format: str
    ending: str = ""
    padded: bool = True
    digits: int = 6

    name = "date"

    @classmethod
    def infer(cls, cells: Collection[str]) -> "Date | None":
        """Return the one spelling that fits all cells; None if there is none or more than one."""
        found = list(cls.candidates(cells))
        return found[0] if len(found) == 1 else None

    @classmethod
    def candidates(cls, cells: Collection[str]) -> Iterator["Date"]:
        """Yield all spellings that fit all cells."""
        first = next(iter(cells), "")
        if len(first) > 40 or not re.search(r"\d.*[-/.: ].*\d", first):
            return
        endings = {ENDING.search(cell)[0] for cell in cells}  # type: ignore[index]  # it matches ""
        ending = endings.pop() if len(endings) == 1 else ""
        found = list(cls._fitting(cells, first, ending))
        yield from found or cls._fitting(cells, first, "")  # -2021 looks like a zone

    @classmethod
    def _fitting(cls, cells: Collection[str], first: str, ending: str) -> Iterator["Date"]:
        digits = len(first.removesuffix(ending).rpartition(".")[2])
        for pattern in FORMATS:
            spellings = (cls(pattern, ending, padded, digits) for padded in (True, False))
            yield from islice((date for date in spellings if date._spell_all(first, cells)), 1)

    @classmethod
    def of_format(cls, pattern: str, cells: Collection[str]) -> "Date":
        """Return the spelling of a format that the user has named."""
        padded = cls(pattern)
        return padded if all(map(padded._spells, cells)) else cls(pattern, padded=False)

    def _spell_all(self, first: str, cells: Collection[str]) -> bool:
        return self._spells(first) and all(map(self._spells, cells))

    def _spells(self, cell: str) -> bool:
        value = self.value(cell)
        return value is not None and self.text(value) == cell

    def value(self, cell: str) -> pd.Timestamp | None:
        """Return the time that a cell spells; None if it spells none."""
        if not cell.endswith(self.ending):
            return None
        try:
            return pd.Timestamp(
                datetime.strptime(cell.removesuffix(self.ending), self.format)  # noqa: DTZ007
            ).as_unit("ns")
        except (ValueError, pd.errors.OutOfBoundsDatetime):
            return None

    def text(self, value: pd.Timestamp) -> str:
        """Spell a time."""
        text = value.strftime(self.format)
        if self.format.endswith("%f"):
            text = text[: len(text) - 6 + self.digits]
        if not self.padded:
            text = re.sub(r"(^|[/.\- T])0(?=\d)", r"\1", text)
        return text + self.ending

    def series(self, values: Sequence[pd.Timestamp | None]) -> pd.Series:
        """Return times, None as missing."""
        return pd.Series(values, dtype="datetime64[ns]")
