"""What each arm gains: of the study itself, and on other weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from autogluon_causalmix.arrays import Matrix
from benchmarks.founding.cells import GAINS

OUTCOME = "average_gain"
RUN = ["table", "split", "seed"]
PAIRS = (
    ("scm", "real rows"),
    ("scm", "bootstrap"),
    ("scm", "columns independent"),
    ("scm", "edges reversed"),
    ("unseen real rows", "real rows"),
)


def spread(cells: pd.DataFrame) -> str:
    """Return the gains of each arm, means of tables, as a table."""
    means = finished(cells).groupby(["arm", "table"])[list(GAINS)].mean().groupby("arm")
    mean, error = means.mean(), means.sem()
    return "\n".join(
        [
            "| arm | gain | of the last weights | of what the package keeps | in ROC-AUC |",
            "|---|---:|---:|---:|---:|",
            *(
                f"| {arm} | "
                + " | ".join(with_error(mean[name][arm], error[name][arm]) for name in GAINS)
                + " |"
                for arm in mean.sort_values(OUTCOME, ascending=False).index
            ),
        ]
    )


def of_arms(cells: pd.DataFrame) -> list[str]:
    """Return the section on the arms of the study."""
    return [
        "## What each arm gains",
        "Log-loss over the pretrained model; ± over tables.",
        spread(cells),
        pairs(cells),
    ]


def of_rivals(cells: pd.DataFrame, rivals: pd.DataFrame) -> list[str]:
    """Return the section on arms that were run on some of the runs, each beside those of the study.

    Parameters
    ----------
    cells, rivals : pandas.DataFrame
        Of the study, and of the other arms.
    """
    done = finished(rivals)
    if done.empty:
        return []
    lines = [
        "| arm | runs | gain | − scm | − real rows | of what the package keeps |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for arm, own in done.groupby("arm"):
        beside = finished(cells).merge(own[RUN].drop_duplicates(), on=RUN)
        means = pd.concat([own, beside]).groupby(["table", "arm"])[list(GAINS)].mean()
        gains = means[OUTCOME].unstack()
        shown = [gains[arm], gains[arm] - gains["scm"], gains[arm] - gains["real rows"]]
        shown.append(means["guarded_gain"].unstack()[arm])
        each = (over_tables(gain.dropna().to_numpy()) for gain in shown)
        lines.append(f"| {arm} | {len(own)} | {' | '.join(each)} |")
    return [
        "## Other generators",
        "Log-loss over the pretrained model; ± over tables. Each is compared on its own runs.",
        "\n".join(lines),
    ]


def on_other_weights(cells: pd.DataFrame) -> list[str]:
    """Return a section on each other backbone of these cells."""
    parts = []
    for backbone, own in cells.groupby("backbone"):
        counted = (
            f"The same question on `{backbone}`: {len(own)} cells on {own['table'].nunique()} "
            f"tables, {own['split'].nunique()} splits; {(own['error'] != '').sum()} failed. Arms "
            "are too few to correlate metrics with the gain."
        )
        parts += [f"## On `{backbone}`", counted, spread(own), pairs(own)]
    return parts


def pairs(cells: pd.DataFrame) -> str:
    """Return how far arms lie apart, paired over tables."""
    gains = finished(cells).pivot_table(index="table", columns="arm", values=OUTCOME)
    said = []
    for first, second in PAIRS:
        if {first, second} <= {*gains}:
            own = (gains[first] - gains[second]).dropna().to_numpy()
            better = f"better on {(own > 0).sum()} of {len(own)} tables"
            said.append(f"{first} − {second}: {over_tables(own)}, {better}")
    return f"Paired over tables: {'; '.join(said)}." if said else ""


def finished(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that did not fail."""
    return cells[cells["error"] == ""]


def over_tables(gains: Matrix) -> str:
    """Return the mean of gains, shape (tables,), with its standard error."""
    error = float(stats.sem(gains)) if len(gains) > 1 else float("nan")
    return with_error(float(gains.mean()), error)


def with_error(mean: float, error: float) -> str:
    """Return a mean over tables; that over one table has no error."""
    return f"{mean:+.4f}" + ("" if np.isnan(error) else f" ± {error:.4f}")
