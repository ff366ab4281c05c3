"""The metrics of all studies; log-loss and the ROC-AUC of one split are the package's own.

Letters: R rows, K classes. ``p`` holds probabilities (R, K), ``y`` the classes' positions (R,).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autogluon_causalmix.task import Classification, one_vs_rest_auc

Probabilities = NDArray[np.float64]
Labels = NDArray[np.int64]


def all_metrics(p: Probabilities, y: Labels) -> dict[str, float]:
    """Return the three metrics by their names."""
    return {
        "roc_auc": roc_auc(p, y),
        "log_loss": log_loss(p, y),
        "calibration_error": calibration_error(p, y),
    }


def roc_auc(p: Probabilities, y: Labels) -> float:
    """Return the one-vs-rest ROC-AUC, the mean over the classes that `y` holds; NaN for one class.

    Examples
    --------
    >>> roc_auc(np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]), np.array([0, 1, 1]))
    1.0
    """
    present = np.unique(y)
    return one_vs_rest_auc(p[:, present], y) if len(present) > 1 else float("nan")


def log_loss(p: Probabilities, y: Labels) -> float:
    """Return the mean log-loss.

    Examples
    --------
    >>> round(log_loss(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1])), 3)
    0.49
    """
    return float(Classification().row_losses(p, y).mean())


def calibration_error(p: Probabilities, y: Labels, bins: int = 15) -> float:
    """Return the expected calibration error of the predicted class over bins of equal width.

    Examples
    --------
    >>> round(calibration_error(np.tile([0.9, 0.1], (2, 1)), np.array([0, 1])), 3)
    0.4
    """
    confidence, correct = p.max(1), p.argmax(1) == y
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(correct[place == b].sum() - confidence[place == b].sum()) for b in range(bins)]
    return float(sum(gaps) / len(y))


def both(p: NDArray[np.float64]) -> Probabilities:
    """Return probabilities (R, 2) of two classes from those of the second, shape (R,)."""
    return np.column_stack([1 - p, p])
