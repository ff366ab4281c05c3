"""Other measures of each arm: error reduction, wins, spread, the gap to validation, calibration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.founding.claims import correlation_gap
from benchmarks.founding.gains import OUTCOME, RUN, finished

KEPT = "guarded_gain"
Point = dict[str, float]
"""Of a run: validation and test scores after some steps."""

ABOUT = (
    "Means over tables. *Reduction* is the gain over the log-loss of the pretrained model. *Wins* "
    "is the share of runs that gain. *Seeds* is the standard deviation over seeds of the gain, and "
    "of the gain of what the package keeps (*kept*). The gap of validation to test, three ways: "
    "*optimism*, what the weights that validation rows choose gain on these rows more than on test "
    "rows; 1 − ρ, Spearman's correlation of both losses along the run; *regret*, the test loss of "
    "these weights less that of the best of the run. *ECE* is the calibration error of the mean of "
    "the weights less that of the pretrained model. Memory was not kept."
)


def optimism(curve: Sequence[Point]) -> float:
    """Return how much more the weights that validation rows choose gain there than on test rows.

    Examples
    --------
    >>> steps = [(0.7, 0.8), (0.5, 0.7), (0.6, 0.5)]
    >>> round(optimism([{"validation_log_loss": v, "log_loss": t} for v, t in steps]), 6)
    0.1
    """
    first, chosen = curve[0], _chosen(curve)
    on_validation = first["validation_log_loss"] - chosen["validation_log_loss"]
    return on_validation - (first["log_loss"] - chosen["log_loss"])


def regret(curve: Sequence[Point]) -> float:
    """Return the test loss of the weights that validation rows choose, less that of the best.

    Examples
    --------
    >>> steps = [(0.7, 0.8), (0.5, 0.7), (0.6, 0.5)]
    >>> round(regret([{"validation_log_loss": v, "log_loss": t} for v, t in steps]), 6)
    0.2
    """
    return _chosen(curve)["log_loss"] - min(point["log_loss"] for point in curve)


def of_runs(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the measures of each arm, means over tables; index arm, the best gain first."""
    done = finished(cells)
    runs = done[["table", "arm", "seconds"]].assign(
        reduction=done[OUTCOME] / done["base_log_loss"],
        wins=(done[OUTCOME] > 0).astype(float),
        optimism=[optimism(curve) for curve in done["curve"]],
        spearman=[correlation_gap(curve) for curve in done["curve"]],
        regret=[regret(curve) for curve in done["curve"]],
        ece=[
            curve[-1]["calibration_error"] - curve[0]["calibration_error"]
            for curve in done["curve"]
        ],
        gain=done[OUTCOME],
    )
    means = runs.groupby(["arm", "table"]).mean().groupby("arm").mean()
    blocks = [name for name in RUN if name != "seed"]
    spread = done.groupby(["arm", *blocks])[[OUTCOME, KEPT]].std().groupby(["arm", "table"]).mean()
    seeds = spread.groupby("arm").mean().set_axis(["seeds", "seeds, kept"], axis=1)
    return means.join(seeds).sort_values("gain", ascending=False)


def other_measures(cells: pd.DataFrame) -> list[str]:
    """Return the section."""
    lines = [
        "| arm | reduction | wins | seeds | kept | optimism | 1 − ρ | regret | ECE | seconds |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for arm, own in of_runs(cells).iterrows():
        seeds, kept = (
            "–" if np.isnan(value) else f"{value:.4f}" for value in own[["seeds", "seeds, kept"]]
        )
        lines.append(
            f"| {arm} | {own['reduction']:+.1%} | {own['wins']:.0%} | {seeds} | {kept} "
            f"| {own['optimism']:+.3f} | {own['spearman']:.2f} | {own['regret']:.3f} "
            f"| {own['ece']:+.3f} | {own['seconds']:.0f} |"
        )
    return ["## Other measures", ABOUT, "\n".join(lines)]


def _chosen(curve: Sequence[Point]) -> Point:
    return min(curve, key=lambda point: point["validation_log_loss"])
