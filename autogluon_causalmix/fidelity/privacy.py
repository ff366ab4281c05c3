"""Metrics of privacy: whether synthetic rows are nearer to training rows than to unseen ones.

A generator that copies its rows does well by every measure of fidelity; here it is found out. No
such measure proves privacy: it finds copies, and not what can be inferred.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.fidelity.manifold import ALAA, nearest_neighbour_accuracy
from autogluon_causalmix.fidelity.protocol import Better, Samples
from autogluon_causalmix.fidelity.space import Space, distances
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources

ROWS_AT_ONCE = 64
"""Synthetic rows whose distances to all training rows are in memory at once."""


@dataclass(frozen=True)
class ClosestRecord:
    """Share of synthetic rows that are nearer to a training row than to an unseen real row.

    Of equally many rows of both kinds; equal distances count half. ½ where the generator has
    learned the distribution and not the rows.
    """

    family: ClassVar[str] = "privacy"
    better: ClassVar[Better] = 0.5
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = "Platzer & Reutterer, 2021, Holdout-based empirical assessment"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the share."""
        training, wanted, drawn = _points(rows, rng)
        size = min(len(training), len(wanted))
        near, far = (distances(drawn, points[:size]).min(axis=1) for points in (training, wanted))
        return float(((near < far) + 0.5 * (near == far)).mean())


@dataclass(frozen=True)
class Duplicates:
    """Share of synthetic rows that equal a training row in every column.

    Real rows repeat each other too: compare with the floor.
    """

    family: ClassVar[str] = "privacy"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = "Counted"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the share."""
        known = set(map(tuple, _filled(rows.real.encode()).tolist()))
        drawn = map(tuple, _filled(rows.synthetic.encode()).tolist())
        return float(np.mean([row in known for row in drawn]))


@dataclass(frozen=True)
class Authenticity:
    """Share of synthetic rows that are no noisy copies of a training row.

    A row counts as a copy if it is nearer to its nearest training row than any other training row
    is.
    """

    family: ClassVar[str] = "privacy"
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = ALAA

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the share."""
        training, _, drawn = _points(rows, rng)
        return authenticity(training, drawn)


@dataclass(frozen=True)
class PrivacyLoss:
    """Nearest-neighbour accuracy against unseen real rows, less that against training rows.

    Above 0 where synthetic rows are nearer to the training rows.
    """

    family: ClassVar[str] = "privacy"
    better: ClassVar[Better] = 0.0
    bounds: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    reference: ClassVar[str] = "Yale et al., 2020, Generation and evaluation of synthetic data"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the difference, of equally many rows of each kind."""
        points = _points(rows, rng)
        size = min(len(each) for each in points)
        training, wanted, drawn = (each[:size] for each in points)
        return nearest_neighbour_accuracy(wanted, drawn) - nearest_neighbour_accuracy(
            training, drawn
        )


def authenticity(training: Matrix, drawn: Matrix) -> float:
    """Return the share of drawn points that are no noisy copies, see `Authenticity`.

    Examples
    --------
    >>> training = np.array([[0.0], [1.0], [5.0]])
    >>> authenticity(training, np.array([[0.1], [3.0], [7.0], [-2.0]]))  # 0.1 and 7.0 are copies
    0.5
    """
    genuine = 0
    for part in np.array_split(drawn, -(-len(drawn) // ROWS_AT_ONCE)):
        across = distances(part, training)
        nearest = across.argmin(axis=1)
        own = distances(training[nearest], training)
        own[np.arange(len(part)), nearest] = np.inf
        genuine += int((across.min(axis=1) >= own.min(axis=1)).sum())
    return genuine / len(drawn)


def _points(rows: Samples, rng: np.random.Generator) -> tuple[Matrix, Matrix, Matrix]:
    """Return training, unseen and synthetic rows as points, the training rows in random order."""
    space = Space.of(rows.real)
    training = space.points(rows.real)[rng.permutation(len(rows.real))]
    return training, space.points(rows.holdout), space.points(rows.synthetic)


def _filled(values: Matrix) -> Matrix:
    """Return values with gaps that equal each other."""
    return np.where(np.isnan(values), np.inf, values)


@hookimpl
def causalmix_register_metrics(register: Register) -> None:
    """Register the built-in metrics of privacy."""
    register("closest-record", ClosestRecord)
    register("duplicates", Duplicates)
    register("authenticity", Authenticity)
    register("privacy-loss", PrivacyLoss)
