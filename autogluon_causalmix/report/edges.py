"""The edges of a causal graph as numbers, and what to think of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autogluon_causalmix.generators.described import described_graph
from autogluon_causalmix.report.style import one_line

MOST_EDGES = 20
LEAST_BELIEF = 0.1
UNDECIDED = 0.2
"""Beliefs in the two directions that differ by less leave the direction open."""


FIRST = (
    "A belief is a mean over bootstraps of the rows: 1 where discovery finds the edge in this "
    "direction, a half in each where it finds the edge alone. It assumes that no common cause is "
    "missing from the table, and is no proof of causation."
)


@dataclass(frozen=True)
class EdgeLine:
    """Two columns that an edge joins, in the direction that is believed more.

    Attributes
    ----------
    cause, effect : str
        The columns.
    forwards, backwards : float
        Beliefs in cause → effect and in effect → cause.
    """

    cause: str
    effect: str
    forwards: float
    backwards: float

    @property
    def is_undecided(self) -> bool:
        """Whether discovery has found the edge, but not its direction."""
        return self.forwards - self.backwards < UNDECIDED

    @property
    def is_likely(self) -> bool:
        """Whether discovery finds the edge in most bootstraps, in whichever direction."""
        return self.forwards + self.backwards > 1 / 2


def edge_lines(graph: Mapping[str, Any]) -> list[EdgeLine]:
    """Return the most believed edges of a generator's description, those first.

    Raises
    ------
    GeneratorError
        It is no graph, see `described_graph`.

    Examples
    --------
    >>> graph = {"nodes": ["a", "b"], "probability": [[0, 0.4], [0.5, 0]]}
    >>> [(line.cause, line.effect, line.is_undecided) for line in edge_lines(graph)]
    [('b', 'a', True)]
    """
    nodes, beliefs = described_graph(graph)
    ahead = np.where(
        beliefs > beliefs.T, beliefs, np.triu(np.where(beliefs == beliefs.T, beliefs, 0))
    )
    order = np.argsort(-ahead, axis=None, kind="stable")[:MOST_EDGES]
    pairs = [(int(flat // len(nodes)), int(flat % len(nodes))) for flat in order]
    return [
        EdgeLine(nodes[i], nodes[j], float(beliefs[i, j]), float(beliefs[j, i]))
        for i, j in pairs
        if ahead[i, j] >= LEAST_BELIEF
    ]


def cautions(lines: Sequence[EdgeLine], target: str | None) -> list[str]:
    """Return what a reader of the graph should know before believing it.

    Examples
    --------
    >>> cautions([EdgeLine("survived", "class", 0.8, 0.2)], "survived")[1][:44]
    "Arrows from the target 'survived' (to class)"
    """
    said = [FIRST]
    likely = [line for line in lines if line.is_likely]
    open_ones = [f"{line.cause} – {line.effect}" for line in likely if line.is_undecided]
    if open_ones:
        said.append(
            f"Found, but in which direction the rows do not say: {', '.join(open_ones)}. Each "
            "graph that rows are drawn from has one of the two, at random by their beliefs."
        )
    caused = [line.effect for line in likely if line.cause == target and not line.is_undecided]
    if caused:
        said.append(
            f"Arrows from the target {target!r} (to {', '.join(caused)}) are beliefs like the "
            "others: other directions may fit the rows as well. If you know that the target comes "
            "last, say so: label=sink, or tiers."
        )
    return [one_line(sentence) for sentence in said]
