"""Weights of graphs by held-out likelihood, against closed forms and a known simulator."""

from typing import Literal

import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix.arrays import Mask
from autogluon_causalmix.config import Named
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.generators.scm import SCMGenerator
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.scm.fitted import FittedSCM
from autogluon_causalmix.scm.fitting import Settings, fit_scm
from autogluon_causalmix.scm.in_context import Conditioner
from autogluon_causalmix.scm.learners import LEARNERS
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


def test_row_likelihoods__categorical_root__is_the_frequency_among_the_other_rows() -> None:
    codes = np.array([0.0, 0.0, 0.0, 1.0, np.nan])
    root = Empirical(is_category=True)
    root.fit(codes)
    found = row_likelihoods(~np.isnan(codes), root)
    assert found == pytest.approx([np.log(2.5 / 4)] * 3 + [np.log(0.5 / 4), 0.0])


@pytest.mark.parametrize("root", [Empirical(is_category=False), Smoothed()])
def test_row_likelihoods__numeric_root__is_the_gaussian_of_the_other_rows(root: Empirical) -> None:
    values = np.random.default_rng(5).normal(size=30)
    root.fit(values)
    scores = (values - values.mean()) / values.std()
    errors = np.array([scores[i] - np.delete(scores, i).mean() for i in range(30)])
    variances = np.array([(np.delete(errors, i) ** 2).mean() for i in range(30)])
    expected = -0.5 * np.log(2 * np.pi * variances) - 0.5 * errors**2 / variances
    assert row_likelihoods(np.ones(30, dtype=bool), root) == pytest.approx(expected, abs=1e-6)


def every_kind_of_column(rows: int) -> tuple[Table, Mask]:
    """Return columns that are odd in every way, and a graph in which each is a child of the first.

    The first column and two more are roots.
    """
    rng = np.random.default_rng(6)
    x = rng.normal(size=rows)
    frame = pd.DataFrame(
        {
            "root": x,
            "empty root": np.full(rows, np.nan),
            "category root": rng.choice(["a", "b"], size=rows),
            "constant": np.ones(rows),
            "empty": np.full(rows, np.nan),
            "one level": pd.Series(["a"] * rows).mask(rng.random(rows) < 0.2),
            "gaps": np.where(rng.random(rows) < 0.3, np.nan, x + rng.normal(size=rows)),
            "count": rng.poisson(np.exp(x)),
            "level": np.where(x + rng.normal(size=rows) > 0, "p", "q"),
            "y": np.where(x + rng.normal(size=rows) > 0, "yes", "no"),
        }
    )
    dag = np.zeros((10, 10), dtype=bool)
    dag[0, 3:] = True
    return Table.from_frame(frame, "y"), dag


def weighted_fit(settings: Settings) -> FittedSCM:
    table, dag = every_kind_of_column(60)
    graphs = [dag, np.zeros_like(dag), dag.T.copy()]
    return fit_scm(table, graphs, np.random.default_rng(0), Resources(60.0), settings)


@pytest.mark.parametrize("smoothed", [False, True])
@pytest.mark.parametrize("learner", LEARNERS)
def test_fit_scm__weighted__every_mechanism_has_one_likelihood_for_each_value(
    learner: str, smoothed: bool
) -> None:
    model = weighted_fit(Settings((learner,), smoothed_roots=smoothed, weighted=True))
    present = ~np.isnan(model.table.encode())
    kinds = set()
    for (node, _), mechanism in model.mechanisms.items():
        assert mechanism.held_out is not None
        assert mechanism.held_out.shape == (present[:, node].sum(),)
        assert np.isfinite(mechanism.held_out).all()
        kinds.add(mechanism.learner)
    assert kinds == {learner, "constant", "empirical"} | ({"smoothed"} if smoothed else set())
    assert model.weights.sum() == pytest.approx(1.0)


def test_fit_scm__columns_without_variation__do_not_change_the_weights() -> None:
    """A column whose value is certain has likelihood 1 in every graph."""
    table, dag = every_kind_of_column(60)
    plain = [0, 2, 6, 7, 8, 9]
    varying = Table.from_frame(table.frame.iloc[:, plain], "y")
    cut = dag.copy()
    cut[0, 9] = False
    graphs, settings = [dag, cut], Settings(("linear",), weighted=True)
    of_all = fit_scm(table, graphs, np.random.default_rng(0), Resources(60.0), settings)
    fewer = [graph[np.ix_(plain, plain)] for graph in graphs]
    of_varying = fit_scm(varying, fewer, np.random.default_rng(0), Resources(60.0), settings)
    assert of_all.weights == pytest.approx(of_varying.weights, abs=1e-9)


def test_fit_scm__weighted_foundation_model__is_refused() -> None:
    settings = Settings(weighted=True, conditioner=Conditioner(Named(name="mini"), seed=0))
    with pytest.raises(ConfigError, match="'pfn' makes no held-out fits"):
        weighted_fit(settings)


@pytest.mark.parametrize("roots", ["empirical", "smoothed"])
@pytest.mark.parametrize("label", ["node", "sink"])
def test_scm__weighted__empty_and_constant_columns_stay_so(
    roots: Literal["empirical", "smoothed"], label: Literal["node", "sink"]
) -> None:
    table, _ = every_kind_of_column(60)
    generator = SCMGenerator(weighting="likelihood", roots=roots, label=label, graphs=2)
    fitted = generator.fit(table, np.random.default_rng(0), Resources(60.0))
    rows = fitted.sample(40, np.random.default_rng(0)).frame
    assert rows[["empty root", "empty"]].isna().all(axis=None)
    assert (rows["constant"] == 1).all()


def test_fit_scm__weighted__true_graph_wins_over_one_without_an_edge_and_rows_follow() -> None:
    table, true = linear_scm(300, np.random.default_rng(0))
    cut = true.copy()
    cut[1, 3] = False  # without b → d
    settings = Settings(weighted=True)
    model = fit_scm(table, [cut, true], np.random.default_rng(0), Resources(60.0), settings)
    assert model.weights[1] > 0.99
    rows = model.sample(1000, np.random.default_rng(0)).frame
    assert rows["b"].corr(rows["d"]) == pytest.approx(
        table.frame["b"].corr(table.frame["d"]), abs=0.1
    )


def test_fit_scm__graphs_of_one_class_of_equivalence__share_the_weight() -> None:
    """a → b and b → a have the same likelihood on linear Gaussian rows."""
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
