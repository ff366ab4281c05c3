"""Weights of graphs, from the likelihood of held-out rows under their mechanisms."""

from collections.abc import Sequence

import numpy as np

from autogluon_causalmix.arrays import Mask, Matrix
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.scm.protocol import FittedMechanism

BOOTSTRAP_DRAWS = 1000
"""Of the Bayesian bootstrap: weights then vary by .01."""


def likelihood_weights(models: Sequence[Matrix], rng: np.random.Generator) -> Matrix:
    """Return weights of models that sum to 1: pseudo-Bayesian averaging with a Bayesian bootstrap.

    The bootstrap keeps a model that is better on a few rows from taking all of the weight
    (pseudo-BMA+: Yao, Vehtari, Simpson and Gelman, 2018).

    Parameters
    ----------
    models : sequence of numpy.ndarray
        Log-likelihood of each row under each model, from fits without the row; shape (rows,) each.
    rng : numpy.random.Generator
        Draws the weights of the rows in the bootstrap.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> likelihoods = rng.normal(size=(3, 200)) + np.array([[0.0], [0.0], [-1.0]])
    >>> bool(likelihood_weights(list(likelihoods), rng)[2] < 0.01)
    True
    """
    rows = rng.dirichlet(np.ones(len(models[0])), size=BOOTSTRAP_DRAWS)
    totals = len(models[0]) * rows @ np.stack(list(models), axis=1)
    share = np.exp(totals - totals.max(axis=1, keepdims=True))
    return np.asarray((share / share.sum(axis=1, keepdims=True)).mean(axis=0))


def row_likelihoods(present: Mask, mechanism: FittedMechanism) -> Matrix:
    """Return the held-out log-likelihood of each row, shape (rows,); 0 where the value is missing.

    Parameters
    ----------
    present : numpy.ndarray of bool
        Shape (rows,): which rows have a value of the column.
    mechanism : FittedMechanism
        The column's mechanism, fitted to these rows.

    Raises
    ------
    ConfigError
        The mechanism makes no held-out fits.
    """
    if mechanism.held_out is None:
        raise ConfigError(
            f"the mechanism {mechanism.learner!r} makes no held-out fits, which weights by "
            "likelihood need: weigh graphs equally or choose another mechanism"
        )
    likelihoods = np.zeros(len(present))
    likelihoods[present] = mechanism.held_out
    return likelihoods
