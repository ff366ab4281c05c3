"""`BOSS`: best order score search."""

import random
from dataclasses import dataclass, replace

import numpy as np

from autogluon_causalmix.arrays import Adjacency, Marks
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs, causes_first
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.score.backward_search import backward_search, member_of
from autogluon_causalmix.discovery.score.best_order import BestOrder
from autogluon_causalmix.discovery.score.compiled import has_numba
from autogluon_causalmix.discovery.score.protocol import LEAST_GAIN, Score, total_score
from autogluon_causalmix.discovery.score.search import Search
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

WITHOUT_NUMBA = (
    "numba cannot be imported: 'boss' finds the same graphs without it, in up to a hundred times "
    "the time; `pip install numba` helps"
)
"""A note."""


@dataclass(frozen=True)
class BOSS(Search):
    """Best order score search (Andrews et al., 2023) on bootstraps of the rows.

    The score is the degenerate-Gaussian BIC, or `QuotientNML` where all columns are complete
    categories. `BestOrder` finds the order of causal-learn's BOSS in compiled loops.
    `backward_search`, which causal-learn's BOSS lacks, follows. The two alternate as long as edges
    are deleted and the score rises: a graph with fewer edges has orders that the first search did
    not reach.

    Parameters
    ----------
    penalty, bootstraps : float, int
        As for `GES`.
    """

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return beliefs about the edges of `table`; a note says if numba is missing."""
        found = super().discover(table, constraints, rng, resources)
        return found if has_numba() else replace(found, notes=(*found.notes, WITHOUT_NUMBA))

    def cpdag(self, score: Score, allowed: Adjacency, rng: np.random.Generator) -> Marks:
        """Return the marks of the class that neither search improves, from a random order."""
        orders, draws = BestOrder(score, allowed), random.Random(int(rng.integers(2**63)))
        # From the order of the columns, a search would prefer earlier columns as causes.
        order, worth, deleted = rng.permutation(len(allowed)).tolist(), -np.inf, True
        marks = np.zeros(allowed.shape, dtype=np.int64)
        while deleted:
            graph = orders.search(order, draws)
            found = backward_search(score, graph)
            dag = member_of(found)
            total = total_score(score, dag)
            if total <= worth + LEAST_GAIN:
                break
            order, worth, marks, deleted = causes_first(dag), total, found, dag.sum() < graph.sum()
        return marks


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register the built-in search."""
    register("boss", BOSS)
