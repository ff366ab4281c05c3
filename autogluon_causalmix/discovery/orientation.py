"""The border with causal-learn's rules: a skeleton goes in, the PC algorithm's and FCI's marks come out."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from autogluon_causalmix.discovery.beliefs import Probability
from autogluon_causalmix.discovery.independence import IndependenceTest
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.skeleton import Skeleton

Marks = npt.NDArray[np.int64]
"""Entry [i, j] is the mark at i of the edge between i and j: 0 no edge, −1 tail, 1 arrowhead, 2 circle."""


def belief_of(marks: Marks, constraints: Constraints) -> Probability:
    """Return the probability of either direction of each edge, shape (nodes, nodes).

    A circle is a tail or an arrowhead with equal probability; i ↔ j (an unseen common cause) and i − j need an
    edge in a graph without unseen nodes, and may be either. So P(i → j) = ½ + ½ (P(tail at i) − P(tail at j)).
    """
    tail = np.where(marks == -1, 1.0, np.where(marks == 2, 0.5, 0.0))
    belief = np.where(marks != 0, 0.5 + 0.5 * (tail - tail.T), 0.0)
    belief = np.where(constraints.allowed, belief, 0.0)
    belief = np.where((marks != 0) & constraints.allowed & ~constraints.allowed.T, 1.0, belief)
    belief[constraints.required] = 1.0
    return belief


def pc_marks(skeleton: Skeleton, constraints: Constraints) -> Marks:
    """Orient a skeleton by causal-learn's collider and Meek rules; return its CPDAG."""
    from causallearn.utils.PCUtils import Meek, UCSepset

    n = len(skeleton.adjacent)
    graph = _indexed_graph()
    graph.G = _graph(skeleton, "tail")
    graph.sepset = np.empty((n, n), object)
    for x, y in np.argwhere(~skeleton.adjacent):
        separator = skeleton.separators.get((min(x, y), max(x, y)), frozenset())
        graph.sepset[x, y] = [tuple(sorted(separator))]
    knowledge = _knowledge(graph.G.nodes, constraints)
    _orient_known(graph.G, skeleton, constraints)
    keep_existing_colliders = 2
    oriented = UCSepset.uc_sepset(graph, keep_existing_colliders, background_knowledge=knowledge)
    return _marks(Meek.meek(oriented, background_knowledge=knowledge).G)


def fci_marks(
    skeleton: Skeleton, test: IndependenceTest, alpha: float, constraints: Constraints, max_depth: int | None = None
) -> Marks:
    """Run causal-learn's FCI (Zhang, 2008) from a skeleton on; return its PAG.

    Parameters
    ----------
    skeleton : Skeleton
        What `pc_stable` found.
    test, alpha : IndependenceTest, float
        As they were given to `pc_stable`.
    constraints : Constraints
        What the user knows.
    max_depth : int, optional
        Largest subset of a possible-d-separation set to test; without it their number is exponential.
    """
    from causallearn.graph.Endpoint import Endpoint
    from causallearn.search.ConstraintBased import FCI

    graph = _graph(skeleton, "circle")
    nodes = graph.get_nodes()
    knowledge = _knowledge(nodes, constraints)
    separators = {pair: set(separator) for pair, separator in skeleton.separators.items()}
    separators.update({(y, x): separator for (x, y), separator in separators.items()})
    _orient_colliders(FCI, graph, nodes, separators, knowledge)
    _remove_by_possible_d_separation(FCI, graph, separators, test, alpha, constraints, max_depth)
    FCI.reorientAllWith(graph, Endpoint.CIRCLE)
    _orient_colliders(FCI, graph, nodes, separators, knowledge)

    def p_value(x: int, y: int, given: tuple[int, ...]) -> float:
        triple = np.array([x]), np.array([y]), np.array([sorted(given)], dtype=np.int64).reshape(1, -1)
        return float(test.p_values(*triple)[0])

    changed = True
    while changed:
        changed = FCI.rulesR1R2cycle(graph, knowledge, False)
        changed = FCI.ruleR3(graph, separators, knowledge, changed)
        if changed:
            changed = FCI.ruleR4B(graph, -1, None, p_value, alpha, separators, changed, knowledge)
        for rule in (FCI.ruleR5, FCI.ruleR6, FCI.ruleR7):
            changed = rule(graph, changed)
        changed = FCI.rule10(graph, FCI.rule9(graph, nodes, FCI.rule8(graph, nodes, changed)))
    return _marks(graph)


def _orient_colliders(fci: Any, graph: Any, nodes: Any, separators: Any, knowledge: Any) -> None:
    """Apply FCI's rule 0; causal-learn prints while it orients by knowledge, and that is nobody's output."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        fci.rule0(graph, nodes, separators, knowledge, False)


def _remove_by_possible_d_separation(
    fci: Any,
    graph: Any,
    separators: dict[tuple[int, int], set[int]],
    test: IndependenceTest,
    alpha: float,
    constraints: Constraints,
    max_depth: int | None,
) -> None:
    """Remove edges that a subset of a possible-d-separation set separates, sets of one edge tested in batches."""
    place = graph.get_node_map()
    kept = constraints.required | constraints.required.T
    for edge in graph.get_graph_edges():
        first, second = edge.get_node1(), edge.get_node2()
        x, y = place[first], place[second]
        if kept[x, y]:
            continue
        near = [{place[other] for other in graph.get_adjacent_nodes(node)} for node in (first, second)]
        for ends in ((first, second), (second, first)):
            candidates = [place[node] for node in fci.getPossibleDsep(*ends, graph, -1)]
            separator = _first_separator(test, alpha, x, y, _subsets(candidates, near, max_depth))
            if separator is not None:
                graph.remove_edge(edge)
                separators[x, y] = separator
                break


def _subsets(candidates: list[int], near: list[set[int]], max_depth: int | None) -> Iterator[tuple[int, ...]]:
    """Yield subsets of two and more candidates that PC has not tested, by size."""
    from itertools import combinations

    largest = len(candidates) if max_depth is None else min(len(candidates), max_depth)
    for size in range(2, largest + 1):
        for subset in combinations(candidates, size):
            if not any(neighbours.issuperset(subset) for neighbours in near):
                yield subset


def _first_separator(
    test: IndependenceTest, alpha: float, x: int, y: int, subsets: Iterator[tuple[int, ...]]
) -> set[int] | None:
    """Return the first subset that separates x and y, testing all subsets of one size at a time, some hundreds."""
    pending = list(islice(subsets, 256))
    while pending:
        for size in range(len(pending[0]), len(pending[-1]) + 1):
            group = np.array([subset for subset in pending if len(subset) == size], dtype=np.int64)
            if len(group):
                p = test.p_values(np.full(len(group), x), np.full(len(group), y), group)
                separating = np.flatnonzero(p > alpha)
                if len(separating):
                    return set(group[separating[0]].tolist())
        pending = list(islice(subsets, 256))
    return None


def _graph(skeleton: Skeleton, mark: str) -> Any:
    """Return a skeleton as causal-learn's graph with one mark at every end."""
    from causallearn.graph.Edge import Edge
    from causallearn.graph.Endpoint import Endpoint
    from causallearn.graph.GeneralGraph import GeneralGraph
    from causallearn.graph.GraphNode import GraphNode

    class Node(GraphNode):  # type: ignore[misc]  # causal-learn has no type information
        """A node whose hash, and so the order of sets of nodes, does not change between processes."""

        def __hash__(self) -> int:
            return int(self.name[1:])

    nodes = [Node(f"X{i + 1}") for i in range(len(skeleton.adjacent))]
    graph = GeneralGraph(nodes)
    endpoint = Endpoint.TAIL if mark == "tail" else Endpoint.CIRCLE
    for x, y in np.argwhere(np.triu(skeleton.adjacent)):
        graph.add_edge(Edge(nodes[x], nodes[y], endpoint, endpoint))
    return graph


def _indexed_graph() -> Any:
    """Return an empty graph of causal-learn's class for PC that finds triples by index.

    Its own search walks through all pairs of edges, and of triangles; the order of what is found is the same.
    """
    from causallearn.graph.GraphClass import CausalGraph

    class IndexedGraph(CausalGraph):  # type: ignore[misc]  # causal-learn has no type information
        """Finds what causal-learn's rules look for in time proportional to what there is."""

        def find_unshielded_triples(self) -> list[tuple[int, int, int]]:
            return [triple for triple in self._paths() if self.G.graph[triple[0], triple[2]] == 0]

        def find_triangles(self) -> list[tuple[int, int, int]]:
            return [triple for triple in self._paths() if self.G.graph[triple[0], triple[2]] != 0]

        def find_kites(self) -> list[tuple[int, int, int, int]]:
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

    return IndexedGraph(0)


def _orient_known(graph: Any, skeleton: Skeleton, constraints: Constraints) -> None:
    """Direct the edges that can go one way only."""
    for x, y in np.argwhere(skeleton.adjacent & constraints.allowed & ~constraints.allowed.T):
        graph.remove_edge(graph.get_edge(graph.nodes[x], graph.nodes[y]))
        graph.add_directed_edge(graph.nodes[x], graph.nodes[y])


def _knowledge(nodes: list[Any], constraints: Constraints) -> Any:
    """Return constraints as causal-learn's background knowledge; None where nothing is known."""
    from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge

    if constraints.allowed.sum() == len(nodes) * (len(nodes) - 1):
        return None
    place = {node: index for index, node in enumerate(nodes)}

    class MatrixKnowledge(BackgroundKnowledge):  # type: ignore[misc]  # causal-learn has no type information
        """Looks rules up where causal-learn's own class walks through a list of them."""

        def is_forbidden(self, node1: Any, node2: Any) -> bool:
            return not constraints.allowed[place[node1], place[node2]]

        def is_required(self, node1: Any, node2: Any) -> bool:
            return bool(constraints.required[place[node1], place[node2]])

    return MatrixKnowledge()


def _marks(graph: Any) -> Marks:
    return np.asarray(graph.graph, dtype=np.int64)
