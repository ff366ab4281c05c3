"""For comparisons with causal-learn: Fisher's z, our test in it, and its separating sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from causallearn.utils.cit import CIT_Base, register_ci_test
from scipy import stats

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.discovery.constraint.skeleton import Separators, Skeleton
from autogluon_causalmix.discovery.independence.degenerate_gaussian import (
    DegenerateGaussian,
    schur_complement,
)
from autogluon_causalmix.discovery.independence.protocol import IndependenceTest

NAME = "degenerate-gaussian"
"""The name of `DegenerateGaussian` among causal-learn's tests."""


@dataclass(frozen=True)
class FisherZ:
    """Fisher's z-test of a partial correlation (Fisher, 1924), for numbers without missing values.

    Parameters
    ----------
    matrix : numpy.ndarray
        Correlations, shape (columns, columns).
    rows : int
        Number of rows that they come from.
    """

    matrix: Matrix
    rows: int

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.matrix)

    def p_values(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return p-values, shape (T,)."""
        columns = np.concatenate([given, x[:, None], y[:, None]], axis=1).T
        gathered = self.matrix[columns[:, None, :], columns[None, :, :]]
        rest = schur_complement(gathered, given.shape[1])
        partial = np.clip(rest[0, 1] / np.sqrt(rest[0, 0] * rest[1, 1]), -1.0 + 1e-15, 1.0 - 1e-15)
        z = np.sqrt(self.rows - given.shape[1] - 3.0) * np.abs(np.arctanh(partial))
        return np.asarray(2.0 * stats.norm.sf(z))


class CausalLearnTest(CIT_Base):  # type: ignore[misc]  # causal-learn has no type information
    """`DegenerateGaussian` with the interface of causal-learn's tests."""

    def __init__(self, data: Matrix, categorical: Sequence[int] = (), **options: object) -> None:
        super().__init__(data, **options)
        self.check_cache_method_consistent(NAME, str(sorted(categorical)))
        self.test = DegenerateGaussian.of(data, categorical)

    def __call__(self, x: int, y: int, given: Sequence[int] | None = None) -> float:
        return self.test.p_value(x, y, sorted(given or ()))


@cache
def register() -> str:
    """Register `CausalLearnTest` in causal-learn and return its name there.

    Its options are those of `DegenerateGaussian.of`.
    """
    register_ci_test(NAME, CausalLearnTest)
    return NAME


def united(skeleton: Skeleton, test: IndependenceTest, alpha: float) -> Skeleton:
    """Return a skeleton with the separating sets of causal-learn.

    For each pair, causal-learn unites all sets that separate it at its depth; `pc_stable` keeps the
    first one.

    Parameters
    ----------
    skeleton : Skeleton
        The result of `pc_stable`.
    test, alpha : IndependenceTest, float
        The arguments of `pc_stable`.
    """
    depths = np.full(skeleton.adjacent.shape, len(skeleton.adjacent))
    np.fill_diagonal(depths, -1)
    for (x, y), separator in skeleton.separators.items():
        depths[x, y] = depths[y, x] = len(separator)
    separators: Separators = {}
    for (x, y), first in skeleton.separators.items():
        near = depths >= len(first)  # adjacent when the depth began
        near[x, y] = near[y, x] = False
        sides = (combinations(np.flatnonzero(near[end]).tolist(), len(first)) for end in (x, y))
        sets = np.array([subset for side in sides for subset in side], dtype=np.int64)
        p = test.p_values(np.full(len(sets), x), np.full(len(sets), y), sets)
        separators[x, y] = frozenset(sets[p > alpha].ravel().tolist())
    return Skeleton(skeleton.adjacent, separators)
