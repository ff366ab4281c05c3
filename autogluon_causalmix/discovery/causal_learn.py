"""causal-learn's graphs as its rules want them, looked up by index.

Imported inside the functions that use it, for it imports causal-learn.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from causallearn.graph.Edge import Edge
from causallearn.graph.Endpoint import Endpoint
from causallearn.graph.GeneralGraph import GeneralGraph
from causallearn.graph.GraphClass import CausalGraph
from causallearn.graph.GraphNode import GraphNode
from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge

from autogluon_causalmix.discovery.constraint.skeleton import Adjacency
from autogluon_causalmix.discovery.knowledge import Constraints


class Node(GraphNode):  # type: ignore[misc]  # causal-learn has no type information
    """A node whose hash, and so the order of sets of nodes, does not change between processes."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.number = int(name[1:])

    def __hash__(self) -> int:
        return self.number


class MarkedGraph(GeneralGraph):  # type: ignore[misc]
    """A graph that makes each edge object once, and looks marks up in whole rows of its matrix.

    causal-learn's own makes an edge for every question that is asked of it, and walks through all nodes.
    So nobody may change an edge in place, as causal-learn's `reorientAllWith` does.
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

    causal-learn's own search walks through all pairs of edges, and of triangles; what it finds is the same, in the
    same order.
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
    """Background knowledge that looks rules up where causal-learn's own class walks through a list of them."""

    def __init__(self, nodes: list[Node], constraints: Constraints) -> None:
        super().__init__()
        self.place = {node: index for index, node in enumerate(nodes)}
        self.constraints = constraints

    def is_forbidden(self, node1: Node, node2: Node) -> bool:
        """Whether node1 → node2 may not be."""
        return not self.constraints.allowed[self.place[node1], self.place[node2]]

    def is_required(self, node1: Node, node2: Node) -> bool:
        """Whether node1 → node2 has to be."""
        return bool(self.constraints.required[self.place[node1], self.place[node2]])


def marked(adjacent: Adjacency, mark: Endpoint) -> MarkedGraph:
    """Return a graph with these edges, one mark at every end."""
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
    """Return constraints as background knowledge; None where nothing is known."""
    if constraints.allowed.sum() == len(nodes) * (len(nodes) - 1):
        return None
    return MatrixKnowledge(nodes, constraints)
