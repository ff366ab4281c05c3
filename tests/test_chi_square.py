"""The χ² test on contingency tables: equal to references, and of the right size."""

import numpy as np
import pytest
from scipy import stats

from autogluon_causalmix.arrays import Indices
from autogluon_causalmix.discovery.independence.chi_square import ChiSquare


def random_codes(seed: int, rows: int = 300) -> Indices:
    """Return six columns of two to five levels, some of which depend on the one before."""
    rng = np.random.default_rng(seed)
    columns = [rng.integers(3, size=rows)]
    for levels in (2, 4, 3, 5, 2):
        columns.append(
            (columns[-1] * rng.integers(2, size=rows) + rng.integers(levels, size=rows)) % levels
        )
    return np.column_stack(columns)


def triples(n_given: int, rng: np.random.Generator) -> tuple[Indices, Indices, Indices]:
    drawn = np.array([rng.permutation(6)[: n_given + 2] for _ in range(25)])
    return drawn[:, 0], drawn[:, 1], drawn[:, 2:]


def test_chi_square__no_condition__equals_scipy() -> None:
    codes = random_codes(0)
    x, y, given = triples(0, np.random.default_rng(0))
    found = ChiSquare(codes, np.ones(300)).p_values(x, y, given)
    tables = [
        np.histogram2d(codes[:, i], codes[:, j], bins=(6, 6), range=((0, 6), (0, 6)))[0]
        for i, j in zip(x, y, strict=True)
    ]
    expected = [
        stats.chi2_contingency(table[table.sum(1) > 0][:, table.sum(0) > 0], correction=False)[1]
        for table in tables
    ]
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_given", [1, 2, 3])
def test_chi_square__conditions__equals_causal_learn(n_given: int) -> None:
    from causallearn.utils.cit import CIT

    codes = random_codes(n_given)
    x, y, given = triples(n_given, np.random.default_rng(n_given))
    reference = CIT(codes, "chisq")
    expected = [
        reference(int(i), int(j), [int(k) for k in held])
        for i, j, held in zip(x, y, given, strict=True)
    ]
    assert ChiSquare(codes, np.ones(300)).p_values(x, y, given) == pytest.approx(
        expected, abs=1e-12
    )


def test_chi_square__batches__change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    test, asked = ChiSquare(random_codes(5), np.ones(300)), triples(2, np.random.default_rng(5))
    whole = test.p_values(*asked)
    monkeypatch.setattr("autogluon_causalmix.discovery.independence.chi_square.CELLS_PER_BATCH", 1)
    assert np.array_equal(test.p_values(*asked), whole)


def test_chi_square__whole_weights__count_rows_as_often() -> None:
    codes, weights = random_codes(1), np.full(300, 3.0)
    asked = triples(1, np.random.default_rng(1))
    assert ChiSquare(codes, weights).p_values(*asked) == pytest.approx(
        ChiSquare(codes, np.ones(300)).p_values(*asked)
    )


@pytest.mark.parametrize("bootstrapped", [False, True])
def test_chi_square__null_holds__rejects_one_in_twenty(bootstrapped: bool) -> None:
    """X and Y are independent given their cause; a bootstrap must not count all its rows."""
    rejected: list[bool] = []
    for seed in range(500):
        rng = np.random.default_rng(seed)
        cause = rng.integers(3, size=400)
        effects = (rng.random((400, 4)) < 0.3 + 0.2 * cause[:, None]).astype("int64")
        weights = (
            rng.multinomial(400, np.full(400, 1 / 400)).astype("float64")
            if bootstrapped
            else np.ones(400)
        )
        test = ChiSquare(np.column_stack([cause, effects]), weights)
        p = test.p_values(np.array([1, 2]), np.array([3, 4]), np.zeros((2, 1), dtype="int64"))
        rejected.extend(p < 0.05)
    # 1,000 pairs: 5 % ± 1, and twice the standard error of their number
    assert 0.03 <= np.mean(rejected) <= 0.07
