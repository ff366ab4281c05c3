"""Metrics of pairs of columns: correlations, and tables of contingency."""

import itertools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.errors import NotApplicable
from autogluon_causalmix.fidelity.protocol import Better, Samples
from autogluon_causalmix.fidelity.univariate import total_variation
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

BINS = 5
"""Equally full bins of a numeric column in a table of contingency."""


@dataclass(frozen=True)
class CorrelationDifference:
    """Difference between the rank correlations of two numeric columns, mean over pairs.

    Rows without one of the two values are left out of a pair. A constant column has correlation 0
    with every other.
    """

    family: ClassVar[str] = "pairwise"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 2.0)
    reference: ClassVar[str] = "Spearman, 1904; SDMetrics' CorrelationSimilarity (2016)"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the mean absolute difference over pairs of numeric columns."""
        wanted, drawn = _correlations(rows.holdout), _correlations(rows.synthetic)
        pairs = np.triu_indices(len(wanted), 1)
        if not len(pairs[0]):
            raise NotApplicable("there are fewer than two numeric columns")
        return float(np.abs(wanted - drawn)[pairs].mean())


@dataclass(frozen=True)
class ContingencyDifference:
    """Total variation distance of two columns at once, mean over all pairs.

    Numbers are cut into five bins that are equally full in the training rows. A gap is a level.
    """

    family: ClassVar[str] = "pairwise"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = "SDMetrics' ContingencySimilarity (2016), as a distance"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the mean distance over pairs of columns."""
        edges = _edges(rows.real)
        wanted, drawn = (_binned(table, edges) for table in (rows.holdout, rows.synthetic))
        widths = np.maximum(wanted.max(axis=0), drawn.max(axis=0)) + 1
        return float(
            np.mean(
                [
                    total_variation(
                        wanted[:, i] * widths[j] + wanted[:, j],
                        drawn[:, i] * widths[j] + drawn[:, j],
                    )
                    for i, j in itertools.combinations(range(len(widths)), 2)
                ]
            )
        )


def _correlations(table: Table) -> Matrix:
    """Return Spearman's correlations of the numeric columns, 0 where there is none."""
    numeric = [not column.is_categorical for column in table.columns]
    found = pd.DataFrame(table.encode()[:, numeric]).corr(method="spearman", min_periods=2)
    return np.asarray(np.nan_to_num(found.to_numpy(dtype="float64")))


def _edges(table: Table) -> list[Matrix | None]:
    """Return the inner edges of the bins of each numeric column, None for categories."""
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    return [
        None
        if column.is_categorical
        else np.unique(np.quantile(values[~np.isnan(values)], inner))
        if not np.isnan(values).all()
        else np.empty(0)
        for column, values in zip(table.columns, table.encode().T, strict=True)
    ]


def _binned(table: Table, edges: list[Matrix | None]) -> Matrix:
    """Return levels as whole numbers, shape (rows, columns): 0 for a gap."""
    values = table.encode()
    missing = np.isnan(values)
    bins = [
        column if inner is None else np.searchsorted(inner, column, side="left")
        for column, inner in zip(values.T, edges, strict=True)
    ]
    return np.where(missing, 0.0, np.column_stack(bins) + 1.0)


@hookimpl
def causalmix_register_metrics(register: Register) -> None:
    """Register the built-in metrics of pairs."""
    register("correlation", CorrelationDifference)
    register("contingency", ContingencyDifference)
