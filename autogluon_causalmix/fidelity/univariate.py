"""Metrics of one column at a time: Kolmogorov–Smirnov, total variation, Wasserstein."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import stats

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.column import Column
from autogluon_causalmix.errors import NotApplicable
from autogluon_causalmix.fidelity.protocol import Better, Samples
from autogluon_causalmix.fidelity.space import centre_and_scale
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources


@dataclass(frozen=True)
class KolmogorovSmirnov:
    """Largest gap between the distribution functions of a numeric column, mean over columns.

    Gaps in the table are left out; `TotalVariation` counts them.
    """

    family: ClassVar[str] = "marginal"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = "Kolmogorov, 1933; Smirnov, 1948"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the mean statistic; 1 for a column that one of the two tables leaves empty."""
        return _mean(
            stats.ks_2samp(wanted, drawn).statistic if len(wanted) and len(drawn) else 1.0
            for wanted, drawn in _numbers(rows)
            if len(wanted) or len(drawn)
        )


@dataclass(frozen=True)
class Wasserstein:
    """Distance that mass must move, in standard deviations, mean over numeric columns."""

    family: ClassVar[str] = "marginal"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, math.inf)
    reference: ClassVar[str] = "Vaserstein, 1969; scipy.stats.wasserstein_distance"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the mean distance; the deviations are those of the training rows."""
        scales = [
            centre_and_scale(values)[1]
            for column, values in zip(rows.real.columns, rows.real.encode().T, strict=True)
            if not column.is_categorical
        ]
        pairs = list(_numbers(rows))
        if any(bool(len(wanted)) != bool(len(drawn)) for wanted, drawn in pairs):
            raise NotApplicable("a numeric column is empty in one of the two tables")
        return _mean(
            stats.wasserstein_distance(wanted / scale, drawn / scale)
            for scale, (wanted, drawn) in zip(scales, pairs, strict=True)
            if len(wanted)
        )


@dataclass(frozen=True)
class TotalVariation:
    """Half the sum of differences between shares, mean over categories and over gaps in numbers."""

    family: ClassVar[str] = "marginal"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = "SDMetrics' TVComplement (Patki et al., 2016), as a distance"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the mean distance; a gap is a level of its own."""
        found = []
        for column, wanted, drawn in _columns(rows):
            if column.is_categorical:
                found.append(total_variation(wanted, drawn))
            elif np.isnan(wanted).any() or np.isnan(drawn).any():
                found.append(abs(float(np.isnan(wanted).mean() - np.isnan(drawn).mean())))
        return float(np.mean(found))


def total_variation(first: Matrix, second: Matrix) -> float:
    """Return the total variation distance of two samples of codes; NaN is a level.

    Examples
    --------
    >>> total_variation(np.array([0.0, 0.0, 1.0, np.nan]), np.array([0.0, 1.0, 1.0, 1.0]))
    0.5
    """
    joined = np.concatenate([first, second])
    levels = np.unique(np.where(np.isnan(joined), -1.0, joined), return_inverse=True)[1]
    shares = [
        np.bincount(part, minlength=levels.max() + 1) / len(part)
        for part in (levels[: len(first)], levels[len(first) :])
    ]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _columns(rows: Samples) -> Iterator[tuple[Column, Matrix, Matrix]]:
    """Yield every column, with its values in the holdout and in the synthetic rows."""
    values = rows.holdout.encode().T, rows.synthetic.encode().T
    yield from zip(rows.holdout.columns, *values, strict=True)


def _numbers(rows: Samples) -> Iterator[tuple[Matrix, Matrix]]:
    """Yield the present values of every numeric column."""
    for column, wanted, drawn in _columns(rows):
        if not column.is_categorical:
            yield wanted[~np.isnan(wanted)], drawn[~np.isnan(drawn)]


def _mean(values: Iterator[float]) -> float:
    found = list(values)
    if not found:
        raise NotApplicable("there is no numeric column with values")
    return float(np.mean(found))


@hookimpl
def causalmix_register_metrics(register: Register) -> None:
    """Register the built-in metrics of one column."""
    register("ks", KolmogorovSmirnov)
    register("tvd", TotalVariation)
    register("wasserstein", Wasserstein)
