"""Progress on the error stream: arm, stage, step and time left; a line per stage where piped."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from autogluon_causalmix.cli.terminal import console, errors
from autogluon_causalmix.fitlog import watcher


class Progress:
    """What is going on, on one line of a terminal, or line by line in a file.

    Parameters
    ----------
    console : Console
        Where it is shown.
    silent : bool
        Whether nothing is.
    """

    def __init__(self, console: Console, *, silent: bool) -> None:
        self.console = console
        self.silent = silent
        self.status = console.status("…") if console.is_terminal and not silent else None
        self.part, self.stage, self.began = "", "", time.monotonic()

    def say(self, part: str) -> None:
        """Begin a part of the work, such as an arm."""
        self.part, self.stage = part, ""
        self._show(part)

    def __call__(self, stage: str, step: int, steps: int) -> None:
        """Follow a stage of a fit: a `fitlog.Watcher`."""
        if stage != self.stage:
            self.stage, self.began = stage, time.monotonic()
            self._show(f"{self.part}: {stage}" if self.part else stage)
        elif self.status is not None and step:
            left = (time.monotonic() - self.began) / step * (steps - step)
            self.status.update(
                f"{self.part}: {stage}, step {step} of {steps}, about {left:.0f} s left"
            )

    def _show(self, text: str) -> None:
        if self.status is not None:
            self.status.update(text)
        elif not self.silent:
            self.console.print(text)


@contextmanager
def followed() -> Iterator[Progress]:
    """Show what the fits of this thread do meanwhile."""
    progress = Progress(errors, silent=console.quiet)
    token = watcher.set(progress)
    try:
        if progress.status is None:
            yield progress
        else:
            with progress.status:
                yield progress
    finally:
        watcher.reset(token)
