"""`Search`: what BOSS, GES and GRaSP have in common, and the score that they search with."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from autogluon_causalmix.arrays import Adjacency, Marks, Matrix
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs, belief_of
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.bootstraps import on_bootstraps
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.score.degenerate_gaussian import DegenerateGaussianBIC
from autogluon_causalmix.discovery.score.normalized_likelihood import QuotientNML
from autogluon_causalmix.discovery.score.protocol import Score
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class Search(ABC):
    """A discoverer that searches for the graph with the best score on each bootstrap.

    A penalty of 1 has the best F1 of skeletons and of directions among ½ to 3, on simulators and
    on known networks.

    Parameters
    ----------
    penalty : float
        Multiplies the penalty of the score; more makes sparser graphs.
    bootstraps : int
        How many times the rows are resampled.
    ray_address : str or None
        Of a Ray cluster whose nodes share the bootstraps; None uses the cores of this machine.

    Raises
    ------
    ConfigError
        An option is out of range.
    """

    penalty: float = 1.0
    bootstraps: int = 10
    ray_address: str | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.penalty < float("inf"):
            raise ConfigError(f"'penalty' must be above 0, got {self.penalty}")
        if self.bootstraps < 1:
            raise ConfigError(f"'bootstraps' must be at least 1, got {self.bootstraps}")

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return beliefs about the edges of `table`.

        `BOSS` searches among the graphs that `constraints` allow. The other searches ignore the
        constraints, which are applied to the graph that they find. When time runs out, the finished
        bootstraps count; if there is none, the graph is a star around the target. A note says so.
        """
        estimate = partial(self._estimate, constraints)
        return on_bootstraps(
            table,
            constraints,
            rng,
            resources,
            estimate,
            self.bootstraps,
            ray_address=self.ray_address,
        )

    def _estimate(
        self, constraints: Constraints, blocks: Blocks, weights: Matrix, rng: np.random.Generator
    ) -> Iterator[Matrix]:
        score = score_of(blocks, weights, self.penalty)
        yield belief_of(self.cpdag(score, constraints.allowed, rng), constraints)

    @abstractmethod
    def cpdag(self, score: Score, allowed: Adjacency, rng: np.random.Generator) -> Marks:
        """Return the marks of the best graph found; only `BOSS` keeps to the `allowed` edges."""


def score_of(blocks: Blocks, weights: Matrix, penalty: float) -> Score:
    """Return the quotient NML if all columns are complete categories, else the BIC on blocks.

    Parameters
    ----------
    blocks : Blocks
        The columns.
    weights : numpy.ndarray
        Shape (rows,): how often each row counts.
    penalty : float
        As for `Search`.
    """
    correlation = blocks.correlations(weights)
    if (blocks.levels.any(axis=0) | (correlation.width == 0)).all():
        return QuotientNML(blocks.levels, weights, penalty)
    return DegenerateGaussianBIC(correlation, penalty)
