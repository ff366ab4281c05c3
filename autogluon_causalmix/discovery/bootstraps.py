"""`on_bootstraps`: an estimate of the graph on each bootstrap of the rows, as time allows."""

import logging
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.cluster import on_cluster
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.workers import WorkerDied, in_processes
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.resources import CUT_OFF, Resources, cut_off
from autogluon_causalmix.table import Table

logger = logging.getLogger("autogluon.causalmix")

Estimate = Callable[[Blocks, Matrix, np.random.Generator], Iterator[Matrix]]
"""Yields the beliefs of one bootstrap, shape (columns, columns), each as soon as it is finished."""

Work = Callable[[int], list[Matrix]]
"""Returns the beliefs of the bootstrap of one seed."""

Results = Generator[list[Matrix], None, None]

FEWEST_ROWS_FOR_DISCOVERY = 20
"""A bootstrap of fewer rows is worth fewer than ten, too few to test even a single pair."""

WORKERS_PAY = 5.0
"""Seconds of bootstraps left above which worker processes, which take 1–2 s to start, save time.

They save at least half of it. Threads save none.
"""


def on_bootstraps(
    table: Table,
    constraints: Constraints,
    rng: np.random.Generator,
    resources: Resources,
    estimate: Estimate,
    bootstraps: int,
    graphs_each: int = 1,
    ray_address: str | None = None,
) -> EdgeBeliefs:
    """Return the beliefs of `estimate` on bootstraps of the rows of `table`.

    When time runs out, the finished estimates count. If there is none, or the table has too few
    rows, the graph is a star around the target. A note says so.

    Parameters
    ----------
    table, constraints, rng, resources : Table, Constraints, numpy.random.Generator, Resources
        As for `Discoverer.discover`.
    estimate : callable
        Takes the columns, how often a bootstrap counts each row, and `rng`; yields `graphs_each`
        beliefs.
    bootstraps : int
        How many times the rows are resampled.
    graphs_each : int
        Number of estimates of the graph per bootstrap.
    ray_address : str or None
        Of a Ray cluster, whose tasks then take the place of worker processes.
    """
    started = time.monotonic()
    fallback = "the graph is a star around the target"
    if len(table) < FEWEST_ROWS_FOR_DISCOVERY:
        note = f"{len(table)} rows are too few for discovery: {fallback}"
        return star(table, constraints, started, (note,))
    if resources.remaining() <= 0:
        return star(
            table, constraints, started, (f"discovery was {CUT_OFF} before it began: {fallback}",)
        )
    graphs: list[Matrix] = []
    notes: list[str] = []
    elsewhere = partial(_elsewhere, resources.num_cpus, ray_address)
    run = partial(_run, table, rng, elsewhere, estimate, bootstraps, graphs, notes)
    try:
        with threadpool_limits(1):
            cut_off(resources.remaining(), "discovery", run)
    except OutOfTime as error:
        if not graphs:
            return star(table, constraints, started, (f"{error}: {fallback}",))
        notes.append(f"{error} with {len(graphs)} of {graphs_each * bootstraps} graphs done")
    seconds = time.monotonic() - started
    return EdgeBeliefs(nodes_of(table), np.array(graphs), constraints, seconds, tuple(notes))


def _run(
    table: Table,
    rng: np.random.Generator,
    elsewhere: Callable[[float, Work, list[int]], Results | None],
    estimate: Estimate,
    bootstraps: int,
    graphs: list[Matrix],
    notes: list[str],
) -> None:
    """Append every estimate to `graphs` as soon as it is finished, and what failed to `notes`."""
    codes = [position for position, column in enumerate(table.columns) if column.is_categorical]
    one = partial(_bootstrap, Blocks.of(table.encode(), codes), estimate)
    # Each bootstrap has its own seed, so that no graph depends on the number of cores.
    first, *seeds = rng.integers(2**63, size=bootstraps).tolist()
    started = time.monotonic()
    graphs.extend(one(first))
    left = (time.monotonic() - started) * len(seeds)
    results = elsewhere(left, partial(_all_of, one), list(seeds))
    if results is not None:
        try:
            with closing(results):
                for beliefs in results:
                    graphs.extend(beliefs)
                    del seeds[0]
        except (WorkerDied, OSError) as error:  # OSError: no further process can be started
            undone = f"the other {len(seeds)} bootstraps of the discovery were done without workers"
            notes.append(f"{error}: {undone}")
    for seed in seeds:
        graphs.extend(one(seed))


def _elsewhere(
    num_cpus: int, ray_address: str | None, left: float, work: Work, seeds: list[int]
) -> Results | None:
    """Return the results of other processes or nodes, None where they would save no time."""
    if left <= WORKERS_PAY:
        return None
    if ray_address is not None:
        logger.info("discovery goes on at %s: %d bootstraps are left", ray_address, len(seeds))
        return on_cluster(work, seeds, ray_address)
    workers = max(min(num_cpus, len(seeds)), 1)
    message = "discovery goes on for about %.0f s: %d bootstraps are left"
    logger.info(message, left / workers, len(seeds))
    return in_processes(work, seeds, workers) if workers > 1 else None


def _bootstrap(blocks: Blocks, estimate: Estimate, seed: int) -> Iterator[Matrix]:
    """Yield the estimates on one bootstrap."""
    rng, n_rows = np.random.default_rng(seed), len(blocks.features)
    weights = rng.multinomial(n_rows, np.full(n_rows, 1.0 / n_rows)).astype("float64")
    yield from estimate(blocks, weights, rng)


def _all_of(one: Callable[[int], Iterator[Matrix]], seed: int) -> list[Matrix]:
    return list(one(seed))


def star(
    table: Table, constraints: Constraints, started: float, notes: tuple[str, ...]
) -> EdgeBeliefs:
    """Return certain edges from the target to every feature, reversed where only that is allowed.

    `started` is the value of `time.monotonic` at the start of the discovery.
    """
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
