"""Conditional label fidelity: whether synthetic rows have the labels that real ones would have."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.errors import NotApplicable
from autogluon_causalmix.fidelity.forests import codes, features, probabilities
from autogluon_causalmix.fidelity.protocol import Better, Samples
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources

FOLDS = 5
SMOOTHING = 0.02
"""Share of each probability that is spread over all classes: forests say 0, whose log is none."""


@dataclass(frozen=True)
class LabelDivergence:
    """Mean Kullback–Leibler divergence KL(p(y|x) ‖ q(y|x)) over unseen real rows x, in nats.

    p is a random forest trained on unseen real rows and cross-fitted, q one that is trained on as
    many synthetic rows. Both are smoothed by 2 %.

    Parameters
    ----------
    trees : int
        Of each forest.
    """

    family: ClassVar[str] = "label"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, math.inf)
    reference: ClassVar[str] = "Kullback & Leibler, 1951; the teacher is ours"

    trees: Annotated[int, Field(ge=1)] = 50

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the mean divergence."""
        inputs, known = features(rows.holdout), codes(rows.holdout)
        if len(np.unique(known)) < 2:
            raise NotApplicable("the unseen real rows hold a single class")
        n_classes = len(rows.holdout.levels)
        fold = rng.permutation(len(known)) % FOLDS
        teacher = np.empty((len(known), n_classes))
        for own in range(FOLDS):
            kept, left_out = fold != own, fold == own
            teacher[left_out] = probabilities(
                inputs[kept], known[kept], inputs[left_out], n_classes, self.trees, rng
            )
        size = len(rows.synthetic) - len(rows.synthetic) // FOLDS
        drawn = rows.synthetic.take(rng.choice(len(rows.synthetic), size, replace=False))
        student = probabilities(features(drawn), codes(drawn), inputs, n_classes, self.trees, rng)
        return float(divergence(_smooth(teacher), _smooth(student)).mean())


def divergence(first: Matrix, second: Matrix) -> Matrix:
    """Return KL(first ‖ second) of distributions along the last axis, in nats; none may be 0.

    Examples
    --------
    >>> float(divergence(np.array([0.5, 0.5]), np.array([0.25, 0.75])).round(4))  # ½ log 4/3
    0.1438
    """
    return np.asarray((first * np.log(first / second)).sum(axis=-1))


def _smooth(shares: Matrix) -> Matrix:
    return np.asarray((1 - SMOOTHING) * shares + SMOOTHING / shares.shape[-1])


@hookimpl
def causalmix_register_metrics(register: Register) -> None:
    """Register the built-in metric of labels."""
    register("label-divergence", LabelDivergence)
