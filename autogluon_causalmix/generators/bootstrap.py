"""`Bootstrap`: the null of every comparison, real rows drawn with replacement."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class Bootstrap:
    """Real rows drawn with replacement (Efron, 1979).

    A generator that does not beat it has added nothing to the real rows but their number.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"dose": [1, 2, 3], "cured": ["no", "no", "yes"]})
    >>> fitted = Bootstrap().fit(Table.from_frame(frame, "cured"), np.random.default_rng(0), Resources(1.0))
    >>> fitted.sample(4, np.random.default_rng(0)).frame["dose"].tolist()
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
        """Draw `n_rows` of the rows, each with the same probability."""
        return self.table.take(rng.integers(len(self.table), size=n_rows))

    def describe(self) -> Mapping[str, object]:
        """Say what is drawn from."""
        return {"real_rows": len(self.table)}


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register what this module knows."""
    register("bootstrap", Bootstrap)
