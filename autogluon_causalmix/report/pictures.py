"""The pictures of a fit: edge beliefs, training curves, real against synthetic columns, a comparison of arms.

Every function returns a `matplotlib.figure.Figure` of its own: pyplot and its state stay out of it.
"""

import io
import itertools
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.fidelity.marginals import distance
from autogluon_causalmix.records import FitReport, Marginal
from autogluon_causalmix.report.graph import draw_graph as draw_graph
from autogluon_causalmix.report.style import (
    ARMS,
    BLUE,
    GREY,
    INK,
    PALE,
    VERMILION,
    caption,
    label,
    styled,
)

MOST_PANELS = 24
ACROSS = 4  # panels in a row
METRICS = {"log_loss": "log-loss (lower is better)", "roc_auc": "ROC-AUC (higher is better)"}


@styled
def draw_curve(report: FitReport) -> Figure:
    """Draw training and validation log-loss by step; the pretrained model and the weights kept are marked."""
    figure = Figure(figsize=(6.4, 3.3))
    axes = figure.subplots()
    train = [
        (point.step, point.train_loss) for point in report.curve if point.train_loss is not None
    ]
    if train:
        axes.plot(
            *zip(*train, strict=True),
            color=GREY,
            linewidth=1.1,
            marker=".",
            markersize=4,
            label="training (mean since the last point)",
        )
    _validation(axes, report, "validation", BLUE)
    _finish_curves(axes)
    if not report.curve:
        axes.text(0.5, 0.5, "no step was taken", transform=axes.transAxes, ha="center", color=GREY)
    return figure


@styled
def draw_curves(reports: Mapping[str, FitReport]) -> Figure:
    """Draw the validation log-loss of several arms by step.

    Arms that start from the same loss were judged on the same rows under the same weights, and share a panel. Arms
    that never took a step are left out, and named in the caption.
    """
    panels: dict[str, dict[str, FitReport]] = {}
    for arm, report in reports.items():
        if len(_judged(report)) > 1:
            panels.setdefault(f"{_judged(report)[0][1]:.6f}", {})[arm] = report
    across, down = min(2, max(len(panels), 1)), max(1, -(-len(panels) // 2))
    figure = Figure(figsize=(6.4 if across == 1 else 10.0, 3.5 * down))
    cells = iter(figure.subplots(down, across, squeeze=False).flat)
    for panel, axes in zip(panels.values(), cells, strict=False):
        for color, (arm, report) in zip(itertools.cycle(ARMS[1:]), panel.items(), strict=False):
            _validation(axes, report, label(arm), color)
        _finish_curves(axes)
    for axes in cells:
        axes.axis("off")
    still = [label(arm) for arm in reports if not any(arm in panel for panel in panels.values())]
    if still:
        caption(figure, f"Took no step that was judged: {', '.join(still)}.")
    return figure


def _judged(report: FitReport) -> list[tuple[int, float]]:
    return [
        (point.step, point.validation_loss)
        for point in report.curve
        if point.validation_loss is not None
    ]


def _validation(axes: Axes, report: FitReport, name: str, color: str) -> None:
    """Draw validation loss by step, hollow at the pretrained model, a large dot at the weights that were kept."""
    points = _judged(report)
    if not points:
        return
    kept = [(step, loss) for step, loss in points if step == report.kept_step]
    said = "".join(
        f", kept: {f'step {step}' if step else 'pretrained'}, {loss:.3f}" for step, loss in kept
    )
    axes.plot(*zip(*points, strict=True), color=color, linewidth=1.8, label=name + said, zorder=3)
    axes.plot(
        *points[0],
        "o",
        color="white",
        markeredgecolor=color,
        markersize=6,
        markeredgewidth=1.5,
        zorder=4,
    )
    axes.plot(
        [step for step, _ in kept],
        [loss for _, loss in kept],
        "o",
        color=color,
        markersize=9,
        zorder=5,
    )


def _finish_curves(axes: Axes) -> None:
    axes.set(xlabel="optimiser step (0: the pretrained model)", ylabel="log-loss")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="y")
    axes.margins(x=0.04, y=0.1)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.3, fontsize=8.8)


@styled
def draw_marginals(marginals: Sequence[Marginal]) -> Figure:
    """Draw real beside synthetic columns, those that differ most first; the caption says how many are left out."""
    shown = sorted(marginals, key=distance, reverse=True)[:MOST_PANELS]
    across = min(ACROSS, max(len(shown), 1))
    rows = max(1, -(-len(shown) // across))
    figure = Figure(figsize=(max(2.9 * across, 5.8), 1.8 * rows + 1.0))
    cells = iter(figure.subplots(rows, across, squeeze=False).flat)
    for marginal, axes in zip(shown, cells, strict=False):
        (_draw_bins if marginal.kind == "numeric" else _draw_levels)(axes, marginal)
        axes.set_title(label(marginal.column, 24), fontsize=9, pad=4)
        axes.set_title(
            f"{distance(marginal):.2f}",
            fontsize=8.5,
            loc="right",
            color=GREY,
            weight="normal",
            pad=4,
        )
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


def _draw_bins(axes: Axes, marginal: Marginal) -> None:
    """Draw shares over bins that are all drawn equally wide, and name the first, middle and last of them."""
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
    """Return what stands below bins: the middle between two numbers, the date or else the hour where they begin."""
    dates = [label(edge, 19) for edge in (edges[bin_] for bin_ in bins) if isinstance(edge, str)]
    if dates:
        days = [date[:10] for date in dates]
        return days if len(set(days)) == len(days) else [date[-8:] for date in dates]
    return [_number(float(edges[bin_]) / 2 + float(edges[bin_ + 1]) / 2) for bin_ in bins]


def _number(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"


def _draw_levels(axes: Axes, marginal: Marginal) -> None:
    """Draw a bar per category with its name inside, and a line where the synthetic share is."""
    has_missing = any(marginal.missing)
    names = [label(str(name), 34) for name in marginal.labels] + ["missing"] * has_missing
    real = [*marginal.real, marginal.missing[0]][: len(names)]
    synthetic = [*marginal.synthetic, marginal.missing[1]][: len(names)]
    places = list(range(len(names)))
    axes.barh(places, real, height=0.78, color=PALE)
    axes.vlines(
        synthetic, np.array(places) - 0.42, np.array(places) + 0.42, color=VERMILION, linewidth=2.2
    )
    longest = max(*real, *synthetic, 1e-9)
    size = min(7.5, 75 / len(names))
    letter = 0.0029 * size * longest  # about the width of one, measured on panels 2.7 inches wide
    for place, name, ends in zip(places, names, zip(real, synthetic, strict=True), strict=True):
        inside = letter * (len(name) + 1) < min(ends) or letter * (
            len(name) + 1
        ) > 1.06 * longest - max(ends)
        start = letter / 2 + (0 if inside else max(ends))
        axes.text(start, place, name, va="center_baseline", fontsize=size, color=INK)
    axes.set(xlim=(0, 1.06 * longest), ylim=(len(names) - 0.4, -0.6))
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.tick_params(axis="x", length=2, pad=2, labelsize=7.5)


@styled
def draw_arms(scores: pd.DataFrame) -> Figure:
    """Draw a comparison of arms: a row of panels per table, every split a dot, their mean and spread on top.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per table, split and arm, in columns ``table``, ``split``, ``arm`` and any of ``log_loss`` and
        ``roc_auc``.

    Examples
    --------
    >>> rows = {"table": ["wine"] * 2, "split": [0, 0], "arm": ["zero-shot", "CausalMix"], "log_loss": [0.31, 0.28]}
    >>> [axes.get_title("left") for axes in draw_arms(pd.DataFrame(rows)).axes]
    ['wine']
    """
    metrics = [name for name in METRICS if name in scores and scores[name].notna().any()]
    tables = list(dict.fromkeys(scores["table"]))
    arms = list(dict.fromkeys(scores["arm"]))
    height = (0.42 * len(arms) + 0.75) * len(tables) + 0.6
    figure = Figure(figsize=(4.6 * len(metrics) + 0.6, height))
    grid = figure.subplots(len(tables), max(len(metrics), 1), squeeze=False)
    for row, table in zip(grid, tables, strict=True):
        for axes, metric in zip(row, metrics, strict=False):
            _arms(
                axes,
                scores[scores["table"] == table]
                .pivot(index="arm", columns="split", values=metric)
                .loc[arms],
            )
            axes.set_title(label(str(table)) if axes is row[0] else "")
            axes.set_xlabel(METRICS[metric] if table == tables[-1] else "")
            if axes is not row[0]:
                axes.set_yticklabels([])
    caption(
        figure,
        "Small dots: splits, joined by a line from arm to arm. Large dot and bar: mean and standard deviation.",
    )
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
        places, itertools.cycle(ARMS), values.iterrows(), strict=False
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


def to_svg(figure: Figure) -> str:
    """Return a picture as the text of an SVG file."""
    return _render(figure, "svg").decode("utf-8")


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture; the ending of `path`, .svg or .png, says in which format.

    Raises
    ------
    ConfigError
        `path` ends in something else.
    """
    ending = Path(path).suffix.lower()
    if ending not in {".svg", ".png"}:
        raise ConfigError(f"a picture is written as .svg or .png, got {path}")
    Path(path).write_bytes(_render(figure, ending[1:]))


@styled
def _render(figure: Figure, ending: str) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Names in scripts that matplotlib's font lacks: SVG holds them as text, which the reader's fonts draw.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure.savefig(
            buffer, format=ending, dpi=160, metadata={"Date": None} if ending == "svg" else None
        )
    return buffer.getvalue()
