"""One self-contained HTML page of one fit or of several arms: no script, nothing loaded from elsewhere."""

import base64
import json
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from autogluon_causalmix.errors import GeneratorError
from autogluon_causalmix.fidelity.marginals import distance
from autogluon_causalmix.records import FitReport
from autogluon_causalmix.report.pictures import (
    draw_curve,
    draw_curves,
    draw_graph,
    draw_marginals,
    to_svg,
)


@dataclass(frozen=True)
class Picture:
    """A picture as a page holds it: as data, so that nothing inside of it, hostile names included, can act."""

    source: str
    caption: str
    inches: float

    @property
    def is_wide(self) -> bool:
        """Whether a phone can show it only by moving it."""
        return self.inches > 7

    @classmethod
    def of(cls, figure: Figure, caption: str) -> "Picture":
        """Encode a figure."""
        data = base64.b64encode(to_svg(figure).encode("utf-8")).decode("ascii")
        return cls(f"data:image/svg+xml;base64,{data}", caption, float(figure.get_figwidth()))


@dataclass(frozen=True)
class Arm:
    """What the page says of one fit."""

    name: str
    report: FitReport
    pictures: Sequence[Picture]
    notes: Sequence[str]

    @property
    def verdict(self) -> str:
        """Which weights predict and why, in one sentence."""
        return f"{self.name} kept the {self.report.kept} weights: {self.report.reason}."

    @property
    def description(self) -> dict[str, object]:
        """What the generator says of itself, without what is drawn or stands among the notes."""
        facts = self.report.generator.description if self.report.generator else {}
        return {name: fact for name, fact in facts.items() if name not in {"graph", "notes"}}

    @property
    def distances(self) -> list[tuple[str, float, tuple[float, float]]]:
        """Name, distance and missing shares of each column, those that differ most first."""
        rows = [
            (marginal.column, distance(marginal), marginal.missing)
            for marginal in self.report.marginals
        ]
        return sorted(rows, key=lambda row: -row[1])

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
    pictures: Sequence[Figure] = (),
) -> None:
    """Write one HTML file that says everything about one fit, or about the arms of a comparison.

    Parameters
    ----------
    path : str or path
        Where to; what is there is overwritten.
    reports : mapping of str to FitReport
        By the name of the arm, in the order of the page.
    title : str
        The page's heading.
    verdict : str
        Said before the verdicts of the single fits.
    leaderboard : pandas.DataFrame or None
        Shown as a table, row by row, without its index.
    pictures : sequence of matplotlib.figure.Figure
        Shown below the leaderboard.

    Examples
    --------
    >>> write_page("report.html", {"CausalMix": model.fit_report}, title="credit-g")  # doctest: +SKIP
    """
    own = [Picture.of(figure, "") for figure in pictures]
    if len(reports) > 1 and any(len(report.curve) > 1 for report in reports.values()):
        said = "Validation log-loss by step. Arms in one panel were judged on the same rows under the same weights."
        own.append(Picture.of(draw_curves(reports), said))
    arms = [_arm(name, report, with_curve=len(reports) == 1) for name, report in reports.items()]
    frame = pd.DataFrame() if leaderboard is None else leaderboard
    columns = [Column.of(name, values) for name, values in frame.items()]
    environment = Environment(
        loader=PackageLoader("autogluon_causalmix", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = cell
    page = environment.get_template("page.html").render(
        title=title, verdict=verdict, arms=arms, pictures=own, leaderboard=columns
    )
    Path(path).write_text(page, encoding="utf-8", errors="replace")


def _arm(name: str, report: FitReport, *, with_curve: bool) -> Arm:
    """Draw what the report holds."""
    drawn, notes = [], list(report.notes)
    if with_curve and report.curve:
        said = "Log-loss by step. Hollow: the pretrained model. Filled: the weights that predict."
        drawn.append(Picture.of(draw_curve(report), said))
    graph = report.generator.description.get("graph") if report.generator else None
    if isinstance(graph, dict):
        try:
            added, note = graph.get("added", []), graph.get("note", "")
            figure = draw_graph(
                graph.get("nodes", []), graph.get("probability", []), report.target, added, note
            )
            drawn.append(
                Picture.of(
                    figure,
                    "Edge beliefs: how far each direct cause is believed, causes on the left.",
                )
            )
        except GeneratorError as error:  # a foreign generator must not cost the page
            notes.append(f"no picture of the graph: {error}")
    if report.marginals:
        drawn.append(
            Picture.of(
                draw_marginals(report.marginals), "Real against synthetic rows, column by column."
            )
        )
    return Arm(name, report, drawn, notes)


@dataclass(frozen=True)
class Column:
    """One column of the leaderboard, as text."""

    name: str
    is_number: bool
    cells: list[str]

    @classmethod
    def of(cls, name: object, values: pd.Series) -> "Column":
        """Format a column, with as many decimals in every row."""
        is_number = pd.api.types.is_numeric_dtype(values)
        decimals = 1 if is_number and values.abs().max() >= 10 else 4
        return cls(
            str(name).replace("_", " "), is_number, [cell(value, decimals) for value in values]
        )


def cell(value: Any, decimals: int = 4) -> str:
    """Return a value as a table shows it, a dash where there is none.

    Examples
    --------
    >>> cell(0.51234), cell(21.234, decimals=1), cell(3e-05), cell(633994), cell(None), cell("scm")
    ('0.5123', '21.2', '3e-05', '633,994', '–', 'scm')
    """
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return "–"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return str(value)
    if isinstance(value, numbers.Integral):
        return f"{int(value):,}"
    number = float(value)
    return (
        f"{number:,.{decimals}f}" if number == 0 or 1e-3 <= abs(number) < 1e6 else f"{number:.4g}"
    )
