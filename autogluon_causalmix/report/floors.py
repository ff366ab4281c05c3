"""The picture of a fidelity report: each metric between its two floors."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from autogluon_causalmix.fidelity.protocol import shortfall
from autogluon_causalmix.fidelity.records import Measurement
from autogluon_causalmix.report.style import (
    BLUE,
    GREY,
    PALE,
    VERMILION,
    Drawing,
    caption,
    label,
    styled,
)

ROW = 0.26  # inches of one metric
COLUMNS = {"synthetic": (1.22, VERMILION), "real": (1.37, BLUE), "null": (1.52, GREY)}
"""Where the numbers of each kind of rows stand, where 1 is the best value, and their colour."""


@styled
def draw_floors(measurements: Sequence[Measurement]) -> Drawing:
    """Draw one line per metric, better to the right: synthetic rows and the two floors.

    Each line has a scale of its own, from the worst of its values to the best. Metrics without a
    value of the synthetic rows or of a floor are left out.

    Examples
    --------
    >>> facts = {"family": "marginal", "summary": "", "reference": "", "distribution": "this"}
    >>> facts |= {"options": {}, "better": "lower", "bounds": (0, 1), "reason": "", "seconds": 0.1}
    >>> values = {"synthetic": 0.3, "real": 0.1, "null": 0.2, "spread": 0.05}
    >>> picture = draw_floors([Measurement(name="ks", **facts, **values)])
    >>> [text.get_text() for text in picture.axes[0].get_yticklabels()]
    ['ks']
    """
    shown = [each for each in measurements if each.standing is not None]
    figure = Drawing(figsize=(7.4, ROW * max(len(shown), 1) + 1.3))
    axes = figure.subplots()
    for place, each in enumerate(shown):
        _draw(axes, place, each)
    axes.set_yticks(range(len(shown)), [label(each.name, 26) for each in shown])
    axes.set(xlim=(-0.04, 1.54), ylim=(len(shown) - 0.4, -0.6))
    axes.set_xticks([0, 1], ["worse", "better"])
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    figure.legend(
        [
            Line2D([], [], color=VERMILION, marker="o", linestyle="none"),
            Line2D([], [], color=BLUE, marker="|", markersize=12, linestyle="none"),
            Line2D([], [], color=GREY, marker="|", markersize=12, linestyle="none"),
        ],
        ["synthetic rows", "real against real", "real rows drawn again"],
        loc="outside upper left",
        ncols=3,
    )
    caption(
        figure,
        "Each line has a scale of its own, from the worst of the three values to the best. The "
        "bar lies between the floors. Numbers: synthetic rows, and both floors.",
    )
    return figure


def _draw(axes: Axes, place: int, measured: Measurement) -> None:
    """Draw the line of one metric."""
    values = {kind: float(getattr(measured, kind)) for kind in COLUMNS}
    far = {kind: shortfall(measured.better, value) for kind, value in values.items()}
    worst, best = max(far.values()), min(far.values())
    spots = {kind: (worst - own) / ((worst - best) or 1.0) for kind, own in far.items()}
    axes.hlines(place, 0, 1, color=PALE, linewidth=0.6, zorder=0)
    axes.plot(
        [spots["real"], spots["null"]],
        [place, place],
        color=PALE,
        linewidth=8,
        solid_capstyle="butt",
        zorder=1,
    )
    for kind in ("real", "null"):
        axes.plot(spots[kind], place, "|", color=COLUMNS[kind][1], markersize=12, mew=2.2, zorder=2)
    axes.plot(spots["synthetic"], place, "o", color=VERMILION, markersize=7, zorder=3)
    for kind, (x, color) in COLUMNS.items():
        text = f"{values[kind]:.3f}"
        axes.text(x, place, text, color=color, fontsize=8, va="center", ha="right")
