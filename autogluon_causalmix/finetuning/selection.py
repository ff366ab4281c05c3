"""The choice of weights: means of the weights along the run, and how far to trust the best one.

A mean of weights moves slowly, so its candidates differ little, and the best of them is seldom a
lucky one. How much it has to say beside the pretrained weights follows from its gain and the noise
of that gain. Measured beside other rules in ``docs/decisions/selection.md``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autogluon_causalmix.arrays import Matrix

if TYPE_CHECKING:
    from torch import Tensor

HALF_WAY = 2.0
"""Standard errors of a gain at which both networks have the same say."""

UNSEEN = 3.8
"""Rows of a kind that n rows lack may be 3.8 / n of all: a bound that is passed as rarely as
`HALF_WAY` standard errors are, in 2.3 % of the cases; for 5 % it is the rule of three."""

LEAST_SHARE = 0.05
"""Below, the pretrained network predicts alone, in half of the time."""

SHORTEST_RUN = 60
"""Steps before which a run does not end of itself."""


@dataclass(frozen=True)
class Candidate:
    """Weights of a run, and how they predict the validation rows.

    Attributes
    ----------
    step : int
        After how many steps; 0 for the pretrained weights.
    predicted : numpy.ndarray
        Probabilities of the validation rows, shape (rows, K).
    losses : numpy.ndarray
        Of the validation rows, shape (rows,).
    weights : list of torch.Tensor
        The trainable ones, in the order of the network.
    """

    step: int
    predicted: Matrix
    losses: Matrix
    weights: "list[Tensor]"


@dataclass(frozen=True)
class Verdict:
    """The share of the fine-tuned network in a prediction, 0 to 1, and why."""

    share: float
    reason: str


def compare(pretrained: Matrix, tuned: Matrix) -> Verdict:
    """Compare the losses (rows,) of the same validation rows under both sets of weights.

    Examples
    --------
    >>> import numpy as np
    >>> before, after = np.tile([0.9, 0.8, 0.7, 1.0], 10), np.tile([0.5, 0.5, 0.3, 0.8], 10)
    >>> round(compare(before, after).share, 2), compare(after, before).share
    (0.99, 0.0)
    """
    gains = pretrained - tuned
    share, error = share_of(gains), standard_error(gains)
    said = f"counts for {share:.0%} of a prediction" if share else "is not used"
    return Verdict(
        share,
        f"validation log-loss {pretrained.mean():.4f} before and {tuned.mean():.4f} after "
        f"fine-tuning: a gain of {gains.mean():+.4f} with a standard error of {error:.4f}, "
        f"so the fine-tuned network {said}",
    )


def share_of(gains: Matrix) -> float:
    """Return how far to go towards the fine-tuned network, by its gains (rows,); 0 to 1.

    The gain is shrunk towards none by its own noise: g² / (g² + b²) of it is believed, where g is
    the mean of the gains and b a bound of its error (the estimator of Thompson, 1968, J. Am. Stat.
    Assoc. 63, with a stronger shrinkage). The bound is two standard errors; or, if that is more,
    what rows of a kind that these few lack could change, each by as much as the largest change
    among them (Hanley and Lippman-Hand, 1983, J. Am. Med. Assoc. 249).

    Examples
    --------
    >>> import numpy as np
    >>> gains = np.tile([0.2, -0.1, 0.3, 0.2], 10)
    >>> round(share_of(gains), 2), share_of(-gains)
    (0.91, 0.0)
    """
    return share_by(float(gains.mean()), bound_of(gains))


def share_by(gain: float, bound: float) -> float:
    """Return the share by a gain and a bound of its error; 0 where it is too small to pay."""
    share = gain**2 / (gain**2 + bound**2) if gain > 0 else 0.0
    return share if share >= LEAST_SHARE else 0.0


def bound_of(gains: Matrix) -> float:
    """Return the bound of the error of the mean of gains (rows,), see `share_of`."""
    unseen = UNSEEN / len(gains) * float(np.abs(gains).max())
    return max(HALF_WAY * standard_error(gains), unseen)


def standard_error(gains: Matrix) -> float:
    """Return the standard error of the mean of gains (rows,); infinite for a single row."""
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
