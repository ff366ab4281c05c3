"""`idle_threads`: as many threads of torch as there are idle cores."""

from collections.abc import Iterator
from contextlib import contextmanager

from autogluon_causalmix.fitlog import Log
from autogluon_causalmix.resources import idle_cores


@contextmanager
def idle_threads(cores: int, log: Log) -> Iterator[None]:
    """Let torch use those of so many cores that are idle now; 0 leaves its threads as they are.

    Its number of threads is as before afterwards.
    """
    import torch

    before = torch.get_num_threads()
    if cores:
        threads = idle_cores(cores)
        if threads < cores:
            log.note(
                f"fine-tuning uses {threads} of {cores} cores: other programs keep the rest busy, "
                "and threads that wait for a core slow down all others"
            )
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
