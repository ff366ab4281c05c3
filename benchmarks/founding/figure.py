"""The picture of the founding question: correlations of metrics, and average ranks of arms."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autogluon_causalmix.report.style import BLUE, GREY, INK, PALE, VERMILION, caption, styled
from benchmarks.founding.cells import METRIC
from benchmarks.founding.ranks import Ranks, cliques
from benchmarks.founding.within import Pooled


@styled
def draw(found: Sequence[Pooled], ranks: Ranks | None, ceiling: float | None) -> Figure:
    """Draw the correlation of each metric, the strongest first, and the ranks beside them."""
    shown = sorted((own for own in found if own.tables > 1), key=lambda own: own.correlation)
    figure = Figure(figsize=(10.5, 0.24 * max(len(shown), 12) + 1.2))
    left, right = figure.subplots(1, 2, width_ratios=[1.2, 1])
    _correlations(left, shown, ceiling)
    if ranks is None:
        right.text(0.5, 0.5, "too few tables for ranks", ha="center", color=GREY)
        right.set_axis_off()
    else:
        _ranks(right, ranks)
    caption(
        figure,
        "Left: Spearman's correlation within tables of each metric (turned so that higher is "
        "better) with the gain in log-loss, pooled over tables, with 95 % of the bootstrap over "
        "tables; blue where it is significant after Holm's correction.",
    )
    return figure


def _correlations(axes: Axes, shown: Sequence[Pooled], ceiling: float | None) -> None:
    for place, own in enumerate(shown):
        colour = BLUE if own.p_holm < 0.05 else GREY
        axes.hlines(place, own.low, own.high, color=colour, linewidth=1.6)
        axes.plot(own.correlation, place, "o", color=colour, markersize=4.5)
    axes.axvline(0, color=INK, linewidth=0.8)
    if ceiling is not None:
        axes.axvline(ceiling, color=VERMILION, linewidth=0.9, linestyle="--")
        axes.text(ceiling, len(shown) - 0.3, "ceiling", color=VERMILION, ha="right", va="bottom")
    axes.set_yticks(range(len(shown)), [own.metric.removeprefix(METRIC) for own in shown])
    axes.set(xlim=(-1, 1), ylim=(-0.7, len(shown) + 0.3), title="Fidelity and gain")
    axes.set_xlabel("correlation within tables")
    axes.grid(axis="x", color=PALE)


def _ranks(axes: Axes, ranks: Ranks) -> None:
    """Draw arms by average rank; bars join those that are not told apart."""
    names = list(ranks.mean.index)
    for place, (name, rank) in enumerate(ranks.mean.items()):
        axes.plot(rank, -place, "o", color=BLUE, markersize=5)
        axes.text(rank + 0.25, -place, str(name), va="center")
    for step, (first, last) in enumerate(cliques(ranks)):
        y = -len(names) - 0.5 - 0.6 * step
        axes.hlines(y, ranks.mean[first], ranks.mean[last], color=VERMILION, linewidth=3)
    bottom = -len(names) - 1.2 - 0.6 * len(cliques(ranks))
    axes.set(xlim=(0.5, len(names) + 3.5), ylim=(bottom, 0.8), title="Average rank of the gain")
    axes.set_xlabel(f"rank on {ranks.tables} tables; red bars: not told apart (Nemenyi, 5 %)")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
