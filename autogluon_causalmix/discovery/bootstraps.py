"""`on_bootstraps`: an estimate of the graph on each bootstrap of the rows, as many as time allows."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs, Probability
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.workers import WorkerDied, in_processes
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.resources import Resources, cut_off
from autogluon_causalmix.table import Table

Estimate = Callable[[Blocks, Matrix, np.random.Generator], Iterator[Probability]]
"""Yields beliefs about the edges of one bootstrap, each as soon as it is there."""

FEWEST_ROWS = 20
"""With fewer rows a bootstrap is worth fewer than ten, and the test of a single pair cannot tell any more."""

WORKERS_PAY = 5.0
"""Seconds of bootstraps left, of which workers save half and more: they take one or two to start. Threads save none."""


def on_bootstraps(
    table: Table,
    constraints: Constraints,
    rng: np.random.Generator,
    resources: Resources,
    estimate: Estimate,
    bootstraps: int,
    graphs_each: int = 1,
) -> EdgeBeliefs:
    """Return what `estimate` believes on bootstraps of the rows of `table`.

    When time runs out, what is done counts; where that is nothing, and where there are too few rows, the graph is
    a star around the target. A note says so.

    Parameters
    ----------
    table, constraints, rng, resources : Table, Constraints, numpy.random.Generator, Resources
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
    if resources.remaining() <= 0:
        return star(
            table,
            constraints,
            started,
            ("no time for discovery: the graph is a star around the target",),
        )
    graphs: list[Probability] = []
    notes: list[str] = []
    run = partial(
        _run, table, rng, resources.num_cpus, estimate, bootstraps, graphs.append, notes.append
    )
    try:
        with threadpool_limits(1):
            cut_off(resources.remaining(), "discovery", run)
    except OutOfTime as error:
        if not graphs:
            return star(
                table, constraints, started, (f"{error}: the graph is a star around the target",)
            )
        notes.append(f"{error} with {len(graphs)} of {graphs_each * bootstraps} graphs done")
    return EdgeBeliefs(
        nodes_of(table), np.array(graphs), constraints, time.monotonic() - started, tuple(notes)
    )


def _run(
    table: Table,
    rng: np.random.Generator,
    num_cpus: int,
    estimate: Estimate,
    bootstraps: int,
    keep: Callable[[Probability], None],
    note: Callable[[str], None],
) -> None:
    """Hand every estimate to `keep` as soon as it is there, and what went wrong to `note`."""
    codes = [position for position, column in enumerate(table.columns) if column.is_categorical]
    one = partial(_bootstrap, Blocks.of(table.encode(), codes), estimate)
    first, *seeds = rng.integers(
        2**63, size=bootstraps
    ).tolist()  # of its own each: no graph depends on the cores
    started = time.monotonic()
    for belief in one(first):
        keep(belief)
    if num_cpus > 1 and (time.monotonic() - started) * len(seeds) > WORKERS_PAY:
        results = in_processes(partial(_all_of, one), tuple(seeds), min(num_cpus, len(seeds)))
        try:
            with closing(results):
                for beliefs in results:
                    for belief in beliefs:
                        keep(belief)
                    del seeds[0]
        except (WorkerDied, OSError) as error:  # an OSError: no further process may be started
            note(
                f"{error}: the other {len(seeds)} bootstraps of the discovery were done without workers"
            )
    for seed in seeds:
        for belief in one(seed):
            keep(belief)


def _bootstrap(blocks: Blocks, estimate: Estimate, seed: int) -> Iterator[Probability]:
    """Yield the estimates on one bootstrap."""
    rng, n_rows = np.random.default_rng(seed), len(blocks.features)
    weights = rng.multinomial(n_rows, np.full(n_rows, 1.0 / n_rows)).astype("float64")
    yield from estimate(blocks, weights, rng)


def _all_of(one: Callable[[int], Iterator[Probability]], seed: int) -> list[Probability]:
    return list(one(seed))


def star(
    table: Table, constraints: Constraints, started: float, notes: tuple[str, ...]
) -> EdgeBeliefs:
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
