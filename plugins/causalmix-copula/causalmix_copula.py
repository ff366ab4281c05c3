"""A Gaussian copula as a generator of synthetic rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.special import ndtr, ndtri

from autogluon_causalmix import Table
from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources


@dataclass(frozen=True)
class Copula:
    """Each column is a monotone function of a latent normal variable; the latent variables are correlated.

    A value's score is the mean of the latent variable over the interval that belongs to the value, so that numbers
    and categories are treated alike. The correlation is that of the scores, corrected to first order for what cutting
    a normal variable into few values takes away (Olsson, Drasgow & Dorans, 1982, do so for one cut variable). Which
    cells are missing is drawn from the same copula.

    Parameters
    ----------
    shrinkage : float
        Weight of "all columns are independent" against the estimate; what keeps few rows of many columns sane.
    """

    shrinkage: Annotated[float, Field(ge=0, le=1)] = 0.05

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "FittedCopula":
        """Learn the columns' distributions, shape (rows, columns), and their latent correlation."""
        values = table.encode()
        gaps = np.isnan(values)
        scores = [_scores(column) for column in np.column_stack([values, gaps]).T]
        estimate = _correlation(np.column_stack(scores))
        unordered = [
            c.name
            for c in table.columns
            if c.levels is not None and len(c.levels) > 2 and not c.is_ordered
        ]
        return FittedCopula(
            template=table.take(np.arange(0)),
            observed=[np.sort(column[~gap]) for column, gap in zip(values.T, gaps.T, strict=True)],
            missing=gaps.mean(axis=0),
            correlation=(1 - self.shrinkage) * estimate + self.shrinkage * np.eye(len(estimate)),
            notes=[
                f"the copula takes the categories of {name!r} in the order of their codes"
                for name in unordered
            ],
        )


@dataclass(frozen=True)
class FittedCopula:
    """A copula of C columns and, behind them, C indicators of missing cells.

    Attributes
    ----------
    template : Table
        No rows, but the columns, for the way back from floats.
    observed : list of C arrays
        Each column's sorted values.
    missing : array, shape (C,)
        Each column's share of missing cells.
    correlation : array, shape (2 C, 2 C)
        Of the latent variables.
    notes : list of str
        What the report should say.
    """

    template: Table
    observed: list[Matrix]
    missing: Matrix
    correlation: Matrix
    notes: list[str]

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw latent variables and give each column the quantiles that they say."""
        size, roots = np.linalg.eigh(self.correlation)
        normal = rng.normal(size=(n_rows, len(size))) @ (roots * np.sqrt(size.clip(0))).T
        uniform, gaps = np.split(ndtr(normal), 2, axis=1)
        drawn = np.full(uniform.shape, np.nan)
        for i, (observed, column) in enumerate(
            zip(self.observed, self.template.columns, strict=True)
        ):
            if len(observed) == 0:
                continue
            if (
                column.is_categorical or column.is_whole
            ):  # only what was observed: between two days there may be none
                drawn[:, i] = np.quantile(observed, uniform[:, i], method="inverted_cdf")
            else:
                drawn[:, i] = np.quantile(observed, uniform[:, i])
        return self.template.decode(np.where(gaps > 1 - self.missing, np.nan, drawn))

    def describe(self) -> Mapping[str, object]:
        """Say what was assumed."""
        return {"notes": self.notes}


def _scores(column: Matrix) -> Matrix:
    """Return the mean of a standard normal variable over each value's interval, 0 where the value is missing."""
    present = ~np.isnan(column)
    _, place, counts = np.unique(column[present], return_inverse=True, return_counts=True)
    share = counts / max(counts.sum(), 1)
    edges = ndtri(np.concatenate([[0.0], np.cumsum(share)]).clip(0, 1))
    density = np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi)
    scores = np.zeros(len(column))
    scores[present] = (-np.diff(density) / share)[place]
    return scores


def _correlation(scores: Matrix) -> Matrix:
    """Return the latent correlation of scored columns, made positive definite where the correction overshot."""
    spread = (scores**2).mean(axis=0)
    spread[spread == 0] = np.inf  # a constant column goes with no other
    estimate = (scores.T @ scores / len(scores) / np.outer(spread, spread)).clip(-1, 1)
    np.fill_diagonal(estimate, 1.0)
    size, roots = np.linalg.eigh(estimate)
    mended = (roots * size.clip(1e-9)) @ roots.T
    scale = np.sqrt(np.diag(mended))
    return np.asarray(mended / np.outer(scale, scale), dtype="float64")


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register the copula under its name."""
    register("copula", Copula)
