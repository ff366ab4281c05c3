"""Adversarial random forests against simulators, and against the pruning of the published code."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from causalmix_arf.generator import ARF, FittedARF
from causalmix_arf.leaves import Leaves, Matrix
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from autogluon_causalmix import augment
from autogluon_causalmix.generators.marginals import Marginals
from autogluon_causalmix.plugin import Generator, Resources, Table
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.testing import check_generator, linear_scm, mixed_scm, toy_tables


def fitted(table: Table, **options: Any) -> FittedARF:
    return ARF(**options).fit(table, np.random.default_rng(1), Resources(60.0))


def draw(generator: Generator, table: Table, n_rows: int) -> Table:
    made = generator.fit(table, np.random.default_rng(1), Resources(60.0))
    return made.sample(n_rows, np.random.default_rng(2))


def detection(one: Table, other: Table) -> float:
    """Return the ROC-AUC of a forest that tells the rows of two tables apart."""
    rows, whose = np.vstack([one.encode(), other.encode()]), np.repeat([0, 1], len(one))
    forest = RandomForestClassifier(200, min_samples_leaf=5, random_state=0)
    guessed = cross_val_predict(forest, rows, whose, cv=3, method="predict_proba")[:, 1]
    return float(roc_auc_score(whose, guessed))


@pytest.mark.parametrize("simulate", [linear_scm, mixed_scm])
def test_its_rows_are_hard_to_tell_from_fresh_ones_where_those_of_marginals_are_easy(
    simulate: Any,
) -> None:
    table, _ = simulate(1000, np.random.default_rng(0))
    fresh, _ = simulate(1000, np.random.default_rng(9))
    assert detection(fresh, draw(Marginals(), table, 1000)) > 0.7
    assert detection(fresh, draw(ARF(), table, 1000)) < 0.6


def test_it_recovers_a_mixture_that_no_pair_of_columns_shows() -> None:
    # Three signs whose product is always +1: any two are independent.
    rng = np.random.default_rng(0)
    signs = rng.choice([-1, 1], size=(3000, 2))
    centres = 3 * np.column_stack([signs, signs.prod(axis=1)])
    numbers = centres + rng.normal(size=centres.shape)
    frame = pd.DataFrame(numbers, columns=["a", "b", "c"]).assign(y=rng.integers(2, size=3000))
    drawn = draw(ARF(), Table.from_frame(frame, "y"), 3000).frame
    right = (np.sign(drawn[["a", "b", "c"]]).prod(axis=1) == 1).mean()
    real = (np.sign(frame[["a", "b", "c"]]).prod(axis=1) == 1).mean()
    assert real > 0.98
    assert right > 0.9  # ½ without the dependence
    assert drawn[["a", "b", "c"]].corr().abs().to_numpy()[np.triu_indices(3, 1)].max() < 0.1


def published_partition(forest: RandomForestClassifier, rows: Matrix, fewest: int) -> Any:
    """Return the leaf of each row, shape (rows, trees), pruned as in arfpy 0.1.1 (MIT)."""
    reached = forest.apply(rows)
    for number, tree in enumerate(forest.estimators_):
        left, right = tree.tree_.children_left, tree.tree_.children_right
        leaves, counts = np.unique(reached[:, number], return_counts=True)
        unreached = np.setdiff1d(np.flatnonzero(left < 0), leaves)
        small = np.concatenate([leaves[counts < fewest], unreached])
        while len(small):
            for leaf in small:
                parent = np.flatnonzero(left == leaf)
                if len(parent):
                    left[parent] = right[parent]
                else:
                    parent = np.flatnonzero(right == leaf)
                    right[parent] = left[parent]
            small = np.flatnonzero(np.isin(left, small))
    return forest.apply(rows)


def test_the_leaves_of_one_forest_are_those_of_the_published_program() -> None:
    rng = np.random.default_rng(0)
    real = mixed_scm(500, rng)[0].encode()
    drawn = real[rng.integers(500, size=real.shape), np.arange(5)]
    forest = RandomForestClassifier(30, min_samples_leaf=5, random_state=0)
    forest.fit(np.vstack([real, drawn]), np.repeat([0, 1], 500))
    trees = [tree.tree_ for tree in forest]
    unpruned = Leaves.of(trees, real, 1)
    own = Leaves.of(trees, real, 5)
    published = published_partition(forest, real, 5).T
    for mine, theirs in zip(own.reached, published, strict=True):
        labels = [np.unique(leaf, return_inverse=True)[1] for leaf in (mine, theirs)]
        pairs = set(zip(*labels, strict=True))
        assert len(pairs) == len(set(labels[0])) == len(set(labels[1]))
    assert own.count[own.count > 0].min() >= 5
    assert (unpruned.count > 0).sum() > (own.count > 0).sum()


def test_bounds_and_moments_are_those_of_the_rows_in_a_leaf() -> None:
    table = linear_scm(300, np.random.default_rng(0))[0]
    values = table.encode()
    arf = fitted(table)
    leaves = np.unique(arf.leaves.reached)
    low, high = arf._bounds(leaves)
    mean, deviation = arf.leaves.moments(leaves, values)
    for position, leaf in enumerate(leaves):
        rows = np.nonzero(arf.leaves.reached == leaf)[1]
        assert (values[rows] >= low[position]).all()
        assert (values[rows] <= high[position]).all()
        np.testing.assert_allclose(mean[position], values[rows].mean(axis=0), atol=1e-9)
        np.testing.assert_allclose(deviation[position], values[rows].std(axis=0, ddof=1), atol=1e-9)


def test_drawn_numbers_stay_in_the_observed_range_and_gaps_stay_where_they_are_likely() -> None:
    rng = np.random.default_rng(0)
    old = rng.random(2000) < 0.5
    income = np.where(
        rng.random(2000) < np.where(old, 0.6, 0.1), np.nan, rng.exponential(size=2000)
    )
    frame = pd.DataFrame({"income": income, "old": old, "y": rng.integers(2, size=2000)})
    drawn = draw(ARF(), Table.from_frame(frame, "y"), 4000).frame
    assert drawn["income"].min() >= frame["income"].min()
    assert drawn["income"].max() <= frame["income"].max()
    gaps = drawn["income"].isna().groupby(drawn["old"]).mean()
    assert gaps[True] == pytest.approx(0.6, abs=0.05)
    assert gaps[False] == pytest.approx(0.1, abs=0.05)


def test_values_that_32_bits_cannot_hold_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    side = rng.integers(2, size=400)
    huge = 1e300 * (1 + 1e-12 * (side + 0.1 * rng.random(400)))
    frame = pd.DataFrame({"huge": huge, "side": side, "y": rng.integers(2, size=400)})
    drawn = draw(ARF(), Table.from_frame(frame, "y"), 1000).frame
    above = drawn["huge"] > 1e300 * (1 + 5e-13)
    assert (above == drawn["side"].eq(1)).mean() > 0.9


def test_the_report_says_what_the_forests_could_tell() -> None:
    table = mixed_scm(300, np.random.default_rng(0))[0]
    said: Any = fitted(table).describe()
    assert said["accuracy"][0] > 0.6
    assert said["accuracy"][-1] <= 0.5
    assert said["notes"] == []
    stopped: Any = fitted(table, rounds=0).describe()
    (note,) = stopped["notes"]
    assert note.startswith("adversarial rounds ended because 0 rounds are over: the last forest")


def test_little_time_is_kept_and_noted() -> None:
    table = mixed_scm(300, np.random.default_rng(0))[0]
    arf = ARF().fit(table, np.random.default_rng(0), Resources(0.001))
    assert arf.stopped == "time is nearly up"
    assert len(arf.accuracy) == 1


def test_more_cores_draw_the_same_rows() -> None:
    table = mixed_scm(300, np.random.default_rng(0))[0]
    one, two = (
        ARF()
        .fit(table, np.random.default_rng(0), Resources(60.0, num_cpus=cores))
        .sample(50, np.random.default_rng(1))
        for cores in (1, 2)
    )
    assert one.frame.equals(two.frame)


def test_it_keeps_the_contract_of_generators() -> None:
    check_generator(ARF())


@pytest.mark.parametrize("options", [{"min_leaf": 1}, {"min_leaf": 100}, {"trees": 10}])
def test_it_keeps_the_contract_with_other_options(options: dict[str, Any]) -> None:
    check_generator(ARF(**options), {"missing values": toy_tables()["missing values"]})


def test_the_installed_package_is_found_by_its_name() -> None:
    owner = plugin_registry().of(Generator).get("arf").owner
    assert (owner.plugin, owner.distribution) == ("arf", "causalmix-arf")
    frame = mixed_scm(60, np.random.default_rng(0))[0].frame
    assert augment(frame, "risk", 20, generator={"name": "arf", "trees": 10}).shape == (20, 5)
