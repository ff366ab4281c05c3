"""`in_processes`: worker processes that run for one discovery and end with it.

`multiprocessing` runs the user's script again in each worker and leaves a process that tracks
resources; joblib leaves two of these.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from threadpoolctl import threadpool_limits

Job = TypeVar("Job")
Result = TypeVar("Result")
Worker = subprocess.Popen[bytes]

POLL = 0.05
"""Seconds between two checks for a result; an interrupt of `cut_off` arrives between them."""


class WorkerDied(RuntimeError):
    """A worker process ended before it returned its result."""


def in_processes(
    work: Callable[[Job], Result], jobs: Sequence[Job], n_workers: int
) -> Generator[Result, None, None]:
    """Yield ``work(job)`` for all jobs, in their order, computed by processes with one thread each.

    The processes end with the iterator; close it if it may not be read to its end.

    Parameters
    ----------
    work : callable
        A function that can be pickled, as can its arguments and results.
    jobs : sequence
        The arguments, one per call.
    n_workers : int
        Number of processes.

    Raises
    ------
    WorkerDied
        A process was killed, or `work` raised in it.

    Examples
    --------
    >>> import math
    >>> list(in_processes(math.factorial, [3, 4, 5], n_workers=2))
    [6, 24, 120]
    """
    free: SimpleQueue[Worker] = SimpleQueue()
    workers: list[Worker] = []
    threads = ThreadPoolExecutor(n_workers)
    try:
        for _ in range(n_workers):
            workers.append(_start())
            free.put(workers[-1])
        pending = [threads.submit(_ask, free, work, job) for job in jobs]
        for result in pending:
            while not result.done():
                wait([result], POLL)
            yield result.result()
    finally:
        for worker in workers:
            worker.kill()
        threads.shutdown(cancel_futures=True)
        for worker in workers:
            worker.communicate()


def _start() -> Worker:
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    return subprocess.Popen(  # noqa: S603  the command holds no input of the user
        [sys.executable, "-P", "-c", f"from {__name__} import serve; serve()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )


def _ask(free: "SimpleQueue[Worker]", work: Callable[[Job], Result], job: Job) -> Result:
    """Send a job to the next free worker and wait for its result."""
    worker = free.get()
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        pickle.dump((work, job), worker.stdin)
        worker.stdin.flush()
        answer: Result = pickle.load(worker.stdout)  # noqa: S301  from our own process
    except (EOFError, OSError, pickle.UnpicklingError) as error:
        raise WorkerDied(f"a worker process ended with {worker.wait()}") from error
    finally:
        free.put(worker)
    return answer


def serve() -> None:
    """Run jobs from the standard input until it ends; this is the main loop of a worker process."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print goes to stderr, not between the results
    with threadpool_limits(1):
        while True:
            try:
                work, job = pickle.load(sys.stdin.buffer)  # noqa: S301  from our own process
            except EOFError:  # the parent process has ended
                return
            pickle.dump(work(job), answers)
            answers.flush()
