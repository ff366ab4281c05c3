"""`FittedMechanism`: what the fitted mechanisms of roots and of children have in common."""

from typing import Protocol

import numpy as np

from autogluon_causalmix.arrays import Matrix


class FittedMechanism(Protocol):
    """A column as a function of its parents and of noise.

    Attributes
    ----------
    learner : str
        What was fitted, for the report.
    held_out : numpy.ndarray or None
        Shape (rows with a value,): the log-likelihood of each such row, from a fit without it.
        None for mechanisms that make no such fits.
    """

    learner: str
    held_out: Matrix | None

    def draw(self, parents: Matrix, noise: Matrix, rng: np.random.Generator) -> Matrix:
        """Return values, shape (rows,).

        Parameters
        ----------
        parents : numpy.ndarray
            Shape (rows, parents), in the encoding of `Table.encode`; no columns for a root.
        noise : numpy.ndarray
            Shape (rows, 1), uniform on (0, 1): it decides each value.
        rng : numpy.random.Generator
            Draws the function itself where the data leave it uncertain.
        """
        ...


class Judge(FittedMechanism, Protocol):
    """A mechanism that says how likely rows are that it was fitted without."""

    def likelihoods(self) -> Matrix | None:
        """Return `held_out` where noise may have any shape, shape (rows with a value,)."""
        ...
