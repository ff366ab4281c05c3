"""The built-in discoverers: PC with FCI on bootstraps, and the two controls."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from autogluon_causalmix.budget import Budget, cut_off
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs, Probability
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.independence import DegenerateGaussian
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.orientation import belief_of, fci_marks, pc_marks
from autogluon_causalmix.discovery.skeleton import Skeleton, pc_stable
from autogluon_causalmix.errors import ConfigError, OutOfTime
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.table import Table

logger = logging.getLogger("autogluon.causalmix")

FEWEST_ROWS = 20
"""With fewer rows a bootstrap is worth fewer than ten, and the test of a single pair cannot tell any more."""


@dataclass(frozen=True)
class PCAndFCI:
    """The PC algorithm and FCI on bootstraps of the rows, with the degenerate-Gaussian test.

    FCI allows for unseen common causes where PC does not; the marks of both are averaged.

    Parameters
    ----------
    alpha : float
        Pairs with a p-value above it are separated.
    bootstraps : int
        How many times the rows are resampled.
    max_depth : int
        Largest conditioning set.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> dose = rng.normal(size=200)
    >>> frame = pd.DataFrame({"dose": dose, "shoe": rng.normal(size=200), "ill": np.where(dose > 0, "no", "yes")})
    >>> table, budget = Table.from_frame(frame, "ill"), Budget(10.0)
    >>> beliefs = PCAndFCI(bootstraps=3).discover(table, Constraints.none(3), rng, budget)
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

    def discover(self, table: Table, constraints: Constraints, rng: np.random.Generator, budget: Budget) -> EdgeBeliefs:
        """Return beliefs about the edges of `table`.

        When time runs out, the bootstraps that are done count, then PC's part of the one that was cut off, then
        a star around the target; a note says so.
        """
        started = time.monotonic()
        if len(table) < FEWEST_ROWS:
            note = f"{len(table)} rows are too few to test for independence: the graph is a star around the target"
            return _star(table, constraints, started, (note,))
        if budget.remaining() <= 0:
            return _star(table, constraints, started, ("no time for discovery: the graph is a star around the target",))
        graphs: list[Probability] = []
        notes: tuple[str, ...] = ()
        try:
            with threadpool_limits(1):
                run = partial(self._run, table, constraints, rng, graphs.append)
                cut_off(budget.remaining(), "discovery", run)
        except OutOfTime as error:
            if not graphs:
                return _star(table, constraints, started, (f"{error}: the graph is a star around the target",))
            done = f"{len(graphs)} of {2 * self.bootstraps} graphs"
            notes = (f"{error} with {done} done",)
        return EdgeBeliefs(_nodes(table), np.array(graphs), constraints, time.monotonic() - started, notes)

    def _run(
        self,
        table: Table,
        constraints: Constraints,
        rng: np.random.Generator,
        keep: Callable[[Probability], None],
    ) -> None:
        """Hand every estimate to `keep` as soon as it is there."""
        codes = [position for position, column in enumerate(table.columns) if column.is_categorical]
        blocks = Blocks.of(table.encode(), codes)
        for _ in range(self.bootstraps):
            weights = rng.multinomial(len(table), np.full(len(table), 1.0 / len(table))).astype("float64")
            test = DegenerateGaussian(blocks.correlations(weights))
            skeleton = self._skeleton(test, constraints)
            keep(belief_of(pc_marks(skeleton, constraints), constraints))
            keep(belief_of(fci_marks(skeleton, test, self.alpha, constraints, self.max_depth), constraints))

    def _skeleton(self, test: DegenerateGaussian, constraints: Constraints) -> Skeleton:
        required = constraints.required | constraints.required.T
        return pc_stable(test, self.alpha, self.max_depth, constraints.possible, required)


@dataclass(frozen=True)
class TargetStar:
    """A control: the target causes every feature, and nothing else is related (naive Bayes).

    Where the user's knowledge forbids an edge, it is turned round if that is allowed.
    """

    def discover(self, table: Table, constraints: Constraints, rng: np.random.Generator, budget: Budget) -> EdgeBeliefs:
        """Return the star."""
        return _star(table, constraints, time.monotonic(), ())


@dataclass(frozen=True)
class NoEdges:
    """A control: all columns are independent, but for the edges that the user requires."""

    def discover(self, table: Table, constraints: Constraints, rng: np.random.Generator, budget: Budget) -> EdgeBeliefs:
        """Return the empty graph."""
        return EdgeBeliefs(_nodes(table), constraints.required.astype("float64")[None], constraints)


def _star(table: Table, constraints: Constraints, started: float, notes: tuple[str, ...]) -> EdgeBeliefs:
    """Return the target → feature star as certain beliefs."""
    star = constraints.required.astype("float64")
    target = table.target_position
    for feature in range(len(table.columns)):
        if feature != target and not (star[target, feature] or star[feature, target]):
            if constraints.allowed[target, feature]:
                star[target, feature] = 1.0
            elif constraints.allowed[feature, target]:
                star[feature, target] = 1.0
    return EdgeBeliefs(_nodes(table), star[None], constraints, time.monotonic() - started, notes)


def _nodes(table: Table) -> tuple[object, ...]:
    return tuple(column.name for column in table.columns)


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register what this module knows."""
    register("pc+fci", PCAndFCI)
    register("target-star", TargetStar)
    register("no-edges", NoEdges)
