"""How long a stage may take, how many cores it may use, and the hard cut when it does not keep to that."""

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from autogluon_causalmix.errors import OutOfTime

Result = TypeVar("Result")


@dataclass(frozen=True)
class Budget:
    """What a stage may spend.

    Parameters
    ----------
    seconds : float
        Wall-clock seconds from now on.
    num_cpus : int
        Cores that threads and processes may occupy.

    Examples
    --------
    >>> budget = Budget(seconds=60.0, num_cpus=2)
    >>> budget.share(0.25).seconds <= 15.0
    True
    """

    seconds: float
    num_cpus: int = 1
    started: float = field(default_factory=time.monotonic)

    def remaining(self) -> float:
        """Seconds left; negative once the budget is spent."""
        return self.seconds - (time.monotonic() - self.started)

    def share(self, fraction: float) -> "Budget":
        """Return a budget that begins now and holds `fraction` of what is left."""
        return Budget(seconds=max(fraction * self.remaining(), 0.0), num_cpus=self.num_cpus)


class _CutOff(BaseException):
    """Raised asynchronously; a BaseException so that no ``except Exception`` of foreign code swallows it."""


def cut_off(seconds: float, stage: str, work: Callable[[], Result]) -> Result:
    """Return ``work()``, or raise `OutOfTime` once it has run for `seconds`.

    Works in any thread, also inside another cut, and leaves no process or thread behind. The work is interrupted
    between two Python instructions: a single long call into C code ends first.

    Raises
    ------
    OutOfTime
        The work had not finished after `seconds`.

    Examples
    --------
    >>> cut_off(1.0, "a sum", lambda: 1 + 1)
    2
    >>> def wait():
    ...     while True:
    ...         pass
    >>> cut_off(0.05, "a long wait", wait)
    Traceback (most recent call last):
        ...
    autogluon_causalmix.errors.OutOfTime: a long wait was cut off after 0.05 s
    """
    # Its own class for each cut, so that an inner cut lets an outer one pass. A function, not a context manager:
    # an interrupt that arrives between a block's end and its __exit__ could not be caught there.
    signal: type[_CutOff] = type("_CutOff", (_CutOff,), {})
    thread = ctypes.c_ulong(threading.get_ident())
    lock = threading.Lock()
    running, sent = True, False

    def interrupt() -> None:
        nonlocal sent
        with lock:
            if running:
                sent = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(signal))

    timer = threading.Timer(max(seconds, 0.0), interrupt)
    timer.daemon = True
    try:
        try:
            timer.start()
            return work()
        finally:
            with lock:
                running = False
            timer.cancel()
            # An interrupt that has been sent but not yet arrived must arrive here, not in the caller's code.
            while sent and sys.exc_info()[0] is not signal:
                time.sleep(0)
    except signal:
        raise OutOfTime(f"{stage} was cut off after {seconds:.2f} s") from None
