"""How pictures look: colours that the colour-blind can tell apart, fonts, and labels."""

import functools
import io
import textwrap
import unicodedata
import warnings
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

JOINERS: Final = "\u200c\u200d"
"""Letters without a width that Persian, Hindi and emoji need."""

# The palette of Okabe and Ito (2008), without its yellow, which is too pale on white.
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
GREEN: Final = "#009E73"
PURPLE: Final = "#AA4499"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
INK: Final = "#1f2933"
GREY: Final = "#6b7280"
PALE: Final = "#d5dae1"
PALETTE: Final = (GREY, BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)

STYLE: Final[dict[str, object]] = {
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 9.5,
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Helvetica", "Arial"],
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
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
    "svg.fonttype": "none",  # text stays text: searchable, and in scripts that DejaVu lacks
    "svg.hashsalt": "causalmix",  # the same figure gives the same bytes
}


class Drawing(Figure):
    """A figure that a notebook shows by itself."""

    def _repr_svg_(self) -> str:
        return render(self, "svg").decode("utf-8")


def styled(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run `draw` with this style; matplotlib's settings are as before afterwards."""

    @functools.wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with matplotlib.style.context(["default", STYLE]):
            return draw(*args, **kwargs)

    return drawn


@styled
def render(figure: Figure, ending: str) -> bytes:
    """Return a picture as the content of a file: ``"svg"`` or ``"png"``."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        if ending == "svg":
            ignore_missing_glyphs()
        figure.savefig(
            buffer, format=ending, dpi=160, metadata={"Date": None} if ending == "svg" else None
        )
    return buffer.getvalue()


def one_line(text: str) -> str:
    r"""Return a name on one line: control characters as Python spells them, any space as a space.

    Examples
    --------
    >>> one_line("a\nb $x$ \x00")
    'a\\nb $x$ \\x00'
    """
    return "".join(letter if _is_shown(letter) else _spelled(letter) for letter in text)


def _is_shown(letter: str) -> bool:
    return letter.isprintable() or letter in JOINERS


def _spelled(letter: str) -> str:
    is_space = unicodedata.category(letter) == "Zs"
    return " " if is_space else letter.encode("unicode_escape").decode("ascii")


def label(text: str, longest: int = 40) -> str:
    """Return a name on one line, without its middle where it has more than `longest` letters.

    Examples
    --------
    >>> label("abcdefgh", longest=5)
    'ab…gh'
    """
    line = one_line(text)
    start = longest // 2
    end = longest - start - 1
    return line if len(line) <= longest else f"{line[:start]}…{line[len(line) - end :]}"


def fitting_size(text: str, points: float, largest: float, weight: str = "normal") -> float:
    """Return the font size, `largest` at most, at which a line of text is no wider than `points`.

    Examples
    --------
    >>> fitting_size("age", 100.0, 9.0)
    9.0
    >>> fitting_size("W" * 22, 100.0, 9.0) < 5.0
    True
    """
    return min(largest, points / max(width(text, weight), 1e-9))


def width(text: str, weight: str = "normal") -> float:
    """Return the width of a line of text, as a multiple of its font size.

    East Asian letters are as wide as they are high. They are not measured: the font lacks them,
    and the fonts of whoever reads the SVG draw them.
    """
    wide = [letter for letter in text if _is_wide(letter)]
    narrow = "".join(letter for letter in text if not _is_wide(letter))
    font = FontProperties(size=1.0, weight=weight)
    with warnings.catch_warnings():
        ignore_missing_glyphs()
        return len(wide) + float(text_to_path.get_text_width_height_descent(narrow, font, False)[0])


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def ignore_missing_glyphs() -> None:
    """Ignore warnings of letters that the font lacks: SVG holds text, which other fonts draw."""
    warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)


def caption(figure: Figure, text: str) -> None:
    """Write `text` below the picture, in lines of its width."""
    letters = 12.5 * figure.get_figwidth()  # 12.5 letters of 9 points to the inch
    wide = sum(_is_wide(letter) for letter in text) / max(len(text), 1)
    lines = textwrap.fill(text, width=int(letters / (1 + wide)))
    figure.supxlabel(lines, fontsize=9, color=GREY, x=0.01, ha="left")
