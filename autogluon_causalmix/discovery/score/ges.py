"""`GES`: greedy equivalence search."""

from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Adjacency, Marks
from autogluon_causalmix.discovery.score.protocol import Score
from autogluon_causalmix.discovery.score.search import Search
from autogluon_causalmix.hookspecs import Register, hookimpl


@dataclass(frozen=True)
class GES(Search):
    """Greedy equivalence search (Chickering, 2002) on bootstraps of the rows.

    Very slow on many columns that all depend on each other: a bootstrap of 500 rows takes 30 s on
    the 42 columns of qsar-biodeg, 0.4 s on the 21 of credit-g (one core).

    Parameters
    ----------
    penalty : float
        Multiplies the penalty of the score; more makes sparser graphs.
    bootstraps : int
        How many times the rows are resampled.

    Examples
    --------
    >>> import pandas as pd
    >>> from autogluon_causalmix.discovery.knowledge import Constraints
    >>> from autogluon_causalmix.resources import Resources
    >>> from autogluon_causalmix.table import Table
    >>> rng = np.random.default_rng(0)
    >>> left, right = rng.normal(size=(2, 1000))
    >>> ill = np.where(left + right > 0, "yes", "no")
    >>> table = Table.from_frame(pd.DataFrame({"left": left, "right": right, "ill": ill}), "ill")
    >>> nothing, resources = Constraints.none(3), Resources(10.0)
    >>> GES(bootstraps=3).discover(table, nothing, rng, resources).probability
    array([[0., 0., 1.],
           [0., 0., 1.],
           [0., 0., 0.]])
    """

    def cpdag(self, score: Score, allowed: Adjacency, rng: np.random.Generator) -> Marks:
        """Return the marks that GES ends with; it draws nothing."""
        from autogluon_causalmix.discovery.causal_learn import data_for, marks_of, search_module

        module = search_module("ScoreBased.GES", score, rng)
        module.insert_vc2_fast = all_paths_blocked
        return marks_of(module.ges(data_for(score))["G"])


def all_paths_blocked(
    start: int, end: int, blocking: set[int], onwards: dict[int, set[int]]
) -> bool:
    """Return whether every path from `start` to `end` has a node of `blocking`.

    causal-learn's own function walks through all paths, of which a dense graph has too many.
    """
    reached, pending = {start} | blocking, [start]
    while pending:
        fresh = onwards[pending.pop()] - reached
        if end in fresh:
            return False
        reached |= fresh
        pending += fresh
    return True


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register the built-in search."""
    register("ges", GES)
