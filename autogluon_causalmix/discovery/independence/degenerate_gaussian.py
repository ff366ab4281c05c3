"""Conditional-independence tests, one pair at a time or thousands in one call, and their way into causal-learn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Protocol

import numpy as np
from scipy import stats
from scipy.linalg import block_diag

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.discovery.blocks import BlockCorrelation, Blocks

FEWEST_ROWS = 4.0
"""Below this many rows beyond what a test conditions on, it cannot tell: its p-value is NaN, which separates nobody."""

SLACK = 3
"""Most features that fill up the condition of a test."""

NAME = "degenerate-gaussian"
"""The name of `DegenerateGaussian` among causal-learn's tests."""


class IndependenceTest(Protocol):
    """Tests X ⟂ Y | S for many triples at once; T tests, K conditioning columns each."""

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        ...

    def p_values(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return p-values, shape (T,), for columns `x`, `y` of shape (T,) and `given` of shape (T, K)."""
        ...


@dataclass(frozen=True)
class DegenerateGaussian:
    """Likelihood-ratio test of X ⟂ Y | S on blocks of features (Andrews, Ramsey and Cooper, 2019).

    With Σ the correlations of the features, −m log(|Σ_XYS| |Σ_S| / (|Σ_XS| |Σ_YS|)) is compared with χ² of
    width(X) · width(Y) degrees of freedom; m holds Bartlett's correction, which keeps the size right in small
    tables. Numeric columns enter as normal scores, so only monotone dependence is seen.

    Parameters
    ----------
    correlation : BlockCorrelation
        Of the rows to test on; `DegenerateGaussian.of` computes it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cause = rng.integers(3, size=400).astype(float)
    >>> effect = (cause == 1) + 0.5 * rng.normal(size=400)
    >>> test = DegenerateGaussian.of(np.column_stack([cause, effect, rng.normal(size=400)]), categorical=[0])
    >>> test.p_value(0, 1) < 0.001, test.p_value(0, 2, [1]) > 0.05
    (True, True)
    """

    correlation: BlockCorrelation

    @classmethod
    def of(cls, values: Matrix, categorical: Sequence[int]) -> "DegenerateGaussian":
        """Return the test on a matrix in the encoding of `Table.encode`; NaN marks what is missing."""
        return cls(Blocks.of(values, categorical).correlations())

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return len(self.correlation.width)

    def p_value(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """Return the p-value of one test; NaN where there are too few rows to tell."""
        triple = (
            np.array([x]),
            np.array([y]),
            np.array([given], dtype=np.int64).reshape(1, len(given)),
        )
        return float(self.p_values(*triple)[0])

    def p_values(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return p-values, shape (T,); NaN where there are too few rows to tell, 1 beside a constant column."""
        width = self.correlation.width
        degrees = width[x] * width[y]
        held = width[given].sum(axis=1)
        multiplier = self._rows(x, y, given) - 1.0 - held - (width[x] + width[y] + 1.0) / 2.0
        statistic = np.zeros(len(x))
        testable = (degrees > 0) & (multiplier >= FEWEST_ROWS)
        x, y = np.where(
            width[x] > width[y], (y, x), (x, y)
        )  # the ratio is the same, and there are half as many shapes
        for tests, columns, n_x, n_y in _same_shape(
            self.correlation.features, x, y, given, np.flatnonzero(testable)
        ):
            statistic[tests] = -multiplier[tests] * self._log_ratio(columns, n_x, n_y)
        p = stats.chi2.sf(statistic, np.maximum(degrees, 1))
        return np.where(degrees == 0, 1.0, np.where(testable, p, np.nan))

    @cached_property
    def _matrix(self) -> Matrix:
        """The correlations, and at its end features that correlate with none."""
        return np.asarray(
            block_diag(
                self.correlation.matrix, np.eye(SLACK + 2 * self.correlation.features.shape[1])
            )
        )

    def _log_ratio(self, columns: Indices, n_x: int, n_y: int) -> Matrix:
        """Return log(|Σ_XY·S| / (|Σ_X·S| |Σ_Y·S|)) for tests of one shape; `columns` ends in X, then Y."""
        gathered = self._matrix[columns[:, None, :], columns[None, :, :]]
        rest = _eliminate(gathered, len(columns) - n_x - n_y)
        if n_x == n_y == 1:
            return np.asarray(
                np.log1p(-np.minimum(rest[0, 1] ** 2 / (rest[0, 0] * rest[1, 1]), 1.0 - 1e-15))
            )
        rest = np.moveaxis(rest, 2, 0)
        joint, own_x, own_y = rest, rest[:, :n_x, :n_x], rest[:, n_x:, n_x:]
        return _log_determinant(joint) - _log_determinant(own_x) - _log_determinant(own_y)

    def _rows(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return how many rows each test rests on: those of its pair, times the share that each condition is seen in.

        Without missing values, all of them. With half of all cells missing, counting the rows of the least
        observed pair rejects 17 % of true null hypotheses at 5 %, and this count 4.5 % (measured).
        """
        rows = self.correlation.rows
        seen = np.diag(rows) / self.correlation.total
        return np.asarray(rows[x, y] * seen[given].prod(axis=1))


@dataclass(frozen=True)
class FisherZ:
    """Fisher's z-test of a partial correlation (Fisher, 1924), for numeric columns without missing values.

    Parameters
    ----------
    matrix : numpy.ndarray
        Correlations, shape (columns, columns).
    rows : int
        How many rows they come from.

    Examples
    --------
    >>> values = np.random.default_rng(0).normal(size=(200, 3))
    >>> test = FisherZ(np.corrcoef(values.T), rows=200)
    >>> bool(test.p_values(np.array([0]), np.array([1]), np.array([[2]]))[0] > 0.05)
    True
    """

    matrix: Matrix
    rows: int

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return len(self.matrix)

    def p_values(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return p-values, shape (T,)."""
        columns = np.concatenate([given, x[:, None], y[:, None]], axis=1).T
        rest = _eliminate(self.matrix[columns[:, None, :], columns[None, :, :]], given.shape[1])
        partial = np.clip(rest[0, 1] / np.sqrt(rest[0, 0] * rest[1, 1]), -1.0 + 1e-15, 1.0 - 1e-15)
        z = np.sqrt(self.rows - given.shape[1] - 3.0) * np.abs(np.arctanh(partial))
        return np.asarray(2.0 * stats.norm.sf(z))


def _eliminate(stack: Matrix, n: int) -> Matrix:
    """Return Schur complements of the first `n` variables; `stack`, of shape (size, size, T), is overwritten."""
    for step in range(n):
        pivot = stack[step, step + 1 :] / stack[step, step]
        stack[step + 1 :, step + 1 :] -= pivot[:, None] * stack[step, step + 1 :][None, :]
    return stack[n:, n:]


def _log_determinant(stack: Matrix) -> Matrix:
    """Return log-determinants of positive definite matrices, shape (T, size, size)."""
    if stack.shape[1] == 1:
        return np.asarray(np.log(stack[:, 0, 0]))
    return np.asarray(np.linalg.slogdet(stack)[1])


def _same_shape(
    features: Indices, x: Indices, y: Indices, given: Indices, tests: Indices
) -> Iterator[tuple[Indices, Indices, int, int]]:
    """Yield tests that gather equally many features: their positions, and the features, shape (size, tests).

    Conditions, and wide columns, are filled up with features that correlate with none, which change nothing: fewer
    shapes are fewer calls.
    """
    counts = (features >= 0).sum(axis=1)
    n_features, widest = counts.sum(), features.shape[1]
    slack = SLACK if widest > 1 else 0
    held = counts[given[tests]].sum(axis=1)
    rounded = -(-held // (slack + 1)) * (slack + 1)
    width = np.where(counts > 1, widest, 1)
    spare = n_features + SLACK + np.arange(2 * widest)
    as_x, as_y = (np.where(features < 0, own, features) for own in (spare[:widest], spare[widest:]))
    base = widest + 1
    shapes, member = np.unique(
        (rounded * base + width[x[tests]]) * base + width[y[tests]], return_inverse=True
    )
    for index, shape in enumerate(shapes):
        n_given, n_x, n_y = int(shape // base**2), int(shape // base % base), int(shape % base)
        chosen = member == index
        group = tests[chosen]
        flat = np.full((len(group), given.shape[1] * widest + slack), -1)
        flat[:, : given.shape[1] * widest] = features[given[group]].reshape(len(group), -1)
        order = np.argsort(flat < 0, axis=1, kind="stable")[:, :n_given]
        condition = np.take_along_axis(flat, order, axis=1)
        filling = n_features + np.arange(n_given) - held[chosen, None]
        condition = np.where(condition < 0, filling, condition)
        yield (
            group,
            np.concatenate([condition, as_x[x[group], :n_x], as_y[y[group], :n_y]], axis=1).T,
            n_x,
            n_y,
        )


@cache
def register() -> str:
    """Make the test known to causal-learn as ``"degenerate-gaussian"`` and return that name.

    Its options are those of `DegenerateGaussian.of`.

    Examples
    --------
    >>> from causallearn.search.ConstraintBased.PC import pc
    >>> values = np.random.default_rng(0).normal(size=(200, 3))
    >>> values[:, 1] += values[:, 0]
    >>> graph = pc(values, 0.05, register(), categorical=[], show_progress=False).G.graph
    >>> (graph != 0).astype(int)
    array([[0, 1, 0],
           [1, 0, 0],
           [0, 0, 0]])
    """
    from causallearn.utils.cit import CIT_Base, register_ci_test

    class CausalLearnTest(CIT_Base):  # type: ignore[misc]  # causal-learn has no type information
        """`DegenerateGaussian` as causal-learn calls its tests."""

        def __init__(
            self, data: Matrix, categorical: Sequence[int] = (), **options: object
        ) -> None:
            super().__init__(data, **options)
            self.check_cache_method_consistent(NAME, str(sorted(categorical)))
            self.test = DegenerateGaussian.of(data, categorical)

        def __call__(self, x: int, y: int, given: Sequence[int] | None = None) -> float:
            return self.test.p_value(x, y, sorted(given or ()))

    register_ci_test(NAME, CausalLearnTest)
    return NAME
