"""The border with causal-learn's rules: a skeleton goes in, the PC algorithm's and FCI's marks come out."""

from typing import Any

import numpy as np

from autogluon_causalmix.discovery.beliefs import Probability
from autogluon_causalmix.discovery.constraint.possible_d_separation import remove_edges
from autogluon_causalmix.discovery.constraint.skeleton import Marks, Skeleton
from autogluon_causalmix.discovery.independence.degenerate_gaussian import IndependenceTest
from autogluon_causalmix.discovery.knowledge import Constraints


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
    from causallearn.graph.Endpoint import Endpoint
    from causallearn.utils.PCUtils import Meek, UCSepset

    from autogluon_causalmix.discovery.causal_learn import IndexedGraph, knowledge_of, marked

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
    return _marks(Meek.meek(oriented, background_knowledge=knowledge).G)


def fci_marks(
    skeleton: Skeleton,
    test: IndependenceTest,
    alpha: float,
    constraints: Constraints,
    max_depth: int | None = None,
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

    from autogluon_causalmix.discovery.causal_learn import knowledge_of, marked

    graph = marked(skeleton.adjacent, Endpoint.CIRCLE)
    nodes = graph.get_nodes()
    knowledge = knowledge_of(nodes, constraints)
    separators = {pair: set(separator) for pair, separator in skeleton.separators.items()}
    separators.update({(y, x): separator for (x, y), separator in separators.items()})
    _orient_colliders(FCI, graph, nodes, separators, knowledge)
    kept = constraints.required | constraints.required.T
    adjacent = remove_edges(_marks(graph), separators, test, alpha, kept, max_depth)
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
    return _marks(graph)


def _orient_colliders(fci: Any, graph: Any, nodes: Any, separators: Any, knowledge: Any) -> None:
    """Apply FCI's rule 0; causal-learn prints while it orients by knowledge, and that is nobody's output."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        fci.rule0(graph, nodes, separators, knowledge, False)


def _orient_known(graph: Any, skeleton: Skeleton, constraints: Constraints) -> None:
    """Direct the edges that can go one way only."""
    for x, y in np.argwhere(skeleton.adjacent & constraints.allowed & ~constraints.allowed.T):
        graph.remove_edge(graph.get_edge(graph.nodes[x], graph.nodes[y]))
        graph.add_directed_edge(graph.nodes[x], graph.nodes[y])


def _marks(graph: Any) -> Marks:
    return np.array(graph.graph, dtype=np.int64)
