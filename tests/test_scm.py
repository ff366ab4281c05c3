"""Mechanisms and models against simulators with known noise, probabilities and interventions."""

from collections.abc import Iterator

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from dowhy import gcm
from scipy.special import expit
from scipy.stats import ks_2samp

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.scm.bases import Basis, Bumps
from autogluon_causalmix.scm.calibration import Calibration
from autogluon_causalmix.scm.fitted import FittedSCM
from autogluon_causalmix.scm.fitting import DEFAULT_LEARNERS, fit_scm
from autogluon_causalmix.scm.label_check import LabelCheck
from autogluon_causalmix.scm.learners import LEARNERS, linear, smooth
from autogluon_causalmix.scm.mechanisms import AdditiveNoise, CalibratedClassifier
from autogluon_causalmix.scm.parents import ParentFeatures
from autogluon_causalmix.scm.ridge import PENALTIES, ridge_regression_on_best
from autogluon_causalmix.scm.roots import Empirical
from autogluon_causalmix.scm.scales import Scale
from autogluon_causalmix.table import Table
from autogluon_causalmix.task import one_vs_rest_auc
from benchmarks.simulators import LOGITS


def nonlinear(rows: int, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    """Return five parents and sin(2x₁) + ½ x₂x₃, to which the caller adds noise of spread 1."""
    parents = rng.normal(size=(rows, 5))
    return parents, np.sin(2 * parents[:, 0]) + 0.5 * parents[:, 1] * parents[:, 2]


def drawn_spread(rows: int, seed: int) -> float:
    """Return the root mean square of drawn value minus prediction, on fresh parents."""
    rng = np.random.default_rng(seed)
    parents, signal = nonlinear(rows, rng)
    mechanism = AdditiveNoise([False] * 5, DEFAULT_LEARNERS, seed=seed)
    mechanism.fit(parents, (signal + rng.normal(size=rows))[:, None])
    fresh, _ = nonlinear(4000, rng)
    drawn = mechanism.evaluate(fresh, rng.random((4000, 1)))[:, 0]
    predicted = mechanism.scale.back(
        mechanism.model.predict(mechanism.features.transform(fresh))[:, 0]
    )
    return float(np.sqrt(np.mean((drawn - predicted) ** 2)))


@pytest.mark.parametrize(
    "rows", [100, 500, *(pytest.param(n, marks=pytest.mark.slow) for n in (2000, 5000))]
)
def test_additive_noise__nonlinear_simulator__spread_within_a_tenth_of_the_truth(rows: int) -> None:
    assert 0.9 <= np.mean([drawn_spread(rows, seed) for seed in range(6)]) <= 1.1


def test_additive_noise__values_up_to_an_end__none_pile_up_there() -> None:
    """A uniform column, whose noise would often lead out of the range."""
    rng = np.random.default_rng(0)
    values = rng.random((500, 1))
    cause = values + 0.3 * rng.normal(size=(500, 1))
    mechanism = AdditiveNoise([False], DEFAULT_LEARNERS, seed=0)
    mechanism.fit(cause, values)
    drawn = mechanism.evaluate(np.repeat(cause, 10, axis=0), rng.random((5000, 1)))[:, 0]
    assert values.min() <= drawn.min()
    assert drawn.max() <= values.max()
    assert np.mean(drawn == drawn.min()) < 0.002
    assert np.mean(drawn == drawn.max()) < 0.002
    assert ks_2samp(drawn, values[:, 0]).statistic < 0.06
    far = mechanism.evaluate(np.full((1000, 1), 50.0), rng.random((1000, 1)))
    assert np.median(far) > 0.8  # a cause far out still gives high values


def test_additive_noise__a_bound_of_the_values__they_still_reach_it() -> None:
    rng = np.random.default_rng(1)
    cause = rng.normal(size=(600, 1))
    values = np.maximum(cause + 0.5 * rng.normal(size=(600, 1)) + 0.8, 0.0)
    mechanism = AdditiveNoise([False], DEFAULT_LEARNERS, seed=0)
    mechanism.fit(cause, values)
    drawn = mechanism.evaluate(np.repeat(cause, 5, axis=0), rng.random((3000, 1)))
    assert 0.05 < np.mean(drawn == 0.0) <= np.mean(values == 0.0)
    assert np.mean(drawn == values.max()) < 0.002


def test_additive_noise__heteroscedastic__spread_follows_the_cause() -> None:
    rng = np.random.default_rng(0)
    cause = rng.uniform(1, 5, size=(800, 1))
    mechanism = AdditiveNoise([False], DEFAULT_LEARNERS, seed=0)
    mechanism.fit(cause, cause + 0.3 * cause * rng.normal(size=(800, 1)))
    spread = [
        mechanism.evaluate(np.full((4000, 1), at), rng.random((4000, 1))).std() for at in (1.5, 4.5)
    ]
    assert spread[0] == pytest.approx(0.45, rel=0.35)
    assert spread[1] == pytest.approx(1.35, rel=0.35)


def test_additive_noise__values_repeat__draws_observed_values_in_their_shares() -> None:
    rng = np.random.default_rng(1)
    cause = rng.normal(size=(600, 1))
    effect = np.maximum(np.rint(cause + rng.normal(size=(600, 1))), 0.0)  # censored counts
    mechanism = AdditiveNoise([False], DEFAULT_LEARNERS, seed=0)
    mechanism.fit(cause, effect)
    drawn = mechanism.evaluate(cause, rng.random((600, 1)))
    assert set(np.unique(drawn)) <= set(np.unique(effect))
    assert (drawn == 0).mean() == pytest.approx((effect == 0).mean(), abs=0.06)
    assert np.corrcoef(drawn[:, 0], cause[:, 0])[0, 1] == pytest.approx(
        np.corrcoef(effect[:, 0], cause[:, 0])[0, 1], abs=0.07
    )


def test_additive_noise__binary_cause__keeps_the_whole_spread_of_each_group() -> None:
    rng = np.random.default_rng(2)
    group = rng.integers(2, size=(500, 1)).astype("float64")
    effect = np.rint(3 * (2 * group + rng.normal(size=(500, 1))))
    mechanism = AdditiveNoise([True], DEFAULT_LEARNERS, seed=0)
    mechanism.fit(group, effect)
    for level in (0.0, 1.0):
        drawn = mechanism.evaluate(np.full((3000, 1), level), rng.random((3000, 1)))
        assert drawn.std() == pytest.approx(effect[group == level].std(), rel=0.1)
        assert drawn.mean() == pytest.approx(effect[group == level].mean(), abs=0.3)


@pytest.mark.parametrize(
    ("rows", "logit"),
    [
        (200, "a line"),
        (500, "a line"),
        (500, "waves and a product"),
        pytest.param(2000, "waves and a product", marks=pytest.mark.slow),
        (200, "nothing"),
    ],
)
def test_calibrated_classifier__simulators__labels_as_predictable_as_in_truth(
    rows: int, logit: str
) -> None:
    gaps = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        parents, fresh = rng.normal(size=(rows, 5)), rng.normal(size=(4000, 5))
        mechanism = CalibratedClassifier([False] * 5, DEFAULT_LEARNERS, seed=seed)
        mechanism.fit(
            parents, (rng.random((rows, 1)) < truth(parents, logit)[:, None]).astype("float64")
        )
        bayes = auc(truth(fresh, logit), (rng.random(4000) < truth(fresh, logit)).astype("float64"))
        for _ in range(3):
            drawn = mechanism.redrawn(rng)
            labels = drawn.evaluate(fresh, rng.random((4000, 1)))[:, 0]
            gaps.append(auc(drawn.estimate_probabilities(fresh)[:, 1], labels) - bayes)
    assert -0.03 <= np.mean(gaps) <= 0.03


@pytest.mark.slow
def test_calibrated_classifier__few_rows__the_mean_of_its_draws_is_calibrated() -> None:
    predicted, true = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        parents, fresh = rng.normal(size=(200, 5)), rng.normal(size=(500, 5))
        mechanism = CalibratedClassifier([False] * 5, DEFAULT_LEARNERS, seed=seed)
        mechanism.fit(
            parents, (rng.random((200, 1)) < truth(parents, "a line")[:, None]).astype("float64")
        )
        draws = [mechanism.redrawn(rng).estimate_probabilities(fresh)[:, 1] for _ in range(20)]
        predicted.append(np.mean(draws, axis=0))
        true.append(truth(fresh, "a line"))
    fifths = np.argsort(np.concatenate(predicted)).reshape(5, -1)
    of_draws, of_truth = (np.concatenate(p)[fifths].mean(axis=1) for p in (predicted, true))
    assert np.allclose(of_draws, of_truth, atol=0.03)


def truth(parents: Matrix, logit: str) -> Matrix:
    return np.asarray(expit(LOGITS[logit](parents)))


def auc(score: Matrix, label: Matrix) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(label, score))


def test_calibrated_classifier__no_signal__returns_the_frequencies() -> None:
    rng = np.random.default_rng(3)
    codes = rng.choice([0.0, 2.0, 5.0], p=[0.7, 0.25, 0.05], size=(1000, 1))
    mechanism = CalibratedClassifier([False], DEFAULT_LEARNERS, seed=0)
    mechanism.fit(rng.normal(size=(1000, 1)), codes)
    expected = [float((codes == level).mean()) for level in (0.0, 2.0, 5.0)]
    assert np.allclose(
        mechanism.estimate_probabilities(rng.normal(size=(50, 1))), expected, atol=0.06
    )
    assert mechanism.levels.tolist() == [0.0, 2.0, 5.0]


def test_calibrated_classifier__perfectly_separable__every_level_stays_alive() -> None:
    cause = np.repeat([0.0, 1.0], 50)[:, None]
    mechanism = CalibratedClassifier([True], DEFAULT_LEARNERS, seed=0)
    mechanism.fit(cause, cause)
    probability = mechanism.estimate_probabilities(np.array([[0.0]]))[0]
    assert probability[0] > 0.98
    assert probability[1] >= 0.5 / 101


@pytest.mark.parametrize("learner", ["linear", "smooth"])
def test_learners__closed_form__equals_refitting_without_each_row(learner: str) -> None:
    rng = np.random.default_rng(4)
    parents, signal = nonlinear(40, rng)
    target = (signal + 0.3 * rng.normal(size=40))[:, None]
    fit = (
        linear(parents, target)
        if learner == "linear"
        else smooth(parents, target, np.random.default_rng(0))
    )
    expanded = weighted_columns(fit.model.basis, parents)  # type: ignore[attr-defined]
    ridge = recovered_ridge(fit, parents, target)
    for row in (0, 7, 39):
        rest = np.delete(np.arange(40), row)
        centre, offset = expanded[rest].mean(axis=0), target[rest].mean()
        inner = (expanded[rest] - centre).T @ (expanded[rest] - centre) + ridge * np.eye(
            expanded.shape[1]
        )
        weights = np.linalg.solve(inner, (expanded[rest] - centre).T @ (target[rest] - offset))
        assert fit.held_out[row, 0] == pytest.approx(
            float(offset + (expanded[row] - centre) @ weights[:, 0]), abs=0.02
        )


def test_bumps__products_of_their_columns__are_the_kernel_of_all_landmarks() -> None:
    rows = np.random.default_rng(3).normal(size=(40, 2))
    twice = np.concatenate([rows, rows[:10]])
    basis = Bumps.at(twice, 1.0)
    bumps = weighted_columns(basis, twice)[:, 2:]
    squares = ((twice[:, None] - twice) ** 2).sum(axis=2)
    assert np.allclose(bumps @ bumps.T, np.exp(-0.5 * squares), atol=2e-5)
    assert bumps.shape[1] < 40, "copies, and bumps that the others span, are left out"


def test_scale__whole_numbers__as_the_same_floats() -> None:
    column = np.array([3, 1, 2, 2])
    whole, floats = Scale.of(column), Scale.of(column.astype("float64"))
    assert whole.forward(floats.values).tolist() == floats.forward(floats.values).tolist()
    assert whole.values.tolist() == [1.0, 3.0]


def test_ridge__the_error_does_not_fall__no_rougher_basis_is_made() -> None:
    rng = np.random.default_rng(2)
    parents = rng.normal(size=(200, 1))
    targets = parents + rng.normal(size=(200, 1))
    made = []

    def bases() -> Iterator[Bumps]:
        for width in (4.0, 0.02, 0.01):
            made.append(width)
            yield Bumps.at(parents[:50], width)

    fit = ridge_regression_on_best("smooth", bases(), parents, targets)
    assert fit.model.basis.width == 4.0  # type: ignore[attr-defined]
    assert made == [4.0, 0.02]


def test_ridge__choice__the_lowest_generalised_cross_validation_error_of_all() -> None:
    rng = np.random.default_rng(5)
    parents, signal = nonlinear(60, rng)
    targets = np.column_stack([signal, -signal, parents[:, 4]]) + rng.normal(size=(60, 3))
    centred = targets - targets.mean(axis=0)
    bases = [Bumps.at(parents[:20], width) for width in (3.0, 1.0, 0.3)]
    errors = {}
    for basis in bases:
        columns = weighted_columns(basis, parents)
        columns = columns - columns.mean(axis=0)
        for penalty in PENALTIES:
            inverse = np.linalg.inv(columns.T @ columns + penalty * np.eye(columns.shape[1]))
            hat = columns @ inverse @ columns.T + 1.0 / 60
            left = ((centred - hat @ centred) ** 2).sum()
            errors[basis.width, penalty] = left / (1.0 - np.trace(hat) / 60) ** 2
    width, penalty = min(errors, key=errors.__getitem__)
    assert penalty not in PENALTIES[[0, -1]], "the planted noise asks for a penalty in between"
    fit = ridge_regression_on_best("smooth", bases, parents, targets)
    assert fit.model.basis.width == width  # type: ignore[attr-defined]
    assert recovered_ridge(fit, parents, targets) == pytest.approx(penalty, rel=1e-6)


def test_calibration__rare_level__mean_probabilities_are_the_frequencies() -> None:
    rng = np.random.default_rng(8)
    member = np.concatenate([np.repeat(np.arange(6), 800), np.full(5, 6)])
    scores = 0.2 * np.eye(7)[member] + rng.normal(0.1, 0.2, size=(len(member), 7))
    variance = np.full(scores.shape, 0.01)
    found = Calibration.of(scores, variance, member)
    frequencies = np.bincount(member) / len(member)
    means = found.mean_probabilities(scores, variance).mean(axis=0)
    assert np.allclose(means, frequencies, rtol=0.01)


def test_learners__draws__have_the_mean_and_covariance_of_the_posterior() -> None:
    rng = np.random.default_rng(11)
    parents, signal = nonlinear(60, rng)
    targets = np.column_stack([signal, rng.normal(size=60)]) + 0.5 * rng.normal(size=(60, 2))
    fit = linear(parents, targets)
    at = parents[:3]
    drawn = np.array([fit.model.draw(rng).predict(at) for _ in range(20_000)])
    centred, ridge = parents - parents.mean(axis=0), recovered_ridge(fit, parents, targets)
    inverse = np.linalg.inv(centred.T @ centred + ridge * np.eye(centred.shape[1]))
    share = centred[:3] @ inverse @ centred[:3].T + 1 / 60
    assert np.allclose(drawn.mean(axis=0), fit.model.predict(at), atol=0.01)
    for output in range(2):
        noise = (fit.model.noise @ fit.model.noise)[output, output]  # type: ignore[attr-defined]
        assert np.allclose(
            np.cov(drawn[:, :, output].T), noise * share, atol=0.05 * noise * share.max()
        )


def test_learners__draws__cover_the_true_function_as_often_as_they_say() -> None:
    inside = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        parents, fresh, slopes = (
            rng.normal(size=(50, 5)),
            rng.normal(size=(100, 5)),
            rng.normal(size=5),
        )
        fit = linear(parents, (parents @ slopes + 2.0 * rng.normal(size=50))[:, None])
        drawn = np.array([fit.model.draw(rng).predict(fresh)[:, 0] for _ in range(200)])
        low, high = np.quantile(drawn, [0.1, 0.9], axis=0)
        inside.append(np.mean((low < fresh @ slopes) & (fresh @ slopes < high)))
    assert 0.75 < np.mean(inside) < 0.85


def recovered_ridge(fit: object, parents: Matrix, target: Matrix) -> float:
    """Return the penalty for which the fitted weights solve the normal equations."""
    model = fit.model  # type: ignore[attr-defined]
    columns, prior = model.basis.expand(parents) - model.centre, model.basis.prior
    prior = np.eye(columns.shape[1]) if prior is None else prior
    weights = np.linalg.lstsq(prior, model.weights)[0]
    gradient = (columns @ prior).T @ (target - model.offset - columns @ model.weights)
    return float((gradient * weights).sum() / (weights**2).sum())


def weighted_columns(basis: Basis, features: Matrix) -> Matrix:
    """Return the columns in which all weights have the same prior."""
    columns = basis.expand(features)
    return columns if basis.prior is None else columns @ basis.prior


def test_trees__pure_noise__held_out_predictions_do_not_know_the_row() -> None:
    rng = np.random.default_rng(5)
    parents, target = rng.normal(size=(300, 3)), rng.normal(size=(300, 1))
    fit = LEARNERS["trees"](parents, target, rng)
    correlation = np.corrcoef(fit.held_out[:, 0], target[:, 0])[0, 1]
    assert abs(correlation) < 0.2  # pure noise cannot be predicted


def test_scale__skewed_column__comes_back_and_never_leaves_the_support() -> None:
    column = np.exp(3 * np.random.default_rng(6).normal(size=500))
    scale = Scale.of(column)
    assert np.allclose(scale.back(scale.forward(column)), column, rtol=1e-6)
    assert np.abs(scale.forward(column)).max() < 4
    beyond = scale.back(np.array([-50.0, 50.0]))
    assert beyond.tolist() == [column.min(), column.max()]


def test_parent_features__missing_values__own_indicator() -> None:
    parents = np.array([[1.0, 0.0], [2.0, np.nan], [np.nan, 1.0], [4.0, 1.0]])
    features = ParentFeatures.of(parents, [False, True]).transform(parents)
    assert features[:, 1].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert features[1, 2:].tolist() == [0.0, 0.0]


def simulated(rows: int) -> tuple[Table, npt.NDArray[np.bool_]]:
    """Draw from dose → effect ← group, effect → label."""
    rng = np.random.default_rng(7)
    dose, group = rng.normal(size=rows), rng.integers(3, size=rows)
    effect = dose + np.array([-1.0, 0.0, 2.0])[group] + rng.normal(size=rows)
    label = np.where(effect + rng.logistic(size=rows) > 0, "yes", "no")
    frame = pd.DataFrame(
        {"dose": dose, "group": np.array(list("abc"))[group], "effect": effect, "label": label}
    )
    dag = np.zeros((4, 4), dtype=bool)
    dag[[0, 1], 2] = dag[2, 3] = True
    return Table.from_frame(frame, "label"), dag


@pytest.fixture(scope="module")
def model() -> FittedSCM:
    table, dag = simulated(1000)
    return fit_scm(table, [dag], np.random.default_rng(0), Resources(60.0, num_cpus=2))


def test_fitted_scm__rows__have_the_moments_of_the_real_ones(model: FittedSCM) -> None:
    rows, real = model.sample(5000, np.random.default_rng(0)).frame, model.table.frame
    for name in ("dose", "effect"):
        assert rows[name].mean() == pytest.approx(real[name].mean(), abs=0.12)
        assert rows[name].std() == pytest.approx(real[name].std(), rel=0.07)
    assert rows.groupby("group")["effect"].mean().to_numpy() == pytest.approx(
        real.groupby("group")["effect"].mean().to_numpy(), abs=0.2
    )
    assert rows["dose"].corr(rows["effect"]) == pytest.approx(
        real["dose"].corr(real["effect"]), abs=0.06
    )
    assert (rows["label"] == "yes").mean() == pytest.approx(
        (real["label"] == "yes").mean(), abs=0.04
    )


def test_fitted_scm__dowhy_intervention__has_the_true_effect(model: FittedSCM) -> None:
    state = np.random.get_state()  # noqa: NPY002 - DoWhy draws from it
    np.random.seed(0)  # noqa: NPY002
    drawn = gcm.interventional_samples(
        model.causal_model(), {0: lambda _: 1.0}, num_samples_to_draw=4000
    )
    np.random.set_state(state)  # noqa: NPY002
    truth = 1.0 + np.mean([-1.0, 0.0, 2.0])
    assert drawn[2].mean() == pytest.approx(truth, abs=0.2)


def test_fitted_scm__dowhy_samples__same_distribution_as_our_own(model: FittedSCM) -> None:

    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    theirs = gcm.draw_samples(model.causal_model(), 3000)
    np.random.set_state(state)  # noqa: NPY002
    ours = model.sample(3000, np.random.default_rng(1)).encode()
    for node in range(4):
        assert ks_2samp(theirs[node], ours[:, node], method="asymp").pvalue > 0.001
    assert nx.is_directed_acyclic_graph(model.causal_model().graph)


def test_fitted_scm__global_generator__left_as_it_was() -> None:
    np.random.seed(2)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    table, dag = simulated(100)
    fit_scm(table, [dag], np.random.default_rng(0), Resources(60.0)).sample(
        50, np.random.default_rng(0)
    )
    assert np.random.random() == expected  # noqa: NPY002


def test_fitted_scm__missing_cells__same_patterns_per_class() -> None:
    table, dag = simulated(1000)
    frame = table.frame.copy()
    rng = np.random.default_rng(8)
    gone = (frame["label"] == "yes") & (rng.random(1000) < 0.5)
    frame.loc[gone, ["dose", "effect"]] = np.nan
    fitted = fit_scm(Table.from_frame(frame, "label"), [dag], rng, Resources(60.0))
    rows = fitted.sample(3000, rng).frame
    assert (rows["dose"].isna() == rows["effect"].isna()).all()
    assert not rows.loc[rows["label"] == "no", "dose"].isna().any()
    assert rows.loc[rows["label"] == "yes", "dose"].isna().mean() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("edges", ["label as effect", "label as cause"])
def test_fitted_scm__gaps_that_tell_the_class__every_class_keeps_its_share(edges: str) -> None:
    """Mechanisms that never saw a gap would hardly draw the class whose rows have gaps."""
    rng = np.random.default_rng(3)
    label = rng.choice(["common", "rare", "gappy"], 1500, p=[0.8, 0.1, 0.1])
    dose = (label == "rare") * 2.0 + rng.normal(size=1500)
    frame = pd.DataFrame({"dose": np.where(label == "gappy", np.nan, dose), "label": label})
    table, dag = Table.from_frame(frame, "label"), np.zeros((2, 2), dtype=bool)
    dag[(0, 1) if edges == "label as effect" else (1, 0)] = True
    rows = fit_scm(table, [dag], rng, Resources(60.0)).sample(4000, rng).frame
    shares = rows["label"].value_counts(normalize=True)
    assert shares["gappy"] == pytest.approx(np.mean(label == "gappy"), abs=0.02)
    assert shares["rare"] == pytest.approx(np.mean(label == "rare"), abs=0.02)
    assert rows["dose"].isna().equals(rows["label"] == "gappy")


@pytest.mark.parametrize("columns", [2, 3])
@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_fitted_scm__causes_that_graphs_draw_apart__every_class_keeps_its_share(
    columns: int, gaps: float
) -> None:
    """Real rows have equal causes in half of the rows, the graphs in one of 4 or one of 16."""
    rng = np.random.default_rng(3)
    causes = rng.integers(4, size=(1500, columns))
    same = rng.random(1500) < 0.5
    causes[same] = causes[same][:, :1]
    frame = pd.DataFrame(np.array(list("abcd"))[causes]).add_prefix("cause ")
    frame["label"] = np.where((causes == causes[:, :1]).all(axis=1), "same", "other")
    frame["cause 1"] = frame["cause 1"].mask(rng.random(1500) < gaps)
    dag = np.zeros((columns + 1, columns + 1), dtype=bool)
    dag[:columns, columns] = True
    scm = fit_scm(Table.from_frame(frame, "label"), [dag] * 3, rng, Resources(60.0))
    rows, share = scm.sample(3000, rng).frame, np.mean(frame["label"] == "same")
    assert np.mean(rows["label"] == "same") == pytest.approx(share, abs=0.03)
    assert rows["cause 1"].isna().mean() == pytest.approx(gaps, abs=0.03)


def test_fitted_scm__rows_drawn_again__effects_belong_to_the_class_they_have() -> None:
    """Drawn are x → label → effect ← x, until the label is that of a real row: .2 rare ones."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=2000)
    rare = x + rng.normal(size=2000) > 1.2
    effect = 3.0 * rare + 2.0 * x + 0.5 * rng.normal(size=2000)
    frame = pd.DataFrame({"x": x, "label": np.where(rare, "rare", "common"), "effect": effect})
    dag = np.zeros((3, 3), dtype=bool)
    dag[0, 1:] = dag[1, 2] = True
    scm = fit_scm(Table.from_frame(frame, "label"), [dag], rng, Resources(60.0))
    rows = scm.sample(4000, rng).frame
    is_rare = rows["label"] == "rare"
    assert is_rare.mean() == pytest.approx(rare.mean(), abs=0.01)
    assert rows["x"][is_rare].mean() == pytest.approx(x[rare].mean(), abs=0.15)
    noise = rows["effect"] - 3.0 * is_rare - 2.0 * rows["x"]
    assert noise.std() == pytest.approx(0.5, rel=0.15)
    assert abs(noise[is_rare].mean()) < 0.1


def test_ridge__many_rows__some_choose_the_width_and_all_are_fitted() -> None:
    rng = np.random.default_rng(6)
    parents = rng.uniform(-3, 3, size=(3000, 1))
    targets = np.sin(4.0 * parents) + 0.3 * rng.normal(size=(3000, 1))
    landmarks = np.linspace(-3, 3, 40)[:, None]
    bases = [Bumps.at(landmarks, width) for width in (8.0, 0.3, 0.02)]
    fit = ridge_regression_on_best("smooth", bases, parents, targets)
    assert fit.model.basis.width == 0.3  # type: ignore[attr-defined]
    assert len(fit.held_out) == 3000
    error = fit.model.predict(parents) - np.sin(4.0 * parents)
    assert np.sqrt(np.mean(error**2)) < 0.04, "all rows are worth .3 · √(25 / 3000) = .03"


def test_class_shares__without_an_intervention__as_the_mechanisms_give_them() -> None:
    """Else an intervention on a column that causes nothing would seem to change the label."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.normal(size=(300, 2)), columns=["x", "idle"])
    frame["label"] = np.where(np.abs(frame["x"]) < 0.3, "inner", "outer")
    frame.loc[frame["label"] == "inner", "idle"] = np.nan
    dag = np.zeros((3, 3), dtype=bool)
    dag[0, 2] = True
    scm = fit_scm(Table.from_frame(frame, "label"), [dag], rng, Resources(60.0))
    shares = [scm.class_shares(4000, np.random.default_rng(0), do) for do in ({}, {1: 0.0})]
    assert shares[0] == pytest.approx(shares[1], abs=1e-9)


def test_fit_scm__one_thread_or_two__same_rows() -> None:
    table, dag = simulated(200)
    frames = [
        fit_scm(table, [dag], np.random.default_rng(0), Resources(60.0, num_cpus=n))
        .sample(50, np.random.default_rng(0))
        .frame
        for n in (1, 2)
    ]
    assert frames[0].equals(frames[1])


def test_fit_scm__no_time__says_so() -> None:
    table, dag = simulated(100)
    with pytest.raises(OutOfTime, match="fitting the mechanisms"):
        fit_scm(table, [dag], np.random.default_rng(0), Resources(0.0))


def test_label_check__copies_keep_the_label_and_shuffled_labels_lose_it() -> None:
    table, _ = simulated(500)
    rng = np.random.default_rng(9)
    check = LabelCheck.of(table, rng)
    assert check.real_auc > 0.75
    copies = table.take(rng.integers(500, size=500))
    assert check.auc(copies, rng) > check.real_auc - 0.05
    labels = table.frame["label"].to_numpy()
    shuffled = [table.frame.assign(label=rng.permutation(labels)) for _ in range(20)]
    # What one shuffle teaches is as often right as wrong.
    aucs = [check.auc(Table.from_frame(frame, "label"), rng) for frame in shuffled]
    assert 0.35 < np.mean(aucs) < 0.65


def test_label_check__rows_of_one_class__have_no_skill() -> None:
    table, _ = simulated(100)
    rng = np.random.default_rng(10)
    one_class = table.with_frame(table.frame.assign(label="yes"))
    assert LabelCheck.of(table, rng).auc(one_class, rng) == 0.5


@pytest.mark.parametrize("classes", [2, 4])
def test_one_vs_rest_auc__ties_and_rare_classes__equals_scikit_learn(classes: int) -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(classes)
    labels = np.concatenate([np.arange(classes), np.minimum(rng.poisson(1, 200), classes - 1)])
    noise = rng.normal(size=(len(labels), classes))
    scores = np.round((labels[:, None] == np.arange(classes)) + noise, 1)
    areas = [roc_auc_score(labels == level, scores[:, level]) for level in range(classes)]
    assert one_vs_rest_auc(scores, labels.astype("float64")) == pytest.approx(np.mean(areas))


def test_empirical__column_without_values__stays_missing() -> None:
    root = Empirical(is_category=False)
    root.fit(np.array([np.nan, np.nan]))
    assert np.isnan(root.evaluate(np.array([0.3]))).all()
