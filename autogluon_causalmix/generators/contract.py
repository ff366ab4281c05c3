"""The contract of generators: what they get, how long they may take, what they return."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pandas as pd

from autogluon_causalmix import border
from autogluon_causalmix.arrays import Mask
from autogluon_causalmix.column import Column
from autogluon_causalmix.dtypes import kind_of, plain
from autogluon_causalmix.entry import Owner
from autogluon_causalmix.errors import (
    ConfigError,
    GeneratorError,
)
from autogluon_causalmix.generators.protocol import FittedGenerator, Generator, describe
from autogluon_causalmix.resources import Resources, cut_off
from autogluon_causalmix.table import Table

Returned = TypeVar("Returned")


def fit_generator(
    generator: Generator,
    table: Table,
    rng: np.random.Generator,
    resources: Resources,
    *,
    owner: Owner,
) -> FittedGenerator:
    """Fit a generator to a copy of the real rows, and cut it off when time is up.

    Parameters
    ----------
    generator : Generator
        What `autogluon_causalmix.entry.Entry.create` made.
    table : Table
        The real rows; the generator works on a copy, so that nothing it does reaches them.
    rng : numpy.random.Generator
        Of everything random.
    resources : Resources
        The time and cores that it may use.
    owner : Owner
        Named in errors.

    Raises
    ------
    GeneratorError
        It raised, or returned something without ``sample``.
    ConfigError
        It says that an option does not go with this table.
    OutOfTime
        It had not finished when its time was over.
    """
    label = f"{type(generator).__name__}.fit ({owner})"
    copy = table.take(np.arange(len(table)))
    fitted = call(lambda: generator.fit(copy, rng, resources), label, resources)
    if not isinstance(fitted, FittedGenerator):
        raise GeneratorError(
            f"{label} returned {type(fitted).__name__}, which has no method 'sample'"
        )
    return fitted


def draw(
    fitted: FittedGenerator,
    table: Table,
    n_rows: int,
    rng: np.random.Generator,
    resources: Resources | None = None,
    *,
    owner: Owner,
) -> Table:
    """Draw rows and check them: nothing is clipped, dropped or converted to make them fit.

    Parameters
    ----------
    fitted : FittedGenerator
        What `fit_generator` returned.
    table : Table
        The real rows it was fitted to.
    n_rows : int
        How many rows to draw, shape (n_rows, columns).
    rng : numpy.random.Generator
        Of everything random.
    resources : Resources, optional
        The time and cores that it may use; None waits for it.
    owner : Owner
        Named in errors.

    Raises
    ------
    GeneratorError
        It raised, or the rows break the contract: exactly `n_rows` rows; the columns of `table` in
        its order, with its dtypes and categories; finite values; missing ones only in columns that
        miss some in `table`; no category and no class that `table` does not have; soft labels, if
        there are any, are probabilities. The message names the column and the value.
    OutOfTime
        It had not finished when its time was over.

    Examples
    --------
    >>> from autogluon_causalmix.generators.bootstrap import Bootstrap
    >>> frame = pd.DataFrame({"dose": [1, 2, 3], "cured": ["no", "no", "yes"]})
    >>> table, rng = Table.from_frame(frame, target="cured"), np.random.default_rng(0)
    >>> owner = Owner("bootstrap", "autogluon-causalmix", "0.1.0")
    >>> fitted = fit_generator(Bootstrap(), table, rng, Resources(10.0), owner=owner)
    >>> len(draw(fitted, table, 5, rng, owner=owner))
    5
    """
    if n_rows < 1:
        raise ConfigError(f"the number of rows to draw must be at least 1, got {n_rows}")
    label = f"{type(fitted).__name__}.sample ({owner})"
    return checked(lambda: fitted.sample(n_rows, rng), table, n_rows, label, resources)


def checked(
    sample: Callable[[], Table],
    table: Table,
    n_rows: int,
    label: str,
    resources: Resources | None = None,
) -> Table:
    """Return the rows that foreign code draws, checked as `draw` does.

    Parameters
    ----------
    sample : callable
        Draws the rows.
    table, n_rows, resources
        As for `draw`.
    label : str
        Named in errors.

    Raises
    ------
    GeneratorError, OutOfTime
        As for `draw`.
    """
    rows = call(sample, label, resources)
    breach = call(lambda: next(_breaches(rows, table, n_rows), None), label, None)
    if breach is not None:
        raise GeneratorError(f"{label} broke the contract of its rows: {breach}")
    return replace(table.with_frame(rows.frame), soft_labels=rows.soft_labels)


def description(fitted: FittedGenerator, *, owner: Owner) -> dict[str, object]:
    """Return what a fitted generator says of itself, as the JSON that the report will hold.

    Raises
    ------
    GeneratorError
        ``describe`` raised, or returned something that is no JSON object, or ``notes`` are no list
        of sentences.
    """
    label = f"{type(fitted).__name__}.describe ({owner})"
    said = call(
        lambda: json.loads(json.dumps(dict(describe(fitted)), allow_nan=False)), label, None
    )
    notes = said.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise GeneratorError(f"{label} returned notes that are no list of sentences: {notes!r}")
    return dict(said)


def call(step: Callable[[], Returned], label: str, resources: Resources | None) -> Returned:
    """Run a generator's code, and cut it off where it has a time."""
    if resources is None:
        return border.call(step, label, GeneratorError)
    left = resources.remaining()
    return border.call(lambda: cut_off(left, label, step), label, GeneratorError)


def _breaches(rows: object, table: Table, n_rows: int) -> Iterator[str]:
    """Yield what is wrong with drawn rows; later checks trust what earlier ones have seen."""
    if not isinstance(rows, Table) or not isinstance(rows.frame, pd.DataFrame):
        yield f"it returned {type(rows).__name__}, not a Table"
        return
    frame = rows.frame
    if not frame.columns.equals(table.frame.columns):
        yield _difference(list(frame.columns), list(table.frame.columns))
    if len(frame) != n_rows:
        yield f"it returned {len(frame)} rows, not {n_rows}"
    for column in table.columns:
        known = table.classes if column.name == table.target else column.levels
        yield from _column_breaches(frame[column.name], table.frame[column.name], column, known)
    if rows.soft_labels is not None:
        yield from _soft_label_breaches(rows.soft_labels, table, n_rows)


def _soft_label_breaches(soft: object, table: Table, n_rows: int) -> Iterator[str]:
    """Yield what is wrong with the probabilities of classes."""
    wanted = (n_rows, len(table.levels))
    if not isinstance(soft, np.ndarray) or soft.shape != wanted:
        shape = getattr(soft, "shape", type(soft).__name__)
        yield f"its soft labels have shape {shape}, not {wanted}"
        return
    wrong = ~(
        np.isfinite(soft).all(axis=1)
        & (soft >= 0).all(axis=1)
        & (np.abs(soft.sum(axis=1) - 1) < 1e-6)
    )
    if wrong.any():
        row = _first(wrong)
        yield f"its soft labels in row {row} are no probabilities: {soft[row].tolist()}"
    foreign = soft[:, ~table.levels.isin(table.classes)].sum(axis=1) > 0
    if foreign.any():
        yield f"its soft labels in row {_first(foreign)} name a class that no real row has"


def _difference(got: list[object], wanted: list[object]) -> str:
    """Say in one sentence how two lists of column names differ."""
    missing = [name for name in wanted if name not in got]
    foreign = [name for name in got if name not in wanted]
    if missing:
        return f"column {missing[0]!r} is missing"
    if foreign:
        return f"column {foreign[0]!r} is not in the real table"
    return f"the columns stand in the order {got}, not {wanted}"


def _column_breaches(
    drawn: pd.Series, real: pd.Series, column: Column, known: pd.Index | None
) -> Iterator[str]:
    name = repr(column.name)
    if not _same_dtype(drawn.dtype, real.dtype):
        yield f"column {name} has dtype {_spell(drawn.dtype)}, not {_spell(real.dtype)}"
    missing = drawn.isna().to_numpy()
    if missing.any() and not real.isna().any():
        yield f"column {name} is missing in row {_first(missing)}, but no real row misses it"
    if kind_of(drawn.dtype) == "float":
        infinite = np.isinf(drawn.to_numpy(dtype="float64", na_value=np.nan))
        if infinite.any():
            yield f"column {name} is {drawn[infinite].tolist()[0]} in row {_first(infinite)}"
    if known is not None:
        foreign = ~missing & ~plain(drawn).isin(known).to_numpy(dtype="bool")
        if foreign.any():
            value = drawn[foreign].tolist()[0]
            place = f"column {name} is {value!r} in row {_first(foreign)}"
            yield f"{place}; it may be one of {known.tolist()}"


def _same_dtype(got: object, wanted: object) -> bool:
    """Whether two dtypes are equal, the order of categories included.

    pandas calls unordered categories equal in any order; their codes are not.
    """
    if isinstance(got, pd.CategoricalDtype) and isinstance(wanted, pd.CategoricalDtype):
        return got.ordered == wanted.ordered and got.categories.equals(wanted.categories)
    return got == wanted


def _spell(dtype: object) -> str:
    if isinstance(dtype, pd.CategoricalDtype):
        return f"category {list(dtype.categories)}{' (ordered)' if dtype.ordered else ''}"
    return str(dtype)


def _first(mask: Mask) -> int:
    return int(np.flatnonzero(mask)[0])
