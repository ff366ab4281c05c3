"""`check_metric`: everything that this package relies on in a metric."""

from collections.abc import Mapping

import numpy as np

from autogluon_causalmix.errors import NotApplicable
from autogluon_causalmix.fidelity.contract import measure
from autogluon_causalmix.fidelity.protocol import Metric, Samples, shortfall
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing.checks import (
    AMPLE,
    OWNER,
    blamed,
    global_randomness_kept,
    pickled,
    require,
)
from autogluon_causalmix.testing.tables import mixed_scm, toy_tables

ROWS = 300
"""Of each kind, to see whether real rows are better than faulty ones."""

FEWEST = 40
"""Rows of a table that is measured: a study never compares fewer."""


def check_metric(metric: Metric, tables: Mapping[str, Table] | None = None, seed: int = 0) -> None:
    """Hold a metric to everything this package relies on; call it from a plugin's own tests.

    Measures rows of each table and checks that the value is a finite number within the bounds, or
    that the metric says why there is none; that an equal `rng` gives an equal value; that the
    tables are not modified and the global generators of `random`, NumPy and torch are as before;
    and that the metric can be pickled. Then it measures fresh rows of a simulator and faulty ones:
    the fresh rows must be better. The faulty rows are copies of training rows for the family
    ``"privacy"``, and else have independent columns with a quarter of the values.

    Parameters
    ----------
    metric : Metric
        With the options to check.
    tables : mapping of str to Table, optional
        By name; those of `toy_tables` with enough rows if not given.
    seed : int
        Of everything random.

    Raises
    ------
    AssertionError
        Names the metric and the table, and says what is wrong.

    Examples
    --------
    >>> from autogluon_causalmix.fidelity.univariate import TotalVariation
    >>> check_metric(TotalVariation())
    """
    name = type(metric).__name__
    toys = {key: table for key, table in toy_tables(seed).items() if len(table) >= FEWEST}
    for key, table in (toys if tables is None else tables).items():
        with blamed(f"{name} on the table {key!r}"), global_randomness_kept():
            _check_on(metric, _split(table, seed), seed)
    with blamed(f"{name} on a simulator"):
        _check_direction(metric, seed)


def _split(table: Table, seed: int) -> Samples:
    """Return training rows, as many unseen rows, and training rows drawn again."""
    rng = np.random.default_rng(seed)
    order, half = rng.permutation(len(table)), len(table) // 2
    real = table.take(order[:half])
    return Samples(real, real.take(rng.integers(half, size=half)), table.take(order[-half:]))


def _check_on(metric: Metric, rows: Samples, seed: int) -> None:
    pristine = [table.frame.copy(deep=True) for table in _tables(rows)]
    first = _value(metric, rows, seed)
    require(_value(metric, rows, seed) == first, "an equal rng gave another value")
    require(_value(pickled(metric), rows, seed) == first, "after pickling it gave another value")
    try:
        metric.measure(rows, np.random.default_rng(seed), Resources(AMPLE))
    except NotApplicable:
        return
    kept = [table.frame.equals(own) for table, own in zip(_tables(rows), pristine, strict=True)]
    require(all(kept), "it modified a table it was given; work on a copy")


def _tables(rows: Samples) -> tuple[Table, Table, Table]:
    return rows.real, rows.synthetic, rows.holdout


def _value(metric: Metric, rows: Samples, seed: int) -> float | str:
    """Return the value, or why there is none."""
    rng = np.random.default_rng(seed)
    try:
        return measure(metric, rows, rng, Resources(AMPLE), owner=OWNER)
    except NotApplicable as error:
        require(bool(str(error)), "it is not applicable and does not say why")
        return str(error)


def _check_direction(metric: Metric, seed: int) -> None:
    """Check that fresh rows of a simulator are better than faulty ones."""
    rng = np.random.default_rng(seed)
    table = mixed_scm(3 * ROWS, rng)[0]
    real, holdout, fresh = (
        table.take(np.arange(start, start + ROWS)) for start in (0, ROWS, 2 * ROWS)
    )
    is_private = metric.family == "privacy"
    faulty = real.take(rng.integers(ROWS, size=ROWS)) if is_private else _faulty(real, rng)
    values = [_value(metric, Samples(real, drawn, holdout), seed) for drawn in (fresh, faulty)]
    good, bad = (  # rows on which there is no value are the worst
        np.inf if isinstance(value, str) else shortfall(metric.better, value) for value in values
    )
    require(
        good < bad,
        f"fresh real rows have the value {values[0]} and faulty ones {values[1]}: by "
        f"better={metric.better!r} the faulty ones are no worse",
    )


def _faulty(table: Table, rng: np.random.Generator) -> Table:
    """Return rows with independent columns, each with the lower quarter of its values."""
    values = np.sort(table.encode(), axis=0)[: len(table) // 4]
    return table.decode(np.column_stack([rng.choice(own, len(table)) for own in values.T]))
