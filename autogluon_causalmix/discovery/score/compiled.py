"""`compiled`: loops that numba compiles where it is installed, and Python runs where it is not.

Import a module of such loops inside the functions that use it: numba takes half a second to import,
and compiles at the import. What it has compiled is kept on disk, for all later processes.
"""

import logging
from collections.abc import Callable
from functools import cache, partial
from typing import TypeVar, cast

logger = logging.getLogger("autogluon.causalmix")

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(signature: str) -> Callable[[Loop], Loop]:
    """Return a decorator that compiles a function for one signature, if numba is installed.

    The compiled function does the same operations in the same order as Python, so that it has the
    same results to the last bit. Other threads run meanwhile, but it cannot be interrupted.

    Parameters
    ----------
    signature : str
        Types of the result and of the arguments, as numba writes them.

    Examples
    --------
    >>> @compiled("i8(i8[::1])")
    ... def total(numbers):
    ...     result = 0
    ...     for number in numbers:
    ...         result += number
    ...     return result
    >>> import numpy as np
    >>> int(total(np.array([1, 2, 3])))
    6
    """
    if not has_numba():
        return lambda loop: loop
    from numba import njit

    # With NumPy's rule for division by zero, the compiler adds no checks.
    make = partial(njit, signature, nogil=True, error_model="numpy")

    def decorate(loop: Loop) -> Loop:
        try:
            return cast("Loop", make(cache=True)(loop))
        except RuntimeError as error:  # there is no folder that numba may write to
            logger.warning("%s: it is compiled again in every process", error)
            return cast("Loop", make()(loop))

    return decorate


@cache
def has_numba() -> bool:
    """Return whether numba can be imported, which takes half a second."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True
