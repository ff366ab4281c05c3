"""`on_bootstraps`: an estimate of the graph on each bootstrap of the rows, as many as time allows."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from autogluon_causalmix.budget import Budget, cut_off
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs, Probability
from autogluon_causalmix.discovery.blocks import Blocks, Matrix
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.table import Table

Estimate = Callable[[Blocks, Matrix, np.random.Generator], Iterator[Probability]]
"""Yields beliefs about the edges of one bootstrap, each as soon as it is there."""

FEWEST_ROWS = 20
"""With fewer rows a bootstrap is worth fewer than ten, and the test of a single pair cannot tell any more."""


def on_bootstraps(
    table: Table,
    constraints: Constraints,
    rng: np.random.Generator,
    budget: Budget,
    estimate: Estimate,
    bootstraps: int,
    graphs_each: int = 1,
) -> EdgeBeliefs:
    """Return what `estimate` believes on bootstraps of the rows of `table`.

    When time runs out, what is done counts; where that is nothing, and where there are too few rows, the graph is
    a star around the target. A note says so.

    Parameters
    ----------
    table, constraints, rng, budget : Table, Constraints, numpy.random.Generator, Budget
        As for `Discoverer.discover`.
    estimate : callable
        Takes the columns, how often a bootstrap counts each row, and `rng`; yields `graphs_each` beliefs.
    bootstraps : int
        How many times the rows are resampled.
    graphs_each : int
        How many estimates of the graph each bootstrap gives.
    """
    started = time.monotonic()
    if len(table) < FEWEST_ROWS:
        note = f"{len(table)} rows are too few for discovery: the graph is a star around the target"
        return star(table, constraints, started, (note,))
    if budget.remaining() <= 0:
        return star(table, constraints, started, ("no time for discovery: the graph is a star around the target",))
    graphs: list[Probability] = []
    notes: tuple[str, ...] = ()
    try:
        with threadpool_limits(1):
            cut_off(budget.remaining(), "discovery", partial(_run, table, rng, estimate, bootstraps, graphs.append))
    except OutOfTime as error:
        if not graphs:
            return star(table, constraints, started, (f"{error}: the graph is a star around the target",))
        notes = (f"{error} with {len(graphs)} of {graphs_each * bootstraps} graphs done",)
    return EdgeBeliefs(nodes_of(table), np.array(graphs), constraints, time.monotonic() - started, notes)


def _run(
    table: Table,
    rng: np.random.Generator,
    estimate: Estimate,
    bootstraps: int,
    keep: Callable[[Probability], None],
) -> None:
    """Hand every estimate to `keep` as soon as it is there."""
    codes = [position for position, column in enumerate(table.columns) if column.is_categorical]
    blocks = Blocks.of(table.encode(), codes)
    # One after the other: what they do is Python, and two threads take as long as one (measured, 9 to 42 columns).
    for _ in range(bootstraps):
        weights = rng.multinomial(len(table), np.full(len(table), 1.0 / len(table))).astype("float64")
        for belief in estimate(blocks, weights, rng):
            keep(belief)


def star(table: Table, constraints: Constraints, started: float, notes: tuple[str, ...]) -> EdgeBeliefs:
    """Return the target → feature star as certain beliefs; forbidden edges are turned round if that is allowed."""
    star = constraints.required.astype("float64")
    target = table.target_position
    for feature in range(len(table.columns)):
        if feature != target and not (star[target, feature] or star[feature, target]):
            if constraints.allowed[target, feature]:
                star[target, feature] = 1.0
            elif constraints.allowed[feature, target]:
                star[feature, target] = 1.0
    return EdgeBeliefs(nodes_of(table), star[None], constraints, time.monotonic() - started, notes)


def nodes_of(table: Table) -> tuple[object, ...]:
    """Return the names of the columns, which are the nodes of a graph."""
    return tuple(column.name for column in table.columns)
