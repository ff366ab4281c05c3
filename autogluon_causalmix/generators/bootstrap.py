"""`Bootstrap`: real rows drawn with replacement, the baseline of every comparison."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.generators.conditional import matching
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class Bootstrap:
    """Real rows drawn with replacement (Efron, 1979).

    A generator that does not beat it adds nothing that more copies of the real rows would not add.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"dose": [1, 2, 3], "cured": ["no", "no", "yes"]})
    >>> table, rng = Table.from_frame(frame, "cured"), np.random.default_rng(0)
    >>> Bootstrap().fit(table, rng, Resources(1.0)).sample(4, rng).frame["dose"].tolist()
    [3, 2, 2, 1]
    """

    def fit(
        self, table: Table, rng: np.random.Generator, resources: Resources
    ) -> "FittedBootstrap":
        """Keep the rows."""
        return FittedBootstrap(table)


@dataclass(frozen=True)
class FittedBootstrap:
    """The rows to draw from."""

    table: Table

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw `n_rows` rows, each real row with the same probability."""
        return self.table.take(rng.integers(len(self.table), size=n_rows))

    def can_condition(self, where: Mapping[Hashable, object]) -> bool:
        """Return whether some real row has the values."""
        return bool(len(matching(self.table, where)))

    def sample_where(
        self, n_rows: int, rng: np.random.Generator, where: Mapping[Hashable, object]
    ) -> Table:
        """Draw from the real rows that have the values."""
        return FittedBootstrap(self.table.take(matching(self.table, where))).sample(n_rows, rng)

    def describe(self) -> Mapping[str, object]:
        """Return the number of real rows."""
        return {"real_rows": len(self.table)}


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register the built-in generator ``"bootstrap"``."""
    register("bootstrap", Bootstrap)
