"""The graph that a generator describes, checked before anything is done with it."""

from typing import Any

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.errors import GeneratorError

FORMAT = 'describe it as {"nodes": [names], "probability": [[numbers from 0 to 1]]}'


def described_graph(graph: object, who: str = "the generator") -> tuple[list[str], Matrix]:
    """Return the nodes of a described graph, and its beliefs, shape (nodes, nodes).

    Parameters
    ----------
    graph : object
        What a generator's ``describe`` calls ``"graph"``; a plugin's may be anything.
    who : str
        Named in errors.

    Raises
    ------
    GeneratorError
        It is no mapping, its nodes are no list of text, or its beliefs no square list of numbers
        from 0 to 1.

    Examples
    --------
    >>> described_graph({"nodes": ["a", "b"], "probability": [[0, 0.4], [0.5, 0]]})[0]
    ['a', 'b']
    """
    if not isinstance(graph, dict):
        raise GeneratorError(
            f"{who} describes a graph that is no mapping, but {type(graph).__name__}; {FORMAT}"
        )
    absent = [part for part in ("nodes", "probability") if part not in graph]
    if absent:
        raise GeneratorError(
            f"{who} describes a graph without {absent[0]!r}, with {[*graph]}; {FORMAT}"
        )
    nodes = graph["nodes"]
    if not isinstance(nodes, list) or not all(isinstance(node, str) for node in nodes):
        raise GeneratorError(f"{who} describes a graph whose 'nodes' are no list of text; {FORMAT}")
    return nodes, edge_beliefs(graph["probability"], len(nodes))


def edge_beliefs(probability: Any, n_nodes: int) -> Matrix:
    """Return beliefs in edges as a new matrix, shape (n_nodes, n_nodes).

    Raises
    ------
    GeneratorError
        They are no numbers from 0 to 1 in that shape.
    """
    said = f"edge beliefs must be a matrix with a row and a column per node, {n_nodes} by {n_nodes}"
    try:
        beliefs = np.array(probability)
    except ValueError as error:  # rows of different lengths
        raise GeneratorError(f"{said}: {error}") from error
    if beliefs.dtype.kind not in "biuf":
        raise GeneratorError(f"{said}, but not all of them are numbers")
    if (beliefs.shape if beliefs.size else (0, 0)) != (n_nodes, n_nodes):
        raise GeneratorError(f"{said}, not of shape {beliefs.shape}")
    if not ((beliefs >= 0) & (beliefs <= 1)).all():
        raise GeneratorError("edge beliefs must be numbers from 0 to 1")
    return beliefs.astype("float64").reshape(n_nodes, n_nodes)
