"""Runners: each takes cells and yields their outcomes as they finish.

A runner neither reads nor writes the store, so another one, for instance on a cluster, is one more
class with a method `run`.
"""

from __future__ import annotations

import json
import multiprocessing
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Protocol

import torch

from benchmarks.study.cells import Cell, Outcome
from benchmarks.study.store import Store


class Runner(Protocol):
    """Anything that can run cells."""

    def run(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Outcome]]:
        """Yield each cell once with its outcome, in any order; an error is an outcome, too."""
        ...


@dataclass(frozen=True)
class Serial:
    """Runs cells in this process, one after another, with so many torch threads."""

    threads: int = 1

    def run(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Outcome]]:
        """Yield each cell with its outcome, in their order."""
        torch.set_num_threads(self.threads)
        for cell in cells:
            yield cell, attempt(cell)


@dataclass(frozen=True)
class Processes:
    """Runs cells in processes of this machine, so many at once, each with so many torch threads.

    A process that dies (out of memory, a crash in C) fails the one cell that it ran; another
    process takes its place. The processes end with the iterator, or with this process.
    """

    workers: int
    threads: int = 1

    def run(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Outcome]]:
        """Yield each cell with its outcome, as they finish."""
        waiting = deque(cells)
        idle = [_Worker(self.threads) for _ in range(min(self.workers, len(cells)))]
        busy: dict[object, tuple[_Worker, Cell]] = {}  # by the connection to hear from
        try:
            while waiting or busy:
                while idle and waiting:
                    worker, cell = idle.pop(), waiting.popleft()
                    worker.connection.send(cell)
                    busy[worker.connection] = worker, cell
                for connection in wait([worker.connection for worker, _ in busy.values()]):
                    worker, cell = busy.pop(connection)
                    outcome = worker.outcome()
                    idle.append(worker if worker.process.is_alive() else _Worker(self.threads))
                    yield cell, outcome
        finally:
            for worker in (*idle, *(worker for worker, _ in busy.values())):
                worker.stop()


@dataclass
class _Worker:
    """A process that measures the cells it is sent."""

    threads: int
    connection: Connection = field(init=False)
    process: multiprocessing.process.BaseProcess = field(init=False)

    def __post_init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads can hang
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, self.threads))
        self.process.start()
        theirs.close()  # so that the end of either process is the end of the pipe

    def outcome(self) -> Outcome:
        """Return the outcome that is ready, or that the process died."""
        try:
            outcome: Outcome = self.connection.recv()
            return outcome
        except (EOFError, ConnectionError):
            self.process.join()
            return Outcome(None, 0.0, f"the worker process died, exit code {self.process.exitcode}")

    def stop(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection, threads: int) -> None:
    """Measure cells until the pipe ends."""
    torch.set_num_threads(threads)
    try:
        while True:
            connection.send(attempt(connection.recv()))
    except (EOFError, ConnectionError, KeyboardInterrupt):
        return  # the process that asked is gone, or the user has interrupted both


def attempt(cell: Cell) -> Outcome:
    """Measure a cell; what it raises is its outcome."""
    started = time.perf_counter()
    try:
        values = cell.study.measure(cell.table, cell.split, cell.settings)
        values = json.loads(json.dumps(values))
    except Exception as error:  # noqa: BLE001 - a border: one failing cell must not stop the others
        seconds = time.perf_counter() - started
        said = f"{type(error).__name__}: {error}"
        return Outcome(None, round(seconds, 3), said, traceback.format_exc())
    return Outcome(values, round(time.perf_counter() - started, 3))


def run_missing(
    cells: Sequence[Cell], store: Store, runner: Runner
) -> Iterator[tuple[Cell, Outcome]]:
    """Yield every cell with its outcome: stored ones first, then the others, each saved as it ends.

    Cells that failed before are run again. Cells with the same identity are run once.
    """
    missing: dict[str, list[Cell]] = {}
    for cell in cells:
        stored = store.load(cell)
        if stored is None or stored.failed:
            missing.setdefault(cell.identity, []).append(cell)
        else:
            yield cell, stored
    for cell, outcome in runner.run([same[0] for same in missing.values()]):
        store.save(cell, outcome)
        for same in missing[cell.identity]:
            yield same, outcome
