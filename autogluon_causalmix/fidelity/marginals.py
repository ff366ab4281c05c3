"""Real against synthetic rows, column by column, as shares that JSON can hold."""

import numpy as np

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.column import Column
from autogluon_causalmix.records import Marginal
from autogluon_causalmix.table import Table

BINS = 20
MOST_BARS = 10  # more bars than that cannot be read; the rest is pooled under a name that says so
TAIL = 0.01  # of the values on either side: one outlier must not squeeze all others into one bin


def marginals(real: Table, synthetic: Table) -> list[Marginal]:
    """Return the distribution of every column in two tables of the same columns.

    Both share their bins or categories. Shares are of all rows: those of the bins or categories and
    the share of missing values add up to 1. The outermost percents of a numeric column have a wide
    bin of their own on either side. Bins of whole numbers each hold equally many of them. The edges
    of dates and durations are text.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"dose": [1, 1, 2, 3], "ill": ["no", "no", "yes", "no"]})
    >>> real = Table.from_frame(frame, "ill")
    >>> dose, ill = marginals(real, real.take(np.array([0, 2])))
    >>> dose.labels, dose.real, dose.synthetic
    ([0.5, 1.5, 2.5, 3.5], [0.5, 0.25, 0.25], [0.5, 0.5, 0.0])
    >>> ill.labels, ill.real, ill.synthetic
    (['no', 'yes'], [0.75, 0.25], [0.5, 0.5])
    """
    pairs = zip(real.columns, real.encode().T, synthetic.encode().T, strict=True)
    return [_categorical(*pair) if pair[0].is_categorical else _numeric(*pair) for pair in pairs]


def distance(marginal: Marginal) -> float:
    """Return the total variation distance: 0 the same distribution, 1 nothing in common.

    Examples
    --------
    >>> shares = {"real": [0.5, 0.5], "synthetic": [0.25, 0.5], "missing": (0.0, 0.25)}
    >>> distance(Marginal(column="dose", kind="categorical", labels=["low", "high"], **shares))
    0.25
    """
    real, synthetic = (
        np.array([*marginal.real, marginal.missing[0]]),
        np.array([*marginal.synthetic, marginal.missing[1]]),
    )
    return float(np.abs(real - synthetic).sum() / 2)


def _numeric(column: Column, real: Matrix, synthetic: Matrix) -> Marginal:
    values = np.concatenate([real, synthetic])
    values = values[~np.isnan(values)]
    if not len(values):
        values = np.zeros(1)
    edges = _whole_edges(values) if column.is_whole else _edges(values)
    return Marginal(
        column=str(column.name),
        kind="numeric",
        labels=_labels(column, edges),
        real=_shares(np.digitize(real, edges[1:-1]), real, len(edges) - 1),
        synthetic=_shares(np.digitize(synthetic, edges[1:-1]), synthetic, len(edges) - 1),
        missing=(_missing(real), _missing(synthetic)),
    )


def _edges(values: Matrix) -> Matrix:
    """Return the edges of equal bins over all but the tails, which have a bin of their own."""
    scale = max(
        float(np.abs(values).max()), np.finfo("float64").tiny
    )  # the width of ±1e308 is no float
    low, high = _span(values / scale)
    return _with_tails(
        np.linspace(low, high, BINS + 1) * scale if low < high else np.full(2, low * scale), values
    )


def _whole_edges(values: Matrix) -> Matrix:
    """Return edges halfway between whole numbers.

    All bins are equally wide but for those of the tails.
    """
    low, high = _span(values)
    width = max(np.ceil((high - low + 1) / BINS), 1.0)
    return _with_tails(np.arange(low, high + width + 0.5, width) - 0.5, values, reach=0.5)


def _span(values: Matrix) -> tuple[float, float]:
    low, high = np.quantile(values, [TAIL, 1 - TAIL], method="nearest")
    return (float(low), float(high)) if low < high else (float(values.min()), float(values.max()))


def _with_tails(edges: Matrix, values: Matrix, reach: float = 0.0) -> Matrix:
    below = [values.min() - reach] if values.min() < edges[0] else []
    above = [values.max() + reach] if values.max() > edges[-1] else []
    return np.array([*below, *edges, *above])


def _labels(column: Column, edges: Matrix) -> list[str] | list[float]:
    if column.is_time:  # edges of whole numbers lie half a one below the first value they let in
        return [str(moment) for moment in column.moments(np.ceil(edges))]
    return [float(edge) + column.offset for edge in edges]


def _categorical(column: Column, real: Matrix, synthetic: Matrix) -> Marginal:
    assert column.levels is not None
    n_levels = len(column.levels)
    shares = [
        np.array(_shares(np.nan_to_num(rows).astype("int64"), rows, n_levels))
        for rows in (real, synthetic)
    ]
    order = np.argsort(-shares[0], kind="stable")
    n_shown = n_levels if n_levels <= MOST_BARS else MOST_BARS - 1
    shown, pooled = order[:n_shown], order[n_shown:]
    if column.is_ordered:
        shown = np.sort(shown)
    pool = [f"{len(pooled)} others"] if len(pooled) else []
    both = [
        [*share[shown].tolist(), *(float(share[pooled].sum()) for _ in pool)] for share in shares
    ]
    return Marginal(
        column=str(column.name),
        kind="categorical",
        labels=[*(str(column.levels[level]) for level in shown), *pool],
        real=both[0],
        synthetic=both[1],
        missing=(_missing(real), _missing(synthetic)),
    )


def _shares(bins: Indices, values: Matrix, n_bins: int) -> list[float]:
    """Return the share of all rows (rows,) that has a value and lies in each bin."""
    counts = np.bincount(bins[~np.isnan(values)], minlength=n_bins)
    return [float(count) / max(len(values), 1) for count in counts]


def _missing(values: Matrix) -> float:
    return float(np.isnan(values).sum() / max(len(values), 1))
