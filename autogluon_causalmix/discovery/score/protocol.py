"""`Score`: what the searches ask of a score of graphs."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from autogluon_causalmix.arrays import Adjacency, Matrix

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

    def additions(self, node: int, parents: Sequence[int], candidates: list[int]) -> Matrix:
        """Return the gain from each candidate as a further parent, shape (candidates,)."""

    def removals(self, node: int, parents: Sequence[int]) -> Matrix:
        """Return the gain from removing each parent, shape (parents,)."""


def total_score(score: Score, dag: Adjacency) -> float:
    """Return the score of a graph, the sum over its columns; entry [i, j] of `dag` is i → j."""
    return sum(score.score(node, np.flatnonzero(dag[:, node]).tolist()) for node in range(len(dag)))
