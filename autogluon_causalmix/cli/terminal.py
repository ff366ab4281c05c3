"""The terminal: names, labels, paths and messages are printed as they are, in any encoding."""

import codecs
import io
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console

# A user's text is never read as markup, and no number in it is coloured.
console = Console(markup=False, highlight=False, emoji=False)
errors = Console(markup=False, highlight=False, emoji=False, stderr=True, soft_wrap=True)

NARROWEST = 60
PLAIN = {"→": "->", "–": "-", "±": "+/-", "…": "...", "×": "x", "≥": ">=", "≤": "<="}


def print_notes(notes: Iterable[str], to: Console = console) -> None:
    """Print sentences that the user should not miss."""
    for note in notes:
        to.print(f"note: {note}", soft_wrap=True)


@contextmanager
def notes_of_the_log(to: Console = console) -> Iterator[None]:
    """Print what the package logs meanwhile."""
    logger = logging.getLogger("autogluon.causalmix")
    handler = _Notes(to)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # said once
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


class _Notes(logging.Handler):
    def __init__(self, to: Console) -> None:
        super().__init__(logging.INFO)
        self.to = to

    def emit(self, record: logging.LogRecord) -> None:
        print_notes([record.getMessage().strip()], self.to)


def tolerate_any_terminal() -> None:
    """Make the standard streams replace characters that their encoding lacks; give tables room.

    In less than `NARROWEST` columns rich shortens names to nothing; the terminal wraps them.
    """
    for made in (console, errors):
        if made.width < NARROWEST:
            made.width = NARROWEST
    codecs.register_error("causalmix", _replacement)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="causalmix")


def _replacement(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    return "".join(PLAIN.get(character, "?") for character in lacking), error.end
