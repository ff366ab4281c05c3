"""`Recipe`: how to fine-tune."""

from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.finetuning.episodes import Role

EVALUATIONS = 20
"""Most candidates per run: means of weights move slowly, so more would hardly differ."""


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
    share : float
        Of the fine-tuned network in a prediction, where no validation rows say.
    """

    steps: int
    learning_rate: float
    real_fraction: float = 1.0
    role: Role = "query"
    share: float = 1.0

    @property
    def evaluated(self) -> frozenset[int]:
        """The steps after which a candidate is compared, `EVALUATIONS` at most, the last included.

        Examples
        --------
        >>> sorted(Recipe(240, 1e-3).evaluated)[:5]
        [12, 24, 36, 48, 60]
        """
        places = np.linspace(0, self.steps, min(self.steps, EVALUATIONS) + 1)[1:]
        return frozenset(np.rint(places).astype(int).tolist())
