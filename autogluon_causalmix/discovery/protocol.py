"""`Discoverer`: from the rows of a table to beliefs about its causal graph.

A discoverer is a small class whose fields are its options. It needs no base class::

    @dataclass(frozen=True)
    class Nothing:
        def discover(self, table, constraints, rng, resources) -> EdgeBeliefs:
            nodes = tuple(column.name for column in table.columns)
            return EdgeBeliefs(nodes, np.zeros((1, len(nodes), len(nodes))), constraints)
"""

from typing import Protocol, runtime_checkable

import numpy as np

from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.knowledge import Constraints, Knowledge
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

__all__ = ["Constraints", "Discoverer", "EdgeBeliefs", "Knowledge"]


@runtime_checkable
class Discoverer(Protocol):
    """Finds causal edges in a table; its fields are its options.

    `autogluon_causalmix.discovery.contract` holds the beliefs to a contract.
    """

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return beliefs about the edges between the columns of `table`, within `resources`.

        Parameters
        ----------
        table : Table
            The rows.
        constraints : Constraints
            The user's knowledge, which every estimate must keep to.
        rng : numpy.random.Generator
            Source of all randomness.
        resources : Resources
            Time and cores that discovery may use.
        """
        ...
