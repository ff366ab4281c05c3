"""Real against synthetic rows, column by column, as shares that a page can draw and JSON can hold."""

import numpy as np

from autogluon_causalmix.report import Marginal
from autogluon_causalmix.table import Column, Matrix, Table

BINS = 20
MOST_LEVELS = 12  # more bars than that cannot be read; the rest is pooled under a name that says so


def marginals(real: Table, synthetic: Table) -> list[Marginal]:
    """Return the distribution of every column in two tables of the same columns, over shared bins or categories."""
    pairs = zip(real.columns, real.encode().T, synthetic.encode().T, strict=True)
    return [_categorical(*pair) if pair[0].is_categorical else _numeric(*pair) for pair in pairs]


def _numeric(column: Column, real: Matrix, synthetic: Matrix) -> Marginal:
    values = np.concatenate([real, synthetic])
    values = values[~np.isnan(values)]
    edges = np.histogram_bin_edges(values if len(values) else [0.0, 1.0], bins=BINS)
    return Marginal(
        column=str(column.name),
        kind="numeric",
        labels=[float(edge) + column.offset for edge in edges],
        real=_shares(np.histogram(real, edges)[0], len(real)),
        synthetic=_shares(np.histogram(synthetic, edges)[0], len(synthetic)),
        missing=(float(np.isnan(real).mean()), float(np.isnan(synthetic).mean())),
    )


def _categorical(column: Column, real: Matrix, synthetic: Matrix) -> Marginal:
    assert column.levels is not None
    counts = [np.bincount(rows[~np.isnan(rows)].astype("int64"), minlength=len(column.levels)) for rows in (real, synthetic)]
    order = np.argsort(-counts[0], kind="stable")
    shown, pooled = order[:MOST_LEVELS], order[MOST_LEVELS:]
    labels = [str(column.levels[level]) for level in shown]
    shares = [[*_shares(count[shown], len(rows)), *_shares(count[pooled].sum(keepdims=True)[: len(pooled)], len(rows))]
              for count, rows in zip(counts, (real, synthetic), strict=True)]
    return Marginal(
        column=str(column.name),
        kind="categorical",
        labels=[*labels, f"{len(pooled)} others"] if len(pooled) else labels,
        real=shares[0],
        synthetic=shares[1],
        missing=(float(np.isnan(real).mean()), float(np.isnan(synthetic).mean())),
    )


def _shares(counts: np.ndarray, rows: int) -> list[float]:
    return [float(count) / rows for count in counts]
