"""`Number`: how the numbers of a column are spelled."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import pandas as pd

THOUSANDS = ("", ",", ".", " ", "\u00a0", "\u202f", "'", "’")
INFINITE = re.compile(r"[+-]?inf(?:inity)?", flags=re.IGNORECASE)
AFFIXES = "$€£¥₹%‰ \u00a0"
DECIMAL = re.compile(
    r"[+-]?(?:[0-9]*|[1-9][0-9]{0,2}(?:(?P<group>[.,])[0-9]{3})+)(?P<mark>[.,])[0-9]+"
)
GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")  # 1,234 may be a thousand, or one
CELLS_TO_SNIFF = 1000
LARGEST = 2**63  # from which on whole numbers do not fit 64 bits
LONGEST = 400  # digits, from which on a number is infinite as a float
EXACT_DECIMALS = 9  # up to which rounding by a format says no more digits than a float holds


@dataclass(frozen=True)
class Number:
    """The spelling of a column of numbers.

    Attributes
    ----------
    whole : bool
        Whether all are whole numbers.
    decimal, thousands : str
        The decimal mark, and what stands between groups of three digits, if anything.
    prefix, suffix : str
        A currency or a percent sign, with its space.
    plus : bool
        Whether positive numbers have a sign.
    power : str
        ``"e"`` or ``"E"`` where every number is written with a power of ten.
    fewest, most : int
        Decimals; `most` is -1 where they say nothing.

    Examples
    --------
    >>> price = Number.infer(["$11,958.50", "$3.20"], ".")
    >>> price.value("$11,958.50"), price.text(1234.5)
    (11958.5, '$1,234.50')
    """

    whole: bool = False
    decimal: str = "."
    thousands: str = ""
    prefix: str = ""
    suffix: str = ""
    plus: bool = False
    power: str = ""
    fewest: int = 0
    most: int = -1

    name = "number"

    @classmethod
    def infer(cls, cells: Collection[str], decimal: str) -> "Number | None":
        """Return the spelling that fits all cells; None where there is none.

        Parameters
        ----------
        cells : collection of str
            The cells that are not missing.
        decimal : str
            The decimal mark of the file.
        """
        finite = [cell.strip() for cell in cells if not _is_infinite(cell)]
        if not finite:
            return cls(most=-1) if cells else None
        other = "," if decimal == "." else "."
        for mark in (decimal, other):
            for thousands in THOUSANDS:
                if thousands != mark:
                    found = _matches(finite, _pattern(mark, thousands))
                    if found:
                        return cls._described(
                            found, mark, thousands, whole=len(finite) == len(cells)
                        )
        return None

    @classmethod
    def _described(
        cls, found: Sequence[re.Match[str]], decimal: str, thousands: str, *, whole: bool
    ) -> "Number | None":
        if len(set(map(_unit, found))) > 1:
            return None
        affixes = Counter((match["prefix"] or "", match["suffix"] or "") for match in found)
        (prefix, suffix), _ = affixes.most_common(1)[0]
        decimals = [len(match["fraction"] or "") for match in found]
        powers = [match["power"] for match in found if match["power"]]
        whole = whole and not powers and not any((m["fraction"] or "").strip("0") for m in found)
        return cls(
            whole=whole and all(abs(_value(match)) < LARGEST for match in found),
            decimal=decimal,
            thousands=thousands,
            prefix=prefix,
            suffix=suffix,
            plus=any(match["sign"] == "+" for match in found),
            power=powers[0][0] if len(powers) == len(found) else "",
            fewest=min(decimals),
            most=max(decimals) if len(powers) in {0, len(found)} else -1,
        )

    @property
    def is_plain(self) -> bool:
        """Whether nobody needs to be told how the numbers were read."""
        return not (self.thousands or self.prefix or self.suffix)

    @property
    def unit(self) -> tuple[str, str]:
        """What stands before and behind the numbers, without spaces."""
        return self.prefix.strip(), self.suffix.strip()

    @property
    def is_share(self) -> bool:
        """Whether they are parts of a hundred or a thousand, which may also be written as such."""
        return self.suffix.strip() in {"%", "‰"}

    def with_marks(self, other: "Number") -> "Number":
        """Return these numbers with the decimal mark and the groups of another spelling."""
        return replace(self, decimal=other.decimal, thousands=other.thousands)

    def value(self, cell: str) -> float | int | None:
        """Return the number that a cell spells, with or without the unit; None if it spells none.

        Examples
        --------
        >>> Number(suffix="%").value("41"), Number().value("41%"), Number(prefix="$").value("€5")
        (41, None, None)
        """
        for pattern in (_pattern(self.decimal, self.thousands), _pattern(".", "")):
            match = pattern.fullmatch(cell.strip())
            if match and {_unit(match), self.unit} <= {self.unit, ("", "")}:
                return _value(match)
        return float(cell) if _is_infinite(cell) else None

    def text(self, value: float) -> str:
        """Spell a number."""
        number = self._digits(value)
        sign, number = ("-", number[1:]) if number[0] == "-" else ("+" if self.plus else "", number)
        marks = str.maketrans({",": self.thousands, ".": self.decimal})
        return f"{sign}{self.prefix}{number.translate(marks)}{self.suffix}"

    def _digits(self, value: float) -> str:
        """Return a number with points and commas, as Python spells it."""
        if self.whole:
            return f"{int(value):,}" + ("." + "0" * self.fewest if self.fewest else "")
        if self.power:
            return f"{float(value):.{self.most}{self.power}}"
        if self.most < 0 or self.most > EXACT_DECIMALS:
            return repr(float(value) if self.most < 0 else round(float(value), self.most))
        fixed = f"{float(value):z,.{self.most}f}"
        whole, _, fraction = fixed.partition(".")
        fraction = fraction[: self.fewest] + fraction[self.fewest :].rstrip("0")
        return f"{whole}.{fraction}" if fraction else whole

    def series(self, values: Sequence[float | int | None]) -> pd.Series:
        """Return numbers as whole ones where all are, None as missing."""
        gaps = any(value is None for value in values)
        if self.whole and all(value is None or _fits(value) for value in values):
            return pd.Series(values, dtype="Int64" if gaps else "int64")
        return pd.Series(values, dtype="float64")


def code_among(cells: Collection[str]) -> str | None:
    """Return the first cell that shows that digits are codes, no quantities; None if there is none.

    Codes have a leading zero (01067), a power without sign or decimals (12e3), or more digits than
    a 64-bit number; or all of them begin with a plus.

    Examples
    --------
    >>> code_among(["4103", "01067"])
    '01067'
    """
    stripped = [cell.strip() for cell in cells]
    for cell in stripped:
        if re.match(r"[+-]?0[0-9]", cell) or (re.fullmatch(r"[+-]?[0-9]{19,}", cell)):
            return cell
    powers = [cell for cell in stripped if re.fullmatch(r"[0-9]+[eE][0-9]+", cell)]
    if powers and not any(re.search(r"[.,]|[eE][+-]", cell) for cell in stripped):
        return powers[0]
    dialled = bool(stripped) and all(re.fullmatch(r"\+[0-9 ]{5,}", cell) for cell in stripped)
    return stripped[0] if dialled else None


def decimal_mark(columns: Iterable[Sequence[str]], delimiter: str) -> tuple[str, bool]:
    """Return the decimal mark of a file, and whether it is sure, no guess.

    It is the one that more of its cells can only have as that.

    Examples
    --------
    >>> decimal_mark([["3,5", "12,75"], ["1.234", "2.000"]], ";")
    (',', True)
    >>> decimal_mark([["1,234"]], ";")
    (',', False)
    """
    sure, open_to_both = Counter[str](), Counter[str]()
    for column in columns:
        for cell in set(column[:CELLS_TO_SNIFF]):
            match = DECIMAL.fullmatch(cell.strip(AFFIXES))
            if match and match["group"] != match["mark"]:
                grouped = GROUPED.fullmatch(cell.strip(AFFIXES))
                (open_to_both if grouped else sure)[match["mark"]] += 1
    if sure[","] != sure["."]:
        return "," if sure[","] > sure["."] else ".", True
    is_comma = delimiter == ";" and open_to_both[","] and not open_to_both["."]
    return "," if is_comma else ".", False


@cache
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    grouped = rf"[1-9][0-9]{{0,2}}(?:{re.escape(thousands)}[0-9]{{3}})+|" if thousands else ""
    return re.compile(
        r"(?P<sign>[+-]?)(?P<prefix>[$€£¥₹]\s?)?"
        rf"(?=[0-9]|{re.escape(decimal)}[0-9])(?P<whole>{grouped}[0-9]*)"
        rf"(?:{re.escape(decimal)}(?P<fraction>[0-9]*))?"
        r"(?P<power>[eE][+-]?[0-9]+)?(?P<suffix>\s?[%‰$€£¥₹])?"
    )


def _matches(cells: Sequence[str], pattern: re.Pattern[str]) -> list[re.Match[str]] | None:
    """Return the matches of all cells; None if one does not match."""
    found = []
    for cell in cells:
        match = pattern.fullmatch(cell)
        if match is None:
            return None
        found.append(match)
    return found


def _unit(match: re.Match[str]) -> tuple[str, str]:
    return (match["prefix"] or "").strip(), (match["suffix"] or "").strip()


def _fits(value: float) -> bool:
    """Whether a number is whole and fits 64 bits."""
    return abs(value) < LARGEST and float(value).is_integer()


def _value(match: re.Match[str]) -> float | int:
    sign, whole, fraction, power = match.group("sign", "whole", "fraction", "power")
    if not whole.isdecimal():
        whole = re.sub(r"[^0-9]", "", whole) or "0"
    if not fraction and not power and len(whole) < LONGEST:
        return int(sign + whole)
    return float(f"{sign}{whole}.{fraction or 0}{power or ''}")


def _is_infinite(cell: str) -> bool:
    return INFINITE.fullmatch(cell.strip()) is not None
