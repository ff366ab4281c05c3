"""How far a study is, and how long it will take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rich.console import Console

from benchmarks.study.cells import Cell, Outcome

EVERY_SECONDS = 30.0
"""Between two lines; failures have a line of their own at once."""


@dataclass
class Progress:
    """Prints a line now and then; only cells that had to be measured tell how long the rest takes.

    Parameters
    ----------
    total, stored : int
        Cells of the study, and those that need no measuring.
    console : rich.console.Console
        Where to print.
    """

    total: int
    stored: int
    console: Console
    started: float = field(default_factory=time.monotonic)
    done: int = 0
    failed: int = 0
    printed: float = -EVERY_SECONDS

    def see(self, cell: Cell, outcome: Outcome, now: float | None = None) -> None:
        """Count a cell that is done."""
        now = time.monotonic() if now is None else now
        self.done += 1
        if outcome.failed:
            self.failed += 1
            self.console.print(f"failed: {cell}: {outcome.error}", style="red", markup=False)
        last = self.done == self.total
        if self.done > self.stored and (last or now - self.printed >= EVERY_SECONDS):
            self.printed = now
            self.console.print(self.line(now), markup=False, highlight=False)

    def line(self, now: float) -> str:
        """Return how many cells are done, and the time left.

        Examples
        --------
        >>> progress = Progress(total=10, stored=4, console=Console(), started=0.0, done=6)
        >>> progress.line(now=60.0)
        '6 of 10 cells, 2 measured in 0:01:00, 0:02:00 left'
        """
        measured, taken = self.done - self.stored, now - self.started
        left = taken / measured * (self.total - self.done)
        failed = f", {self.failed} failed" if self.failed else ""
        return (
            f"{self.done} of {self.total} cells, {measured} measured in {_clock(taken)}, "
            f"{_clock(left)} left{failed}"
        )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02.0f}"
