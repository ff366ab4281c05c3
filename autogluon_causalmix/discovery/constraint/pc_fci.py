"""`PCAndFCI`: PC and FCI on bootstraps of the rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs, belief_of
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.bootstraps import on_bootstraps
from autogluon_causalmix.discovery.constraint.orientation import fci_marks, pc_marks
from autogluon_causalmix.discovery.constraint.skeleton import Skeleton, pc_stable
from autogluon_causalmix.discovery.independence.mixed import MixedTest
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class PCAndFCI:
    """The PC algorithm and FCI on bootstraps of the rows, with `MixedTest`.

    FCI allows for unseen common causes, PC does not; the beliefs of both are averaged.

    Parameters
    ----------
    alpha : float
        A pair with a p-value above it is separated.
    bootstraps : int
        How many times the rows are resampled.
    max_depth : int
        Largest conditioning set.

    Raises
    ------
    ConfigError
        An option is out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> dose = rng.normal(size=200)
    >>> frame = pd.DataFrame({"dose": dose, "shoe": rng.normal(size=200)})
    >>> table = Table.from_frame(frame.assign(ill=np.where(dose > 0, "no", "yes")), "ill")
    >>> resources = Resources(10.0)
    >>> beliefs = PCAndFCI(bootstraps=3).discover(table, Constraints.none(3), rng, resources)
    >>> (beliefs.probability + beliefs.probability.T).round(1)
    array([[0., 0., 1.],
           [0., 0., 0.],
           [1., 0., 0.]])
    """

    alpha: float = 0.05
    bootstraps: int = 10
    max_depth: int = 3

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha < 1.0:
            raise ConfigError(f"'alpha' must be in (0, 1), got {self.alpha}")
        if self.bootstraps < 1:
            raise ConfigError(f"'bootstraps' must be at least 1, got {self.bootstraps}")
        if self.max_depth < 0:
            raise ConfigError(f"'max_depth' must be at least 0, got {self.max_depth}")

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return beliefs about the edges of `table`.

        When time runs out, the finished estimates count: those of finished bootstraps, and PC's of
        the interrupted one, unless a worker process ran it. If there is none, the graph is a star
        around the target. A note says so.
        """
        estimate = partial(self._estimate, constraints)
        return on_bootstraps(
            table, constraints, rng, resources, estimate, self.bootstraps, graphs_each=2
        )

    def _estimate(
        self, constraints: Constraints, blocks: Blocks, weights: Matrix, rng: np.random.Generator
    ) -> Iterator[Matrix]:
        """Yield PC's beliefs, then FCI's."""
        test = MixedTest.on(blocks, weights)
        skeleton = self._skeleton(test, constraints)
        yield belief_of(pc_marks(skeleton, constraints), constraints)
        yield belief_of(
            fci_marks(skeleton, test, self.alpha, constraints, self.max_depth), constraints
        )

    def _skeleton(self, test: MixedTest, constraints: Constraints) -> Skeleton:
        required = constraints.required | constraints.required.T
        return pc_stable(test, self.alpha, self.max_depth, constraints.possible, required)


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register the built-in constraint-based discoverer."""
    register("pc+fci", PCAndFCI)
