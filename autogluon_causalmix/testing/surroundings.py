"""What a plugin leaves as it was: output streams, threads of the process, GPUs it was not given."""

import contextlib
import io
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from threadpoolctl import threadpool_info

from autogluon_causalmix.testing.checks import require

ENDING = 1.0
"""Seconds for threads that are about to end."""

OF_THE_PROCESS = ("tqdm_monitor",)
"""Threads that a library starts once, for whoever draws the first progress bar."""


@contextlib.contextmanager
def output_kept_clean() -> Iterator[None]:
    """Require that the block writes neither to standard output nor to standard error."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as error,
    ):
        yield
    for stream, written in (("output", out.getvalue()), ("error", error.getvalue())):
        said = " ".join(written.split())
        advice = "say it in the notes of describe(), which are logged and in the report"
        require(not said, f"it wrote to standard {stream}: {said[:200]!r}; {advice}")


@contextlib.contextmanager
def threads_kept() -> Iterator[None]:
    """Require that the block starts no lasting thread and resizes no pool of threads."""
    before, sizes = set(threading.enumerate()), _pool_sizes()
    yield
    started = [
        thread
        for thread in threading.enumerate()
        if thread not in before and thread.name not in OF_THE_PROCESS
    ]
    until = time.monotonic() + ENDING
    for thread in started:
        thread.join(max(until - time.monotonic(), 0))
    names = [thread.name for thread in started if thread.is_alive()]
    require(not names, f"it left threads running: {names}; end them before you return")
    after = _pool_sizes()
    resized = [Path(pool).name for pool, size in sizes.items() if after.get(pool, size) != size]
    require(
        not resized,
        f"it changed the number of threads of {resized} for the whole process; "
        "use `with threadpoolctl.threadpool_limits(…)`, or set it back",
    )


@contextlib.contextmanager
def gpu_left_alone() -> Iterator[None]:
    """Require that the block takes no memory of a GPU by torch, not even for a moment."""
    before = _gpu_allocations()
    yield
    require(
        _gpu_allocations() == before,
        'it used a GPU, but resources.device was "cpu"; put networks on resources.device',
    )


def _gpu_allocations() -> int:
    """Return how often torch has taken memory of the current GPU so far."""
    torch = sys.modules.get("torch")  # not imported: who has not loaded it cannot have used one
    if torch is None or not torch.cuda.is_initialized():
        return 0
    taken: int = torch.cuda.memory_stats().get("allocation.all.allocated", 0)
    return taken


def _pool_sizes() -> dict[str, int]:
    """Return the number of threads of each library that has a pool of its own."""
    pools: dict[str, int] = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    torch = sys.modules.get("torch")  # not imported: who has not loaded it cannot have changed it
    return pools if torch is None else {**pools, "torch": torch.get_num_threads()}
