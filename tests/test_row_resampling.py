"""The generators `marginals` and `perturb`: what they keep of the real rows and what they break."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix import augment
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.generators.marginals import Marginals
from autogluon_causalmix.generators.perturb import Perturb
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import check_generator, toy_tables

RHO = 0.8
"""Correlation of `a` and `b` inside of each class of `two_classes`."""

MEANS = {"no": 0.0, "yes": 3.0}


def two_classes(n_rows: int = 4000) -> Table:
    """Two normal columns with the correlation `RHO` in each class, and a key of the row."""
    rng = np.random.default_rng(0)
    label = rng.choice(["no", "yes"], p=[0.75, 0.25], size=n_rows)
    a, b = rng.multivariate_normal([0, 0], [[1, RHO], [RHO, 1]], size=n_rows).T
    shift = np.where(label == "yes", MEANS["yes"], MEANS["no"])
    colour = np.where(rng.random(n_rows) < np.where(a > 0, 0.9, 0.1), "red", "blue")
    gaps = rng.random(n_rows) < np.where(label == "yes", 0.5, 0.1)
    frame = pd.DataFrame(
        {
            "key": [f"row {i}" for i in range(n_rows)],
            "a": a + shift,
            "b": 2 * b - shift,
            "colour": colour,
            "holes": np.where(gaps, np.nan, a),
            "y": label,
        }
    )
    return Table.from_frame(frame, "y")


def drawn_by(generator: Generator, table: Table, n_rows: int) -> pd.DataFrame:
    fitted = generator.fit(table, np.random.default_rng(1), Resources(60.0))
    return fitted.sample(n_rows, np.random.default_rng(2)).frame


def within(frame: pd.DataFrame, statistic: Callable[[pd.DataFrame], float]) -> dict[str, float]:
    """Return a statistic of the rows of each class."""
    return {str(label): statistic(rows) for label, rows in frame.groupby("y")}


def correlation(rows: pd.DataFrame) -> float:
    return float(rows["a"].corr(rows["b"]))


# --- marginals


def test_marginals_keep_each_column_given_the_class_and_no_relation_inside_of_it() -> None:
    table = two_classes()
    drawn = drawn_by(Marginals(), table, 40_000)
    assert drawn["y"].eq("yes").mean() == pytest.approx(table.labels.eq("yes").mean(), abs=0.01)
    statistics: list[Callable[[pd.DataFrame], float]] = [
        lambda rows: rows["a"].mean(),
        lambda rows: rows["b"].std(),
        lambda rows: rows["colour"].eq("red").mean(),
        lambda rows: rows["holes"].isna().mean(),
    ]
    for statistic in statistics:
        real = within(table.frame, statistic)
        assert within(drawn, statistic) == pytest.approx(real, abs=0.05)
    # 10,000 rows of the rarer class: the standard error of a correlation is 0.01.
    assert within(drawn, correlation) == pytest.approx({"no": 0.0, "yes": 0.0}, abs=0.04)
    gaps_go_together = within(drawn, lambda rows: rows["holes"].isna().corr(rows["a"]))
    assert gaps_go_together == pytest.approx({"no": 0.0, "yes": 0.0}, abs=0.04)


def test_marginals_between_classes_are_those_of_a_naive_bayes_model() -> None:
    drawn = drawn_by(Marginals(), two_classes(), 40_000)
    # Means differ by 3 in `a` and by −3 in `b`: with shares ¾ and ¼ their covariance is −9 · 3/16.
    assert drawn["a"].cov(drawn["b"]) == pytest.approx(-9 * 3 / 16, abs=0.1)


# --- perturb


def test_swaps_keep_the_marginals_of_each_class_exactly_and_weaken_relations_as_stated() -> None:
    table = two_classes()
    drawn = drawn_by(Perturb(jitter=0.0, swap=0.3), table, len(table))
    for label, real in table.frame.groupby("y"):
        own = drawn[drawn["y"] == label]
        for name in ("key", "a", "b", "colour", "holes"):
            assert np.array_equal(
                np.sort(own[name].to_numpy()),
                np.sort(real[name].to_numpy()),
                equal_nan=name != "key" and name != "colour",
            ), name
    # Both cells of a row are from one real row with the probability (1 − 0.3)².
    kept = RHO * 0.7**2
    assert within(drawn, correlation) == pytest.approx({"no": kept, "yes": kept}, abs=0.07)


def test_each_real_row_is_dealt_equally_often() -> None:
    table = two_classes(100)
    counts = drawn_by(Perturb(swap=0.0), table, 250)["key"].value_counts()
    assert sorted(counts) == [2] * 50 + [3] * 50


def test_jitter_has_the_stated_size_in_each_class_and_keeps_means() -> None:
    table = two_classes()
    drawn = drawn_by(Perturb(jitter=0.25, swap=0.0), table, len(table))
    real = table.frame.set_index("key").loc[drawn["key"]].reset_index()
    assert drawn["colour"].equals(real["colour"])
    assert drawn["holes"].isna().equals(real["holes"].isna())
    for name, spread in (("a", 1.0), ("b", 2.0)):
        moved = (drawn[name] - real[name]).groupby(drawn["y"])
        assert dict(moved.std()) == pytest.approx(dict.fromkeys(MEANS, 0.25 * spread), rel=0.08)
        assert dict(moved.mean()) == pytest.approx(dict.fromkeys(MEANS, 0.0), abs=0.06)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_mixup_keeps_class_means_and_shrinks_variances_as_a_beta_weight_does(alpha: float) -> None:
    table = two_classes()
    drawn = drawn_by(Perturb(jitter=0.0, swap=0.0, mixup=alpha), table, 20_000)
    real = within(table.frame, lambda rows: rows["a"].mean())
    assert within(drawn, lambda rows: rows["a"].mean()) == pytest.approx(real, abs=0.05)
    # E[λ² + (1 − λ)²] = 1 − 2 E[λ (1 − λ)] = 1 − α / (2 α + 1) for λ ~ Beta(α, α).
    shrunk = 1 - alpha / (2 * alpha + 1)
    variance = within(table.frame, lambda rows: rows["a"].var())
    expected = {label: shrunk * value for label, value in variance.items()}
    assert within(drawn, lambda rows: rows["a"].var()) == pytest.approx(expected, rel=0.06)
    assert set(drawn["colour"]) == {"red", "blue"}
    shares = within(drawn, lambda rows: rows["holes"].isna().mean())
    real_shares = within(table.frame, lambda rows: rows["holes"].isna().mean())
    assert shares == pytest.approx(real_shares, abs=0.02)


def test_without_any_change_perturb_copies_rows() -> None:
    table = two_classes(100)
    drawn = drawn_by(Perturb(jitter=0.0, swap=0.0), table, 100)
    pd.testing.assert_frame_equal(
        drawn.sort_values("key", ignore_index=True),
        table.frame.sort_values("key", ignore_index=True),
    )


@pytest.mark.parametrize("options", [(0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.5, 0.5, 1.0)])
def test_perturb_keeps_the_contract_with_each_step(options: tuple[float, float, float]) -> None:
    check_generator(Perturb(*options))


@pytest.mark.parametrize("option", [{"swap": 1.1}, {"jitter": -0.1}, {"mixup": -1}])
def test_an_amount_out_of_range_is_refused(option: dict[str, object]) -> None:
    frame = toy_tables()["mixed types"].frame
    with pytest.raises(ConfigError, match=f"option '{next(iter(option))}' should be"):
        augment(frame, "label", 5, generator={"name": "perturb", **option})


@pytest.mark.parametrize("generator", [Marginals(), Perturb()])
def test_a_class_with_one_row_is_noted(generator: Generator) -> None:
    table = toy_tables()["a class with one row"]
    fitted = generator.fit(table, np.random.default_rng(0), Resources(1.0))
    said = fitted.describe()  # type: ignore[attr-defined]
    assert said["notes"] == ["class 7 has one row: all rows drawn of it come from this row"]
