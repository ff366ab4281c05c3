"""Rows with given values: drawn directly where a generator can, by rejection elsewhere."""

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from types import MappingProxyType

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.column import Column
from autogluon_causalmix.entry import Owner
from autogluon_causalmix.errors import ConfigError, GeneratorError, TooRare
from autogluon_causalmix.generators.contract import call, checked, draw
from autogluon_causalmix.generators.protocol import Conditional, FittedGenerator
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

MOST_DRAWN = 200
"""Rows that are drawn and looked at for each one that is wanted, on average, before giving up."""

FEWEST_DRAWN = 200
"""Rows that are looked at together: drawing few is hardly faster."""

MOST_CELLS = 10_000_000
"""Of the rows that are looked at together: as numbers, 80 MB."""

Values = Mapping[Hashable, object]
"""A value for each of some columns, as the table holds it."""

EVERYWHERE: Values = MappingProxyType({})
"""No condition."""


@dataclass(frozen=True)
class Quota:
    """So many rows that have these values."""

    where: Values
    n_rows: int

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value!r}" for name, value in self.where.items())


def values_of(table: Table, given: Values, argument: str) -> dict[Hashable, object]:
    """Return values in the dtypes of their columns.

    Parameters
    ----------
    table : Table
        The real rows.
    given : mapping
        Column to value, as a user wrote it.
    argument : str
        What the user calls it, for errors.

    Raises
    ------
    ConfigError
        There is no such column, or the value is none that it could have.

    Examples
    --------
    >>> frame = pd.DataFrame({"dose": [1, 2, 3], "cured": ["no", "no", "yes"]})
    >>> found = values_of(Table.from_frame(frame, "cured"), {"cured": "yes", "dose": 2.0}, "where")
    >>> found["cured"], int(found["dose"])
    ('yes', 2)
    """
    known = {column.name: column for column in table.columns}
    foreign = [name for name in given if name not in known]
    if foreign:
        raise ConfigError(f"{argument!r} names the column {foreign[0]!r}; choose from {[*known]}")
    return {name: _value(known[name], given[name], table, argument) for name in given}


def draw_quotas(
    fitted: FittedGenerator,
    table: Table,
    quotas: list[Quota],
    rng: np.random.Generator,
    resources: Resources | None = None,
    *,
    owner: Owner,
) -> Table:
    """Draw rows that fill quotas, in random order.

    Parameters
    ----------
    fitted : FittedGenerator
        Draws each quota directly if it is `Conditional` and can; else rows are drawn, and those
        that fit are kept.
    table : Table
        The real rows it was fitted to.
    quotas : list of Quota
        Their values are in the dtypes of their columns, see `values_of`.
    rng, resources, owner
        As for `autogluon_causalmix.generators.contract.draw`.

    Raises
    ------
    TooRare
        Of `MOST_DRAWN` rows for each wanted one, too few had the values.
    GeneratorError, OutOfTime
        As for `autogluon_causalmix.generators.contract.draw`; or a row that was drawn directly has
        other values.
    """
    parts, rejected = [], []
    for quota in quotas:
        rows = _directly(fitted, table, quota, rng, resources, owner)
        if rows is None:
            rejected.append(quota)
        else:
            parts.append(rows)
    parts += _by_rejection(fitted, table, rejected, rng, resources, owner)
    rows = _joined(table, parts)
    return rows.take(rng.permutation(len(rows)))


def balanced(table: Table, where: Values, n_rows: int, rng: np.random.Generator) -> list[Quota]:
    """Return quotas of equally many rows of each class, give or take one.

    Examples
    --------
    >>> frame = pd.DataFrame({"dose": [1, 2, 3], "cured": ["no", "no", "yes"]})
    >>> table = Table.from_frame(frame, "cured")
    >>> [str(quota) for quota in balanced(table, {}, 10, np.random.default_rng(0))]
    ["cured = 'no'", "cured = 'yes'"]
    """
    labels = table.classes.tolist()
    one_more = rng.permutation(len(labels)) < n_rows % len(labels)
    counts = n_rows // len(labels) + one_more
    return [
        Quota({**where, table.target: label}, int(count))
        for label, count in zip(labels, counts, strict=True)
        if count
    ]


def matching(table: Table, where: Values) -> Indices:
    """Return the positions of the rows that have these values.

    Examples
    --------
    >>> frame = pd.DataFrame({"dose": [1, 2, 3], "cured": ["no", "no", "yes"]})
    >>> matching(Table.from_frame(frame, "cured"), {"cured": "no", "dose": 2}).tolist()
    [1]
    """
    fits = np.ones(len(table), dtype="bool")
    for column in table.columns:
        if column.name in where:
            fits &= column.encode(table.frame[column.name]) == code_of(column, where[column.name])
    return np.flatnonzero(fits)


def require_values(rows: Table, where: Values, label: str) -> None:
    """Raise a `GeneratorError` that begins with `label` unless all rows have these values.

    Examples
    --------
    >>> frame = pd.DataFrame({"dose": [1, 2, 3], "cured": ["no", "no", "yes"]})
    >>> require_values(Table.from_frame(frame, "cured"), {"cured": "no"}, "Mine.sample_where")
    Traceback (most recent call last):
        ...
    autogluon_causalmix.errors.GeneratorError: Mine.sample_where broke the contract of its rows: \
of 3 rows, 2 have cured = 'no', which was asked for in all
    """
    found = len(matching(rows, where))
    if found < len(rows):
        raise GeneratorError(
            f"{label} broke the contract of its rows: of {len(rows)} rows, {found} have "
            f"{Quota(where, len(rows))}, which was asked for in all"
        )


def code_of(column: Column, value: object) -> float:
    """Return a value of a column, in its dtype, as the float that stands for it."""
    return float(column.encode(_series(column, value))[0])


def _value(column: Column, given: object, table: Table, argument: str) -> object:
    value: object = None
    try:
        coded: Matrix = column.encode(_series(column, given))
        value = column.decode(coded).iloc[0]
        known = not np.isnan(coded).any() and bool(value == given)
    except (TypeError, ValueError, OverflowError):
        known = False
    levels = table.classes if column.name == table.target else column.levels
    if known and (levels is None or value in levels):
        return value
    allowed = f"one of {levels.tolist()}" if levels is not None else f"a value of {column.dtype}"
    if levels is None and isinstance(value, Real) and not math.isnan(value):
        allowed = f"values on the grid of the real ones, the nearest is {value}"
    raise ConfigError(f"{argument!r}: column {column.name!r} takes {allowed}, got {given!r}")


def _series(column: Column, value: object) -> pd.Series:
    return pd.Series([value], name=column.name).astype(column.dtype)


def _directly(
    fitted: FittedGenerator,
    table: Table,
    quota: Quota,
    rng: np.random.Generator,
    resources: Resources | None,
    owner: Owner,
) -> Table | None:
    if not isinstance(fitted, Conditional):
        return None
    name = type(fitted).__name__
    asked = f"{name}.can_condition ({owner})"
    if not call(lambda: fitted.can_condition(quota.where), asked, resources):
        return None
    label = f"{name}.sample_where ({owner})"
    rows = checked(
        lambda: fitted.sample_where(quota.n_rows, rng, quota.where),
        table,
        quota.n_rows,
        label,
        resources,
    )
    require_values(rows, quota.where, label)
    return rows


def _by_rejection(
    fitted: FittedGenerator,
    table: Table,
    quotas: list[Quota],
    rng: np.random.Generator,
    resources: Resources | None,
    owner: Owner,
) -> Iterator[Table]:
    """Yield drawn rows that fill quotas; all are filled from the same draws."""
    wanted = sum(quota.n_rows for quota in quotas)
    most = MOST_DRAWN * max(wanted, 100)
    at_once = max(FEWEST_DRAWN, MOST_CELLS // len(table.columns))
    missing, drawn = [quota.n_rows for quota in quotas], 0
    while any(missing):
        if drawn >= most:
            place = int(np.argmax(missing))
            found = quotas[place].n_rows - missing[place]
            raise TooRare(
                f"of {drawn} rows drawn by {type(fitted).__name__} ({owner}), {found} have "
                f"{quotas[place]}, where {quotas[place].n_rows} are wanted; ask for fewer rows, "
                "other values, or another generator"
            )
        size = min(max(wanted, FEWEST_DRAWN, drawn), at_once, most - drawn)  # doubled each time
        rows = draw(fitted, table, size, rng, resources, owner=owner)
        drawn += len(rows)
        for place, quota in enumerate(quotas):
            fit = matching(rows, quota.where)[: missing[place]]
            missing[place] -= len(fit)
            if len(fit):
                yield rows.take(fit)


def _joined(table: Table, parts: list[Table]) -> Table:
    """Return the rows of all parts, soft labels included, as one table."""
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    joined = table.with_frame(frame.astype(table.frame.dtypes.to_dict()))
    soft = [part.soft_labels for part in parts if part.soft_labels is not None]
    if not soft:
        return joined
    return replace(joined, soft_labels=np.concatenate(soft))
