"""`GRaSP`: greedy relaxations of the sparsest permutation."""

from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Adjacency, Marks
from autogluon_causalmix.discovery.score.protocol import Score
from autogluon_causalmix.discovery.score.search import Search
from autogluon_causalmix.hookspecs import Register, hookimpl


@dataclass(frozen=True)
class GRaSP(Search):
    """Greedy relaxations of the sparsest permutation (Lam et al., 2022) on bootstraps of the rows.

    Slow on many columns that all depend on each other, though less so than `GES`.

    Parameters
    ----------
    penalty, bootstraps : float, int
        As for `GES`.
    """

    def cpdag(self, score: Score, allowed: Adjacency, rng: np.random.Generator) -> Marks:
        """Return the marks of the best order that GRaSP finds."""
        from autogluon_causalmix.discovery.causal_learn import data_for, marks_of, search_module

        module = search_module("PermutationBased.GRaSP", score, rng)
        return marks_of(module.grasp(data_for(score), verbose=False))


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register the built-in search."""
    register("grasp", GRaSP)
