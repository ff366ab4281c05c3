"""`on_cluster`: jobs of one discovery as tasks of a Ray cluster."""

import os
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from importlib import import_module
from typing import Any, TypeVar

from autogluon_causalmix.discovery.workers import POLL, WorkerDied
from autogluon_causalmix.errors import ConfigError

Job = TypeVar("Job")
Result = TypeVar("Result")

REACHED = 10.0
"""Seconds in which the head of a cluster answers."""


def on_cluster(
    work: Callable[[Job], Result], jobs: Sequence[Job], address: str
) -> Generator[Result, None, None]:
    """Yield ``work(job)`` for all jobs, in their order, from tasks of one core each.

    Where this process is connected to a cluster already, as inside of AutoGluon's parallel folds,
    that one is used. Every node needs this package.

    Parameters
    ----------
    work, jobs
        As for `autogluon_causalmix.discovery.workers.in_processes`.
    address : str
        As for ``ray.init``: ``"auto"``, ``"host:6379"`` or ``"ray://host:10001"``.

    Raises
    ------
    WorkerDied
        A task was lost, or `work` raised in it.
    ConfigError
        Ray is not installed.
    OSError
        There is no cluster at the address.
    """
    try:
        ray: Any = import_module("ray")
    except ImportError:
        raise ConfigError(
            "'ray_address' needs ray, which is not installed: "
            "pip install 'autogluon-causalmix[ray]'"
        ) from None
    is_ours = not ray.is_initialized()
    if is_ours:
        _reach(address)
        paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        ray.init(address, runtime_env={"env_vars": paths}, log_to_driver=False)
    pending = []
    try:
        task = ray.remote(_call).options(num_cpus=1)
        shared = ray.put(work)
        pending = [task.remote(shared, job) for job in jobs]
        for result in pending:
            while not ray.wait([result], timeout=POLL)[0]:
                pass
            yield ray.get(result)
    except ray.exceptions.RayError as error:
        raise WorkerDied(f"a task of the cluster ended with {type(error).__name__}") from error
    finally:
        for result in pending:
            ray.cancel(result)
        if is_ours:
            ray.shutdown()


def _reach(address: str) -> None:
    """Raise an `OSError` where nobody listens, which takes Ray more than a minute to say."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED).close()


def _call(work: Callable[[Job], Result], job: Job) -> Result:
    """Do one job with one thread."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return work(job)
