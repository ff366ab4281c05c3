"""The choice of weights: means of the weights along the run, against the pretrained ones.

A mean of weights moves slowly, so its candidates differ little, and the best of them is seldom a
lucky one. Measured beside other rules in ``docs/decisions/selection.md``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.records import Scores

if TYPE_CHECKING:
    from torch import Tensor

STANDARD_ERRORS = 0.5
"""By which a candidate must beat the pretrained weights; the best of several such rules."""

SHORTEST_RUN = 60
"""Steps before which a run does not end of itself."""


@dataclass(frozen=True)
class Candidate:
    """Weights of a run, and how they predict the validation rows.

    Attributes
    ----------
    step : int
        After how many steps; 0 for the pretrained weights.
    losses : numpy.ndarray
        Of the validation rows, shape (rows,).
    scores : Scores
        Of the validation rows.
    weights : list of torch.Tensor
        The trainable ones, in the order of the network.
    """

    step: int
    losses: Matrix
    scores: Scores
    weights: "list[Tensor]"


@dataclass(frozen=True)
class Verdict:
    """Whether the fine-tuned weights are kept, and why."""

    keep_tuned: bool
    reason: str


def compare(pretrained: Matrix, tuned: Matrix) -> Verdict:
    """Compare the losses (rows,) of the same validation rows under both sets of weights.

    The fine-tuned weights are kept if their mean loss is lower by more than `STANDARD_ERRORS` of
    the paired differences (a rule of standard errors as in Breiman et al., 1984, section 3.4.3).

    Examples
    --------
    >>> import numpy as np
    >>> compare(np.array([0.9, 0.8, 0.7, 1.0]), np.array([0.5, 0.5, 0.3, 0.6])).keep_tuned
    True
    >>> compare(np.array([0.9, 0.8]), np.array([0.1, 1.5])).keep_tuned
    False
    """
    gains = pretrained - tuned
    return Verdict(
        beats(gains, STANDARD_ERRORS),
        f"validation log-loss {pretrained.mean():.4f} before and {tuned.mean():.4f} after "
        f"fine-tuning: a gain of {gains.mean():+.4f} with a standard error of {_error(gains):.4f}",
    )


def beats(gains: Matrix, errors: float) -> bool:
    """Return whether the mean of gains (rows,) is above so many of its standard errors, and 0."""
    gain = float(gains.mean())
    return gain > errors * _error(gains) and gain > 0


def _error(gains: Matrix) -> float:
    return float(gains.std(ddof=1) / math.sqrt(len(gains))) if len(gains) > 1 else math.inf


def best(candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate of the lowest mean loss, the earliest of equals."""
    return min(candidates, key=lambda candidate: float(candidate.losses.mean()))


def has_turned(step: int, best_step: int) -> bool:
    """Return whether a run of `step` steps has passed its best weights for good.

    A run goes on while its best candidate lies in its second half.

    Examples
    --------
    >>> has_turned(60, best_step=12), has_turned(60, best_step=48), has_turned(48, best_step=0)
    (True, False, False)
    """
    return step >= SHORTEST_RUN and step > 2 * best_step
