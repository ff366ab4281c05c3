"""Metrics of supports: α-precision and β-recall, density and coverage, nearest neighbours.

All in the space of standardised numbers and categories. The papers also allow an embedding learned
from the real rows; it would add randomness, and there is none here.
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from scipy.integrate import trapezoid

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.fidelity.protocol import Better, Samples
from autogluon_causalmix.fidelity.space import Space, distances, distances_within
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources

Neighbours = Annotated[int, Field(ge=1)]
ALAA = "Alaa et al., 2022, How faithful is your synthetic data?"
NAEEM = "Naeem et al., 2020, Reliable fidelity and diversity metrics"
STEPS = 100
"""Values of α and β between 0 and 1 that the integrals run over."""


@dataclass(frozen=True)
class AlphaPrecision:
    """How alike synthetic and real rows are spread around the centre of the real rows.

    1 − 2 ∫ |P(α) − α| dα, where P(α) is the share of synthetic rows in the ball around the mean of
    the real rows that holds the share α of them.
    """

    family: ClassVar[str] = "manifold"
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = ALAA

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the integrated α-precision."""
        return alpha_precision(*_points(rows))


@dataclass(frozen=True)
class BetaRecall:
    """How well synthetic rows reach the real rows, from their own centre outwards.

    1 − 2 ∫ |R(β) − β| dβ, where R(β) is the share of real rows that have, among their `neighbours`
    nearest real rows or nearer, one of the innermost β of synthetic rows. The authors' code takes 1
    neighbour, with which no sample can reach more than about half of the rows.

    Parameters
    ----------
    neighbours : int
        The real neighbour whose distance a synthetic row must not exceed.
    """

    family: ClassVar[str] = "manifold"
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = ALAA

    neighbours: Neighbours = 5

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the integrated β-recall."""
        return beta_recall(*_points(rows), self.neighbours)


@dataclass(frozen=True)
class Density:
    """How many real rows have a synthetic row among their nearest, relative to real rows.

    The ball of a real row reaches to its `neighbours`-th nearest real row. About 1 for real rows,
    more for rows drawn from the middle alone.

    Parameters
    ----------
    neighbours : int
        How far a ball reaches.
    """

    family: ClassVar[str] = "manifold"
    better: ClassVar[Better] = 1.0
    bounds: ClassVar[tuple[float, float]] = (0.0, math.inf)
    reference: ClassVar[str] = NAEEM

    neighbours: Neighbours = 5

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the density."""
        return density_and_coverage(*_points(rows), self.neighbours)[0]


@dataclass(frozen=True)
class Coverage:
    """Share of real rows with a synthetic row among their nearest rows, see `Density`.

    Parameters
    ----------
    neighbours : int
        How far a ball reaches.
    """

    family: ClassVar[str] = "manifold"
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = NAEEM

    neighbours: Neighbours = 5

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the coverage."""
        return density_and_coverage(*_points(rows), self.neighbours)[1]


@dataclass(frozen=True)
class NearestNeighbourAccuracy:
    """How often the nearest neighbour of a row is of its own kind: real to real, drawn to drawn.

    ½ for rows of one distribution, 1 for rows apart, 0 for copies. Also called adversarial
    accuracy.
    """

    family: ClassVar[str] = "manifold"
    better: ClassVar[Better] = 0.5
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = "Yale et al., 2020, Generation and evaluation of synthetic data"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the accuracy."""
        return nearest_neighbour_accuracy(*_points(rows))


def alpha_precision(wanted: Matrix, drawn: Matrix) -> float:
    """Return the integrated α-precision of drawn points, see `AlphaPrecision`.

    Examples
    --------
    >>> ring = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, -2.0], [-2.0, 0.0]])
    >>> round(alpha_precision(ring, np.full((4, 2), 99.0)), 2)  # P(α) is 0 for all α
    0.0
    """
    centre = wanted.mean(axis=0)
    levels = np.linspace(0, 1, STEPS + 1)
    reach = np.quantile(np.linalg.norm(wanted - centre, axis=1), levels)
    radii = np.linalg.norm(drawn - centre, axis=1)
    return _integrated(levels, (radii[:, None] <= reach).mean(axis=0))


def beta_recall(wanted: Matrix, drawn: Matrix, neighbours: int) -> float:
    """Return the integrated β-recall of drawn points, see `BetaRecall`."""
    levels = np.linspace(0, 1, STEPS + 1)
    order = np.argsort(np.linalg.norm(drawn - drawn.mean(axis=0), axis=1), kind="stable")
    nearest = np.minimum.accumulate(distances(wanted, drawn[order]), axis=1)
    reached = (nearest <= _reach(wanted, neighbours)[:, None]).mean(axis=0)
    innermost = np.round(levels * len(drawn)).astype("int64")
    return _integrated(levels, np.concatenate([[0.0], reached])[innermost])


def density_and_coverage(wanted: Matrix, drawn: Matrix, neighbours: int) -> tuple[float, float]:
    """Return density and coverage of drawn points, see `Density` and `Coverage`.

    Examples
    --------
    >>> wanted, drawn = np.array([[0.0], [1.0], [3.0]]), np.array([[0.5], [9.0], [9.5]])
    >>> density_and_coverage(wanted, drawn, 1)  # 0.5 lies in the balls of 0, of 1, not of 3 ± 2
    (0.6666666666666666, 0.6666666666666666)
    """
    inside = distances(wanted, drawn) <= _reach(wanted, neighbours)[:, None]
    density = inside.sum(axis=0).mean() / min(neighbours, len(wanted) - 1)
    return float(density), float(inside.any(axis=1).mean())


def nearest_neighbour_accuracy(wanted: Matrix, drawn: Matrix) -> float:
    """Return how often points are nearer to their own kind; equal distances count half.

    Examples
    --------
    >>> apart = np.array([[0.0], [1.0]])
    >>> [nearest_neighbour_accuracy(apart, points) for points in (apart, apart + 9.0)]
    [0.0, 1.0]
    """
    across = distances(wanted, drawn)
    sides = [
        (across.min(axis=1), distances_within(wanted).min(axis=1)),
        (across.min(axis=0), distances_within(drawn).min(axis=1)),
    ]
    return float(np.mean([((far > own) + 0.5 * (far == own)).mean() for far, own in sides]))


def _points(rows: Samples) -> tuple[Matrix, Matrix]:
    space = Space.of(rows.real)
    return space.points(rows.holdout), space.points(rows.synthetic)


def _reach(points: Matrix, neighbours: int) -> Matrix:
    """Return the distance of each point to its `neighbours`-th nearest other point."""
    nearest = min(neighbours, len(points) - 1)
    return np.partition(distances_within(points), nearest - 1, axis=1)[:, nearest - 1]


def _integrated(levels: Matrix, shares: Matrix) -> float:
    """Return 1 − 2 ∫ |share(level) − level| over levels, at least 0."""
    return max(float(1 - 2 * trapezoid(np.abs(shares - levels), levels)), 0.0)


@hookimpl
def causalmix_register_metrics(register: Register) -> None:
    """Register the built-in metrics of supports."""
    register("alpha-precision", AlphaPrecision)
    register("beta-recall", BetaRecall)
    register("density", Density)
    register("coverage", Coverage)
    register("nearest-neighbour", NearestNeighbourAccuracy)
