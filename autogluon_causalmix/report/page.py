"""One self-contained HTML page for one fit or several arms: no script, nothing is loaded."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from autogluon_causalmix.errors import GeneratorError
from autogluon_causalmix.fidelity.marginals import distance
from autogluon_causalmix.fidelity.records import FidelityReport
from autogluon_causalmix.records import FitReport
from autogluon_causalmix.report.curves import runs_of
from autogluon_causalmix.report.edges import EdgeLine, cautions, edge_lines
from autogluon_causalmix.report.pictures import (
    draw_curve,
    draw_curves,
    draw_described,
    draw_marginals,
    to_svg,
)
from autogluon_causalmix.report.templates import cell, render
from autogluon_causalmix.whole import written_whole

WIDEST = 13.0
"""Inches of a picture that fits the page; in a wider one letters would be too small to read."""


@dataclass(frozen=True)
class Picture:
    """A picture as data, so that nothing in it can run or load anything.

    Attributes
    ----------
    source : str
        The SVG file as a URL.
    caption : str
        Above the picture; may be empty.
    inches : float
        Its width.
    """

    source: str
    caption: str
    inches: float

    @property
    def room(self) -> str:
        """The class of its style: wider than the screen of a phone, or than any page."""
        return "scrolled" if self.inches > WIDEST else "broad" if self.inches > 7 else ""

    @classmethod
    def of(cls, figure: Figure, caption: str) -> "Picture":
        """Encode a figure."""
        data = base64.b64encode(to_svg(figure).encode("utf-8")).decode("ascii")
        return cls(f"data:image/svg+xml;base64,{data}", caption, float(figure.get_figwidth()))


@dataclass(frozen=True)
class Arm:
    """One fit.

    Attributes
    ----------
    name : str
        The heading.
    report : FitReport
        All facts.
    pictures : sequence of Picture
        Those that the report has the numbers for.
    notes : sequence of str
        Those of the report, and of what could not be drawn.
    edges : sequence of EdgeLine
        The most believed edges of its graph.
    """

    name: str
    report: FitReport
    pictures: Sequence[Picture]
    notes: Sequence[str]
    edges: Sequence[EdgeLine] = ()

    @property
    def verdict(self) -> str:
        """Which weights predict and why, in one sentence."""
        return f"{self.name} kept the {self.report.kept} weights: {self.report.reason}."

    @property
    def description(self) -> dict[str, object]:
        """The generator's description, without its graph and notes, which have their own places."""
        facts = self.report.generator.description if self.report.generator else {}
        return {name: fact for name, fact in facts.items() if name not in {"graph", "notes"}}

    @property
    def distances(self) -> list[tuple[str, float, tuple[float, float]]]:
        """Name, distance and missing shares of each column, those that differ most first."""
        found = [(each.column, distance(each), each.missing) for each in self.report.marginals]
        return sorted(found, key=lambda row: -row[1])

    @property
    def cautions(self) -> list[str]:
        """What to know before believing the graph."""
        return cautions(self.edges, self.report.target)

    @property
    def fidelity(self) -> FidelityReport | None:
        """How near the synthetic rows are to unseen real ones, at a glance."""
        found = self.report.fidelity
        return None if found is None else FidelityReport.model_validate(found)

    @property
    def json(self) -> str:
        """The whole report."""
        return json.dumps(self.report.model_dump(mode="json"), indent=1, ensure_ascii=False)


def write_page(
    path: str | Path,
    reports: Mapping[str, FitReport],
    *,
    title: str,
    verdict: str = "",
    leaderboard: pd.DataFrame | None = None,
    scored_on: str = "",
    notes: Sequence[str] = (),
    pictures: Sequence[Figure] = (),
) -> None:
    """Write one HTML file about one fit, or about the arms of a comparison.

    Parameters
    ----------
    path : str or path
        A file; overwritten if it exists.
    reports : mapping of str to FitReport
        By the name of the arm, in the order of the page.
    title : str
        The page's heading.
    verdict : str
        A paragraph before the verdicts of the fits.
    leaderboard : pandas.DataFrame or None
        Shown as a table, row by row, without its index.
    scored_on : str
        On which rows the scores of the leaderboard are.
    notes : sequence of str
        About the comparison, below the leaderboard.
    pictures : sequence of matplotlib.figure.Figure
        Shown below the leaderboard.

    Examples
    --------
    >>> reports = {"CausalMix": model.fit_report}  # doctest: +SKIP
    >>> write_page("report.html", reports, title="credit-g")  # doctest: +SKIP
    """
    own = [Picture.of(figure, "") for figure in pictures]
    runs = {run: own for arm in reports.items() for run, own in runs_of(*arm).items()}
    if len(reports) > 1 and any(len(run.curve) > 1 for run in runs.values()):
        said = "Validation log-loss by step. Arms in one panel share weights and validation rows."
        own.append(Picture.of(draw_curves(runs), said))
    arms = [_arm(name, report, with_curve=len(reports) == 1) for name, report in reports.items()]
    frame = pd.DataFrame() if leaderboard is None else leaderboard
    columns = [LeaderboardColumn.of(name, values) for name, values in frame.items()]
    page = render(
        "page.html",
        title=title,
        verdict=verdict,
        arms=arms,
        pictures=own,
        leaderboard=columns,
        scored_on=scored_on,
        notes=notes,
    )
    with written_whole(path) as place:
        place.write_text(page, encoding="utf-8", errors="replace")


def _arm(name: str, report: FitReport, *, with_curve: bool) -> Arm:
    """Draw what the report has the numbers for."""
    drawn, notes = [], list(report.notes)
    edges: list[EdgeLine] = []
    for run, own in runs_of(name, report).items() if with_curve else ():
        if own.curve:
            whose = f" of {own.backbone.name}" if run != name else ""
            said = "Hollow: the pretrained model. Filled: the weights that are used."
            drawn.append(Picture.of(draw_curve(own), f"Log-loss by step{whose}. {said}"))
    graph: Any = report.generator.description.get("graph") if report.generator else None
    if graph is not None:
        try:
            said = "Beliefs in the edges from direct causes to effects, causes on the left."
            edges = edge_lines(graph)
            drawn.append(Picture.of(draw_described(graph, report.target), said))
        except GeneratorError as error:  # a plugin's graph may be anything; the page goes on
            notes.append(f"no picture of the graph: {error}")
    if report.marginals:
        said = "Real against synthetic rows, column by column."
        drawn.append(Picture.of(draw_marginals(report.marginals), said))
    return Arm(name, report, drawn, notes, edges)


@dataclass(frozen=True)
class LeaderboardColumn:
    """One column of the leaderboard, as text."""

    name: str
    is_number: bool
    cells: list[str]

    @classmethod
    def of(cls, name: object, values: pd.Series) -> "LeaderboardColumn":
        """Format a column, with equally many decimals in all rows."""
        is_number = pd.api.types.is_numeric_dtype(values)
        decimals = 1 if is_number and values.abs().max() >= 10 else 4
        return cls(
            str(name).replace("_", " "), is_number, [cell(value, decimals) for value in values]
        )
