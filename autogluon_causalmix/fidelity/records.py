"""`FidelityReport`: every metric of synthetic rows between its floors, as versioned JSON."""

from typing import ClassVar, Literal

from autogluon_causalmix.fidelity.protocol import Better, shortfall
from autogluon_causalmix.records import Document, Marginal, Record

SCHEMA_VERSION = 1
"""Raised when a field of `FidelityReport` changes its name or its meaning."""


class MeasuredRows(Record):
    """How many rows took part; `compared` is the number on each side of every comparison."""

    real: int
    synthetic: int
    holdout: int
    compared: int


class Measurement(Record):
    """One metric of the synthetic rows, and of real rows in their place.

    Attributes
    ----------
    name, family, summary, reference : str
        What was measured, what it looks at, what it is in one sentence, and where it is defined.
    distribution : str
        The package that ships the metric.
    options : dict of str to object
        Those that were chosen.
    better : {"higher", "lower"} or float
        Which values are better; a number is the value to be near to.
    bounds : (float or None, float or None)
        The least and the largest value there can be; None where there is no end.
    synthetic, real, null : float or None
        The value of the synthetic rows, of other unseen real rows, and of training rows drawn
        again; None where there is none.
    spread : float or None
        The largest difference between the two halves of the holdout, of the three values.
    reason : str
        Why a value is None; empty if all are there.
    seconds : float
        Of all comparisons.
    """

    name: str
    family: str
    summary: str
    reference: str
    distribution: str
    options: dict[str, object]
    better: Better
    bounds: tuple[float | None, float | None]
    synthetic: float | None
    real: float | None
    null: float | None
    spread: float | None
    reason: str
    seconds: float

    @property
    def standing(self) -> Literal["better", "worse", "level"] | None:
        """How the synthetic rows stand against real rows drawn again.

        Level where the two differ by no more than the spread; None where a value is missing.
        """
        if self.synthetic is None or self.null is None or self.spread is None:
            return None
        gain = shortfall(self.better, self.null) - shortfall(self.better, self.synthetic)
        if abs(gain) <= self.spread:
            return "level"
        return "better" if gain > 0 else "worse"


class FidelityReport(Document):
    """How near synthetic rows are to real rows that the generator has not seen.

    Attributes
    ----------
    target : str
        The target's name.
    seed : int
        All randomness follows from it.
    versions : dict of str to str
        The distributions that took part.
    rows : MeasuredRows
        How many rows took part.
    measurements : list of Measurement
        The metrics, by family and name.
    marginals : list of Marginal
        Unseen real against synthetic rows, column by column.
    notes : list of str
        Everything left out, one sentence each.
    schema_version : int
        Of this record; `read` takes every version up to `SCHEMA_VERSION`.
    """

    title: ClassVar[str] = "fidelity report"
    current: ClassVar[int] = SCHEMA_VERSION

    target: str
    seed: int
    versions: dict[str, str]
    rows: MeasuredRows
    measurements: list[Measurement]
    marginals: list[Marginal]
    notes: list[str]
    schema_version: int = SCHEMA_VERSION

    @property
    def verdict(self) -> str:
        """Whether the synthetic rows are better than real rows drawn again, in two sentences."""
        fidelity = [each for each in self.measurements if each.family != "privacy"]
        privacy = [each for each in self.measurements if each.family == "privacy"]
        sentences = [
            f"Against real rows drawn again, the synthetic rows are better in "
            f"{_counted(own, 'better')} of {len(_standing(own))} metrics of {what}, worse in "
            f"{_counted(own, 'worse')}, and no different beyond the spread in "
            f"{_counted(own, 'level')}."
            for own, what in ((fidelity, "fidelity"), (privacy, "privacy"))
            if _standing(own)
        ]
        return " ".join(sentences) or "No metric could be measured."


def _standing(measurements: list[Measurement]) -> list[Measurement]:
    return [each for each in measurements if each.standing is not None]


def _counted(measurements: list[Measurement], standing: str) -> int:
    return sum(each.standing == standing for each in measurements)
