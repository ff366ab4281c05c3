"""All pictures of a fit, and how they are written.

Every `draw_…` returns a `matplotlib.figure.Figure`; pyplot and its global state are not used.
"""

from pathlib import Path

from matplotlib.figure import Figure

from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.report.arms import draw_arms
from autogluon_causalmix.report.curves import draw_curve, draw_curves
from autogluon_causalmix.report.graph import draw_described, draw_graph
from autogluon_causalmix.report.marginals import draw_marginals
from autogluon_causalmix.report.style import render
from autogluon_causalmix.whole import written_whole

__all__ = [
    "draw_arms",
    "draw_curve",
    "draw_curves",
    "draw_described",
    "draw_graph",
    "draw_marginals",
    "save",
    "to_svg",
]


def to_svg(figure: Figure) -> str:
    """Return a picture as the text of an SVG file."""
    return render(figure, "svg").decode("utf-8")


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture; the ending of `path`, .svg or .png, says in which format.

    An SVG file holds names as text, in any script. A PNG file has empty boxes for letters that
    matplotlib's font lacks, about which it warns.

    Raises
    ------
    ConfigError
        `path` ends in something else.
    """
    ending = Path(path).suffix.lower()
    if ending not in {".svg", ".png"}:
        raise ConfigError(f"a picture is written as .svg or .png, got {path}")
    with written_whole(path) as place:
        place.write_bytes(render(figure, ending[1:]))
