"""`Log`: what happened during a fit, for the log and for the report."""

import functools
import logging
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from rich.console import Console
from rich.progress import Progress

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

logger = logging.getLogger("autogluon.causalmix")

Watcher = Callable[[str, int, int], None]
"""Gets the name of a stage when it begins; then, in fine-tuning, the step and the last step."""

watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)
"""Who follows the fits of this thread; None: nobody."""

_said: set[tuple[str, str]] = set()


def without_widget_warnings(work: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run `work` without tqdm's warning, on import in a notebook, that widgets are missing."""

    @functools.wraps(work)
    def quiet(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="IProgress not found")
            return work(*args, **kwargs)

    return quiet


@dataclass
class Log:
    """Collects seconds per stage, and every fallback, which also goes to the log.

    Parameters
    ----------
    level : int
        Level of the log records that `note` makes.
    scope : str
        Fits that share it, such as the folds of one predictor, log each kind of sentence once:
        sentences that differ in numbers only. Empty: every sentence is logged.

    Examples
    --------
    >>> log = Log()
    >>> with log.stage("discovery"):
    ...     log.note("too few rows for discovery: the graph is a star around the target")
    >>> log.notes, list(log.seconds)
    (['too few rows for discovery: the graph is a star around the target'], ['discovery'])
    """

    level: int = logging.INFO
    scope: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        started = time.monotonic()
        watch = watcher.get()
        if watch is not None:
            watch(name, 0, 0)
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - started, 3)

    def note(self, sentence: str) -> None:
        """Log a fallback and keep it for the report."""
        self.say(sentence, self.level)
        self.notes.append(sentence)

    def warn(self, sentence: str) -> None:
        """Log a warning and keep it for the report."""
        self.say(sentence, logging.WARNING)
        self.notes.append(sentence)

    def say(self, sentence: str, level: int = logging.INFO) -> None:
        """Log a sentence, unless a fit of the same scope has logged one of its kind."""
        kind = (self.scope, re.sub(r"[-+−]?[0-9][0-9.,]*", "#", sentence))
        if self.scope:
            if kind in _said:
                return
            _said.add(kind)
        logger.log(level, "\t%s", sentence)


@contextmanager
def progress(steps: int, verbosity: int) -> Iterator[Callable[[int], None]]:
    """Tell the watcher; without one, show a bar in a terminal unless AutoGluon is to be silent."""
    watch = watcher.get()
    if watch is not None:
        yield lambda step: watch("fine-tuning", step, steps)
        return
    with Progress(
        console=Console(stderr=True),
        transient=True,
        disable=verbosity < 2 or not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task("\tFine-tuning", total=steps)
        yield lambda step: bar.update(task, completed=step)
