"""`DegenerateGaussian`: a test of conditional independence for mixed columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats
from scipy.linalg import block_diag

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.discovery.blocks import BlockCorrelation, Blocks

FEWEST_SPARE_ROWS = 4.0
"""A test with fewer rows left after its correction has the p-value NaN, which separates no pair."""

SLACK = 3
"""Most features that are added to a conditioning set, so that sets have fewer different sizes."""


@dataclass(frozen=True)
class DegenerateGaussian:
    """Likelihood-ratio test of X ⟂ Y | S on blocks of features (Andrews, Ramsey and Cooper, 2019).

    With Σ the correlations of the features, −m log(|Σ_XYS| |Σ_S| / (|Σ_XS| |Σ_YS|)) is compared
    with χ² of width(X) · width(Y) degrees of freedom. m is the number of rows with Bartlett's
    correction, which keeps the size of the test right in small tables. Numeric columns enter as
    normal scores, so only monotone dependence is found.

    Parameters
    ----------
    correlation : BlockCorrelation
        Of the rows; `DegenerateGaussian.of` computes it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cause = rng.integers(3, size=400).astype(float)
    >>> effect = (cause == 1) + 0.5 * rng.normal(size=400)
    >>> values = np.column_stack([cause, effect, rng.normal(size=400)])
    >>> test = DegenerateGaussian.of(values, categorical=[0])
    >>> test.p_value(0, 1) < 0.001, test.p_value(0, 2, [1]) > 0.05
    (True, True)
    """

    correlation: BlockCorrelation

    @classmethod
    def of(cls, values: Matrix, categorical: Sequence[int]) -> "DegenerateGaussian":
        """Return the test on a matrix as `Table.encode` returns it.

        Parameters
        ----------
        values : numpy.ndarray
            Shape (rows, columns): numbers, codes of categories, NaN where missing.
        categorical : sequence of int
            Positions of the columns that hold codes.
        """
        return cls(Blocks.of(values, categorical).correlations())

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.correlation.width)

    def p_value(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """Return the p-value of one test; NaN if there are too few rows."""
        triple = (
            np.array([x]),
            np.array([y]),
            np.array([given], dtype=np.int64).reshape(1, len(given)),
        )
        return float(self.p_values(*triple)[0])

    def p_values(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return p-values, shape (T,); 1 for a constant column, NaN if there are too few rows."""
        width = self.correlation.width
        degrees = width[x] * width[y]
        held = width[given].sum(axis=1)
        multiplier = self._rows(x, y, given) - 1.0 - held - (width[x] + width[y] + 1.0) / 2.0
        statistic = np.zeros(len(x))
        testable = (degrees > 0) & (multiplier >= FEWEST_SPARE_ROWS)
        # The ratio is symmetric; with the narrower column first there are half as many shapes.
        x, y = np.where(width[x] > width[y], (y, x), (x, y))
        for tests, columns, n_x, n_y in _same_shape(
            self.correlation.features, x, y, given, np.flatnonzero(testable)
        ):
            statistic[tests] = -multiplier[tests] * self._log_ratio(columns, n_x, n_y)
        p = stats.chi2.sf(statistic, np.maximum(degrees, 1))
        return np.where(degrees == 0, 1.0, np.where(testable, p, np.nan))

    @cached_property
    def _matrix(self) -> Matrix:
        """The correlations, followed by features that correlate with no other."""
        return np.asarray(
            block_diag(
                self.correlation.matrix, np.eye(SLACK + 2 * self.correlation.features.shape[1])
            )
        )

    def _log_ratio(self, columns: Indices, n_x: int, n_y: int) -> Matrix:
        """Return log(|Σ_XY·S| / (|Σ_X·S| |Σ_Y·S|)) for tests of one shape.

        `columns`, shape (features, tests), holds the features of S, then of X, then of Y.
        """
        gathered = self._matrix[columns[:, None, :], columns[None, :, :]]
        rest = schur_complement(gathered, len(columns) - n_x - n_y)
        if n_x == n_y == 1:
            return np.asarray(
                np.log1p(-np.minimum(rest[0, 1] ** 2 / (rest[0, 0] * rest[1, 1]), 1.0 - 1e-15))
            )
        rest = np.moveaxis(rest, 2, 0)
        joint, own_x, own_y = rest, rest[:, :n_x, :n_x], rest[:, n_x:, n_x:]
        return _log_determinant(joint) - _log_determinant(own_x) - _log_determinant(own_y)

    def _rows(self, x: Indices, y: Indices, given: Indices) -> Matrix:
        """Return the number of rows of each test, shape (T,).

        It is the number of rows that observe X and Y, times the observed share of each column of S.
        With half of all cells missing, a test at 5 % then rejects 4.5 % of true null hypotheses
        (measured). With the rows of the least observed pair, it would reject 17 %.
        """
        rows = self.correlation.rows
        seen = np.diag(rows) / self.correlation.total
        return np.asarray(rows[x, y] * seen[given].prod(axis=1))


def schur_complement(stack: Matrix, n: int) -> Matrix:
    """Return the Schur complements of the first `n` variables, shape (size − n, size − n, T).

    `stack`, shape (size, size, T), is overwritten.
    """
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
    """Yield groups of tests with equally many features: positions, features, widths of X and of Y.

    Features have shape (size, tests). Conditioning sets and wide columns are filled up with
    features that correlate with no other. That does not change the result, and fewer shapes are
    fewer calls.
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
