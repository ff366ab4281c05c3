"""What the checks of all kinds of plugin share."""

import contextlib
import pickle
import random
import sys
from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from autogluon_causalmix.entry import Owner
from autogluon_causalmix.errors import CausalMixError

Thing = TypeVar("Thing")

OWNER = Owner("under test", "this package", "0")

AMPLE = 120.0
"""Seconds for one fit to a toy table."""

SHORT = 1.0
"""Seconds: too few for a thorough discovery."""

GRACE = 5.0
"""Seconds after which a fit that had `SHORT` ones has ignored them; slow machines need the
difference."""


def require(condition: bool, otherwise: str) -> None:
    """Raise an AssertionError that says `otherwise` unless a condition holds."""
    if not condition:
        raise AssertionError(otherwise)


def pickled(thing: Thing) -> Thing:
    """Return a copy of an object that went through pickle."""
    try:
        copied: Thing = pickle.loads(pickle.dumps(thing))  # noqa: S301 - our own bytes, of a moment ago
    except Exception as error:  # foreign code: pickling runs the plugin's code
        raise AssertionError(
            f"{type(thing).__name__} cannot be pickled, as ray workers need: {error}"
        ) from error
    return copied


@contextlib.contextmanager
def blamed(label: str) -> Iterator[None]:
    """Turn whatever goes wrong in the block into an AssertionError that begins with `label`."""
    try:
        yield
    except (CausalMixError, AssertionError) as error:
        raise AssertionError(f"{label}: {error}") from error
    except Exception as error:  # foreign code may raise anything
        raise AssertionError(f"{label}: it raised {type(error).__name__}: {error}") from error


@contextlib.contextmanager
def global_randomness_kept() -> Iterator[None]:
    """Require that the block leaves the global generators as they were."""
    before = _global_states()
    yield
    after = _global_states()
    moved = [name for name in before if before[name] != after[name]]
    require(
        not moved,
        f"it moved the global random state of {moved}; draw from the rng that is handed in",
    )


def _global_states() -> dict[str, bytes]:
    states = {
        "random": pickle.dumps(random.getstate()),
        "numpy.random": pickle.dumps(np.random.get_state()),  # noqa: NPY002 - the state that must not move
    }
    torch = sys.modules.get(
        "torch"
    )  # looked up, not imported: who has not loaded it cannot have moved it
    return states if torch is None else {**states, "torch": torch.get_rng_state().numpy().tobytes()}
