"""How much each graph counts: weights from what its mechanisms say of rows they have not seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.mechanisms import log_likelihoods
from autogluon_causalmix.scm.scales import Scale

DRAWS = 1000
"""Of the Bayesian bootstrap: weights then vary by .01."""


def likelihood_weights(models: Sequence[Matrix], rng: np.random.Generator) -> Matrix:
    """Return the weights of models that sum to 1: pseudo-Bayesian averaging with a Bayesian bootstrap.

    The bootstrap keeps a model that is better on a few rows from taking all of the weight (pseudo-BMA+: Yao, Vehtari,
    Simpson and Gelman, 2018).

    Parameters
    ----------
    models : sequence of numpy.ndarray
        Log-likelihood of each row under each model, from fits without the row; shape (rows,) each.
    rng : numpy.random.Generator
        Weighs the rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> likelihoods = rng.normal(size=(3, 200)) + np.array([[0.0], [0.0], [-1.0]])
    >>> bool(likelihood_weights(list(likelihoods), rng)[2] < 0.01)
    True
    """
    rows = rng.dirichlet(np.ones(len(models[0])), size=DRAWS)
    totals = len(models[0]) * rows @ np.stack(list(models), axis=1)
    share = np.exp(totals - totals.max(axis=1, keepdims=True))
    return np.asarray((share / share.sum(axis=1, keepdims=True)).mean(axis=0))


def row_likelihoods(column: Matrix, is_category: bool, mechanism: Any) -> Matrix:
    """Return the held-out log-likelihood of each row of a column, shape (rows,); 0 where the row has no value.

    A root's is that of the other rows: the frequencies of a category, a Gaussian for a number on its `Scale`.
    """
    present = ~np.isnan(column)
    likelihoods = np.zeros(len(column))
    if len(getattr(mechanism, "held_out", ())) == present.sum():
        likelihoods[present] = mechanism.held_out
    elif len(np.unique(column[present])) > 1:
        likelihoods[present] = (
            _frequency(column[present]) if is_category else _gaussian(column[present])
        )
    return likelihoods


def _frequency(codes: Matrix) -> Matrix:
    _, member, counts = np.unique(codes, return_inverse=True, return_counts=True)
    # one row's worth of prior over the levels: the only row of its level is not impossible
    return np.asarray(np.log((counts[member] - 1 + 1 / len(counts)) / len(codes)))


def _gaussian(values: Matrix) -> Matrix:
    scores = Scale.of(values).forward(values)
    n = len(scores)
    return log_likelihoods((scores - scores.mean()) * n / max(n - 1, 1), n)
