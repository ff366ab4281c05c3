"""What the cells of a study say together: one row per metric and arm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from rich.table import Table as Grid

from benchmarks.study.cells import Cell, Metric, Outcome


def runs_of(outcomes: Iterable[tuple[Cell, Outcome]], metrics: Sequence[Metric]) -> pd.DataFrame:
    """Return one row per cell: table, split, arm, identity, error, and a column for each metric.

    A metric that a cell does not have is NaN.
    """
    rows = [
        {
            "table": cell.table.name,
            "split": cell.split.seed,
            "arm": cell.arm,
            **cell.factors,
            "identity": cell.identity,
            "error": outcome.error,
            **{metric.name: (outcome.values or {}).get(metric.name) for metric in metrics},
        }
        for cell, outcome in outcomes
    ]
    names = [metric.name for metric in metrics]
    return pd.DataFrame(rows).astype(dict.fromkeys(names, "float64"))


def summarize(runs: pd.DataFrame, metrics: Sequence[Metric], reference: str | None) -> pd.DataFrame:
    """Return one row per metric and arm.

    Parameters
    ----------
    runs : pandas.DataFrame
        What `runs_of` returns.
    metrics : sequence of Metric
        What is summarised.
    reference : str or None
        The arm that others are compared with, on the runs that both have: those of equal table,
        split and factors. None compares nothing.

    Returns
    -------
    pandas.DataFrame
        Columns: metric and arm; the numbers of tables, runs and failed runs; ``mean`` over tables
        of the mean over splits, with its standard error over tables, ``error``; ``difference``, arm
        minus reference, averaged in the same way over pairs of runs, with ``difference_error``;
        ``worse``, the share of pairs in which the arm loses more than the metric's bound.

    Examples
    --------
    >>> runs = pd.DataFrame({"table": ["a", "b"] * 2, "split": 0, "arm": ["old"] * 2 + ["new"] * 2,
    ...                      "error": "", "loss": [0.5, 0.7, 0.4, 0.7]})
    >>> summary = summarize(runs, [Metric("loss", "lower")], reference="old")
    >>> summary[["arm", "mean", "difference", "worse"]].round(2).values.tolist()
    [['old', 0.6, 0.0, 0.0], ['new', 0.55, -0.05, 0.0]]
    """
    arms = list(dict.fromkeys(runs["arm"]))
    beside = {"arm", "identity", "error", *(metric.name for metric in metrics)}
    keyed = runs.set_index([name for name in runs if name not in beside])
    rows = [_row(keyed, metric, arm, reference) for metric in metrics for arm in arms]
    return pd.DataFrame(rows)


def _row(
    runs: pd.DataFrame, metric: Metric, arm: str, reference: str | None
) -> dict[str, str | int | float]:
    mine = _values(runs, metric, arm)
    mean, error = _over_tables(mine)
    row: dict[str, str | int | float] = {
        "metric": metric.name,
        "arm": arm,
        "tables": mine.index.get_level_values("table").nunique(),
        "runs": len(mine),
        "failed": int((runs.loc[runs["arm"] == arm, "error"] != "").sum()),
        "mean": mean,
        "error": error,
    }
    compared = metric.better is not None and reference is not None
    pairs = (mine - _values(runs, metric, reference or "")).dropna() if compared else mine.iloc[:0]
    difference, difference_error = _over_tables(pairs)
    loss = -pairs if metric.better == "higher" else pairs
    worse = float((loss > metric.bound).mean()) if len(pairs) else np.nan
    return row | {
        "difference": difference,
        "difference_error": difference_error,
        "worse": worse,
    }


def _values(runs: pd.DataFrame, metric: Metric, arm: str) -> pd.Series:
    mine: pd.Series = runs.loc[(runs["arm"] == arm).to_numpy(), metric.name].dropna()
    if not mine.index.is_unique:
        raise ValueError(f"arm {arm!r} has two runs of one table, split and set of factors")
    return mine


def _over_tables(values: pd.Series) -> tuple[float, float]:
    """Return mean and standard error over tables of the means over their runs."""
    means = values.groupby(level="table").mean()
    error = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.nan
    return (float(means.mean()) if len(means) else np.nan), float(error)


def grid(summary: pd.DataFrame, reference: str | None) -> Grid:
    """Return a summary as a table to print."""
    against = f" to {reference}" if reference else ""
    table = Grid(
        "metric", "arm", "tables", "runs", "failed", "mean", f"difference{against}", "worse"
    )
    for row in summary.to_dict("records"):
        table.add_row(
            *(str(row[name]) for name in ("metric", "arm", "tables", "runs")),
            str(row["failed"] or ""),
            _number(row["mean"], row["error"], ""),
            _number(row["difference"], row["difference_error"], "+"),
            "" if pd.isna(row["worse"]) else f"{row['worse']:.0%}",
        )
    return table


def _number(value: float, error: float, sign: str) -> str:
    if pd.isna(value):
        return ""
    return f"{value:{sign}.4f}" + ("" if pd.isna(error) else f" ± {error:.4f}")
