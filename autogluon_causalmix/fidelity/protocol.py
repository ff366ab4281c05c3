"""`Metric`: how far synthetic rows are from real rows that the generator has not seen.

A metric is a small class whose fields are its options. It needs no base class::

    @dataclass(frozen=True)
    class MeanAge:
        family: ClassVar[str] = "marginal"
        better: ClassVar[Better] = "lower"
        bounds: ClassVar[tuple[float, float]] = (0.0, math.inf)
        reference: ClassVar[str] = "this study"

        def measure(self, rows: Samples, rng, resources) -> float:
            drawn, wanted = (table.frame["age"] for table in (rows.synthetic, rows.holdout))
            return abs(drawn.mean() - wanted.mean())
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

__all__ = ["Better", "Metric", "Samples", "shortfall"]

Better = Literal["higher", "lower"] | float
"""Which values are better; a number is the value to be near to."""


def shortfall(better: Better, value: float) -> float:
    """Return a number that is the lower the better `value` is.

    Examples
    --------
    >>> shortfall("higher", 0.9), shortfall("lower", 0.9), shortfall(0.5, 0.25)
    (-0.9, 0.9, 0.25)
    """
    if better == "lower":
        return value
    return -value if better == "higher" else abs(value - float(better))


@dataclass(frozen=True, eq=False)
class Samples:
    """The rows that a metric gets, as tables of the same columns and codes.

    Attributes
    ----------
    real : Table
        The rows that the generator has learned from.
    synthetic : Table
        The rows to measure.
    holdout : Table
        As many real rows that the generator has not seen: what `synthetic` is compared with.
    """

    real: Table
    synthetic: Table
    holdout: Table


@runtime_checkable
class Metric(Protocol):
    """Measures synthetic rows; its fields are its options.

    `autogluon_causalmix.fidelity.contract` checks every value.

    Attributes
    ----------
    family : str
        What it looks at: ``"marginal"``, ``"pairwise"``, ``"privacy"``, …
    better : {"higher", "lower"} or float
        Which values are better; a number is the value to be near to.
    bounds : (float, float)
        The least and the largest value there can be.
    reference : str
        Where it is defined: authors, year, and title or identifier.
    """

    family: ClassVar[str]
    better: ClassVar[Better]
    bounds: ClassVar[tuple[float, float]]
    reference: ClassVar[str]

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the value.

        Parameters
        ----------
        rows : Samples
            The tables; `Table.encode` gives their values the same codes.
        rng : numpy.random.Generator
            Source of all randomness.
        resources : Resources
            Time and cores that the metric may use.

        Raises
        ------
        NotApplicable
            There is no value on these tables.
        """
        ...
