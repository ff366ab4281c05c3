"""`Recipe`: how to fine-tune."""

from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.finetuning.episodes import Role

EVALUATIONS = 10
"""Most candidates per run: enough to catch the turn, few enough not to pick a lucky one."""


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune.

    Attributes
    ----------
    steps : int
        Most optimiser steps.
    learning_rate : float
        The peak.
    real_fraction : float
        Weight of the real rows in the loss.
    role : {"query", "episode"}
        How synthetic rows take part, see `EpisodeSampler`.
    """

    steps: int
    learning_rate: float
    real_fraction: float = 1.0
    role: Role = "query"

    @property
    def evaluated(self) -> frozenset[int]:
        """The steps after which a candidate is compared, `EVALUATIONS` at most, the last included.

        Examples
        --------
        >>> sorted(Recipe(19, 1e-3).evaluated)
        [2, 4, 6, 8, 10, 11, 13, 15, 17, 19]
        """
        places = np.linspace(0, self.steps, min(self.steps, EVALUATIONS) + 1)[1:]
        return frozenset(np.rint(places).astype(int).tolist())
