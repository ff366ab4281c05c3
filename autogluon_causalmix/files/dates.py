"""`Date`: how the dates and times of a column are spelled."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, product

import pandas as pd

DAYS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d.%m.%y",
    "%d/%m/%y", "%m/%d/%y", "%Y%m%d",
)  # fmt: skip
TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
FORMATS = (
    *DAYS,
    *(f"{day}{gap}{time}" for day, gap, time in product(DAYS, (" ", "T"), TIMES)),
    *TIMES,
    "%Y-%m",
    "%Y%m%dT%H%M%S",
)
ZONE = re.compile(r"(?:Z| UTC|[+-]\d\d:?\d\d)?$")
ENDINGS = (  # the longest first: what all cells end with besides the format
    *(
        re.compile(rf"{zeros}{ZONE.pattern}")
        for zeros in (r"(?:[ T]00:00(?::00)?|:00)?(?:\.0+)?", r"(?:\.0+)?", "", "(?:000)?")
    ),
    re.compile("$"),
)
COMPACT = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m")  # dates that are whole numbers, too
FEWEST_COMPACT = 3  # different cells: fewer numbers may look like dates by chance
COMPACT_YEARS = range(1900, 2100)
NO_TIME = pd.Timedelta(0)


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
    shift : pandas.Timedelta
        Added to the times of a file in another zone than the training file.

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
    shift: pd.Timedelta = NO_TIME

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
        if len(first) > 40 or not re.search(r"\d.*[-/.: T].*\d", first):
            return
        for pattern in ENDINGS:  # until one fits: -2021 only looks like a zone
            endings = {found[0] for cell in cells if (found := pattern.search(cell))}
            fitting = list(cls._fitting(cells, first, endings.pop())) if len(endings) == 1 else []
            if fitting:
                yield from fitting
                return

    @classmethod
    def compact(cls, cells: Collection[str]) -> "Date | None":
        """Return the spelling of dates that are whole numbers, too; None where there is none.

        Examples
        --------
        >>> Date.compact(["20210228", "20210301", "20211224"]).format
        '%Y%m%d'
        """
        if len(cells) < FEWEST_COMPACT:
            return None
        fitting = (date for date in map(cls, COMPACT) if all(map(date._is_recent, cells)))
        return next(fitting, None)

    def _is_recent(self, cell: str) -> bool:
        value = self.value(cell)
        return value is not None and value.year in COMPACT_YEARS and self.text(value) == cell

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

    @property
    def is_plain(self) -> bool:
        """Whether nobody needs to be told how the dates were read."""
        return self.format not in COMPACT

    @property
    def offset(self) -> pd.Timedelta | None:
        """How far the clock is ahead of UTC; None where the cells name no zone."""
        zone = ZONE.search(self.ending)
        if zone is None or not zone[0]:
            return None
        digits = re.sub(r"\D", "", zone[0]).ljust(4, "0")  # Z has none
        ahead = pd.Timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return -ahead if "-" in zone[0] else ahead

    def on_the_clock_of(self, other: "Date") -> "Date":
        """Return this spelling with its times on the clock of another; that, if it has no zone."""
        if self.offset is None or other.offset is None:
            return self if self.offset is other.offset else other
        return replace(self, shift=other.offset - self.offset)

    def value(self, cell: str) -> pd.Timestamp | None:
        """Return the time that a cell spells; None if it spells none."""
        if not cell.endswith(self.ending):
            return None
        try:
            clock = datetime.strptime(cell.removesuffix(self.ending), self.format)  # noqa: DTZ007
            return pd.Timestamp(clock).as_unit("ns") + self.shift
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
