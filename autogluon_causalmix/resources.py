"""`Resources`: the seconds, cores and device of a stage, and the hard cut when time is up."""

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import TypeVar

from autogluon_causalmix.errors import OutOfTime

Result = TypeVar("Result")

CUT_OFF = "cut off"
"""In every sentence about work that the clock ended: what was done by then differs by machine."""

REPEAT = 1.0
"""Seconds after which an interrupt is sent again: one that arrives in a finaliser is lost there."""

LEFT_ALONE = 0.02
"""Seconds until work that must not be interrupted now is looked at again."""

LOOK = 0.25
"""Seconds for which the cores are watched."""

BUSY = 50.0
"""Per cent of that time: a core that works more has no room for another thread."""


@dataclass(frozen=True)
class Resources:
    """What a stage may use.

    Parameters
    ----------
    seconds : float
        Wall-clock seconds from now on.
    num_cpus : int
        Cores that threads and processes may occupy.
    device : str
        Torch device for networks: ``"cpu"``, ``"cuda"``.

    Examples
    --------
    >>> resources = Resources(seconds=60.0, num_cpus=2)
    >>> resources.share(0.25).seconds <= 15.0
    True
    """

    seconds: float
    num_cpus: int = 1
    device: str = "cpu"
    started: float = field(default_factory=time.monotonic)

    def remaining(self) -> float:
        """Return the seconds left; negative once they are spent."""
        return self.seconds - (time.monotonic() - self.started)

    def share(self, fraction: float) -> "Resources":
        """Return the same cores and device for `fraction` of the seconds left, from now on."""
        seconds = max(fraction * self.remaining(), 0.0)
        return Resources(seconds, self.num_cpus, self.device)


def idle_cores(most: int) -> int:
    """Return how many of `most` cores other programs leave idle now, at least 1.

    Threads of torch wait for each other after every product of matrices. One thread without a core
    of its own makes all of them wait, so that two threads on a busy machine are many times slower
    than one.

    Examples
    --------
    >>> idle_cores(1)
    1
    """
    if most <= 1:
        return 1
    import psutil

    busy: list[float] = psutil.cpu_percent(interval=LOOK, percpu=True)
    return max(1, min(most, sum(share < BUSY for share in busy)))


class _CutOff(BaseException):
    """Raised asynchronously; no ``except Exception`` of foreign code swallows it."""


def cut_off(
    seconds: float, stage: str, work: Callable[[], Result], *, imports: bool = False
) -> Result:
    """Return ``work()``, or raise `OutOfTime` once it has run for `seconds`.

    Works in any thread, also inside another cut, and leaves no process or thread behind. The work
    is interrupted between two Python instructions: a single long call into C code ends first, and
    so does an import, half of which would leave modules that nobody can import any more; with
    `imports`, an import is the work and is cut like any other. The start of a thread ends first,
    too.

    Raises
    ------
    OutOfTime
        The work had not finished after `seconds`, or no time was left to begin it.

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
    if seconds <= 0:
        raise OutOfTime(f"no time was left for {stage}")
    # Its own class for each cut, so that an inner cut lets an outer one pass. A function, not a
    # context manager: an interrupt that arrives between a block's end and its __exit__ could not be
    # caught there.
    signal: type[_CutOff] = type("_CutOff", (_CutOff,), {})
    thread = ctypes.c_ulong(threading.get_ident())
    lock, finished = threading.Lock(), threading.Event()
    sent = False

    def interrupt() -> None:
        nonlocal sent
        pause = min(seconds, threading.TIMEOUT_MAX)
        while not finished.wait(pause):
            stack = _stack(thread.value)
            if _is_starting_a_thread(stack) or (not imports and _is_importing(stack)):
                pause = LEFT_ALONE
                continue
            with lock:
                if not finished.is_set():
                    sent = True
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(signal))
            pause = REPEAT

    watch = threading.Thread(target=interrupt, daemon=True)

    def stop() -> None:
        with lock:
            finished.set()
        watch.join()
        if sent:  # what has not arrived yet must not arrive in the caller's code
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)

    try:
        try:
            watch.start()
            return work()
        finally:
            stop()
    except signal:
        stop()  # the interrupt may have arrived before or in the first
        raise OutOfTime(f"{stage} was {CUT_OFF} after {seconds:.2f} s") from None


def _is_importing(stack: Sequence[CodeType]) -> bool:
    """Return whether a thread is inside of an import."""
    return any(code.co_filename == "<frozen importlib._bootstrap>" for code in stack)


def _is_starting_a_thread(stack: Sequence[CodeType]) -> bool:
    """Return whether a thread waits for one that it starts.

    CPython gives the new one the identity of its parent until it runs. An interrupt would kill it,
    and the parent would wait for ever.
    """
    return threading.Thread.start.__code__ in stack


def _stack(thread: int) -> list[CodeType]:
    """Return the code that a thread is in, the innermost first."""
    # A garbage collection inside of this call waits for ever for a lock that the call holds, before
    # CPython 3.12 (github.com/python/cpython/issues/106883).
    collects = gc.isenabled()
    gc.disable()
    try:
        frame = sys._current_frames().get(thread)
    finally:
        if collects:
            gc.enable()
    stack = []
    while frame is not None:
        stack.append(frame.f_code)
        frame = frame.f_back
    return stack


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory could not be had, on a GPU or on the host.

    torch raises a type of its own on a GPU only; a failed allocation on the CPU is a plain
    RuntimeError that names the allocator.

    Examples
    --------
    >>> import torch
    >>> try:
    ...     torch.empty(2**60)
    ... except RuntimeError as error:
    ...     print(type(error).__name__, is_out_of_memory(error))
    RuntimeError True
    >>> is_out_of_memory(RuntimeError("shapes do not match"))
    False
    """
    torch = sys.modules.get("torch")  # who has not loaded it cannot have run out of its memory
    if isinstance(error, MemoryError) or (torch and isinstance(error, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
