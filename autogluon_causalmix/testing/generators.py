"""`check_generator`: everything that this package relies on in a generator."""

import contextlib
import json
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from autogluon_causalmix.entry import Entry, Kind
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.generators.conditional import Quota, draw_quotas
from autogluon_causalmix.generators.contract import description, draw
from autogluon_causalmix.generators.described import described_graph
from autogluon_causalmix.generators.protocol import Conditional, FittedGenerator, Generator
from autogluon_causalmix.resources import Resources, cut_off
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing.checks import (
    AMPLE,
    GRACE,
    OWNER,
    SHORT,
    blamed,
    global_randomness_kept,
    pickled,
    require,
)
from autogluon_causalmix.testing.surroundings import (
    gpu_left_alone,
    output_kept_clean,
    threads_kept,
)
from autogluon_causalmix.testing.tables import mixed_scm, toy_tables

MANY = 500
"""Rows, several times as many as a toy table has."""

OF_A_CLASS = 20
"""Rows, too many to be of the class that is asked for by chance."""


def check_generator(
    generator: Generator, tables: Mapping[str, Table] | None = None, seed: int = 0
) -> None:
    """Hold a generator to everything this package relies on; call it from a plugin's own tests.

    Fits to each table and checks that

    - drawn rows keep the contract of `autogluon_causalmix.generators.contract.draw`: one row, a few
      more than there are real ones, and `MANY`;
    - rows of a class have it, where ``can_condition`` says that they are drawn directly;
    - floats are whole numbers where all real ones are;
    - equal `rng` make equal rows, another `rng` others, and drawing does not change a fitted
      generator;
    - the given table is not modified; the global generators of `random`, NumPy and torch, the
      standard output and error, and the threads of the process are left as they were, and a GPU is
      left alone, as the device given is the CPU;
    - generator and fitted generator can be pickled, and the latter then draws the same;
    - ``describe`` is JSON, and a graph in it one that can be drawn.

    Then it checks that a short time is kept, and that the options are JSON from which an equal
    generator can be made.

    Parameters
    ----------
    generator : Generator
        With the options to check.
    tables : mapping of str to Table, optional
        By name; if not given, `toy_tables`, a table of one class and one of whole numbers that
        are stored as floats.
    seed : int
        Of everything random.

    Raises
    ------
    AssertionError
        Names the generator and the table, and says what is wrong and what to do.

    Examples
    --------
    >>> from autogluon_causalmix.generators.bootstrap import Bootstrap
    >>> check_generator(Bootstrap())
    """
    label = type(generator).__name__
    for name, table in (_tables(seed) if tables is None else tables).items():
        with (
            blamed(f"{label} on the table {name!r}"),
            global_randomness_kept(),
            output_kept_clean(),
            threads_kept(),
            gpu_left_alone(),
        ):
            _check_on(generator, table, seed)
    with blamed(f"{label} with {SHORT:g} s"):
        _check_budget(generator, mixed_scm(1000, np.random.default_rng(seed))[0], seed)
    with blamed(f"the options of {label}"):
        _check_options(generator)


def _tables(seed: int) -> dict[str, Table]:
    """Return the toy tables, and two more that are hard for generators alone."""
    toys = toy_tables(seed)
    mixed = toys["mixed types"].frame
    visits = mixed["whole"].astype("float64").where(mixed["number"] > -1)
    frames = {
        "one class": mixed[mixed["label"] == "yes"],
        "whole numbers with gaps": mixed[["number", "label"]].assign(visits=visits),
    }
    return toys | {name: Table.from_frame(frame, "label") for name, frame in frames.items()}


def _check_on(generator: Generator, table: Table, seed: int) -> None:
    n_rows = len(table) + 7  # more rows than there are: one that deals out the real ones runs short

    def fit() -> FittedGenerator:
        return generator.fit(table, np.random.default_rng(seed), Resources(AMPLE))

    def rows(fitted: FittedGenerator, n_rows: int = n_rows, seed: int = seed) -> pd.DataFrame:
        return draw(fitted, table, n_rows, np.random.default_rng(seed), owner=OWNER).frame

    pristine = table.frame.copy(deep=True)
    fitted = fit()
    drawn = rows(fitted)
    rows(fitted, 1)
    breach = next(_fractions(rows(fitted, MANY), table), None)
    require(breach is None, f"{breach}; decode floats with table.decode, which rounds such columns")
    require(table.frame.equals(pristine), "it modified the table it was given; work on a copy")
    require(
        rows(fitted).equals(drawn),
        "one fitted generator drew other rows from an equal rng; keep no state",
    )
    alike = len(table.frame.drop_duplicates()) == 1
    require(
        alike or not rows(fitted, seed=seed + 1).equals(drawn),
        "it drew the same rows from another rng; draw from the rng that is handed in",
    )
    require(
        rows(fit()).equals(drawn),
        "fitted twice with an equal rng, it drew other rows; use no other randomness",
    )
    require(
        rows(pickled(fitted)).equals(drawn),
        "after pickling it drew other rows; keep all state in the object",
    )
    pickled(generator)
    _check_classes(fitted, table, seed)
    graph = description(fitted, owner=OWNER).get("graph")
    if graph is not None:
        described_graph(graph, f"{type(fitted).__name__}.describe")


def _check_classes(fitted: FittedGenerator, table: Table, seed: int) -> None:
    """Ask for rows of each class that can be drawn directly."""
    rng = np.random.default_rng(seed)
    for label in table.classes.tolist():
        where = {table.target: label}
        if isinstance(fitted, Conditional) and fitted.can_condition(where):
            draw_quotas(fitted, table, [Quota(where, OF_A_CLASS)], rng, owner=OWNER)


def _fractions(drawn: pd.DataFrame, table: Table) -> Iterator[str]:
    """Yield which columns hold fractions, though all their real values are whole."""
    for column in table.columns:
        if column.places == 0:
            values = column.encode(drawn[column.name])
            broken = values[~np.isnan(values) & (values != np.rint(values))]
            if len(broken):
                yield f"column {column.name!r} is {broken[0]}, but its real values are whole"


def _check_options(generator: Generator) -> None:
    """Check that an equal generator can be made from the options as JSON."""
    entry = Entry(Kind("generator", Generator), "under test", type(generator), OWNER)
    given = {name: getattr(generator, name) for name in entry.options() if hasattr(generator, name)}
    for name, value in given.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise AssertionError(f"{name!r} is no JSON, as options are: {error}") from error
    made = entry.create(json.loads(json.dumps(given)))
    for name, value in given.items():
        read = getattr(made, name)
        require(read == value, f"{name!r} is {value!r}, but {read!r} when it is read from JSON")


def _check_budget(generator: Generator, table: Table, seed: int) -> None:
    """Check that a fit ends, with a result or with `OutOfTime`, soon after a short time is up."""
    resources = Resources(SHORT)
    with contextlib.suppress(OutOfTime):
        cut_off(GRACE, "fit", lambda: generator.fit(table, np.random.default_rng(seed), resources))
    require(
        resources.seconds - resources.remaining() < GRACE,
        f"still fitting after {GRACE:g} s; look at resources.remaining() between steps, "
        "do less or raise OutOfTime",
    )
