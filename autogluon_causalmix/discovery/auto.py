"""`AutoDiscoverer`: BOSS, or PC and FCI on wide tables."""

from dataclasses import dataclass, replace

import numpy as np

from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.constraint.pc_fci import PCAndFCI
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.score.boss import BOSS
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

MOST_COLUMNS_FOR_BOSS = 100
"""Up to so many, BOSS was not slower than PC and FCI on any table: 0.3 beside 1.0 s a bootstrap on
5,000 rows of a sparse model, 0.7 beside 1.6 s where all columns depend on each other."""


@dataclass(frozen=True)
class AutoDiscoverer:
    """`BOSS`, or `PCAndFCI` on more than 100 columns, where BOSS may take minutes.

    BOSS is the first choice: in small tables it finds edges that tests miss, so that rows drawn
    from its graphs are harder to tell from real ones.
    """

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return the beliefs of the chosen discoverer; a note says if it is `PCAndFCI`."""
        if len(table.columns) <= MOST_COLUMNS_FOR_BOSS:
            return BOSS().discover(table, constraints, rng, resources)
        found = PCAndFCI().discover(table, constraints, rng, resources)
        note = (
            f"{len(table.columns)} columns are more than 'boss' is quick on "
            f"({MOST_COLUMNS_FOR_BOSS}): 'pc+fci' found the graph"
        )
        return replace(found, notes=(note, *found.notes))


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register the default discoverer."""
    register("auto", AutoDiscoverer)
