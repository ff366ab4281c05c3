"""Layered drawing of a directed graph: causes on the left, effects on the right, few crossings.

The method of Sugiyama, Tagawa and Toda (1981): break cycles, give every node a layer, route long
edges through waypoints, order the layers by barycentres, then move nodes towards their neighbours.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import isotonic_regression

Edge = tuple[int, int]
Place = tuple[float, float]

SWEEPS = 24  # over all layers, there and back; layouts of 40 nodes stop improving before
WAYPOINT = 0.6  # space for an edge that passes by, in heights of a node


@dataclass(frozen=True)
class GraphLayout:
    """Where nodes and edges go.

    Attributes
    ----------
    places : mapping of int to (float, float)
        Layer and height of each node; two nodes of a layer are at least 1 apart.
    routes : mapping of (int, int) to list of (float, float)
        The points that each edge goes through, from its cause to its effect.
    """

    places: Mapping[int, Place]
    routes: Mapping[Edge, list[Place]]


def layered(nodes: Sequence[int], edges: Sequence[Edge]) -> GraphLayout:
    """Place nodes, numbers of at least 0, so that edges go from left to right.

    Where edges form a cycle, the last of them in the order of `edges` goes from right to left.

    Examples
    --------
    >>> layout = layered([0, 1, 2], [(0, 1), (1, 2), (2, 0)])
    >>> [layout.places[node][0] for node in (0, 1, 2)]
    [0.0, 1.0, 2.0]
    >>> [layer for layer, _ in layout.routes[2, 0]]  # closes the cycle: it goes back, past node 1
    [2.0, 1.0, 0.0]
    """
    forward = _acyclic(edges)
    drawn = list(dict.fromkeys(forward.values()))
    layers = _layers(nodes, drawn)
    waypoints = itertools.count(-1, -1)
    chains: dict[Edge, list[int]] = {}
    for cause, effect in drawn:
        between = dict(zip(waypoints, range(layers[cause] + 1, layers[effect]), strict=False))
        layers |= between
        chains[cause, effect] = [cause, *between, effect]
    links = [link for chain in chains.values() for link in itertools.pairwise(chain)]
    heights = _heights(_order(layers, links), links)
    places = {node: (float(layers[node]), heights[node]) for node in layers}
    routes = {
        edge: [places[node] for node in chains[way]][:: 1 if edge == way else -1]
        for edge, way in forward.items()
    }
    return GraphLayout({node: places[node] for node in nodes}, routes)


def _acyclic(edges: Sequence[Edge]) -> dict[Edge, Edge]:
    """Return each edge with its direction in the layout: reversed where it would close a cycle."""
    reach: dict[int, set[int]] = {node: {node} for edge in edges for node in edge}
    forward = {}
    for cause, effect in edges:
        first, second = (effect, cause) if cause in reach[effect] else (cause, effect)
        forward[cause, effect] = (first, second)
        for reached in reach.values():
            if first in reached:
                reached.update(reach[second])
    return forward


def _layers(nodes: Sequence[int], edges: Sequence[Edge]) -> dict[int, int]:
    """Return each node's layer: the longest path to it.

    A node without causes is in the layer before its first effect.
    """
    layers = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for cause, effect in edges:
            layers[effect] = max(layers[effect], layers[cause] + 1)
    caused = {effect for _, effect in edges}
    for node in set(nodes) - caused:
        layers[node] = min(
            (layers[effect] - 1 for cause, effect in edges if cause == node), default=0
        )
    return layers


def _order(layers: Mapping[int, int], links: Sequence[Edge]) -> list[list[int]]:
    """Return the nodes of each layer in an order with few crossings."""
    rows = [
        [node for node in layers if layers[node] == layer]
        for layer in range(max(layers.values(), default=-1) + 1)
    ]
    neighbours = _neighbours(layers, links)
    best, fewest = [list(row) for row in rows], _crossings(rows, links)
    for sweep in range(SWEEPS):
        step = 1 if sweep % 2 == 0 else -1
        for before, row in itertools.pairwise(rows[::step]):
            rank = {node: position for position, node in enumerate(before)}
            centre = {
                node: float(
                    np.mean(
                        [rank[other] for other in neighbours[node] if other in rank] or [position]
                    )
                )
                for position, node in enumerate(row)
            }
            row.sort(key=centre.__getitem__)
        crossings = _crossings(rows, links)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _neighbours(nodes: Iterable[int], links: Sequence[Edge]) -> dict[int, list[int]]:
    neighbours: dict[int, list[int]] = {node: [] for node in nodes}
    for cause, effect in links:
        neighbours[cause].append(effect)
        neighbours[effect].append(cause)
    return neighbours


def _crossings(rows: Sequence[Sequence[int]], links: Sequence[Edge]) -> int:
    """Count pairs of links between the same two layers whose ends are in opposite order."""
    rank = {
        node: (layer, position)
        for layer, row in enumerate(rows)
        for position, node in enumerate(row)
    }
    ends = np.array([(*rank[cause], rank[effect][1]) for cause, effect in links]).reshape(-1, 3)
    layer, start, stop = ends.T[:, :, None] - ends.T[:, None, :]  # of all pairs of links
    return int(((layer == 0) & (start * stop < 0)).sum()) // 2


def _heights(rows: Sequence[Sequence[int]], links: Sequence[Edge]) -> dict[int, float]:
    """Return each node's height: near its neighbours, in the order of its layer, not too close."""
    heights = {node: float(position) for row in rows for position, node in enumerate(row)}
    neighbours = _neighbours(heights, links)
    for _ in range(SWEEPS):
        for row in rows:
            wish = [
                float(np.mean([heights[other] for other in neighbours[node]] or [heights[node]]))
                for node in row
            ]
            rooms = np.array([1.0 if node >= 0 else WAYPOINT for node in row])
            offsets = np.concatenate([[0.0], np.cumsum((rooms[1:] + rooms[:-1]) / 2)])
            placed = isotonic_regression(np.array(wish) - offsets) + offsets
            heights |= dict(zip(row, placed.tolist(), strict=True))
    return heights
