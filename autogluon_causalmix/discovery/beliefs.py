"""`EdgeBeliefs`: the probability of every edge in several estimates, and graphs drawn from it."""

from collections.abc import Hashable
from dataclasses import dataclass, field

import networkx as nx
import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Adjacency, Marks, Matrix
from autogluon_causalmix.discovery.knowledge import Constraints


@dataclass(frozen=True)
class EdgeBeliefs:
    """Several estimates of one graph, each with the probability of both directions of its edges.

    Attributes
    ----------
    nodes : tuple
        The columns.
    graphs : numpy.ndarray
        Shape (graphs, nodes, nodes): entry [g, i, j] is the probability of i → j in estimate g.
        Entries [g, i, j] and [g, j, i] add up to 1 where g has an edge between i and j, else to 0.
    constraints : Constraints
        The user's knowledge; every graph drawn keeps to it.
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
    graphs: Matrix
    constraints: Constraints
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def probability(self) -> Matrix:
        """Probability of each edge i → j, shape (nodes, nodes): the mean over the estimates."""
        return np.asarray(self.graphs.mean(axis=0))

    def frame(self) -> pd.DataFrame:
        """Return the edges in columns ``cause``, ``effect`` and ``probability``, likely ones first.

        Examples
        --------
        >>> one = np.array([[[0, 0.7], [0.3, 0]]])
        >>> EdgeBeliefs(("a", "b"), one, Constraints.none(2)).frame()
          cause effect  probability
        0     a      b          0.7
        1     b      a          0.3
        """
        i, j = np.nonzero(self.probability)
        edges = {
            "cause": [self.nodes[place] for place in i],
            "effect": [self.nodes[place] for place in j],
            "probability": self.probability[i, j],
        }
        return pd.DataFrame(edges).sort_values("probability", ascending=False, ignore_index=True)

    def _repr_html_(self) -> str:
        said: str = self.frame().to_html(index=False, float_format="{:.2f}".format)
        return said

    def sample_dag(self, rng: np.random.Generator) -> Adjacency:
        """Draw an acyclic graph, shape (nodes, nodes), entry [i, j] for i → j.

        One estimate is drawn, so that edges that were found together stay together. Each of its
        edges gets a direction at random, by its probability. The most certain edges are added
        first. An edge that would close a cycle is reversed, or left out where that is forbidden.
        """
        belief = self.graphs[rng.integers(len(self.graphs))]
        return orient(belief, self.constraints, rng)


def belief_of(marks: Marks, constraints: Constraints) -> Matrix:
    """Return the probability of both directions of each edge, shape (nodes, nodes).

    A circle is a tail or an arrowhead with equal probability. The graphs drawn have no unseen
    nodes, so that i ↔ j (an unseen common cause) is an edge in either direction, as i − j is. So
    P(i → j) = ½ + ½ (P(tail at i) − P(tail at j)).

    Examples
    --------
    >>> belief_of(np.array([[0, 2], [1, 0]]), Constraints.none(2))
    array([[0.  , 0.75],
           [0.25, 0.  ]])
    """
    tail = np.where(marks == -1, 1.0, np.where(marks == 2, 0.5, 0.0))
    belief = np.where(marks != 0, 0.5 + 0.5 * (tail - tail.T), 0.0)
    belief = np.where(constraints.allowed, belief, 0.0)
    belief = np.where((marks != 0) & constraints.allowed & ~constraints.allowed.T, 1.0, belief)
    belief[constraints.required] = 1.0
    return belief


def causes_first(dag: Adjacency) -> list[int]:
    """Return an order of the columns of a graph in which every cause is before its effects."""
    return list(nx.topological_sort(nx.from_numpy_array(dag, create_using=nx.DiGraph)))


def orient(belief: Matrix, constraints: Constraints, rng: np.random.Generator) -> Adjacency:
    """Return an acyclic graph with the edges of one estimate, their directions drawn at random."""
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
