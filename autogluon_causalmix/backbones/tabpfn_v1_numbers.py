"""Categories as numbers, of which TabPFN v1 has no idea.

The levels of a category without an order are numbered at random, or get a column each where they
are few; the views differ in that, so that no numbering decides. No label is looked at. A missing
value stays missing here, and becomes the mean of its column: columns that say where values are
missing changed the log-loss by −.001 and the AUC by −.001 (four tables, three splits).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Indices, Mask, Matrix
from autogluon_causalmix.column import Column

MOST_ONE_HOT_LEVELS = 5
"""Of a category whose levels get columns of their own: chosen of 5, 10, 20 and all on five tables;
with more of them the columns that matter drown."""


@dataclass(frozen=True)
class Numbering:
    """How rows become numbers in one view, fitted to the context rows.

    Attributes
    ----------
    orders : tuple of numpy.ndarray or None
        Per feature the number of each level, NaN of those that the context lacks; None for numbers
        and for categories with an order.
    single : numpy.ndarray of int
        The features that are one column.
    features, levels : numpy.ndarray of int
        Of each column that says whether a feature has a level.

    Examples
    --------
    >>> import pandas as pd
    >>> colour = Column.of(pd.Series(["red", "green", "blue", None], name="colour"))
    >>> rows = colour.encode(pd.Series(["red", "blue", "green", None]))[:, None]
    >>> rng = np.random.default_rng(0)
    >>> Numbering.fit(rows, (colour,), rng, most_columns=100, one_hot=True).encode(rows)
    array([[0., 0., 1.],
           [1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 0.]])
    """

    orders: tuple[Matrix | None, ...]
    single: Indices
    features: Indices
    levels: Indices

    @classmethod
    def fit(
        cls,
        rows: Matrix,
        columns: Sequence[Column],
        rng: np.random.Generator,
        *,
        most_columns: int,
        one_hot: bool,
    ) -> "Numbering":
        """Fit to context rows (N, features) in the encoding of `autogluon_causalmix.table.encode`.

        Parameters
        ----------
        rows, columns
            The context and what its columns are.
        rng : numpy.random.Generator
            Source of the numbers of levels.
        most_columns : int
            Above, no level gets a column of its own.
        one_hot : bool
            Whether levels get columns of their own where they are few.
        """
        seen = [
            _levels(codes) if column.is_categorical and not column.is_ordered else None
            for column, codes in zip(columns, rows.T, strict=True)
        ]
        orders = tuple(
            None if levels is None else _order(column, levels, rng)
            for column, levels in zip(columns, seen, strict=True)
        )
        few = {
            position: levels
            for position, levels in enumerate(seen)
            if levels is not None and 2 < len(levels) <= MOST_ONE_HOT_LEVELS
        }
        n_columns = len(columns) - len(few) + sum(map(len, few.values()))
        if not one_hot or n_columns > most_columns:
            few = {}
        pairs = [(position, level) for position, levels in few.items() for level in levels]
        of, level = np.array(pairs, dtype="int64").reshape(-1, 2).T
        single = np.setdiff1d(np.arange(len(columns)), list(few)).astype("int64")
        return cls(orders, single, of, level)

    def encode(self, rows: Matrix) -> Matrix:
        """Return rows (N, features) as numbers (N, D), NaN where one is missing."""
        numbers = rows.copy()
        for position, order in enumerate(self.orders):
            if order is not None:
                codes = rows[:, position]
                numbers[:, position] = order[np.where(np.isnan(codes), -1, codes).astype("int64")]
        has_level = rows[:, self.features] == self.levels
        return np.column_stack([numbers[:, self.single], has_level])


def _levels(codes: Matrix) -> Indices:
    """Return the levels that occur."""
    return np.unique(codes[~np.isnan(codes)]).astype("int64")


def _order(column: Column, seen: Indices, rng: np.random.Generator) -> Matrix:
    """Return a random number for each level that the context has, and NaN for a missing value."""
    assert column.levels is not None
    order = np.full(len(column.levels) + 1, np.nan)  # the last one for a missing value
    order[seen] = rng.permutation(len(seen))
    return order


def varies(numbers: Matrix) -> Mask:
    """Return the columns of (N, D) that have two different values, missing ones aside."""
    filled = np.where(np.isnan(numbers), np.inf, numbers)
    lowest = filled.min(axis=0)
    return np.asarray(((filled != lowest) & np.isfinite(filled)).any(axis=0))
