"""The contract of a metric, which may be foreign code: what it gets and what it returns."""

import math
import numbers
from collections.abc import Iterator

import numpy as np
from threadpoolctl import threadpool_limits

from autogluon_causalmix import border
from autogluon_causalmix.entry import Owner
from autogluon_causalmix.errors import (
    MetricError,
)
from autogluon_causalmix.fidelity.protocol import Metric, Samples
from autogluon_causalmix.resources import Resources, cut_off
from autogluon_causalmix.table import Table

ROUNDING = 1e-9
"""By which a value may miss its bounds."""


def measure(
    metric: Metric,
    rows: Samples,
    rng: np.random.Generator,
    resources: Resources,
    *,
    owner: Owner,
) -> float:
    """Run a metric on copies of the tables, and check its value.

    Parameters
    ----------
    metric : Metric
        The result of `autogluon_causalmix.entry.Entry.create`.
    rows : Samples
        The tables; the metric gets copies, so that it cannot change them.
    rng : numpy.random.Generator
        Source of all its randomness.
    resources : Resources
        What it may spend; it is cut off when the time is up.
    owner : Owner
        Named in errors.

    Raises
    ------
    MetricError
        It raised, its attributes break the contract of `Metric`, or its value is no finite number
        within its bounds.
    NotApplicable
        It says that it has no value on these tables.
    ConfigError
        It says that an option does not suit these tables.
    OutOfTime
        It was not done in time.

    Examples
    --------
    >>> import pandas as pd
    >>> from autogluon_causalmix.fidelity.univariate import KolmogorovSmirnov
    >>> frame = pd.DataFrame({"dose": [1.0, 2, 3, 4], "cured": ["no", "no", "yes", "yes"]})
    >>> table, owner = Table.from_frame(frame, "cured"), Owner("ks", "autogluon-causalmix", "0.1.0")
    >>> rows = Samples(table, table.take(np.array([0, 1])), table.take(np.array([2, 3])))
    >>> rng = np.random.default_rng(0)
    >>> measure(KolmogorovSmirnov(), rows, rng, Resources(9.0), owner=owner)
    1.0
    """
    label = f"{type(metric).__name__}.measure ({owner})"
    breach = next(_breaches(metric), None)
    if breach is not None:
        raise MetricError(f"{label}: {breach}")
    copies = Samples(*(_copy(table) for table in (rows.real, rows.synthetic, rows.holdout)))

    def measured() -> object:
        # More threads than cores spin: all metrics took over 300 s so on a busy machine, and 9 s
        # with one.
        with threadpool_limits(resources.num_cpus):
            return cut_off(
                resources.remaining(), label, lambda: metric.measure(copies, rng, resources)
            )

    value = border.call(measured, label, MetricError)
    return _checked(value, metric.bounds, label)


def _copy(table: Table) -> Table:
    return table.take(np.arange(len(table)))


def _checked(value: object, bounds: tuple[float, float], label: str) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise MetricError(f"{label} returned {value!r}, not a finite number")
    (low, high), number = bounds, float(value)
    if not low - ROUNDING <= number <= high + ROUNDING:
        raise MetricError(f"{label} returned {number!r}, outside its bounds {low:g} to {high:g}")
    return number


def _breaches(metric: Metric) -> Iterator[str]:
    """Yield what is wrong with the attributes of a metric."""
    for name in ("family", "reference"):
        if not isinstance(getattr(metric, name), str) or not getattr(metric, name):
            yield f"its {name} is {getattr(metric, name)!r}, not a non-empty string"
    bounds: object = metric.bounds
    if not isinstance(bounds, tuple) or len(bounds) != 2 or not bounds[0] < bounds[1]:
        yield f"its bounds are {bounds!r}, not a lower and a higher number"
    better: object = metric.better
    is_number = isinstance(better, int | float) and not isinstance(better, bool)
    if better not in ("higher", "lower") and not (is_number and math.isfinite(better)):  # type: ignore[arg-type]
        yield f"its better is {better!r}, not 'higher', 'lower' or a finite number"
