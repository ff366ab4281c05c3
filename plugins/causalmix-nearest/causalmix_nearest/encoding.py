"""Rows of any table as numbers between 0 and 1, with what is needed to encode later rows alike."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from autogluon_causalmix.plugin import Column, Indices, Matrix, Table

MOST_LEVELS = 20
"""Categories of one feature that get a column of their own; a key would get one for each row."""


@dataclass(frozen=True)
class Encoding:
    """What the context says about its features.

    Attributes
    ----------
    columns : tuple of Column
        The features.
    values : list of numpy.ndarray
        Of each feature: its most frequent codes if it is categorical, else all its sorted values.
    """

    columns: tuple[Column, ...]
    values: list[Matrix]

    @classmethod
    def fit(cls, table: Table) -> "Encoding":
        """Take values and categories from the rows of a table."""
        columns = table.feature_columns
        known = [column.encode(table.frame[column.name]) for column in columns]
        return cls(columns, [_seen(*pair) for pair in zip(columns, known, strict=True)])

    @property
    def notes(self) -> tuple[str, ...]:
        """Say which features have categories without a column of their own."""
        pairs = zip(self.columns, self.values, strict=True)
        return tuple(
            f"nearest tells the {MOST_LEVELS} most frequent categories of {column.name!r} apart; "
            "the others look alike to it"
            for column, values in pairs
            if column.levels is not None and len(column.levels) > len(values) == MOST_LEVELS
        )

    @property
    def sources(self) -> Indices:
        """Positions of the features that the columns of `encode` come from, shape (C,)."""
        pairs = zip(self.columns, self.values, strict=True)
        widths = [1 + len(values) if column.is_categorical else 1 for column, values in pairs]
        return np.repeat(np.arange(len(widths)), widths)

    def encode(self, features: pd.DataFrame) -> Matrix:
        """Return rows as numbers between 0 and 1, shape (rows, C).

        A number becomes its rank among those of the context, 0.5 if it is missing. A category
        becomes one column of zeros and ones for each category of the context, and one for missing.
        """
        pairs = zip(self.columns, self.values, strict=True)
        parts = []
        for column, values in pairs:
            given = column.encode(features[column.name])
            parts.append((_levels if column.is_categorical else _ranks)(given, values))
        return np.column_stack(parts)


def _seen(column: Column, values: Matrix) -> Matrix:
    present = values[~np.isnan(values)]
    if not column.is_categorical:
        return np.sort(present)
    codes, counts = np.unique(present, return_counts=True)
    return codes[np.argsort(-counts, kind="stable")][:MOST_LEVELS]


def _ranks(given: Matrix, values: Matrix) -> Matrix:
    below, up_to = (np.searchsorted(values, given, side) for side in ("left", "right"))
    return np.where(np.isnan(given), 0.5, (below + up_to) / (2 * max(len(values), 1)))


def _levels(given: Matrix, values: Matrix) -> Matrix:
    return np.column_stack([np.isnan(given), given[:, None] == values]).astype("float64")
