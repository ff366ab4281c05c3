"""Possible-d-separation sets: what FCI looks for separators in, beyond the neighbours (Spirtes et al., 2000)."""

from collections import deque

import numpy as np
import numpy.typing as npt

from autogluon_causalmix.discovery.skeleton import Marks

Reach = npt.NDArray[np.bool_]

ARROWHEAD = 1


def semi_directed(marks: Marks) -> Reach:
    """Return whether a path leads from i to j on which no mark at the side of i is an arrowhead, shape (nodes, nodes).

    Parameters
    ----------
    marks : numpy.ndarray
        Shape (nodes, nodes): entry [i, j] is the mark at i of the edge between i and j.
    """
    reach: Reach = (marks != 0) & (marks != ARROWHEAD)
    for middle in range(len(marks)):
        reach |= reach[:, middle, None] & reach[middle]
    return reach


def possible_d_separation(marks: Marks, reach: Reach, x: int, y: int) -> list[int]:
    """Return the possible-d-separation set of x towards y, as causal-learn delimits it.

    A node is in it if a path leads to it from x on whose inner nodes two arrowheads meet or whose neighbours are
    adjacent; beyond the neighbours of x, causal-learn asks that a node before it on some path may be an ancestor of
    x or of the node itself.

    Parameters
    ----------
    marks : numpy.ndarray
        Shape (nodes, nodes): entry [i, j] is the mark at i of the edge between i and j.
    reach : numpy.ndarray of bool
        `semi_directed` of the same marks.
    x, y : int
        The ends of an edge.
    """
    near: dict[int, list[int]] = {}
    first = [node for node in _in_hash_order(np.flatnonzero(marks[x]).tolist()) if node != y]
    found = set(first)
    before: dict[int, set[int]] = {x: set(first)}
    queue = deque((x, node) for node in first)
    seen = set(queue)
    while queue:
        a, b = queue.popleft()
        if any(reach[r, x] or reach[r, b] for r in before.get(b, ()) if r not in (b, x)):
            found.add(b)
        if b not in near:
            near[b] = np.flatnonzero(marks[b]).tolist()
        for c in near[b]:
            if c in (a, x, y):
                continue
            before.setdefault(c, set()).add(b)
            collides = marks[b, a] == ARROWHEAD and marks[b, c] == ARROWHEAD
            if (collides or marks[a, c] != 0) and (a, c) not in seen:
                seen.add((a, c))
                queue.append((a, c))
    # causal-learn's order, in which names of nodes are compared: it decides which separator is found first
    return sorted(found - {x, y}, key=lambda node: f"X{node + 1}", reverse=True)


def _in_hash_order(nodes: list[int]) -> list[int]:
    """Return nodes in the order in which causal-learn visits a set of them."""
    return [number - 1 for number in {node + 1 for node in nodes}]
