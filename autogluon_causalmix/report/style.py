"""How pictures look: colours that the colour-blind can tell apart, type, and foreign names made safe to draw."""

import functools
import textwrap
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

import matplotlib.style
from matplotlib.figure import Figure

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# Okabe and Ito's palette (2008), without its yellow, which a white page swallows.
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
GREEN: Final = "#009E73"
PURPLE: Final = "#AA4499"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
INK: Final = "#1f2933"
GREY: Final = "#6b7280"
PALE: Final = "#d5dae1"
ARMS: Final = (GREY, BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)

STYLE: Final[dict[str, object]] = {
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 9.5,
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Helvetica", "Arial"],
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 8.0,
    "axes.grid": False,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text: small, sharp, searchable, in scripts that DejaVu lacks
    "svg.hashsalt": "causalmix",  # the same figure gives the same bytes
}


def styled(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run `draw` under this style and leave matplotlib's settings, which belong to the user, as they were."""

    @functools.wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with matplotlib.style.context(["default", STYLE]):
            return draw(*args, **kwargs)

    return drawn


def label(text: str, longest: int = 40) -> str:
    r"""Return a foreign name as one short printable line in which no dollar sign begins a formula.

    Examples
    --------
    >>> label("a\nb $x$ \x00")
    'a b \\$x\\$ \ufffd'
    >>> label("abcdefgh", longest=5)
    'abcd…'
    """
    line = "".join(
        letter if letter.isprintable() else "\ufffd" for letter in " ".join(text.split())
    )
    line = (
        f" {line}" if line.startswith("_") else line
    )  # matplotlib leaves an underscored name out of legends
    return (line if len(line) <= longest else line[: longest - 1] + "…").replace("$", r"\$")


def caption(figure: Figure, text: str) -> None:
    """Write `text` below the picture, in lines of its width."""
    lines = textwrap.fill(
        text, width=int(12.5 * figure.get_figwidth())
    )  # 12.5 letters of 9 points to the inch
    figure.supxlabel(lines, fontsize=9, color=GREY, x=0.01, ha="left")
