"""`check_discoverer`: everything that this package relies on in a discoverer."""

import contextlib
from collections.abc import Mapping

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.discovery.contract import discover
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.protocol import Discoverer
from autogluon_causalmix.errors import OutOfTime
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


def check_discoverer(
    discoverer: Discoverer, tables: Mapping[str, Table] | None = None, seed: int = 0
) -> None:
    """Hold a discoverer to everything this package relies on; call it from a plugin's own tests.

    Runs it on each table, without knowledge and with a required and a forbidden edge, and checks
    that the beliefs keep the contract of `autogluon_causalmix.discovery.contract`; that every graph
    drawn from them keeps to the knowledge; that an equal `rng` gives equal beliefs; that the given
    table is not modified and the global generators of `random`, NumPy and torch are as before; that
    the discoverer can be pickled; and that it ends in time.

    Parameters
    ----------
    discoverer : Discoverer
        With the options to check.
    tables : mapping of str to Table, optional
        By name; `toy_tables` if not given.
    seed : int
        Of everything random.

    Raises
    ------
    AssertionError
        Names the discoverer and the table, and says what is wrong.

    Examples
    --------
    >>> from autogluon_causalmix.discovery.controls import TargetStar
    >>> check_discoverer(TargetStar())
    """
    name = type(discoverer).__name__
    for key, table in (toy_tables(seed) if tables is None else tables).items():
        with blamed(f"{name} on the table {key!r}"), global_randomness_kept():
            _check_on(discoverer, table, Constraints.none(len(table.columns)), seed)
        with blamed(f"{name} on the table {key!r}, with knowledge"):
            _check_on(discoverer, table, _some_knowledge(len(table.columns)), seed)
    with blamed(f"{name} with {SHORT:g} s"):
        _check_time(discoverer, mixed_scm(1000, np.random.default_rng(seed))[0], seed)


def _some_knowledge(n_columns: int) -> Constraints:
    """Return the knowledge that the first column causes the last, and not the second."""
    free = Constraints.none(n_columns)
    allowed, required = free.allowed.copy(), free.required.copy()
    required[0, -1], allowed[-1, 0] = True, False
    if n_columns > 2:
        allowed[0, 1] = False
    return Constraints(allowed, required)


def _check_on(discoverer: Discoverer, table: Table, known: Constraints, seed: int) -> None:
    def graphs(of: Discoverer) -> Matrix:
        rng = np.random.default_rng(seed)
        found = discover(of, table, known, rng, Resources(AMPLE), owner=OWNER)
        for _ in range(3):
            dag = found.sample_dag(rng)
            require(not (dag & ~known.allowed).any(), "a graph drawn has an edge that is forbidden")
            require(
                not (known.required & ~dag).any(), "a graph drawn lacks an edge that is required"
            )
        return found.graphs

    pristine = table.frame.copy(deep=True)
    first = graphs(discoverer)
    require(table.frame.equals(pristine), "it modified the table it was given; work on a copy")
    again = np.array_equal(first, graphs(discoverer))
    require(again, "run twice with an equal rng, it found other edges; use no other randomness")
    copied = np.array_equal(first, graphs(pickled(discoverer)))
    require(copied, "after pickling it found other edges; keep all state in the object")


def _check_time(discoverer: Discoverer, table: Table, seed: int) -> None:
    """Check that it ends, with beliefs or with `OutOfTime`, soon after a short time is up."""
    resources, rng = Resources(SHORT), np.random.default_rng(seed)
    free = Constraints.none(len(table.columns))
    with contextlib.suppress(OutOfTime):
        cut_off(GRACE, "discovery", lambda: discoverer.discover(table, free, rng, resources))
    require(
        resources.seconds - resources.remaining() < GRACE,
        f"still searching after {GRACE:g} s; look at resources.remaining() between steps, "
        "do less or raise OutOfTime",
    )
