"""The guard: fine-tuned weights are kept only where they beat the pretrained ones beyond noise."""

import math
from dataclasses import dataclass

from autogluon_causalmix.arrays import Matrix

STANDARD_ERRORS = 1.0
"""The one-standard-error rule: leave the simpler choice only for a gain beyond noise."""


@dataclass(frozen=True)
class Verdict:
    """Whether the fine-tuned weights are kept, and why."""

    keep_tuned: bool
    reason: str


def compare(pretrained: Matrix, tuned: Matrix) -> Verdict:
    """Compare the losses (rows,) of the same validation rows under both sets of weights.

    The fine-tuned weights are kept if their mean loss is lower by more than one standard error of
    the paired differences (Breiman et al., 1984, section 3.4.3, on paired losses).

    Examples
    --------
    >>> import numpy as np
    >>> compare(np.array([0.9, 0.8, 0.7, 1.0]), np.array([0.5, 0.5, 0.3, 0.6])).keep_tuned
    True
    >>> compare(np.array([0.9, 0.8]), np.array([0.1, 1.4])).keep_tuned
    False
    """
    gains = pretrained - tuned
    gain = float(gains.mean())
    error = float(gains.std(ddof=1) / math.sqrt(len(gains))) if len(gains) > 1 else math.inf
    keep = gain > STANDARD_ERRORS * error and gain > 0
    return Verdict(
        keep,
        f"validation log-loss {pretrained.mean():.4f} before and {tuned.mean():.4f} after "
        f"fine-tuning: a gain of {gain:+.4f} with a standard error of {error:.4f}",
    )
