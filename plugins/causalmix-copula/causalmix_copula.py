"""A Gaussian copula as a generator of synthetic rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from scipy.special import ndtr, ndtri

from autogluon_causalmix.plugin import Matrix, Register, Resources, Table, hookimpl

Method = Literal["inverted_cdf", "linear"]


@dataclass(frozen=True)
class Copula:
    """Each column is a monotone function of a latent normal variable; these are correlated.

    The score of a value is the mean of the latent variable over the interval of that value, for
    numbers and categories alike. The latent correlation is that of the scores, divided by their
    variances: a normal variable that is cut into few values correlates less (Olsson, Drasgow and
    Dorans, 1982, correct for one such variable). Indicators of missing cells are columns of the
    same copula.

    Parameters
    ----------
    shrinkage : float
        Weight of the identity matrix against the estimated correlation; more of it suits few rows
        of many columns.
    """

    shrinkage: Annotated[float, Field(ge=0, le=1)] = 0.05

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "FittedCopula":
        """Estimate the distributions of the columns and their latent correlation."""
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
    """A copula of C columns and, after them, C indicators of missing cells.

    Attributes
    ----------
    template : Table
        The columns without rows, to decode drawn rows.
    observed : list of C arrays
        Each column's sorted values.
    missing : array, shape (C,)
        Each column's share of missing cells.
    correlation : array, shape (2 C, 2 C)
        Of the latent variables.
    notes : list of str
        Warnings for the log and the report.
    """

    template: Table
    observed: list[Matrix]
    missing: Matrix
    correlation: Matrix
    notes: list[str]

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw latent variables and return the columns' quantiles at their probabilities."""
        size, roots = np.linalg.eigh(self.correlation)
        normal = rng.normal(size=(n_rows, len(size))) @ (roots * np.sqrt(size.clip(0))).T
        uniform, gaps = np.split(ndtr(normal), 2, axis=1)
        drawn = np.full(uniform.shape, np.nan)
        for i, (observed, column) in enumerate(
            zip(self.observed, self.template.columns, strict=True)
        ):
            if len(observed) == 0:
                continue
            # Categories and whole numbers keep to observed values: nothing is between two of them.
            steps = column.is_categorical or column.is_whole
            method: Method = "inverted_cdf" if steps else "linear"
            drawn[:, i] = np.quantile(observed, uniform[:, i], method=method)
        return self.template.decode(np.where(gaps > 1 - self.missing, np.nan, drawn))

    def describe(self) -> Mapping[str, object]:
        """Return the notes."""
        return {"notes": self.notes}


def _scores(column: Matrix) -> Matrix:
    """Return the scores of a column, shape (rows,), 0 where the value is missing."""
    present = ~np.isnan(column)
    _, place, counts = np.unique(column[present], return_inverse=True, return_counts=True)
    share = counts / max(counts.sum(), 1)
    edges = ndtri(np.concatenate([[0.0], np.cumsum(share)]).clip(0, 1))
    density = np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi)
    scores = np.zeros(len(column))
    scores[present] = (-np.diff(density) / share)[place]
    return scores


def _correlation(scores: Matrix) -> Matrix:
    """Return the latent correlation of columns of scores, made positive definite if it is not."""
    spread = (scores**2).mean(axis=0)
    spread[spread == 0] = np.inf  # a constant column correlates with no other
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
