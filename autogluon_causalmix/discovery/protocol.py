"""Discovery: from the rows of a table to beliefs about who causes whom.

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
    """Finds causal edges in a table; its fields are its options."""

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return beliefs about the edges between the columns of `table`, within `resources`.

        All randomness comes from `rng`; `constraints` are the user's, and hold for every graph drawn.
        """
        ...
