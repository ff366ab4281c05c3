"""Real beside synthetic rows, column by column."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from autogluon_causalmix.fidelity.marginals import distance
from autogluon_causalmix.records import Marginal
from autogluon_causalmix.report.style import (
    GREY,
    INK,
    PALE,
    VERMILION,
    Drawing,
    caption,
    fitting_size,
    label,
    styled,
    width,
)

MOST_PANELS = 24
ACROSS = 4  # panels in a row
PANEL, TITLE = 180.0, 155.0  # points: the width of a panel, and of the name of its column
LONGEST_NAME, LONGEST_LEVEL = 24, 34  # letters


@styled
def draw_marginals(marginals: Sequence[Marginal]) -> Drawing:
    """Draw real beside synthetic rows, the columns that differ most first.

    At most `MOST_PANELS` columns are drawn; the caption says how many are left out.
    """
    shown = sorted(marginals, key=distance, reverse=True)[:MOST_PANELS]
    across = min(ACROSS, max(len(shown), 1))
    rows = max(1, -(-len(shown) // across))
    figure = Drawing(figsize=(max(2.9 * across, 5.8), 1.8 * rows + 1.0))
    cells = iter(figure.subplots(rows, across, squeeze=False).flat)
    for marginal, axes in zip(shown, cells, strict=False):
        (_draw_bins if marginal.kind == "numeric" else _draw_levels)(axes, marginal)
        _title(axes, label(marginal.column, LONGEST_NAME), distance(marginal))
        axes.spines[["left", "right"]].set_visible(False)
        axes.yaxis.set_visible(False)
    for axes in cells:
        axes.axis("off")
    real, synthetic = (
        Line2D([], [], color=PALE, linewidth=8),
        Line2D([], [], color=VERMILION, linewidth=1.8),
    )
    figure.legend(
        [real, synthetic], ["real rows", "synthetic rows"], loc="outside upper left", ncols=2
    )
    said = "Beside each name: total variation distance, 0 the same, 1 nothing in common."
    left_out = f" The {len(marginals) - len(shown)} columns that differ least are left out."
    caption(figure, said + (left_out if len(shown) < len(marginals) else ""))
    return figure


def _title(axes: Axes, name: str, far: float) -> None:
    size = fitting_size(name, TITLE, 9.0, "bold")
    axes.set_title(name, fontsize=size, pad=4)
    text = f"{far:.2f}"
    axes.set_title(text, loc="right", pad=4, fontsize=8.5, color=GREY, weight="normal")


def _draw_bins(axes: Axes, marginal: Marginal) -> None:
    """Draw shares over bins of equal width, with names below the first, middle and last bin."""
    n_bins = len(marginal.real)
    axes.stairs(marginal.real, np.arange(n_bins + 1), fill=True, color=PALE)
    axes.stairs(marginal.synthetic, np.arange(n_bins + 1), color=VERMILION, linewidth=1.5)
    named = range(n_bins) if n_bins <= 5 else (0, n_bins // 2, n_bins - 1)
    axes.set_xticks([bin_ + 0.5 for bin_ in named], _names(marginal.labels, named), fontsize=7.5)
    axes.tick_params(axis="x", length=2, pad=2)
    axes.set_xlim(-0.2, n_bins + 0.2)
    axes.set_ylim(0, 1.25 * max(*marginal.real, *marginal.synthetic, 1e-9))
    if any(marginal.missing):
        said = f"missing {marginal.missing[0]:.0%} real, {marginal.missing[1]:.0%} synthetic"
        axes.text(
            1, 0.99, said, transform=axes.transAxes, ha="right", va="top", fontsize=7, color=GREY
        )


def _names(edges: Sequence[str] | Sequence[float], bins: Sequence[int]) -> list[str]:
    """Return the names of bins: the middle of two numbers, or the date or hour of the start."""
    dates = [label(edge, 19) for edge in (edges[bin_] for bin_ in bins) if isinstance(edge, str)]
    if dates:
        days = [date[:10] for date in dates]
        return days if len(set(days)) == len(days) else [date[-8:] for date in dates]
    return [_number(float(edges[bin_]) / 2 + float(edges[bin_ + 1]) / 2) for bin_ in bins]


def _number(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"


def _draw_levels(axes: Axes, marginal: Marginal) -> None:
    """Draw a bar per category, as long as its real share, and a line at its synthetic share."""
    has_missing = any(marginal.missing)
    names = [label(str(name), LONGEST_LEVEL) for name in marginal.labels] + [
        "missing"
    ] * has_missing
    real = [*marginal.real, marginal.missing[0]][: len(names)]
    synthetic = [*marginal.synthetic, marginal.missing[1]][: len(names)]
    places = list(range(len(names)))
    axes.barh(places, real, height=0.78, color=PALE)
    axes.vlines(
        synthetic, np.array(places) - 0.42, np.array(places) + 0.42, color=VERMILION, linewidth=2.2
    )
    longest = max(*real, *synthetic, 1e-9)
    size = min(7.5, 75 / len(names))
    for place, name, ends in zip(places, names, zip(real, synthetic, strict=True), strict=True):
        _level_name(axes, place, name, fitting_size(name, PANEL, size), ends, 1.06 * longest)
    axes.set(xlim=(0, 1.06 * longest), ylim=(len(names) - 0.4, -0.6))
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.tick_params(axis="x", length=2, pad=2, labelsize=7.5)


def _level_name(
    axes: Axes, place: int, name: str, size: float, ends: tuple[float, float], most: float
) -> None:
    """Write the name of a category into its bar, or behind it where only that has room for it."""
    point = most / PANEL
    needed = point * size * (width(name) + 0.5)
    inside = needed < min(ends) or needed > most - max(ends)
    start = 0.25 * size * point + (0 if inside else max(ends))
    axes.text(start, place, name, va="center_baseline", fontsize=size, color=INK)
