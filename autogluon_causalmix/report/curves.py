"""Log-loss by step of fine-tuning."""

import itertools
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from autogluon_causalmix.records import FitReport, Member
from autogluon_causalmix.report.style import BLUE, GREY, PALETTE, Drawing, caption, label, styled


def runs_of(name: str, report: FitReport) -> dict[str, FitReport | Member]:
    """Return every fine-tuning of a fit by its name: the fit's own, or those of an ensemble."""
    members = {f"{name}, {member.backbone.name}": member for member in report.members}
    return dict(members) or {name: report}


@styled
def draw_curve(report: FitReport | Member) -> Drawing:
    """Draw training and validation log-loss by step.

    A hollow dot marks the pretrained model, a large one the weights that are kept.
    """
    figure = Drawing(figsize=(6.4, 3.3))
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
def draw_curves(reports: Mapping[str, FitReport | Member]) -> Drawing:
    """Draw the validation log-loss of several arms by step.

    Arms with the same loss at step 0 share their weights and validation rows, and are drawn in one
    panel. The caption names the arms without a validated step, which are left out.
    """
    panels: dict[str, dict[str, FitReport | Member]] = {}
    for arm, report in reports.items():
        if len(_validated(report)) > 1:
            panels.setdefault(f"{_validated(report)[0][1]:.6f}", {})[arm] = report
    across, down = min(2, max(len(panels), 1)), max(1, -(-len(panels) // 2))
    figure = Drawing(figsize=(6.4 if across == 1 else 10.0, 3.5 * down))
    cells = iter(figure.subplots(down, across, squeeze=False).flat)
    for panel, axes in zip(panels.values(), cells, strict=False):
        for color, (arm, report) in zip(itertools.cycle(PALETTE[1:]), panel.items(), strict=False):
            _validation(axes, report, label(arm), color)
        _finish_curves(axes)
    for axes in cells:
        axes.axis("off")
    still = [label(arm) for arm in reports if not any(arm in panel for panel in panels.values())]
    if still:
        caption(figure, f"No validated step: {', '.join(still)}.")
    return figure


def _validated(report: FitReport | Member) -> list[tuple[int, float]]:
    return [
        (point.step, point.validation_loss)
        for point in report.curve
        if point.validation_loss is not None
    ]


def _validation(axes: Axes, report: FitReport | Member, name: str, color: str) -> None:
    """Draw validation loss by step, with both dots."""
    points = _validated(report)
    if not points:
        return
    kept = [(step, loss) for step, loss in points if step == report.kept_step]
    said = "".join(
        f", kept: {f'step {step}' if step else 'pretrained'}, {loss:.3f}" for step, loss in kept
    )
    entry = f" {name}{said}" if name.startswith("_") else name + said  # legends leave "_" out
    axes.plot(*zip(*points, strict=True), color=color, linewidth=1.8, label=entry, zorder=3)
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
