"""The comparison of arms on several tables and splits."""

import itertools
import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from autogluon_causalmix.report.style import PALE, PALETTE, Drawing, caption, label, styled

METRICS = {"log_loss": "log-loss (lower is better)", "roc_auc": "ROC-AUC (higher is better)"}
RANGES = {"log_loss": (0.0, math.inf), "roc_auc": (0.0, 1.0)}


@styled
def draw_arms(scores: pd.DataFrame) -> Drawing:
    """Draw a comparison of arms: a row of panels per table, a dot per split, mean and spread.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per table, split and arm, in columns ``table``, ``split``, ``arm`` and any of
        ``log_loss`` and ``roc_auc``.

    Examples
    --------
    >>> scores = pd.DataFrame({"arm": ["zero-shot", "CausalMix"], "log_loss": [0.31, 0.28]})
    >>> [axes.get_title("left") for axes in draw_arms(scores.assign(table="wine", split=0)).axes]
    ['wine']
    """
    metrics = [name for name in METRICS if name in scores and scores[name].notna().any()]
    tables = list(dict.fromkeys(scores["table"]))
    arms = list(dict.fromkeys(scores["arm"]))
    height = (0.42 * len(arms) + 0.75) * len(tables) + 0.6
    figure = Drawing(figsize=(4.6 * len(metrics) + 0.6, height))
    grid = figure.subplots(len(tables), max(len(metrics), 1), squeeze=False)
    for row, table in zip(grid, tables, strict=True):
        for axes, metric in zip(row, metrics, strict=False):
            own = scores[scores["table"] == table]
            _arms(axes, own.pivot(index="arm", columns="split", values=metric).loc[arms])
            low, high = axes.get_xlim()
            axes.set_xlim(max(low, RANGES[metric][0]), min(high, RANGES[metric][1]))
            axes.set_title(label(str(table)) if axes is row[0] else "")
            axes.set_xlabel(METRICS[metric] if table == tables[-1] else "")
            if axes is not row[0]:
                axes.set_yticklabels([])
    dots = "Small dots: splits, joined by a line from arm to arm."
    caption(figure, f"{dots} Large dot and bar: mean and standard deviation.")
    return figure


def _arms(axes: Axes, values: pd.DataFrame) -> None:
    """Draw one metric of one table, shape (arms, splits)."""
    places = np.arange(len(values))
    axes.plot(values.to_numpy(), places, color=PALE, linewidth=1, zorder=1)
    axes.plot(
        values.to_numpy(),
        places,
        "o",
        color="#9aa5b1",
        markersize=4,
        markeredgecolor="white",
        zorder=4,
    )
    for place, color, (_, splits) in zip(
        places, itertools.cycle(PALETTE), values.iterrows(), strict=False
    ):
        spread = splits.std(ddof=1) if splits.count() > 1 else 0.0
        axes.errorbar(splits.mean(), place, xerr=spread, color=color, capsize=3, zorder=3)
        axes.plot(splits.mean(), place, "o", color=color, markersize=8, zorder=5)
    axes.set_yticks(places, [label(str(arm)) for arm in values.index])
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.spines["left"].set_visible(False)
