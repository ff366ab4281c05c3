"""Held-out log-likelihoods: how likely each row is, given the others."""

import numpy as np
from statsmodels.nonparametric.kde import KDEUnivariate

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.scales import Scale

FEWEST_FOR_KERNEL = 20
"""Rows: with fewer, a kernel estimate follows chance."""

GRID = 1024
"""Points at which a kernel estimate is computed; .4 % off for 500 rows."""

TAILS = 0.02
"""Share of the Gaussian: a row far from the others is not impossible."""


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


def of_any_shape(residuals: Matrix, gaussian: Matrix) -> Matrix:
    """Return log-likelihoods of residuals, shape (rows,), that need not be Gaussian.

    By a kernel estimate from the other rows (Silverman, 1986), where that makes them likelier: what
    is not Gaussian in the noise tells causes from effects (Shimizu et al., 2006).

    Parameters
    ----------
    residuals, gaussian : numpy.ndarray
        Shape (rows,) each: the residuals, and Gaussian log-likelihoods of them.

    Examples
    --------
    >>> uniform = np.random.default_rng(0).random(500) - 0.5
    >>> gaussian = gaussian_in_windows(uniform, 500)
    >>> bool(abs(of_any_shape(uniform, gaussian).mean()) < 0.1)  # the density is 1
    True
    """
    n = len(residuals)
    if n < FEWEST_FOR_KERNEL or residuals.std() <= 1e-9 * np.abs(residuals).max():
        return gaussian
    kernel = _kernel(residuals, gaussian)
    return kernel if kernel.mean() > gaussian.mean() else gaussian


def _kernel(residuals: Matrix, gaussian: Matrix) -> Matrix:
    """Return log-likelihoods by a kernel estimate, with a little of the Gaussian for the tails."""
    n = len(residuals)
    estimate = KDEUnivariate(residuals)
    estimate.fit(bw="silverman", gridsize=min(n, GRID))
    density = np.interp(residuals, estimate.support, estimate.density)
    own = 1.0 / (np.sqrt(2.0 * np.pi) * estimate.bw)
    others = np.maximum(n * density - own, 0.0) / (n - 1)
    return np.asarray(np.log((1 - TAILS) * others + TAILS * np.exp(gaussian) + 1e-300))


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
    return gaussian_in_windows(left_out(values), len(values))


def left_out(values: Matrix) -> Matrix:
    """Return each value less the mean of the others, on the `Scale` of the column; (rows,)."""
    scores = Scale.of(values).forward(values)
    return np.asarray((scores - scores.mean()) * len(scores) / max(len(scores) - 1, 1))
