"""The tests of mixed columns: size under the null, power, and agreement with regressions."""

from itertools import product

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.independence.chi_square import ChiSquare
from autogluon_causalmix.discovery.independence.degenerate_gaussian import DegenerateGaussian
from autogluon_causalmix.discovery.independence.mixed import ROWS_PER_DEGREE, MixedTest
from benchmarks.causal_learn_reference import NAME, FisherZ, register

ROWS = 400


def conditioned(kind: str, index: Matrix, rng: np.random.Generator) -> Matrix:
    """Return a column that depends on `index` only; a category has three levels."""
    if kind == "numeric":
        return np.asarray(index + rng.normal(size=len(index)))
    utilities = np.column_stack([index, 0.3 - 0.5 * index, np.zeros(len(index))]) + rng.gumbel(
        size=(len(index), 3)
    )
    return np.asarray(utilities.argmax(axis=1).astype("float64"))


def null_p_values(
    kind: type[DegenerateGaussian | MixedTest], left: str, right: str, n_given: int, seed: int
) -> Matrix:
    """Return p-values of 20 × 10 pairs that are independent given the same mixed columns."""
    rng = np.random.default_rng(seed)
    given = [
        rng.normal(size=ROWS) if k % 2 else rng.integers(3, size=ROWS).astype("float64")
        for k in range(n_given)
    ]
    parts = [
        column if k % 2 else np.array([-0.7, 0.0, 0.7])[column.astype("int64")]
        for k, column in enumerate(given)
    ]
    index = 0.6 * np.sum(parts, axis=0) if parts else np.zeros(ROWS)
    columns = [
        *given,
        *(conditioned(left, index, rng) for _ in range(20)),
        *(conditioned(right, index, rng) for _ in range(10)),
    ]
    codes = [position for position, column in enumerate(columns) if not (column % 1).any()]
    x, y = np.array(
        list(product(range(n_given, n_given + 20), range(n_given + 20, n_given + 30)))
    ).T
    test = kind.of(np.column_stack(columns), codes)
    return test.p_values(x, y, np.tile(np.arange(n_given), (len(x), 1)))


@pytest.mark.parametrize("kind", [DegenerateGaussian, MixedTest])
@pytest.mark.parametrize("n_given", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("left", "right"), [("numeric", "numeric"), ("numeric", "category"), ("category", "category")]
)
def test_independence__null_holds__rejects_one_in_twenty(
    kind: type[DegenerateGaussian | MixedTest], left: str, right: str, n_given: int
) -> None:
    with threadpool_limits(1):  # the matrices are too small for a second thread
        p = np.concatenate([null_p_values(kind, left, right, n_given, seed) for seed in range(50)])
    assert len(p) == 10_000
    assert 0.04 <= (p < 0.05).mean() <= 0.06


def test_degenerate_gaussian__nominal_cause__more_power_than_fisher_z_on_codes() -> None:
    rng = np.random.default_rng(0)
    found = np.zeros(2)
    for _ in range(200):
        cause = rng.integers(3, size=150).astype("float64")
        # The middle code differs, so that there is no trend over the codes.
        effect = 0.5 * (cause == 1) + rng.normal(size=150)
        values = np.column_stack([cause, effect])
        pair = np.array([0]), np.array([1]), np.empty((1, 0), dtype=np.int64)
        found += DegenerateGaussian.of(values, [0]).p_values(*pair)[0] < 0.05
        found[1] -= DegenerateGaussian.of(values, [0]).p_values(*pair)[0] < 0.05
        found[1] += FisherZ(np.asarray(np.corrcoef(values.T)), 150).p_values(*pair)[0] < 0.05
    assert found[0] > 120
    assert found[1] < 30


def reference_p(features: list[Matrix], x: int, y: int, given: list[int]) -> float:
    """Return the p-value of the same likelihood ratio, from residuals of least squares."""
    n = len(features[0])
    held = np.column_stack([np.ones(n), *(features[column] for column in given)])

    def residual_log_determinant(columns: list[int]) -> float:
        block = np.column_stack([features[column] for column in columns])
        rest = block - held @ np.linalg.lstsq(held, block, rcond=None)[0]
        return float(np.linalg.slogdet(rest.T @ rest)[1])

    ratio = (
        residual_log_determinant([x, y])
        - residual_log_determinant([x])
        - residual_log_determinant([y])
    )
    n_x, n_y = features[x].shape[1], features[y].shape[1]
    multiplier = n - held.shape[1] - (n_x + n_y + 1) / 2
    return float(stats.chi2.sf(-multiplier * ratio, n_x * n_y))


def test_degenerate_gaussian__any_shape_of_blocks__equals_least_squares() -> None:
    rng = np.random.default_rng(1)
    values = np.column_stack(
        [rng.integers(k, size=300) if k else rng.normal(size=300) for k in (0, 4, 0, 2, 3, 0)]
    ).astype("float64")
    values[:, 0] += values[:, 1] + values[:, 3]
    values[:, 2] += 0.2 * values[:, 0]
    codes = [1, 3, 4]
    test, blocks = DegenerateGaussian.of(values, codes), Blocks.of(values, codes)
    features = [blocks.features[:, blocks.block == column] for column in range(6)]
    for x, y, given in [(0, 1, []), (1, 4, [3]), (0, 2, [1, 4]), (5, 1, [0, 2, 3, 4]), (3, 4, [1])]:
        assert test.p_value(x, y, given) == pytest.approx(
            reference_p(features, x, y, given), rel=0.02, abs=1e-3
        )


def test_fisher_z__partial_correlation__equals_inverse_covariance() -> None:
    values = np.random.default_rng(2).normal(size=(100, 4)) @ np.random.default_rng(3).normal(
        size=(4, 4)
    )
    matrix = np.asarray(np.corrcoef(values.T)).reshape(4, 4)
    precision = np.linalg.inv(matrix)
    partial = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    expected = 2 * stats.norm.sf(np.sqrt(100 - 2 - 3) * abs(np.arctanh(partial)))
    assert FisherZ(matrix, 100).p_values(np.array([0]), np.array([1]), np.array([[2, 3]]))[
        0
    ] == pytest.approx(expected)


def test_degenerate_gaussian__half_the_cells_missing__has_power_and_keeps_its_size() -> None:
    rng = np.random.default_rng(4)
    rejected = []
    for _ in range(300):
        cause = rng.normal(size=200)
        values = np.column_stack(
            [cause, cause + rng.normal(size=200), cause + rng.normal(size=200)]
        )
        values[rng.random(values.shape) < 0.5] = np.nan
        test = DegenerateGaussian.of(values, [])
        rejected.append([test.p_value(0, 1) < 0.05, test.p_value(1, 2, [0]) < 0.05])
    power, size = np.mean(rejected, axis=0)
    assert power > 0.95
    assert size < 0.08


def test_degenerate_gaussian__swapped_and_reordered__same_p_value() -> None:
    rng = np.random.default_rng(5)
    values = np.column_stack([rng.integers(4, size=80), rng.normal(size=(80, 3))]).astype("float64")
    test = DegenerateGaussian.of(values, [0])
    assert test.p_value(0, 1, [2, 3]) == pytest.approx(test.p_value(1, 0, [3, 2]), rel=1e-9)


@pytest.mark.parametrize("rows", [1, 2, 5, 12, 40])
def test_degenerate_gaussian__singular_table__p_value_or_nan(rows: int) -> None:
    rng = np.random.default_rng(rows)
    base = rng.normal(size=(rows, 3))
    columns = [
        base,
        2 * base,
        np.ones((rows, 1)),
        np.full((rows, 1), np.nan),
        rng.integers(rows, size=(rows, 2)),
        1e300 * base[:, :1],
    ]
    values = np.column_stack(columns).astype("float64")
    test = DegenerateGaussian.of(values, [8, 9])
    x, y = np.triu_indices(values.shape[1], 1)
    for depth in range(4):
        given = np.array(
            [
                [c for c in range(values.shape[1]) if c not in pair][:depth]
                for pair in zip(x, y, strict=True)
            ]
        )
        p = test.p_values(x, y, given.reshape(len(x), depth).astype("int64"))
        assert (np.isnan(p) | ((p >= 0) & (p <= 1))).all()
    assert test.p_value(0, 6) == 1.0  # a constant column is independent of all


def test_degenerate_gaussian__exact_copy__is_dependent_and_separates() -> None:
    rng = np.random.default_rng(6)
    cause = rng.normal(size=300)
    values = np.column_stack([cause, cause, cause + rng.normal(size=300)])
    test = DegenerateGaussian.of(values, [])
    assert test.p_value(0, 1) < 1e-10
    assert test.p_value(0, 2, [1]) > 0.05


def test_register__causal_learn__finds_the_collider_of_a_mixed_table() -> None:
    from causallearn.search.ConstraintBased.PC import pc

    rng = np.random.default_rng(7)
    group, dose = rng.integers(3, size=600), rng.normal(size=600)
    effect = np.array([-1.0, 1.0, 0.0])[group] + dose + 0.7 * rng.normal(size=600)
    values = np.column_stack([group, dose, effect])
    graph = pc(values, 0.01, register(), categorical=[0], show_progress=False).G.graph
    assert register() == NAME
    assert graph.tolist() == [[0, 0, -1], [0, 0, -1], [1, 1, 0]]


def test_mixed__categories_and_numbers__each_triple_gets_its_own_test() -> None:
    rng = np.random.default_rng(7)
    values: Matrix = rng.integers([2, 2, 3, 3, 7, 7, 1], size=(300, 7)) + np.zeros((300, 7))
    values[:, 6] = rng.normal(size=300)
    values[::9, 1] = np.nan
    mixed, gaussian = MixedTest.of(values, range(6)), DegenerateGaussian.of(values, range(6))
    counts = ChiSquare(np.nan_to_num(values).astype("int64"), np.ones(300))
    # categories with enough rows; missing cells; a number; 36 · 3 and 36 · 9 degrees of freedom
    cases = [
        (0, 4, [2], True),
        (0, 1, [2], False),
        (0, 4, [6], False),
        (4, 5, [2], True),
        (4, 5, [2, 3], False),
    ]
    for x, y, given, is_counted in cases:
        triple = np.array([x]), np.array([y]), np.array([given])
        expected = counts.p_values(*triple) if is_counted else gaussian.p_values(*triple)
        assert mixed.p_values(*triple) == expected, (x, y, given)
    assert ROWS_PER_DEGREE * 36 * 3 < 300 < ROWS_PER_DEGREE * 36 * 9


def test_mixed__exclusive_or__is_found_where_the_gaussian_test_misses_it() -> None:
    a, b = np.random.default_rng(8).integers(2, size=(2, 300))
    values = np.column_stack([a, b, a ^ b]).astype("float64")
    triple = np.array([0]), np.array([2]), np.array([[1]])
    assert MixedTest.of(values, range(3)).p_values(*triple)[0] < 1e-10
    assert DegenerateGaussian.of(values, range(3)).p_values(*triple)[0] > 0.05
