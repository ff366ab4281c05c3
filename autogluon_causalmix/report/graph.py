"""The picture of a causal graph with a belief, from 0 to 1, for every edge."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from autogluon_causalmix.errors import GeneratorError
from autogluon_causalmix.generators.described import described_graph, edge_beliefs
from autogluon_causalmix.report.layout import Edge, GraphLayout, Place, layered
from autogluon_causalmix.report.style import (
    BLUE,
    GREY,
    INK,
    VERMILION,
    Drawing,
    caption,
    fitting_size,
    label,
    styled,
)

MOST_EDGES = 60
EDGES_PER_NODE = 1.5  # with more, too many cross to follow any
FEWEST_EDGES = 12  # so many can be followed in any graph
LEAST_BELIEF = 0.05  # below, an arrow is too pale to be seen
LONGEST_NAME = 22
LONGEST_NOTE = 240
WIDEST = 4.5  # points: an edge with a belief of 1

LAYER, ROW = 2.8, 0.42  # inches from layer to layer, and from node to node
LEGEND_ENTRY = 1.3  # inches, on average
BOX, HALF = 1.8, 0.14  # inches: a node's width and half its height
BACK = 0.07  # inches: how far below the others an edge from right to left is drawn


def draw_described(graph: Mapping[str, Any], target: str | None) -> Drawing:
    """Draw the graph that a generator describes, see `draw_graph`.

    Parameters
    ----------
    graph : mapping
        ``"nodes"``, ``"probability"``, and perhaps ``"added"`` and ``"note"``.
    target : str or None
        The node to highlight.

    Raises
    ------
    GeneratorError
        It is no graph, see `described_graph`.
    """
    nodes, beliefs = described_graph(graph)
    return draw_graph(
        nodes, beliefs.tolist(), target, graph.get("added", []), graph.get("note", "")
    )


@styled
def draw_graph(
    nodes: Sequence[str],
    probability: Sequence[Sequence[float]],
    target: str | None,
    added: Sequence[Edge] = (),
    note: str = "",
) -> Drawing:
    """Draw the most believed edges of a graph, causes on the left.

    The more an edge is believed, the wider and darker it is drawn.

    Parameters
    ----------
    nodes : sequence of str
        Names, length n.
    probability : sequence of sequences of float
        Shape (n, n); entry ``[i][j]`` is the belief in the edge i → j, from 0 to 1.
    target : str or None
        The node to highlight, with its edges.
    added : sequence of (int, int)
        Cause and effect, as positions in `nodes`, of edges that discovery did not find; drawn in
        grey.
    note : str
        The end of the caption.

    Returns
    -------
    Drawing
        Its caption says how many edges and which nodes are left out.

    Raises
    ------
    GeneratorError
        `probability` is not a matrix of shape (n, n) with entries from 0 to 1, or `added` is not a
        sequence of pairs.

    Examples
    --------
    >>> figure = draw_graph(["age", "dose", "ill"], [[0, 0.9, 0.4], [0, 0, 1.0], [0, 0, 0]], "ill")
    >>> figure.get_supxlabel()
    'All 3 edges with a belief above zero are drawn.'
    """
    beliefs, not_found = edge_beliefs(probability, len(nodes)), _pairs(added)
    np.fill_diagonal(beliefs, 0)
    edges = _most_believed(beliefs)
    goal = nodes.index(target) if target is not None and target in nodes else None
    shown = sorted(
        {node for edge in edges for node in edge} | ({goal} if goal is not None else set())
    )
    layout = layered(shown, edges)
    figure, axes = _canvas(layout)
    for edge in reversed(edges):  # the most believed on top
        color = GREY if edge in not_found else VERMILION if goal in edge else BLUE
        _edge(axes, edge, layout.routes[edge], beliefs[edge], color)
    for node in shown:
        _node(axes, label(str(nodes[node]), LONGEST_NAME), layout.places[node], node == goal)
    _legend(
        figure,
        beliefs[edges[0]] if edges else 1.0,
        any(goal in edge for edge in edges),
        bool(not_found & {*edges}),
    )
    caption(
        figure,
        f"{_caption(nodes, beliefs, edges, shown)} {label(str(note), LONGEST_NOTE)}".rstrip(),
    )
    return figure


def _pairs(added: Sequence[Edge]) -> set[Edge]:
    try:
        return {(int(start), int(end)) for start, end in added}
    except (TypeError, ValueError) as error:
        raise GeneratorError(f"added edges must be pairs of positions: {error}") from error


def _most_believed(beliefs: np.ndarray) -> list[Edge]:
    """Return the edges to draw, the most believed first."""
    most = min(MOST_EDGES, max(FEWEST_EDGES, int(EDGES_PER_NODE * len(beliefs))))
    order = np.argsort(-beliefs, axis=None, kind="stable")[:most]
    edges = [(int(flat // len(beliefs)), int(flat % len(beliefs))) for flat in order]
    return [edge for edge in edges if beliefs[edge] >= LEAST_BELIEF]


def _canvas(layout: GraphLayout) -> tuple[Drawing, Axes]:
    """Return an empty picture in which one unit is one inch."""
    places = np.array(
        [[LAYER * layer, -ROW * height] for layer, height in _points(layout)] or [[0.0, 0.0]]
    )
    (left, bottom), (right, top) = places.min(axis=0), places.max(axis=0)
    width, height = right - left + BOX + 0.3, top - bottom + 2 * HALF + 0.3
    figure = Drawing(figsize=(max(width, 5.5), height + 1.0))
    axes = figure.subplots()
    axes.set(
        xlim=(left - BOX / 2 - 0.1, right + BOX / 2 + 0.1),
        ylim=(bottom - HALF - 0.15, top + HALF + 0.15),
    )
    axes.set_aspect("equal")
    axes.axis("off")
    return figure, axes


def _points(layout: GraphLayout) -> list[Place]:
    return [
        *layout.places.values(),
        *(point for route in layout.routes.values() for point in route),
    ]


def _node(axes: Axes, name: str, place: Place, is_target: bool) -> None:
    x, y = LAYER * place[0], -ROW * place[1]
    axes.add_patch(
        FancyBboxPatch(
            (x - BOX / 2, y - HALF),
            BOX,
            2 * HALF,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=VERMILION if is_target else "#f4f6f9",
            edgecolor=VERMILION if is_target else "#9aa5b1",
            linewidth=0.9,
            zorder=3,
        )
    )
    color, weight = ("white", "bold") if is_target else (INK, "normal")
    size = fitting_size(name, 72 * BOX - 8, 8.2, weight)
    axes.text(
        x,
        y,
        name,
        ha="center",
        va="center_baseline",
        fontsize=size,
        color=color,
        weight=weight,
        zorder=4,
    )


def _edge(axes: Axes, edge: Edge, route: Sequence[Place], belief: float, color: str) -> None:
    """Draw one edge as a smooth line through its route, horizontal at both ends."""
    back = route[-1][0] < route[0][0]
    sign, shift = (-1, -BACK) if back else (1, 0.0)
    points = np.array([[LAYER * layer, -ROW * height + shift] for layer, height in route])
    points[0, 0] += sign * BOX / 2
    points[-1, 0] -= sign * BOX / 2
    vertices, codes = [points[0]], [Path.MOVETO]
    for start, stop in itertools.pairwise(points):
        bend = np.array([(stop[0] - start[0]) / 2, 0.0])
        vertices += [start + bend, stop - bend, stop]
        codes += [Path.CURVE4] * 3
    axes.add_patch(
        FancyArrowPatch(
            path=Path(np.array(vertices), codes),
            arrowstyle="-|>",
            mutation_scale=7 + 1.6 * _width(belief),
            linewidth=_width(belief),
            color=_shade(color, belief),
            capstyle="butt",
            joinstyle="miter",
            gid=f"edge-{edge[0]}-{edge[1]}",
            zorder=2,
        )
    )


def _width(belief: float) -> float:
    return 0.6 + (WIDEST - 0.6) * float(belief)


def _shade(color: str, belief: float) -> tuple[float, float, float]:
    """Return `color` mixed with white; unlike transparent ones, crossings do not get darker."""
    strength = 0.25 + 0.75 * float(belief)
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(color))
    return red, green, blue


def _legend(figure: Drawing, highest: float, has_target: bool, has_added: bool) -> None:
    beliefs = [belief for belief in (0.25, 0.5, 0.75) if belief < highest] + [highest]
    lines = [
        Line2D([], [], color=_shade(BLUE, b), linewidth=_width(b), label=f"{b:.2f}")
        for b in beliefs
    ]
    if has_target:
        lines.append(
            Line2D([], [], color=VERMILION, linewidth=_width(0.5), label="edge of the target")
        )
    if has_added:
        lines.append(Line2D([], [], color=GREY, linewidth=_width(0.5), label="added, not found"))
    columns = min(len(lines), int(figure.get_figwidth() / LEGEND_ENTRY))
    legend = figure.legend(
        handles=lines, loc="outside upper left", ncols=columns, title="belief in the edge"
    )
    legend.set_alignment("left")


def _caption(
    nodes: Sequence[str], beliefs: np.ndarray, edges: Sequence[Edge], shown: Sequence[int]
) -> str:
    total = int((beliefs > 0).sum())
    if not total:
        return f"No edge between the {len(nodes)} columns has a belief above zero."
    said = [f"All {total} edges with a belief above zero are drawn."]
    if len(edges) < total:
        rest = np.sort(beliefs, axis=None)[::-1][len(edges)]
        most = f"Drawn are the {len(edges)} most believed of {total} edges"
        said = [f"{most}; no other has a belief above {rest:.2f}."]
    alone = [
        label(str(nodes[node]), LONGEST_NAME) for node in range(len(nodes)) if node not in shown
    ]
    if alone:
        more = f" and {len(alone) - 12} more" if len(alone) > 12 else ""
        said.append(f"Columns without an edge here: {', '.join(alone[:12])}{more}.")
    return " ".join(said)
