"""Held-out log-likelihoods: how likely each row is, given the others."""

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.scales import Scale


def gaussian_in_windows(residuals: Matrix, window: int) -> Matrix:
    """Return Gaussian log-likelihoods of residuals, shape (rows,).

    The variance for each row comes from the other rows in a window of `window` rows around it.
    """
    n = len(residuals)
    if n < 3:
        return np.zeros(n)
    sums = np.concatenate([[0.0], np.cumsum(residuals**2)])
    first = np.clip(np.arange(n) - window // 2, 0, n - window)
    others = np.maximum(sums[first + window] - sums[first] - residuals**2, 0.0) / (window - 1)
    variance = others + 1e-9 * float((residuals**2).mean()) + 1e-300
    return np.asarray(-0.5 * np.log(2.0 * np.pi * variance) - 0.5 * residuals**2 / variance)


def of_root(values: Matrix, is_category: bool) -> Matrix:
    """Return the log-likelihood of each value of a column without parents, given the other values.

    Frequencies for a category, a Gaussian on the `Scale` of the column for a number, and 0 where
    all values are the same.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (rows,), none missing.
    is_category : bool
        Whether they are codes of categories.

    Examples
    --------
    >>> of_root(np.array([0.0, 0.0, 0.0, 1.0]), is_category=True).round(2)
    array([-0.47, -0.47, -0.47, -2.08])
    """
    if len(np.unique(values)) < 2:
        return np.zeros(len(values))
    return _frequencies(values) if is_category else _gaussian(values)


def _frequencies(codes: Matrix) -> Matrix:
    _, member, counts = np.unique(codes, return_inverse=True, return_counts=True)
    # A prior worth one row, spread over the levels: a level's only row is not impossible.
    return np.asarray(np.log((counts[member] - 1 + 1 / len(counts)) / len(codes)))


def _gaussian(values: Matrix) -> Matrix:
    scores = Scale.of(values).forward(values)
    n = len(scores)
    return gaussian_in_windows((scores - scores.mean()) * n / max(n - 1, 1), n)
