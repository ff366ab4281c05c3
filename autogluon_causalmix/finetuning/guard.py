"""The guard: fine-tuned weights are kept only where they beat the pretrained ones by more than noise."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from autogluon_causalmix.records import Scores

Losses = npt.NDArray[np.float64]

STANDARD_ERRORS = (
    1.0  # the one-standard-error rule: leave the simpler choice only for a gain beyond noise
)


@dataclass(frozen=True)
class Verdict:
    """Whether the tuned weights are kept, and why."""

    keep_tuned: bool
    reason: str


def judge(pretrained: Losses, tuned: Losses) -> Verdict:
    """Compare the log-losses (rows,) of the same validation rows under both sets of weights.

    The tuned weights are kept if their mean loss is lower by more than one standard error of the paired
    differences (Breiman et al., 1984, section 3.4.3, on paired losses).

    Examples
    --------
    >>> judge(np.array([0.9, 0.8, 0.7, 1.0]), np.array([0.5, 0.5, 0.3, 0.6])).keep_tuned
    True
    >>> judge(np.array([0.9, 0.8]), np.array([0.1, 1.4])).keep_tuned
    False
    """
    gains = pretrained - tuned
    gain = float(gains.mean())
    error = float(gains.std(ddof=1) / math.sqrt(len(gains))) if len(gains) > 1 else math.inf
    keep = gain > STANDARD_ERRORS * error and gain > 0
    losses = f"validation log-loss {pretrained.mean():.4f} before and {tuned.mean():.4f} after fine-tuning"
    return Verdict(keep, f"{losses}: a gain of {gain:+.4f} with a standard error of {error:.4f}")


def score(probabilities: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> Scores:
    """Return log-loss and one-vs-rest ROC-AUC of probabilities (rows, K) for class codes (rows,)."""
    return Scores(
        log_loss=float(row_losses(probabilities, labels).mean()),
        roc_auc=_roc_auc(probabilities, labels),
    )


def row_losses(probabilities: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> Losses:
    """Return the log-loss of each row, shape (rows,)."""
    chosen = probabilities[np.arange(len(labels)), labels].astype("float64")
    losses: Losses = -np.log(np.maximum(chosen, np.finfo("float64").tiny))
    return losses


def _roc_auc(probabilities: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> float | None:
    n_classes = probabilities.shape[1]
    if len(np.unique(labels)) < n_classes or n_classes < 2:
        return None
    if n_classes == 2:
        return float(roc_auc_score(labels, probabilities[:, 1]))
    return float(
        roc_auc_score(labels, probabilities, multi_class="ovr", labels=np.arange(n_classes))
    )
