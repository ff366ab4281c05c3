"""`Perturb`: real rows with swapped, mixed and jittered cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from autogluon_causalmix.arrays import Indices, Matrix
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
class Perturb:
    """Copies of real rows, changed a little inside of their class; labels stay as they are.

    Real rows are dealt out in rounds, so that each occurs equally often, give or take one. Three
    steps follow, each within a class:

    1. *swap*: a random share of the cells of each column is permuted among the rows drawn;
    2. *mixup* (Zhang et al., 2018): numbers become ``λ a + (1 − λ) b``, ``λ ~ Beta(α, α)``, of two
       rows drawn; a category, or a number that one of the two misses, is that of the first row with
       probability λ;
    3. *jitter*: numbers become ``x + σ s ε``, ``ε ~ N(0, 1)``, with ``s`` the standard deviation of
       the column in the class. They can leave the observed range; whole numbers and dates are
       rounded to their grid.

    It stands for the "TableAugment" of published comparisons, whose definition is not public: it is
    not that method, but what its name promises.

    Parameters
    ----------
    jitter : float
        σ, in standard deviations; 0 for none.
    swap : float
        The share of cells that are swapped; 0 for none.
    mixup : float
        α; 0 for none, 1 for λ uniform between 0 and 1.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"dose": [1.5, 2.25, 7.75], "cured": ["no", "no", "yes"]})
    >>> table, rng = Table.from_frame(frame, "cured"), np.random.default_rng(0)
    >>> Perturb(jitter=0.2).fit(table, rng, Resources(1.0)).sample(3, rng).frame
       dose cured
    0  7.75   yes
    1  2.16    no
    2  1.45    no
    """

    jitter: Annotated[float, Field(ge=0, le=10)] = 0.1
    swap: Annotated[float, Field(ge=0, le=1)] = 0.1
    mixup: Annotated[float, Field(ge=0, le=100)] = 0.0

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "FittedPerturb":
        """Keep the rows."""
        return FittedPerturb(table, self)


@dataclass(frozen=True)
class FittedPerturb(ClassByClass):
    """The rows, and how they are changed."""

    options: Perturb

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw `n_rows` rows."""
        rows = _dealt(len(self.table), n_rows, rng)
        cells = np.tile(rows[:, None], len(self.table.columns))
        groups = [np.flatnonzero(np.isin(rows, own)) for own in rows_by_class(self.table)]
        for group in groups:
            cells[group] = _swapped(cells[group], self.options.swap, rng)
        swapped = take_cells(self.table, cells)
        if not self.options.jitter and not self.options.mixup:
            return swapped
        values = swapped.encode()
        for group, own in zip(groups, rows_by_class(self.table), strict=True):
            if len(group):
                mixed = self._mixed(values[group], rng)
                values[group] = mixed + self._noise(self.table.take(own), len(group), rng)
        return self.table.decode(values)

    def _mixed(self, values: Matrix, rng: np.random.Generator) -> Matrix:
        """Mix each row of a class, shape (rows, columns), with another one of them."""
        if not self.options.mixup:
            return values
        other = values[rng.permutation(len(values))]
        weight = rng.beta(self.options.mixup, self.options.mixup, size=(len(values), 1))
        chosen = np.where(rng.random(values.shape) < weight, values, other)
        number = np.array([not column.is_categorical for column in self.table.columns])
        blend = weight * values + (1 - weight) * other
        return np.where(number & ~np.isnan(blend), blend, chosen)

    def _noise(self, own: Table, n_rows: int, rng: np.random.Generator) -> Matrix:
        """Draw the jitter of rows of a class whose real rows are `own`; 0 for categories."""
        noise = np.zeros((n_rows, len(own.columns)))
        for position, column in enumerate(own.columns):
            present = own.frame[column.name].dropna()
            if not column.is_categorical and len(present):
                spread = self.options.jitter * column.encode(present).std()
                noise[:, position] = spread * rng.normal(size=n_rows)
        return noise

    def describe(self) -> Mapping[str, object]:
        """Return the number of real rows, and notes on classes with a single row."""
        return {"real_rows": len(self.table), "notes": notes_on_single_rows(self.table)}


def _dealt(n_real: int, n_rows: int, rng: np.random.Generator) -> Indices:
    """Return `n_rows` positions of real rows in random order, all equally often or once more."""
    whole, rest = divmod(n_rows, n_real)
    rounds = np.repeat(np.arange(n_real), whole)
    return rng.permutation(np.concatenate([rounds, rng.permutation(n_real)[:rest]]))


def _swapped(cells: Indices, share: float, rng: np.random.Generator) -> Indices:
    """Permute a random share of each column of `cells`, shape (rows, columns)."""
    swapped = cells.copy()
    for position in range(cells.shape[1]):
        chosen = np.flatnonzero(rng.random(len(cells)) < share)
        swapped[chosen, position] = cells[rng.permutation(chosen), position]
    return swapped


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register the built-in generator ``"perturb"``."""
    register("perturb", Perturb)
