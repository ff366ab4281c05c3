"""`Score`: what the searches ask of a score of graphs."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from autogluon_causalmix.arrays import Adjacency, Indices, Mask, Matrix

LEAST_GAIN = 1e-6
"""Smaller gains and differences are rounding errors.

A search that followed them might never end, and would end elsewhere on another processor.
"""


class Score(Protocol):
    """A score of graphs that is a sum over columns; equivalent graphs have equal scores."""

    @property
    def n_columns(self) -> int:
        """Number of columns."""

    @property
    def varying(self) -> frozenset[int]:
        """Columns that are not constant; a constant column has neither parents nor children."""

    def score(self, node: int, parents: Iterable[int]) -> float:
        """Return the score of column `node` given its parents, up to a constant of the column."""

    def additions(
        self, nodes: Indices, parents: Indices, candidates: Mask, among: Mask
    ) -> tuple[Matrix, Indices]:
        """Return gains from further parents, for the first steps of greedy walks.

        A step takes the first parent in `among` by the order of `rank`. Candidates that come before
        it are none any more; nor is itself.

        Parameters
        ----------
        nodes : numpy.ndarray of int
            Shape (sets,): a column for each set of parents.
        parents : numpy.ndarray of int
            Shape (sets, columns), padded with −1. Neither these nor `nodes` are constant columns.
        candidates : numpy.ndarray of bool
            Shape (sets, columns).
        among : numpy.ndarray of bool
            Shape (sets, columns): which columns a walk may take.

        Returns
        -------
        numpy.ndarray
            Shape (sets, steps, columns): the gain from each candidate, −∞ for other columns.
        numpy.ndarray of int
            Shape (sets,): how many steps were computed, at least one, and at most one after the
            last that has a parent to take.
        """

    def removals(self, nodes: Indices, parents: Indices, candidates: Mask) -> Matrix:
        """Return the gain from removing each parent that is a candidate, −∞ for other columns.

        The arguments are as for `additions`; the result has shape (sets, columns).
        """


def total_score(score: Score, dag: Adjacency) -> float:
    """Return the score of a graph, the sum over its columns; entry [i, j] of `dag` is i → j."""
    return sum(score.score(node, np.flatnonzero(dag[:, node]).tolist()) for node in range(len(dag)))
