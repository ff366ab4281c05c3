"""`Log`: what happened during a fit, for the log and for the report; and its progress bar."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress

logger = logging.getLogger("autogluon.causalmix")


@dataclass
class Log:
    """Collects seconds per stage, and every fallback, which also goes to the log.

    Parameters
    ----------
    level : int
        Level of the log records that `note` makes.

    Examples
    --------
    >>> log = Log()
    >>> with log.stage("discovery"):
    ...     log.note("too few rows for discovery: the graph is a star around the target")
    >>> log.notes, list(log.seconds)
    (['too few rows for discovery: the graph is a star around the target'], ['discovery'])
    """

    level: int = logging.INFO
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - started, 3)

    def note(self, sentence: str) -> None:
        """Log a fallback and keep it for the report."""
        logger.log(self.level, "\t%s", sentence)
        self.notes.append(sentence)

    def warn(self, sentence: str) -> None:
        """Log a warning and keep it for the report."""
        logger.warning("\t%s", sentence)
        self.notes.append(sentence)


@contextmanager
def progress(steps: int, verbosity: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar in a terminal, unless AutoGluon is to be silent."""
    with Progress(
        console=Console(stderr=True),
        transient=True,
        disable=verbosity < 2 or not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task("\tFine-tuning", total=steps)
        yield lambda step: bar.update(task, completed=step)
