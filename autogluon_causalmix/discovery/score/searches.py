"""The discoverers that search for the graph with the best score: BOSS, and causal-learn's own GES and GRaSP."""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec, module_from_spec
from typing import Any

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs, Probability, causes_first
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.bootstraps import on_bootstraps
from autogluon_causalmix.discovery.constraint.orientation import belief_of
from autogluon_causalmix.discovery.constraint.skeleton import Adjacency, Marks
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.score.backward_search import backward_search, member_of
from autogluon_causalmix.discovery.score.best_order import BestOrder
from autogluon_causalmix.discovery.score.degenerate_gaussian import (
    LEAST_GAIN,
    DegenerateGaussianBIC,
    Score,
    total_score,
)
from autogluon_causalmix.discovery.score.normalized_likelihood import QuotientNML
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class _Search(ABC):
    """What the three searches share.

    A penalty of 1 has the best F1 of skeletons and of directions among ½ to 3, on simulators and on known networks.
    """

    penalty: float = 1.0
    bootstraps: int = 10

    def __post_init__(self) -> None:
        if not 0.0 < self.penalty < float("inf"):
            raise ConfigError(f"'penalty' must be above 0, got {self.penalty}")
        if self.bootstraps < 1:
            raise ConfigError(f"'bootstraps' must be at least 1, got {self.bootstraps}")

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return beliefs about the edges of `table`.

        `BOSS` searches among the graphs that `constraints` allow, the others do not know of them: they decide on the
        edges afterwards. When time runs out, the bootstraps that are done count, then a star around the target; a note
        says so.
        """
        return on_bootstraps(
            table,
            constraints,
            rng,
            resources,
            partial(self._estimate, constraints),
            self.bootstraps,
        )

    def _estimate(
        self, constraints: Constraints, blocks: Blocks, weights: Matrix, rng: np.random.Generator
    ) -> Iterator[Probability]:
        score = score_of(blocks, weights, self.penalty)
        yield belief_of(self.cpdag(score, constraints.allowed, rng), constraints)

    @abstractmethod
    def cpdag(self, score: Score, allowed: Adjacency, rng: np.random.Generator) -> Marks:
        """Return the marks of the best graph that the search finds; not all of them heed which edges are `allowed`."""


@dataclass(frozen=True)
class GES(_Search):
    """Greedy equivalence search (Chickering, 2002) on bootstraps of the rows, with the degenerate-Gaussian BIC.

    Hopelessly slow on many columns that all hang together: 30 s a bootstrap on the 42 of qsar-biodeg, 0.4 s on the
    21 of credit-g (500 rows, one core).

    Parameters
    ----------
    penalty : float
        Multiplies the price of a parameter in the BIC; more makes sparser graphs.
    bootstraps : int
        How many times the rows are resampled.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> left, right = rng.normal(size=(2, 1000))
    >>> frame = pd.DataFrame({"left": left, "right": right, "ill": np.where(left + right > 0, "yes", "no")})
    >>> table, resources = Table.from_frame(frame, "ill"), Resources(10.0)
    >>> GES(bootstraps=3).discover(table, Constraints.none(3), rng, resources).probability
    array([[0., 0., 1.],
           [0., 0., 1.],
           [0., 0., 0.]])
    """

    def cpdag(self, score: Score, allowed: Adjacency, rng: np.random.Generator) -> Marks:
        """Return the marks that GES ends with; it draws nothing."""
        module = _private_copy("ScoreBased.GES", score, rng)
        module.insert_vc2_fast = _all_paths_blocked
        return _marks(module.ges(_shape_of(score))["G"])


@dataclass(frozen=True)
class BOSS(_Search):
    """Best order score search (Andrews et al., 2023) on bootstraps of the rows.

    The score is the degenerate-Gaussian BIC, or `QuotientNML` where all columns are complete categories. `BestOrder`
    ends in the order of causal-learn's BOSS in a tenth of the time. `backward_search`, which that leaves out, follows,
    and the two take turns as long as it deletes edges and the score rises: a class with fewer edges has orders that the
    first search did not reach.

    Parameters
    ----------
    penalty, bootstraps : float, int
        As for `GES`.
    """

    def cpdag(self, score: Score, allowed: Adjacency, rng: np.random.Generator) -> Marks:
        """Return the marks of the class that neither search improves, from an order at random."""
        orders, draws = BestOrder(score, allowed), random.Random(int(rng.integers(2**63)))
        # from the order of the columns, a search would rather have earlier columns cause later ones
        order, worth, deleted = rng.permutation(len(allowed)).tolist(), -np.inf, True
        marks = np.zeros(allowed.shape, dtype=np.int64)
        while deleted:
            graph = orders.search(order, draws)
            found = backward_search(score, graph)
            dag = member_of(found)
            total = total_score(score, dag)
            if total <= worth + LEAST_GAIN:
                break
            order, worth, marks, deleted = causes_first(dag), total, found, dag.sum() < graph.sum()
        return marks


@dataclass(frozen=True)
class GRaSP(_Search):
    """Greedy relaxations of the sparsest permutation (Lam, Andrews and Ramsey, 2022) on bootstraps of the rows.

    The score is the degenerate-Gaussian BIC. Slow on many columns that all hang together, if less so than `GES`.

    Parameters
    ----------
    penalty, bootstraps : float, int
        As for `GES`.
    """

    def cpdag(self, score: Score, allowed: Adjacency, rng: np.random.Generator) -> Marks:
        """Return the marks of the best order that GRaSP finds."""
        return _marks(
            _private_copy("PermutationBased.GRaSP", score, rng).grasp(
                _shape_of(score), verbose=False
            )
        )


def score_of(blocks: Blocks, weights: Matrix, penalty: float) -> Score:
    """Return the score of rows that count as often as `weights`: counts if all that varies is categories, else blocks.

    A category with missing cells has no place in a table of counts.
    """
    correlation = blocks.correlations(weights)
    if (blocks.levels.any(axis=0) | (correlation.width == 0)).all():
        return QuotientNML(blocks.levels, weights, penalty)
    return DegenerateGaussianBIC(correlation, penalty)


def _all_paths_blocked(
    start: int, end: int, blocking: set[int], onwards: dict[int, set[int]]
) -> bool:
    """Return whether every path from `start` to `end` has a node of `blocking`.

    causal-learn's own function walks through all paths, which in dense graphs are too many to end.
    """
    reached, pending = {start} | blocking, [start]
    while pending:
        fresh = onwards[pending.pop()] - reached
        if end in fresh:
            return False
        reached |= fresh
        pending += fresh
    return True


class _LocalScore:
    """A score as causal-learn's searches call theirs."""

    def __init__(self, score: Score) -> None:
        self.score = self.score_nocache = score.score
        self.data = _shape_of(score)


def _private_copy(name: str, score: Score, rng: np.random.Generator) -> Any:
    """Return a copy of one of causal-learn's modules that searches with our score, and draws from a seed of ours.

    Its functions take neither a score nor a generator: they look both up in their module. The copy is nobody else's,
    so nothing global is changed, not even for a moment or in another thread.
    """
    spec = find_spec(f"causallearn.search.{name}")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    ours = {
        "LocalScoreClass": lambda **_: _LocalScore(score),
        "random": random.Random(int(rng.integers(2**63))),
    }
    vars(module).update(ours)
    return module


def _shape_of(score: Score) -> Any:
    """Return data of which the searches read nothing but the number of columns."""
    return np.zeros((score.n_columns, score.n_columns))


def _marks(graph: Any) -> Marks:
    return np.asarray(graph.graph, dtype=np.int64)


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register what this module knows."""
    register("ges", GES)
    register("boss", BOSS)
    register("grasp", GRaSP)
