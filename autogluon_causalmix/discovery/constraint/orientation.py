"""The marks of PC and of FCI from a skeleton, by causal-learn's orientation rules."""

import contextlib
import io
from typing import Any

import numpy as np

from autogluon_causalmix.arrays import Marks
from autogluon_causalmix.discovery.constraint.possible_d_separation import remove_edges
from autogluon_causalmix.discovery.constraint.skeleton import Skeleton
from autogluon_causalmix.discovery.independence.protocol import IndependenceTest
from autogluon_causalmix.discovery.knowledge import Constraints


def pc_marks(skeleton: Skeleton, constraints: Constraints) -> Marks:
    """Orient a skeleton by causal-learn's collider and Meek rules; return its CPDAG."""
    from causallearn.graph.Endpoint import Endpoint
    from causallearn.utils.PCUtils import Meek, UCSepset

    from autogluon_causalmix.discovery.causal_learn import (
        IndexedGraph,
        knowledge_of,
        marked,
        marks_of,
    )

    n = len(skeleton.adjacent)
    graph = IndexedGraph(0)
    graph.G = marked(skeleton.adjacent, Endpoint.TAIL)
    graph.sepset = np.empty((n, n), object)
    for x, y in np.argwhere(~skeleton.adjacent):
        separator = skeleton.separators.get((min(x, y), max(x, y)), frozenset())
        graph.sepset[x, y] = [tuple(sorted(separator))]
    knowledge = knowledge_of(graph.G.nodes, constraints)
    _orient_known(graph.G, skeleton, constraints)
    keep_existing_colliders = 2
    oriented = UCSepset.uc_sepset(graph, keep_existing_colliders, background_knowledge=knowledge)
    return marks_of(Meek.meek(oriented, background_knowledge=knowledge).G)


def fci_marks(
    skeleton: Skeleton,
    test: IndependenceTest,
    alpha: float,
    constraints: Constraints,
    max_depth: int | None = None,
) -> Marks:
    """Run causal-learn's FCI (Zhang, 2008) on a skeleton; return the marks of its PAG.

    Parameters
    ----------
    skeleton : Skeleton
        The result of `pc_stable`.
    test, alpha : IndependenceTest, float
        The arguments of `pc_stable`.
    constraints : Constraints
        The user's knowledge.
    max_depth : int, optional
        Largest subset of a possible-d-separation set to test; by default all subsets are tested,
        whose number is exponential.
    """
    from causallearn.graph.Endpoint import Endpoint
    from causallearn.search.ConstraintBased import FCI

    from autogluon_causalmix.discovery.causal_learn import knowledge_of, marked, marks_of

    graph = marked(skeleton.adjacent, Endpoint.CIRCLE)
    nodes = graph.get_nodes()
    knowledge = knowledge_of(nodes, constraints)
    separators = {pair: set(separator) for pair, separator in skeleton.separators.items()}
    separators.update({(y, x): separator for (x, y), separator in separators.items()})
    _orient_colliders(FCI, graph, nodes, separators, knowledge)
    kept = constraints.required | constraints.required.T
    adjacent = remove_edges(marks_of(graph), separators, test, alpha, kept, max_depth)
    graph = marked(adjacent, Endpoint.CIRCLE)
    nodes = graph.get_nodes()
    _orient_colliders(FCI, graph, nodes, separators, knowledge)

    def p_value(x: int, y: int, given: tuple[int, ...]) -> float:
        triple = (
            np.array([x]),
            np.array([y]),
            np.array([sorted(given)], dtype=np.int64).reshape(1, -1),
        )
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
    return marks_of(graph)


def _orient_colliders(fci: Any, graph: Any, nodes: Any, separators: Any, knowledge: Any) -> None:
    """Apply FCI's rule 0, without what causal-learn prints while it applies knowledge."""
    with contextlib.redirect_stdout(io.StringIO()):
        fci.rule0(graph, nodes, separators, knowledge, False)


def _orient_known(graph: Any, skeleton: Skeleton, constraints: Constraints) -> None:
    """Direct the edges of which only one direction is allowed."""
    for x, y in np.argwhere(skeleton.adjacent & constraints.allowed & ~constraints.allowed.T):
        graph.remove_edge(graph.get_edge(graph.nodes[x], graph.nodes[y]))
        graph.add_directed_edge(graph.nodes[x], graph.nodes[y])
