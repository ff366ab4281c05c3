"""`Cluster`: a runner that sends cells to a Ray cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.study.cells import Cell, Outcome

NO_RAY = "a cluster needs ray, which is not installed: pip install 'autogluon-causalmix[ray]'"


@dataclass(frozen=True)
class Cluster:
    """Runs cells on the nodes of a Ray cluster, as many at once as have room.

    Each cell asks Ray for its threads, memory and GPUs, and waits for a node that has them. A
    worker that dies, or that Ray ends because its node runs out of memory, fails its one cell; the
    others run on. Every node needs the same installation and this checkout at the same path.

    Parameters
    ----------
    address : str
        As for ``ray.init``: ``"auto"`` for a cluster that runs on this machine, ``"host:6379"``, or
        ``"ray://host:10001"``.
    threads : int
        Of a cell.
    memory : float
        GiB that a cell is expected to take.
    gpus : float
        Of a cell.
    """

    address: str
    threads: int = 1
    memory: float = 2.0
    gpus: float = 0.0

    def run(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Outcome]]:
        """Yield each cell with its outcome, as they finish."""
        if not cells:
            return
        ray = _ray()
        paths = {"PYTHONPATH": os.pathsep.join(sys.path)}  # a study's module may be anywhere
        ray.init(self.address, runtime_env={"env_vars": paths}, log_to_driver=False)
        try:
            measure = ray.remote(measured).options(
                num_cpus=self.threads,
                num_gpus=self.gpus,
                memory=int(self.memory * 2**30),
                max_retries=0,
            )
            running = {measure.remote(cell, self.threads): cell for cell in cells}
            while running:
                (done, *_), _ = ray.wait(list(running))
                yield running.pop(done), _outcome(ray, done)
        finally:
            ray.shutdown()


def measured(cell: Cell, threads: int) -> Outcome:
    """Measure a cell in a worker of the cluster."""
    from benchmarks.study.runner import attempt

    torch.set_num_threads(threads)
    return attempt(cell)


def _outcome(ray: Any, done: Any) -> Outcome:
    try:
        outcome: Outcome = ray.get(done)
        return outcome
    except ray.exceptions.RayError as error:
        said = " ".join(str(error).split())[:300]
        return Outcome(None, 0.0, f"the worker process died: {type(error).__name__}: {said}")


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise SystemExit(NO_RAY) from None
    return ray
