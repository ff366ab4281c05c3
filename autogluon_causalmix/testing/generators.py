"""`check_generator`: everything that this package relies on in a generator."""

import contextlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.generators.contract import description, draw
from autogluon_causalmix.generators.protocol import FittedGenerator, Generator
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
from autogluon_causalmix.testing.tables import mixed_scm, toy_tables


def check_generator(
    generator: Generator, tables: Mapping[str, Table] | None = None, seed: int = 0
) -> None:
    """Hold a generator to everything this package relies on; call it from a plugin's own tests.

    Fits to each table and checks that the drawn rows keep the contract of
    `autogluon_causalmix.generators.contract.draw`; that equal `rng` make equal rows, and drawing
    does not change a fitted generator; that the global generators of `random`, NumPy and torch are
    as before; that the given table is not modified; that generator and fitted generator can be
    pickled, and the latter then draws the same; that ``describe`` is JSON; and that a short time is
    kept.

    Parameters
    ----------
    generator : Generator
        With the options to check.
    tables : mapping of str to Table, optional
        By name; `toy_tables` if not given.
    seed : int
        Of everything random.

    Raises
    ------
    AssertionError
        Names the generator and the table, and says what is wrong.

    Examples
    --------
    >>> from autogluon_causalmix.generators.bootstrap import Bootstrap
    >>> check_generator(Bootstrap())
    """
    for name, table in (toy_tables(seed) if tables is None else tables).items():
        with (
            blamed(f"{type(generator).__name__} on the table {name!r}"),
            global_randomness_kept(),
        ):
            _check_on(generator, table, seed)
    with blamed(f"{type(generator).__name__} with {SHORT:g} s"):
        _check_budget(generator, mixed_scm(1000, np.random.default_rng(seed))[0], seed)


def _check_on(generator: Generator, table: Table, seed: int) -> None:
    n_rows = len(table) + 7  # more rows than there are: one that deals out the real ones runs short

    def fit() -> FittedGenerator:
        return generator.fit(table, np.random.default_rng(seed), Resources(AMPLE))

    def rows(fitted: FittedGenerator) -> pd.DataFrame:
        return draw(fitted, table, n_rows, np.random.default_rng(seed), owner=OWNER).frame

    pristine = table.frame.copy(deep=True)
    fitted = fit()
    drawn = rows(fitted)
    draw(fitted, table, 1, np.random.default_rng(seed), owner=OWNER)
    require(table.frame.equals(pristine), "it modified the table it was given; work on a copy")
    require(
        rows(fitted).equals(drawn),
        "one fitted generator drew other rows from an equal rng; keep no state",
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
    description(fitted, owner=OWNER)


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
