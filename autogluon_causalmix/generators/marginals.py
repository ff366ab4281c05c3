"""`Marginals`: columns drawn one by one given the class, a control."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.generators.cells import (
    ClassByClass,
    notes_on_single_rows,
    rows_by_class,
    take_cells,
)
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class Marginals:
    """Columns that are independent given the class: the naive Bayes model of the table.

    ``P(y, x_1, …, x_d) = P(y) ∏_j P(x_j | y)``, each factor the frequencies of the real rows. The
    class of a row is that of a real row, and each of its cells comes from another real row of this
    class; missing cells are drawn like values.

    A control: a generator that does not beat it gains nothing from the relations of the features
    to each other.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"a": [1, 2, 3], "b": [10, 20, 30], "cured": ["no", "no", "yes"]})
    >>> table, rng = Table.from_frame(frame, "cured"), np.random.default_rng(0)
    >>> Marginals().fit(table, rng, Resources(1.0)).sample(4, rng).frame
       a   b cured
    0  3  30   yes
    1  1  10    no
    2  1  10    no
    3  2  20    no
    """

    def fit(
        self, table: Table, rng: np.random.Generator, resources: Resources
    ) -> "FittedMarginals":
        """Keep the rows."""
        return FittedMarginals(table)


@dataclass(frozen=True)
class FittedMarginals(ClassByClass):
    """The rows whose cells are drawn."""

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw the classes of `n_rows` real rows, then each feature from rows of the same class."""
        labels = rng.integers(len(self.table), size=n_rows)
        cells = np.tile(labels[:, None], len(self.table.columns))
        for members in rows_by_class(self.table):
            own = np.isin(labels, members)
            cells[own] = rng.choice(members, size=(own.sum(), cells.shape[1]))
        return take_cells(self.table, cells)

    def describe(self) -> Mapping[str, object]:
        """Return the number of real rows, and notes on classes with a single row."""
        return {"real_rows": len(self.table), "notes": notes_on_single_rows(self.table)}


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register the built-in generator ``"marginals"``."""
    register("marginals", Marginals)
