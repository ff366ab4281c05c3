"""Distances between two samples as a whole: MMD with a mixed kernel, and the energy distance."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.fidelity.protocol import Better, Samples
from autogluon_causalmix.fidelity.space import Space, distances
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources


@dataclass(frozen=True)
class MaximumMeanDiscrepancy:
    """Squared maximum mean discrepancy with a mixed kernel, unbiased.

    The kernel is ``exp(−d² / 2 m²)``: d² adds the squared differences of standardised numbers and 1
    for each category that differs, and m is the median distance between real rows. It is the
    product of a Gaussian kernel on numbers and an exponential one on the Hamming distance.
    """

    family: ClassVar[str] = "distance"
    better: ClassVar[Better] = 0.0
    bounds: ClassVar[tuple[float, float]] = (-1.0, 2.0)
    reference: ClassVar[str] = "Gretton et al., 2012, A kernel two-sample test, eq. 3"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the unbiased estimate, which may be negative."""
        space = Space.of(rows.real)
        wanted, drawn = space.points(rows.holdout), space.points(rows.synthetic)
        among = distances(wanted, wanted)
        width = float(np.median(among[np.triu_indices(len(among), 1)])) or 1.0
        return squared_mmd(wanted, drawn, width)


@dataclass(frozen=True)
class EnergyDistance:
    """Energy distance: the root of 2 E|X − Y| − E|X − X′| − E|Y − Y′|, on mixed columns."""

    family: ClassVar[str] = "distance"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, math.inf)
    reference: ClassVar[str] = "Székely & Rizzo, 2013, Energy statistics"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the distance of the two empirical distributions."""
        space = Space.of(rows.real)
        return energy_distance(space.points(rows.holdout), space.points(rows.synthetic))


def squared_mmd(first: Matrix, second: Matrix, width: float) -> float:
    """Return the unbiased squared MMD of two samples of points under a Gaussian kernel.

    Parameters
    ----------
    first, second : numpy.ndarray
        Shape (rows, coordinates), two rows or more.
    width : float
        Of the kernel.

    Examples
    --------
    >>> near, far = np.zeros((5, 1)), np.full((5, 1), 100.0)
    >>> squared_mmd(near, far, 1.0)
    2.0
    """

    def kernel(one: Matrix, other: Matrix) -> Matrix:
        return np.asarray(np.exp(-((distances(one, other) / width) ** 2) / 2))

    within = [
        (found.sum() - np.trace(found)) / (len(found) * (len(found) - 1))
        for found in (kernel(first, first), kernel(second, second))
    ]
    return float(sum(within) - 2 * kernel(first, second).mean())


def energy_distance(first: Matrix, second: Matrix) -> float:
    """Return the energy distance of two samples of points, shape (rows, coordinates).

    Examples
    --------
    >>> energy_distance(np.zeros((3, 1)), np.full((3, 1), 2.0))
    2.0
    """
    within = distances(first, first).mean() + distances(second, second).mean()
    return math.sqrt(max(2 * distances(first, second).mean() - within, 0.0))


@hookimpl
def causalmix_register_metrics(register: Register) -> None:
    """Register the built-in distances."""
    register("mmd", MaximumMeanDiscrepancy)
    register("energy", EnergyDistance)
