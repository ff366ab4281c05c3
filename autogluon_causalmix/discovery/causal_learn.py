"""The way into causal-learn: its graphs, its background knowledge and its searches.

Import this module inside the functions that use it: causal-learn takes seconds to import.
"""

import random
from collections.abc import Iterator
from importlib.util import find_spec, module_from_spec
from typing import Any

import numpy as np
from causallearn.graph.Edge import Edge
from causallearn.graph.Endpoint import Endpoint
from causallearn.graph.GeneralGraph import GeneralGraph
from causallearn.graph.GraphClass import CausalGraph
from causallearn.graph.GraphNode import GraphNode
from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge

from autogluon_causalmix.arrays import Adjacency, Marks
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.score.protocol import Score


class Node(GraphNode):  # type: ignore[misc]  # causal-learn has no type information
    """A node with the same hash in every process, so that sets of nodes have the same order."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.number = int(name[1:])

    def __hash__(self) -> int:
        return self.number


class MarkedGraph(GeneralGraph):  # type: ignore[misc]
    """A graph that makes each edge object once, and reads marks from whole rows of its matrix.

    causal-learn's own class makes a new edge object on every call, and loops over all nodes. Edge
    objects are shared here, so they must not be changed in place, as `reorientAllWith` does.
    """

    def __init__(self, nodes: list[Node]) -> None:
        super().__init__(nodes)
        self.ends = {mark.value: mark for mark in Endpoint}
        self.made: dict[tuple[int, int, int, int], Any] = {}

    def get_edge(self, node1: Node, node2: Node) -> Any:
        """Return the edge between two nodes, or None."""
        i, j = self.node_map[node1], self.node_map[node2]
        key = i, j, int(self.graph[i, j]), int(self.graph[j, i])
        if key[2] == 0:
            return None
        if key not in self.made:
            self.made[key] = Edge(node1, node2, self.ends[key[2]], self.ends[key[3]])
        return self.made[key]

    def get_endpoint(self, node1: Node, node2: Node) -> Any:
        """Return the mark at `node2`, or None where there is no edge."""
        mark = int(self.graph[self.node_map[node2], self.node_map[node1]])
        return self.ends[mark] if mark else None

    def get_adjacent_nodes(self, node: Node) -> list[Node]:
        """Return the neighbours of a node, in their order."""
        return [self.nodes[i] for i in self.graph[self.node_map[node]].nonzero()[0]]

    def get_nodes_into(self, node: Node, endpoint: Endpoint) -> list[Node]:
        """Return the neighbours on whose edge `node` has a mark, in their order."""
        return [
            self.nodes[i] for i in (self.graph[self.node_map[node]] == endpoint.value).nonzero()[0]
        ]

    def get_graph_edges(self) -> list[Edge]:
        """Return all edges, in the order of their nodes."""
        return [
            self.get_edge(self.nodes[i], self.nodes[j]) for i, j in np.argwhere(np.triu(self.graph))
        ]


class IndexedGraph(CausalGraph):  # type: ignore[misc]
    """A graph for PC's rules that finds triples by index.

    causal-learn's own class loops over all pairs of edges, and over all pairs of triangles. The
    results are the same, in the same order.
    """

    def find_unshielded_triples(self) -> list[tuple[int, int, int]]:
        """Return i, j, k with edges i – j and j – k and none between i and k."""
        return [triple for triple in self._paths() if self.G.graph[triple[0], triple[2]] == 0]

    def find_triangles(self) -> list[tuple[int, int, int]]:
        """Return i, j, k with all three edges."""
        return [triple for triple in self._paths() if self.G.graph[triple[0], triple[2]] != 0]

    def find_kites(self) -> list[tuple[int, int, int, int]]:
        """Return pairs of triangles that share two nodes, while their others are not adjacent."""
        triangles = self.find_triangles()
        same_ends: dict[tuple[int, int], list[int]] = {}
        for first, middle, last in triangles:
            same_ends.setdefault((first, last), []).append(middle)
        return [
            (first, middle, other, last)
            for first, middle, last in triangles
            for other in same_ends[first, last]
            if middle < other and self.G.graph[middle, other] == 0
        ]

    def _paths(self) -> Iterator[tuple[int, int, int]]:
        edges = self.find_adj()
        onwards: dict[int, list[int]] = {}
        for start, end in edges:
            onwards.setdefault(start, []).append(end)
        return ((i, j, k) for i, j in edges for k in onwards[j] if k != i)


class MatrixKnowledge(BackgroundKnowledge):  # type: ignore[misc]
    """Background knowledge as matrices; causal-learn's own class loops over a list of rules."""

    def __init__(self, nodes: list[Node], constraints: Constraints) -> None:
        super().__init__()
        self.place = {node: index for index, node in enumerate(nodes)}
        self.constraints = constraints

    def is_forbidden(self, node1: Node, node2: Node) -> bool:
        """Return whether node1 → node2 is forbidden."""
        return not self.constraints.allowed[self.place[node1], self.place[node2]]

    def is_required(self, node1: Node, node2: Node) -> bool:
        """Return whether node1 → node2 is required."""
        return bool(self.constraints.required[self.place[node1], self.place[node2]])


def marked(adjacent: Adjacency, mark: Endpoint) -> MarkedGraph:
    """Return a graph with these edges and the same mark at every end."""
    nodes = [Node(f"X{i + 1}") for i in range(len(adjacent))]
    graph = MarkedGraph(nodes)
    for x, y in np.argwhere(np.triu(adjacent)):
        graph.add_edge(Edge(nodes[x], nodes[y], mark, mark))
    return graph


def directed(parents: Adjacency) -> MarkedGraph:
    """Return an acyclic graph, entry [i, j] for i → j."""
    nodes = [Node(f"X{i + 1}") for i in range(len(parents))]
    graph = MarkedGraph(nodes)
    for cause, effect in np.argwhere(parents):
        graph.add_edge(Edge(nodes[cause], nodes[effect], Endpoint.TAIL, Endpoint.ARROW))
    return graph


def knowledge_of(nodes: list[Node], constraints: Constraints) -> MatrixKnowledge | None:
    """Return constraints as background knowledge, None if there are none."""
    if constraints.allowed.sum() == len(nodes) * (len(nodes) - 1):
        return None
    return MatrixKnowledge(nodes, constraints)


def marks_of(graph: GeneralGraph) -> Marks:
    """Return a copy of the marks of one of causal-learn's graphs."""
    return np.array(graph.graph, dtype=np.int64)


def search_module(name: str, score: Score, rng: np.random.Generator) -> Any:
    """Return a new copy of one of causal-learn's modules that uses our score and our seed.

    causal-learn's searches look up score and random numbers in their own module, and take neither
    as an argument. The copy leaves causal-learn's module as it is, also for other threads.

    Parameters
    ----------
    name : str
        The module's path in ``causallearn.search``.
    score : Score
        Replaces causal-learn's own score.
    rng : numpy.random.Generator
        Seeds the search.

    Examples
    --------
    >>> from autogluon_causalmix.discovery.blocks import Blocks
    >>> from autogluon_causalmix.discovery.score.degenerate_gaussian import DegenerateGaussianBIC
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(200, 3))
    >>> values[:, 1] += values[:, 0]
    >>> bic = DegenerateGaussianBIC(Blocks.of(values, categorical=[]).correlations())
    >>> boss = search_module("PermutationBased.BOSS", bic, rng).boss
    >>> marks_of(boss(data_for(bic), verbose=False))
    array([[ 0, -1,  0],
           [-1,  0,  0],
           [ 0,  0,  0]])
    """
    spec = find_spec(f"causallearn.search.{name}")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    ours = {
        "LocalScoreClass": lambda **_: _LocalScore(score),
        "random": random.Random(int(rng.integers(2**63))),
    }
    vars(module).update(ours)
    return module


def data_for(score: Score) -> Any:
    """Return a stand-in for the data; the searches of `search_module` read only its shape."""
    return np.zeros((score.n_columns, score.n_columns))


class _LocalScore:
    """A score with the attributes that causal-learn's searches use."""

    def __init__(self, score: Score) -> None:
        self.score = self.score_nocache = score.score
        self.data = data_for(score)
