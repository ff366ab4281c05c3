"""One self-contained HTML page for one fidelity report: no script, nothing is loaded."""

import itertools
import json
from pathlib import Path

from autogluon_causalmix.fidelity.marginals import distance
from autogluon_causalmix.fidelity.records import FidelityReport
from autogluon_causalmix.report.floors import draw_floors
from autogluon_causalmix.report.page import Picture
from autogluon_causalmix.report.pictures import draw_marginals
from autogluon_causalmix.report.templates import render
from autogluon_causalmix.whole import written_whole


def write_fidelity_page(path: str | Path, report: FidelityReport, *, title: str) -> None:
    """Write one HTML file: every metric between its floors, and the marginals.

    Parameters
    ----------
    path : str or path
        A file; overwritten if it exists.
    report : FidelityReport
        What was measured.
    title : str
        The page's heading.

    Examples
    --------
    >>> report = measure_fidelity(real, synthetic, "class", holdout)  # doctest: +SKIP
    >>> write_fidelity_page("fidelity.html", report, title="credit-g")  # doctest: +SKIP
    """
    families = itertools.groupby(report.measurements, key=lambda each: each.family)
    page = render(
        "fidelity.html",
        title=title,
        report=report,
        families=[(family, list(measured)) for family, measured in families],
        floors=Picture.of(draw_floors(report.measurements), "Each metric between its floors."),
        marginals=Picture.of(
            draw_marginals(report.marginals), "Unseen real against synthetic rows, by column."
        ),
        distances=sorted(((each.column, distance(each)) for each in report.marginals), key=_far),
        json=json.dumps(report.model_dump(mode="json"), indent=1, ensure_ascii=False),
    )
    with written_whole(path) as place:
        place.write_text(page, encoding="utf-8", errors="replace")


def _far(row: tuple[str, float]) -> float:
    return -row[1]
