"""`RandomOrder`: complete graphs over random orders of the columns, a control."""

import time
from dataclasses import dataclass
from typing import Annotated

import networkx as nx
import numpy as np
from pydantic import Field
from scipy.sparse.csgraph import connected_components

from autogluon_causalmix.arrays import Adjacency, Matrix
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.bootstraps import nodes_of
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class RandomOrder:
    """A control: in each of several random orders, every column is caused by all before it.

    Any order gives the chain rule ``p(x) = ∏_j p(x_j | x_1, …, x_(j − 1))``: nothing is lost but
    what mechanisms cannot learn from many parents. A discovered graph pays if it beats this one.
    With ``mechanism="pfn"``, each column in turn comes from a foundation model.

    Orders keep to the user's knowledge, and forbidden edges are left out.

    Parameters
    ----------
    orders : int
        How many orders are drawn.

    Examples
    --------
    >>> import pandas as pd
    >>> table = Table.from_frame(pd.DataFrame({"a": [1, 2], "b": [3, 4], "y": [0, 1]}), "y")
    >>> rng, free = np.random.default_rng(0), Constraints.none(3)
    >>> RandomOrder(orders=1).discover(table, free, rng, Resources(1.0)).probability
    array([[0., 0., 0.],
           [1., 0., 0.],
           [1., 1., 0.]])
    """

    orders: Annotated[int, Field(ge=1, le=1000)] = 20

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return the graph of each order."""
        started = time.monotonic()
        before = nx.from_numpy_array(_precedence(constraints), create_using=nx.DiGraph)
        graphs = np.array([_complete(before, constraints, rng) for _ in range(self.orders)])
        return EdgeBeliefs(nodes_of(table), graphs, constraints, time.monotonic() - started)


def _complete(before: nx.DiGraph, constraints: Constraints, rng: np.random.Generator) -> Matrix:
    """Return the allowed edges of a random order, shape (columns, columns)."""
    rank = rng.random(len(before))
    order = list(nx.lexicographical_topological_sort(before, key=lambda column: rank[column]))
    place = np.argsort(order)
    return ((place[:, None] < place) & constraints.allowed).astype("float64")


def _precedence(constraints: Constraints) -> Adjacency:
    """Return which column must stand before which: [i, j] for i before j.

    That is so where i → j is allowed and j → i is not, unless such edges form a cycle. Of a cycle,
    only required edges count.
    """
    one_way = constraints.allowed & ~constraints.allowed.T
    cycle = connected_components(one_way, directed=True, connection="strong")[1]
    across = cycle[:, None] != cycle
    return np.asarray(constraints.required | (one_way & across), dtype="bool")


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register the built-in discoverer ``"random-order"``."""
    register("random-order", RandomOrder)
