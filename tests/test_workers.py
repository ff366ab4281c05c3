"""Worker processes of a discovery: the same graphs, also when a worker dies, and none left over."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import psutil
import pytest

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.discovery import bootstraps
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.constraint.pc_fci import PCAndFCI
from autogluon_causalmix.discovery.protocol import Constraints, Discoverer, EdgeBeliefs
from autogluon_causalmix.discovery.score.boss import BOSS
from autogluon_causalmix.discovery.score.ges import GES
from autogluon_causalmix.discovery.score.grasp import GRaSP
from autogluon_causalmix.discovery.workers import WorkerDied, in_processes
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.resources import Resources, cut_off
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class Mortal:
    """An estimate that ends every process except the one that created it."""

    born: int

    def __call__(
        self, blocks: Blocks, weights: Matrix, rng: np.random.Generator
    ) -> Iterator[Matrix]:
        """Yield random beliefs."""
        if os.getpid() != self.born:
            os._exit(3)
        yield np.triu(rng.random((4, 4)), 1)


@dataclass(frozen=True)
class Slow:
    """An estimate that takes a second."""

    def __call__(
        self, blocks: Blocks, weights: Matrix, rng: np.random.Generator
    ) -> Iterator[Matrix]:
        """Sleep, then yield random beliefs."""
        time.sleep(1.0)
        yield np.triu(rng.random((4, 4)), 1)


@dataclass(frozen=True)
class Stuck:
    """An estimate that yields one graph and then does not end."""

    def __call__(
        self, blocks: Blocks, weights: Matrix, rng: np.random.Generator
    ) -> Iterator[Matrix]:
        """Yield random beliefs, then run until it is interrupted."""
        yield np.triu(rng.random((4, 4)), 1)
        while True:
            time.sleep(0.001)


def where_and_square(number: int) -> tuple[int, int]:
    """Print, as causal-learn does, and return the process and the square."""
    sys.stdout.write("never in between")
    return os.getpid(), number**2


def sleep_long(_: int) -> None:
    """Sleep for ten minutes."""
    time.sleep(600)


def small_table() -> Table:
    """Return rows of a chain a → b → kind and an independent c; the target is kind."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=200)
    second = first + rng.normal(size=200)
    kind = np.where(second + rng.normal(size=200) > 0, "high", "low")
    return Table.from_frame(
        pd.DataFrame({"a": first, "b": second, "c": rng.normal(size=200), "kind": kind}),
        target="kind",
    )


def discovered(discoverer: Discoverer, num_cpus: int) -> EdgeBeliefs:
    """Return the beliefs found with this number of cores."""
    return discoverer.discover(
        small_table(), Constraints.none(4), np.random.default_rng(0), Resources(60.0, num_cpus)
    )


@pytest.fixture
def no_process_left() -> Iterator[None]:
    """Fail if a test leaves a child process that was not there before."""
    before = set(psutil.Process().children())
    yield
    assert not set(psutil.Process().children()) - before


@pytest.mark.usefixtures("no_process_left")
def test_results_come_from_other_processes_in_the_order_of_the_jobs() -> None:
    answers = list(in_processes(where_and_square, range(8), n_workers=2))
    assert [square for _, square in answers] == [number**2 for number in range(8)]
    assert len({process for process, _ in answers} - {os.getpid()}) == 2


@pytest.mark.parametrize(
    "discoverer", [each(bootstraps=3) for each in (PCAndFCI, BOSS, GES, GRaSP)]
)
def test_graphs_do_not_depend_on_the_number_of_cores(
    discoverer: Discoverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = discovered(discoverer, num_cpus=1)
    monkeypatch.setattr(bootstraps, "WORKERS_PAY", 0.0)
    together = discovered(discoverer, num_cpus=2)
    assert (alone.graphs == together.graphs).all()
    assert not together.notes


def test_the_jobs_of_a_dead_worker_are_done_without_it_with_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bootstraps, "WORKERS_PAY", 0.0)
    table, mortal = small_table(), Mortal(os.getpid())
    expected, found = (
        bootstraps.on_bootstraps(
            table, Constraints.none(4), np.random.default_rng(0), Resources(60.0, cpus), mortal, 5
        )
        for cpus in (1, 2)
    )
    assert (expected.graphs == found.graphs).all()
    assert "the other 4 bootstraps of the discovery were done without workers" in found.notes[0]


def test_a_long_discovery_says_how_long_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bootstraps, "WORKERS_PAY", 1.5)
    rng, free = np.random.default_rng(0), Constraints.none(4)
    with caplog.at_level("INFO", "autogluon.causalmix"):
        bootstraps.on_bootstraps(small_table(), free, rng, Resources(60.0), Slow(), 3)
        bootstraps.on_bootstraps(small_table(), free, rng, Resources(60.0), Slow(), 2)
    said = "discovery goes on for about 2 s: 2 bootstraps are left"
    assert [record.getMessage() for record in caplog.records] == [said]


def test_the_finished_graphs_of_an_interrupted_bootstrap_count() -> None:
    rng, nothing = np.random.default_rng(0), Constraints.none(4)
    found = bootstraps.on_bootstraps(small_table(), nothing, rng, Resources(1.0), Stuck(), 3, 2)
    assert len(found.graphs) == 1
    assert found.notes[0].endswith("with 1 of 6 graphs done")


def test_a_worker_that_raises_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WorkerDied, match="ended with 1"):
        list(in_processes(int, ["no number"], n_workers=1))
    assert "no number" in capfd.readouterr().err


@pytest.mark.usefixtures("no_process_left")
def test_no_worker_is_left_after_a_cut() -> None:
    started = time.monotonic()
    with pytest.raises(OutOfTime):
        cut_off(1.0, "a long sleep", lambda: list(in_processes(sleep_long, range(4), n_workers=2)))
    assert time.monotonic() - started < 30


# --- a Ray cluster ------------------------------------------------------------------------------


@pytest.mark.cluster
@pytest.mark.filterwarnings("ignore")
def test_two_nodes_give_the_same_graphs_as_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = pytest.importorskip("ray.cluster_utils")
    node = {"num_cpus": 1, "memory": 2**30, "object_store_memory": 80_000_000}
    cluster = nodes.Cluster(initialize_head=True, head_node_args=node)
    try:
        cluster.add_node(**node)
        monkeypatch.setattr(bootstraps, "WORKERS_PAY", 0.0)
        alone, shared = (
            discovered(BOSS(bootstraps=6, ray_address=address), 1)
            for address in (None, cluster.address)
        )
    finally:
        cluster.shutdown()
    assert np.array_equal(alone.graphs, shared.graphs)
    assert not shared.notes


@pytest.mark.cluster
@pytest.mark.filterwarnings("ignore")
def test_without_a_cluster_the_bootstraps_are_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setattr(bootstraps, "WORKERS_PAY", 0.0)
    found = discovered(BOSS(bootstraps=3, ray_address="127.0.0.1:1"), 1)
    assert len(found.graphs) == 3
    assert "the other 2 bootstraps of the discovery were done without workers" in found.notes[0]
