"""What the package asks of a generator of synthetic rows.

A generator is a small class whose fields are its options. It needs no base class::

    @dataclass(frozen=True)
    class Noisy:
        scale: float = 0.1

        def fit(
            self, table: Table, rng: np.random.Generator, resources: Resources
        ) -> FittedGenerator: ...
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@runtime_checkable
class FittedGenerator(Protocol):
    """What `Generator.fit` returns.

    A fitted generator may have a method ``describe() -> Mapping[str, object]``: JSON-able facts for
    the fit report. Of these, ``"graph"`` (``{"nodes": [...], "probability": [[...]]}``, entry
    ``[i][j]`` the belief in the edge i → j) is drawn, and ``"notes"`` (a list of sentences) is
    logged: every fallback belongs there.
    """

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw `n_rows` rows with the columns, dtypes and categories of the fitted table."""
        ...


@runtime_checkable
class Generator(Protocol):
    """A generator of synthetic rows; its fields are its options."""

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> FittedGenerator:
        """Learn from the real rows of `table`, all randomness from `rng`, within `resources`."""
        ...


def describe(fitted: FittedGenerator) -> Mapping[str, object]:
    """Return what `fitted` says of itself, an empty mapping where it says nothing."""
    method = getattr(fitted, "describe", None)
    return {} if method is None else method()
