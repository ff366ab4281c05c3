"""Weights of graphs: what is known of held-out rows decides, in closed form and on a known simulator."""

import numpy as np
import pytest

from autogluon_causalmix.generators.scm import SCMGenerator
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.scm.fitting import Settings, fit_scm
from autogluon_causalmix.scm.roots import Empirical, Smoothed
from autogluon_causalmix.scm.weighting import likelihood_weights, row_likelihoods
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import linear_scm


def test_likelihood_weights__constant_gap__is_the_softmax_of_totals() -> None:
    models = [np.zeros(50), np.full(50, -0.02)]
    expected = 1 / (1 + np.exp(-1.0))
    assert likelihood_weights(models, np.random.default_rng(0))[0] == pytest.approx(
        expected, abs=1e-9
    )


def test_likelihood_weights__gap_on_one_row__is_not_trusted() -> None:
    """Plain totals would give the first model e⁵ times the weight of the second."""
    gap = np.zeros(100)
    gap[0] = 5.0
    weight = likelihood_weights([gap, np.zeros(100)], np.random.default_rng(0))[0]
    assert 0.6 < weight < 0.97


def test_row_likelihoods__root__is_what_the_other_rows_say() -> None:
    codes = np.array([0.0, 0.0, 0.0, 1.0, np.nan])
    found = row_likelihoods(codes, is_category=True, mechanism=Empirical())
    assert found == pytest.approx([np.log(2.5 / 4)] * 3 + [np.log(0.5 / 4), 0.0])


def test_fit_scm__weighted__true_graph_wins_over_one_without_an_edge_and_rows_follow() -> None:
    table, true = linear_scm(300, np.random.default_rng(0))
    cut = true.copy()
    cut[1, 3] = False  # b no longer causes d
    settings = Settings(weighted=True)
    model = fit_scm(table, [cut, true], np.random.default_rng(0), Resources(60.0), settings)
    assert model.weights[1] > 0.99
    rows = model.sample(1000, np.random.default_rng(0)).frame
    assert rows["b"].corr(rows["d"]) == pytest.approx(
        table.frame["b"].corr(table.frame["d"]), abs=0.1
    )


def test_fit_scm__graphs_of_one_class_of_equivalence__share_the_weight() -> None:
    """a → b and b → a say the same of linear Gaussian rows; no held-out row can tell."""
    rng = np.random.default_rng(1)
    table, true = linear_scm(400, rng)
    turned = true.copy()
    turned[0, 1], turned[1, 0] = False, True
    model = fit_scm(table, [true, turned], rng, Resources(60.0), Settings(weighted=True))
    assert 0.05 < model.weights[0] < 0.95


def test_smoothed__skewed_values__new_values_in_the_same_range_and_law() -> None:
    values = np.exp(np.random.default_rng(2).normal(size=400))
    root = Smoothed()
    root.fit(values)
    drawn = root.evaluate(np.random.default_rng(3).random(20_000))
    assert values.min() <= drawn.min()
    assert drawn.max() <= values.max()
    assert (~np.isin(drawn, values)).mean() > 0.9
    grid = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    assert np.quantile(drawn, grid) == pytest.approx(np.quantile(values, grid), rel=0.15)


def test_scm__smoothed_roots__counts_and_categories_stay_as_observed() -> None:
    rng = np.random.default_rng(4)
    table, _ = linear_scm(200, rng)
    frame = table.frame.assign(count=rng.integers(6, size=200))
    generator = SCMGenerator(discoverer="no-edges", roots="smoothed", graphs=1)
    fitted = generator.fit(Table.from_frame(frame, "y"), rng, Resources(60.0))
    rows = fitted.sample(500, rng).frame
    assert rows["count"].isin(range(6)).all()
    assert (~rows["a"].isin(frame["a"])).mean() > 0.9
