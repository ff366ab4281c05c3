"""`EdgeBeliefs`: what several runs of discovery think of every edge, and graphs drawn from that."""

from collections.abc import Hashable
from dataclasses import dataclass, field

import networkx as nx
import numpy as np
import numpy.typing as npt

from autogluon_causalmix.discovery.knowledge import Constraints, Relation

Probability = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EdgeBeliefs:
    """Beliefs about a graph: several estimates of it, each with the probability of either direction of its edges.

    Attributes
    ----------
    nodes : tuple
        The columns.
    graphs : numpy.ndarray
        Shape (graphs, nodes, nodes): entry [g, i, j] is how much estimate g believes in i → j; [g, i, j] and
        [g, j, i] add up to 1 where g has an edge between i and j, to 0 where it has none.
    constraints : Constraints
        What the user knows; every graph drawn keeps to it.
    seconds : float
        How long discovery took.
    notes : tuple of str
        Every fallback, one sentence each.

    Examples
    --------
    >>> chain = np.array([[[0, 1, 0], [0, 0, 0.5], [0, 0.5, 0]]])
    >>> beliefs = EdgeBeliefs(("a", "b", "c"), chain, Constraints.none(3))
    >>> beliefs.probability[0, 1], beliefs.sample_dag(np.random.default_rng(0)).astype(int).sum()
    (np.float64(1.0), np.int64(2))
    """

    nodes: tuple[Hashable, ...]
    graphs: Probability
    constraints: Constraints
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def probability(self) -> Probability:
        """Belief in each edge i → j, shape (nodes, nodes): the mean over the estimates."""
        return np.asarray(self.graphs.mean(axis=0))

    def sample_dag(self, rng: np.random.Generator) -> Relation:
        """Draw an acyclic graph, shape (nodes, nodes), entry [i, j] for i → j.

        One estimate is drawn, so that edges that were found together stay together; its undecided edges get a
        direction each. Edges enter in the order of their certainty, and one that would close a cycle is turned
        round, or left out where the user's knowledge forbids that.
        """
        belief = self.graphs[rng.integers(len(self.graphs))]
        return orient(belief, self.constraints, rng)


def causes_first(dag: Relation) -> list[int]:
    """Return an order of the columns of a graph in which every cause is before its effects."""
    return list(nx.topological_sort(nx.from_numpy_array(dag, create_using=nx.DiGraph)))


def orient(belief: Probability, constraints: Constraints, rng: np.random.Generator) -> Relation:
    """Return one acyclic graph with the edges of one estimate, directions drawn as it believes in them."""
    dag = np.zeros(belief.shape, dtype=bool)
    reach = np.eye(len(belief), dtype=bool)

    def add(cause: int, effect: int) -> None:
        dag[cause, effect] = True
        reach[:] |= reach[:, cause, None] & reach[effect]

    for cause, effect in np.argwhere(constraints.required):
        add(cause, effect)
    upper = np.triu(belief + belief.T) > 0
    pairs = np.argwhere(upper & ~constraints.required & ~constraints.required.T)
    certainty = np.abs(belief - belief.T)[tuple(pairs.T)]
    forward = rng.random(len(pairs)) < belief[tuple(pairs.T)]
    for index in np.lexsort((rng.random(len(pairs)), -certainty)):
        first, second = pairs[index] if forward[index] else pairs[index][::-1]
        for cause, effect in ((first, second), (second, first)):
            if constraints.allowed[cause, effect] and not reach[effect, cause]:
                add(cause, effect)
                break
    return dag
