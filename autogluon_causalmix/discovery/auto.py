"""`Auto`: the discoverer that suits the table."""

from dataclasses import dataclass, replace

import numpy as np

from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.constraint.pc_fci import PCAndFCI
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.score.searches import BOSS
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

MOST_COLUMNS = 40
"""On 31 that all hang together, ten bootstraps of 500 rows take 2 s on one core, and on 42 they take 6 s."""


@dataclass(frozen=True)
class Auto:
    """`BOSS`, and `PCAndFCI` on more than 40 columns, where a search may take longer than the fine-tuning.

    A search joins what tests keep apart in small tables, so that its rows are harder to tell from real ones.
    """

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return what the one that suits the table finds; a note says so where it is the second choice."""
        if len(table.columns) <= MOST_COLUMNS:
            return BOSS().discover(table, constraints, rng, resources)
        found = PCAndFCI().discover(table, constraints, rng, resources)
        note = f"{len(table.columns)} columns are more than 'boss' is quick on ({MOST_COLUMNS}): 'pc+fci' found the graph"
        return replace(found, notes=(note, *found.notes))


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register what this module knows."""
    register("auto", Auto)
