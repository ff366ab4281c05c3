"""`IndependenceTest`: what PC and FCI ask of a test of conditional independence."""

from typing import Protocol

from autogluon_causalmix.arrays import Indices, Matrix


class IndependenceTest(Protocol):
    """Tests X ⟂ Y | S for many triples at once: T tests with K conditioning columns each."""

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        ...

    def p_values(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return p-values, shape (T,); NaN where there are too few rows for the test.

        Parameters
        ----------
        x, y : numpy.ndarray of int
            Shape (T,): the columns X and Y.
        given : numpy.ndarray of int
            Shape (T, K): the columns of S.
        """
        ...
