"""The copula against latent normal variables whose correlation is known."""

import numpy as np
import pandas as pd
import pytest
from causalmix_copula import Copula, FittedCopula
from scipy.stats import ks_2samp

from autogluon_causalmix.plugin import Matrix, Resources, Table
from autogluon_causalmix.testing import check_generator, toy_tables

RHO = np.array(
    [[1.0, 0.6, -0.5, 0.3], [0.6, 1.0, -0.2, 0.4], [-0.5, -0.2, 1.0, 0.0], [0.3, 0.4, 0.0, 1.0]]
)


def fitted(frame: pd.DataFrame, shrinkage: float = 0.0) -> FittedCopula:
    return Copula(shrinkage).fit(
        Table.from_frame(frame, "y"), np.random.default_rng(0), Resources(10.0)
    )


def latent(n_rows: int, seed: int = 0) -> Matrix:
    return np.random.default_rng(seed).multivariate_normal(np.zeros(4), RHO, size=n_rows)


def observed(z: Matrix) -> pd.DataFrame:
    """Return four columns, monotone in `z`: skewed numbers, whole ones, grades and two classes."""
    size = pd.cut(z[:, 2], [-np.inf, -0.7, 0.4, np.inf], labels=["s", "m", "l"])
    return pd.DataFrame(
        {
            "number": np.exp(z[:, 0]),
            "whole": np.floor(3 * z[:, 1]).astype(int),
            "size": size,
            "y": z[:, 3] > 0.5,
        }
    )


def test_latent_correlation_of_mixed_columns_is_recovered() -> None:
    copula = fitted(observed(latent(40_000)))
    # 0.03: the sampling error is about 0.008, and the correction exact for one cut column only.
    np.testing.assert_allclose(copula.correlation[:4, :4], RHO, atol=0.03)


def test_drawn_rows_have_the_marginals_and_the_associations() -> None:
    real = observed(latent(20_000))
    drawn = fitted(real).sample(20_000, np.random.default_rng(1)).frame
    for name in ("size", "y"):
        shares = real[name].value_counts(normalize=True), drawn[name].value_counts(normalize=True)
        assert (shares[0] - shares[1]).abs().max() < 0.015, name
    for name in ("number", "whole"):
        # 0.02: exceeded by two samples of one distribution with a probability below 0.001.
        assert ks_2samp(real[name], drawn[name]).statistic < 0.02, name
    number = drawn["number"].rank().corr(drawn["whole"].rank())
    assert number == pytest.approx(real["number"].rank().corr(real["whole"].rank()), abs=0.02)
    means = [frame.groupby("y")["number"].median() for frame in (real, drawn)]
    assert (means[1] - means[0]).abs().max() < 0.06


def test_full_shrinkage_makes_columns_independent() -> None:
    copula = fitted(observed(latent(2_000)), shrinkage=1.0)
    np.testing.assert_array_equal(copula.correlation, np.eye(8))


def test_cells_are_missing_as_often_and_in_the_same_rows_of_other_columns() -> None:
    real = observed(latent(20_000))
    real.loc[real["whole"] > 1, "number"] = np.where(
        np.arange((real["whole"] > 1).sum()) % 4, np.nan, 1.0
    )
    drawn = fitted(real).sample(20_000, np.random.default_rng(1)).frame
    assert drawn["number"].isna().mean() == pytest.approx(real["number"].isna().mean(), abs=0.015)
    assert drawn.loc[drawn["number"].isna(), "whole"].mean() > drawn["whole"].mean() + 2
    assert not drawn[["whole", "size", "y"]].isna().any(axis=None)


def test_whole_numbers_dates_and_categories_keep_to_observed_values() -> None:
    table = toy_tables()["dtypes"]
    copula = Copula().fit(table, np.random.default_rng(0), Resources(10.0))
    drawn = copula.sample(500, np.random.default_rng(1)).frame
    for column in table.columns:
        if column.is_categorical or column.is_whole:
            assert set(drawn[column.name]) <= set(table.frame[column.name]), column.name


def test_it_notes_which_categories_have_no_order() -> None:
    copula = Copula().fit(toy_tables()["mixed types"], np.random.default_rng(0), Resources(10.0))
    assert copula.describe() == {
        "notes": ["the copula takes the categories of 'colour' in the order of their codes"]
    }


@pytest.mark.parametrize("shrinkage", [0.0, 0.05, 1.0])
def test_it_keeps_the_contract_of_generators(shrinkage: float) -> None:
    check_generator(Copula(shrinkage))
