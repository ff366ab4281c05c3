"""Every built-in metric on known truth, and against other implementations."""

import itertools
import math
import tracemalloc
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fidelity_cases import FAULTS, ROWS, clusters, samples
from scipy import integrate, linalg, stats
from sklearn.metrics import balanced_accuracy_score
from statsmodels.stats.multitest import multipletests

from autogluon_causalmix.config import Named
from autogluon_causalmix.discovery.independence.mixed import MixedTest
from autogluon_causalmix.errors import NotApplicable
from autogluon_causalmix.fidelity import manifold, privacy, structure, utility
from autogluon_causalmix.fidelity.contract import measure
from autogluon_causalmix.fidelity.distances import energy_distance, squared_mmd
from autogluon_causalmix.fidelity.embedding import frechet_distance
from autogluon_causalmix.fidelity.forests import codes, features, probabilities
from autogluon_causalmix.fidelity.labels import divergence
from autogluon_causalmix.fidelity.privacy import authenticity
from autogluon_causalmix.fidelity.protocol import Metric, Samples, shortfall
from autogluon_causalmix.fidelity.space import Space, distances
from autogluon_causalmix.plugins import BUILT_IN, plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import check_metric

ENTRIES = {
    entry.name: entry for entry in plugin_registry().of(Metric) if entry.owner.plugin in BUILT_IN
}

# What each metric must find worse than fresh real rows. Absent are faults that it cannot see by its
# definition (marginals are right in independent columns), and those that it is known to reward.
SEES = {
    "alpha-precision": {"mode collapse", "quality loss"},
    "authenticity": {"copies"},
    "beta-recall": {"mode drop", "mode collapse", "quality loss"},
    "closest-record": {"copies"},
    "contingency": {"independent", "mode drop", "mode collapse", "label noise", "quality loss"},
    "correlation": {"independent", "mode drop", "quality loss"},
    "coverage": {"independent", "mode drop", "mode collapse", "quality loss"},
    "density": {"independent", "mode drop", "quality loss"},
    "detection-boosted": set(FAULTS),
    "detection-logistic": {"mode drop", "mode collapse"},
    "duplicates": {"copies"},
    "edge-f1": {"independent", "label noise"},
    "energy": {"independent", "mode drop", "mode collapse", "quality loss"},
    "faed": {"independent", "mode drop", "mode collapse", "quality loss"},
    "fpcad": {"independent", "mode drop", "mode collapse", "quality loss"},
    "global-utility": {"independent", "mode collapse", "label noise", "quality loss"},
    "independence": {"independent", "label noise"},
    "ks": {"mode drop", "mode collapse", "quality loss"},
    "label-divergence": {"independent", "label noise", "quality loss"},
    "mmd": {"independent", "mode drop", "mode collapse", "quality loss"},
    "nearest-neighbour": {"independent", "mode drop", "mode collapse", "quality loss"},
    "privacy-loss": {"copies"},
    "rfis": {"mode drop", "quality loss"},
    "shd": {"independent", "label noise"},
    "trts": {"independent", "label noise", "quality loss"},
    "tstr": {"independent", "mode collapse", "label noise", "quality loss"},
    "tvd": {"mode drop", "mode collapse"},
    "wasserstein": {"mode drop", "mode collapse", "quality loss"},
}
PAIRS = [(name, fault) for name, faults in SEES.items() for fault in sorted(faults)]

# Metrics that compare two samples and nothing else, with their value for a sample and itself.
OF_ITSELF = {
    "contingency": 0.0,
    "correlation": 0.0,
    "coverage": 1.0,
    "edge-f1": 1.0,
    "energy": 0.0,
    "faed": 0.0,
    "fpcad": 0.0,
    "independence": 1.0,
    "ks": 0.0,
    "nearest-neighbour": 0.0,  # every row has a copy at distance 0 on the other side
    "shd": 0.0,
    "tvd": 0.0,
    "wasserstein": 0.0,
}


@cache
def all_samples() -> dict[str, Samples]:
    return samples()


@cache
def value(name: str, kind: str) -> float:
    return measured(name, all_samples()[kind])


def measured(name: str, rows: Samples, **options: object) -> float:
    entry = ENTRIES[name]
    rng = np.random.default_rng(7)
    return measure(entry.create(options), rows, rng, Resources(60.0), owner=entry.owner)


def one_against_another(first: pd.DataFrame, second: pd.DataFrame) -> Samples:
    """Return `second` to be measured against `first`, which is the training rows as well."""
    whole = Table.from_frame(pd.concat([first, second], ignore_index=True), "label")
    wanted = whole.take(np.arange(len(first)))
    return Samples(wanted, whole.take(np.arange(len(first), len(whole))), wanted)


def test_every_built_in_metric_has_its_planted_faults() -> None:
    assert set(SEES) == set(ENTRIES)
    assert {fault for _, fault in PAIRS} == {*FAULTS, "copies"}


@pytest.mark.parametrize(("name", "fault"), PAIRS)
def test_a_planted_fault_is_worse_than_fresh_real_rows(name: str, fault: str) -> None:
    better = plugin_registry().of(Metric).create(Named(name=name)).better
    good, bad = value(name, "fresh"), value(name, fault)
    assert shortfall(better, good) < shortfall(better, bad)


@pytest.mark.parametrize("name", OF_ITSELF)
def test_a_sample_against_itself_has_the_value_of_identity(name: str) -> None:
    assert value(name, "holdout") == pytest.approx(OF_ITSELF[name], abs=1e-6)


@pytest.mark.parametrize("name", sorted(set(SEES) - {"label-divergence", "global-utility"}))
def test_every_built_in_metric_keeps_the_contract_and_its_direction(name: str) -> None:
    check_metric(ENTRIES[name].create({}))


@pytest.mark.parametrize("name", ["label-divergence", "global-utility"])
def test_metrics_of_many_forests_keep_the_contract_with_small_forests(name: str) -> None:
    check_metric(ENTRIES[name].create({"trees": 5}))


def test_ks_and_wasserstein_are_those_of_scipy() -> None:
    rows = all_samples()["quality loss"]
    names = ["size", "weight", "speed", "age"]
    wanted, drawn = rows.holdout.frame, rows.synthetic.frame
    ks = [stats.ks_2samp(wanted[name], drawn[name]).statistic for name in names]
    assert value("ks", "quality loss") == pytest.approx(np.mean(ks), abs=1e-9)
    deviations = rows.real.frame[names].std(ddof=0)
    moved = [
        stats.wasserstein_distance(wanted[name], drawn[name]) / deviations[name] for name in names
    ]
    assert value("wasserstein", "quality loss") == pytest.approx(np.mean(moved), abs=1e-9)


def test_gaps_and_new_categories_count_in_the_total_variation() -> None:
    first = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "label": ["x", "x", "y", "y"]})
    second = pd.DataFrame({"a": [1.0, np.nan, 3.0, np.nan], "label": ["x", "z", "z", "z"]})
    rows = one_against_another(first, second)
    assert measured("tvd", rows) == pytest.approx((0.5 + 0.75) / 2)


def test_the_energy_distance_is_that_of_scipy_on_a_line() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=80), rng.exponential(size=60)
    assert energy_distance(first[:, None], second[:, None]) == pytest.approx(
        stats.energy_distance(first, second), abs=1e-9
    )


def test_the_mmd_is_the_sum_over_pairs_that_defines_it() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(12, 3)), rng.normal(1.0, size=(9, 3))

    def kernel(x: Any, y: Any) -> float:
        return math.exp(-float(((x - y) ** 2).sum()) / (2 * 1.7**2))

    expected = (
        np.mean([kernel(x, y) for x, y in itertools.permutations(first, 2)])
        + np.mean([kernel(x, y) for x, y in itertools.permutations(second, 2)])
        - 2 * np.mean([kernel(x, y) for x, y in itertools.product(first, second)])
    )
    assert squared_mmd(first, second, 1.7) == pytest.approx(expected, abs=1e-12)


def test_the_mmd_of_fresh_rows_is_nil_on_average() -> None:
    found = [measured("mmd", samples(seed)["fresh"]) for seed in range(12)]
    assert abs(np.mean(found)) < 3 * np.std(found, ddof=1) / math.sqrt(len(found)) + 1e-9


def test_the_frechet_distance_is_that_of_the_matrix_square_root() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4))
    second = rng.normal(size=(70, 4)) @ rng.normal(size=(4, 4)) + 1.0
    one, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = linalg.sqrtm(one @ other).real
    gap = first.mean(axis=0) - second.mean(axis=0)
    expected = gap @ gap + np.trace(one + other - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(expected, abs=1e-6)


def test_the_frechet_distance_on_a_line_is_that_of_means_and_deviations() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(90, 1)), rng.normal(3.0, 2.0, size=(90, 1))
    closed = (first.mean() - second.mean()) ** 2 + (first.std(ddof=1) - second.std(ddof=1)) ** 2
    assert frechet_distance(first, second) == pytest.approx(closed, abs=1e-9)


def test_rfis_is_the_entropy_of_plain_labels_and_small_for_hidden_ones() -> None:
    rng = np.random.default_rng(0)
    side = rng.permutation(np.repeat([0, 1], 200))
    plain = pd.DataFrame({"a": side + 0.01 * rng.normal(size=400), "label": side})
    hidden = plain.assign(a=rng.normal(size=400))
    scores = [measured("rfis", one_against_another(rows, rows)) for rows in (plain, hidden)]
    assert scores[0] == pytest.approx(math.log(2), abs=0.02)
    assert scores[1] < 0.2


def test_alpha_precision_of_a_sample_of_half_the_width_is_a_half() -> None:
    wanted = np.linspace(-1, 1, 2001)[:, None]  # P(α) = min(2 α, 1), so that ∫ |P − α| = ¼
    assert manifold.alpha_precision(wanted, wanted / 2) == pytest.approx(0.5, abs=5e-3)
    assert manifold.alpha_precision(wanted, wanted) == pytest.approx(1.0, abs=5e-3)


def test_beta_recall_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(0)
    wanted, drawn = rng.normal(size=(40, 2)), rng.normal(0.5, 0.7, size=(30, 2))
    inner = np.argsort(np.linalg.norm(drawn - drawn.mean(axis=0), axis=1))
    among = np.sort(distances(wanted, wanted), axis=1)
    gaps = []
    for level in np.linspace(0, 1, manifold.STEPS + 1):
        chosen = drawn[inner[: round(level * len(drawn))]]
        reached = [
            len(chosen) > 0 and np.linalg.norm(chosen - row, axis=1).min() <= own[3]
            for row, own in zip(wanted, among, strict=True)
        ]
        gaps.append(abs(np.mean(reached) - level))
    expected = 1 - 2 * integrate.trapezoid(gaps, dx=1 / manifold.STEPS)
    assert manifold.beta_recall(wanted, drawn, 3) == pytest.approx(expected, abs=1e-9)


def test_density_and_coverage_are_counted_over_balls() -> None:
    rng = np.random.default_rng(0)
    wanted, drawn = rng.normal(size=(40, 2)), rng.normal(0.5, 0.7, size=(30, 2))
    radius = np.sort(distances(wanted, wanted), axis=1)[:, 4]
    inside = [
        [np.linalg.norm(point - row) <= own for row, own in zip(wanted, radius, strict=True)]
        for point in drawn
    ]
    density, coverage = manifold.density_and_coverage(wanted, drawn, 4)
    assert density == pytest.approx(np.sum(inside) / (4 * len(drawn)))
    assert coverage == pytest.approx(np.any(inside, axis=0).mean())


def test_the_density_of_real_rows_is_one_on_average() -> None:
    found = [measured("density", samples(seed)["fresh"]) for seed in range(8)]
    assert np.mean(found) == pytest.approx(1.0, abs=0.08)


def test_the_accuracy_of_nearest_neighbours_is_a_half_for_fresh_rows() -> None:
    found = [measured("nearest-neighbour", samples(seed)["fresh"]) for seed in range(8)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


def test_authenticity_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(0)
    training, drawn = rng.normal(size=(30, 2)), rng.normal(size=(25, 2))
    authentic = []
    for point in drawn:
        gaps = np.linalg.norm(training - point, axis=1)
        nearest = gaps.argmin()
        others = np.delete(np.linalg.norm(training - training[nearest], axis=1), nearest)
        authentic.append(gaps.min() >= others.min())
    assert authenticity(training, drawn) == pytest.approx(np.mean(authentic))


def test_copies_are_found_by_every_metric_of_privacy() -> None:
    assert value("duplicates", "copies") == 1.0
    assert value("authenticity", "copies") == 0.0
    assert value("closest-record", "copies") > 0.95  # all training rows take part
    assert value("privacy-loss", "copies") > 0.3
    assert value("closest-record", "fresh") == pytest.approx(0.5, abs=0.08)


def test_tstr_of_training_rows_is_what_scikit_learn_says_of_them() -> None:
    from sklearn.metrics import roc_auc_score

    rows = all_samples()["fresh"]
    predicted = probabilities(
        features(rows.synthetic),
        codes(rows.synthetic),
        features(rows.holdout),
        2,
        50,
        np.random.default_rng(7),
    )
    expected = roc_auc_score(codes(rows.holdout), predicted[:, 1])
    assert value("tstr", "fresh") == pytest.approx(expected, abs=1e-9)
    assert expected > 0.8


def test_tstr_of_rows_of_one_class_is_a_guess_and_trts_says_that_it_does_not_apply() -> None:
    rows = all_samples()["fresh"]
    slow = np.flatnonzero(rows.synthetic.labels == "slow")
    one_class = Samples(rows.real, rows.synthetic.take(slow), rows.holdout)
    assert measured("tstr", one_class) == 0.5
    with pytest.raises(NotApplicable, match="synthetic rows hold a single class"):
        measured("trts", one_class)


def test_balanced_accuracy_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    wanted, predicted = rng.integers(4, size=(2, 90))
    assert utility._balanced_accuracy(predicted, wanted) == pytest.approx(
        balanced_accuracy_score(wanted, predicted)
    )


def test_the_global_utility_of_the_training_rows_themselves_is_one() -> None:
    rows = all_samples()["fresh"]
    found = measured("global-utility", Samples(rows.real, rows.real, rows.holdout), trees=40)
    assert found == pytest.approx(1.0, abs=0.03)


def test_the_divergence_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.dirichlet([1.0, 2.0, 3.0], size=(2, 20))
    expected = stats.entropy(first, second, axis=1)
    assert divergence(first, second) == pytest.approx(expected, abs=1e-9)


def test_the_label_divergence_grows_with_the_share_of_wrong_labels() -> None:
    rows = all_samples()["fresh"]
    rng = np.random.default_rng(0)
    found = []
    for share in (0.0, 0.2, 0.5):
        values = rows.synthetic.encode()
        wrong = rng.random(ROWS) < share
        position = rows.synthetic.target_position
        values[wrong, position] = 1 - values[wrong, position]
        drawn = rows.synthetic.decode(values)
        found.append(measured("label-divergence", Samples(rows.real, drawn, rows.holdout)))
    assert found == sorted(found)
    assert found[2] > 3 * found[0]


def test_shd_counts_missing_turned_and_unsettled_edges_once_each() -> None:
    chain = np.array([[0, -1, 0, 0], [1, 0, -1, 0], [0, 1, 0, -1], [0, 0, 1, 0]])
    other = chain.copy()
    other[0, 1] = other[1, 0] = 0
    other[1, 2], other[2, 1] = 1, -1
    other[2, 3] = other[3, 2] = -1
    assert structure.hamming_share(chain, other) == pytest.approx(3 / 6)
    assert structure.skeleton_f1(chain, other) == pytest.approx(2 * 2 / (3 + 2))


def test_levels_of_independence_tests_are_those_of_holm() -> None:
    rows = all_samples()["fresh"]
    triples = structure._triples(6, 500, np.random.default_rng(0))
    assert len(triples) == 15 * 4
    categorical = [i for i, column in enumerate(rows.holdout.columns) if column.is_categorical]
    test = MixedTest.of(rows.holdout.encode(), categorical)
    p = test.p_values(triples[:, 0], triples[:, 1], triples[:, 2:])
    expected = multipletests(p, alpha=structure.SIGNIFICANCE, method="holm")[0]
    assert structure._dependent(rows.holdout, triples).tolist() == expected.tolist()
    assert 0 < expected.sum() < len(expected)


def test_points_count_a_category_and_a_gap_like_one_deviation() -> None:
    frame = pd.DataFrame(
        {"a": [0.0, 2.0, np.nan, 0.0], "b": list("xxxy"), "label": ["u", "u", "u", "v"]}
    )
    table = Table.from_frame(frame, "label")
    deviation = np.nanstd(frame["a"])
    found = distances(*[Space.of(table).points(table)] * 2) ** 2
    assert found[0, 1] == pytest.approx((2 / deviation) ** 2)
    assert found[0, 3] == pytest.approx(2.0)  # b and the label
    assert found[2, 0] == pytest.approx(1.0 + (np.nanmean(frame["a"]) / deviation) ** 2)


def test_enormous_values_have_finite_distances() -> None:
    frame = pd.DataFrame({"a": [1e308, -1e308, 0.0, 1.0], "label": list("uvuv")})
    table = Table.from_frame(frame, "label")
    assert np.isfinite(distances(*[Space.of(table).points(table)] * 2)).all()


@pytest.mark.parametrize("name", ["ks", "wasserstein", "correlation"])
def test_metrics_of_numbers_say_that_there_is_none(name: str) -> None:
    frame = pd.DataFrame({"a": list("xyxy"), "label": list("uvuv")})
    with pytest.raises(NotApplicable, match="numeric column"):
        measured(name, one_against_another(frame, frame))


@pytest.mark.parametrize("name", ["rfis", "tstr", "label-divergence"])
def test_metrics_of_labels_say_that_there_is_one_class(name: str) -> None:
    frame = pd.DataFrame({"a": np.arange(20.0), "label": ["u"] * 20})
    with pytest.raises(NotApplicable, match="unseen real rows hold a single class"):
        measured(name, one_against_another(frame, frame))


def test_copies_are_found_among_any_number_of_training_rows() -> None:
    """In parts, as among all at once: Alaa et al., equation of authenticity, written out."""
    rng = np.random.default_rng(0)
    training = rng.normal(size=(300, 3))
    drawn = np.concatenate(
        [training[:90] + 0.01 * rng.normal(size=(90, 3)), rng.normal(size=(110, 3))]
    )
    genuine = []
    for row in drawn:
        to_training = np.linalg.norm(training - row, axis=1)
        nearest = int(to_training.argmin())
        others = np.linalg.norm(np.delete(training, nearest, 0) - training[nearest], axis=1)
        genuine.append(to_training.min() >= others.min())
    assert privacy.authenticity(training, drawn) == np.mean(genuine)
    assert not any(genuine[:80])


def test_triples_of_a_wide_table_take_little_memory() -> None:
    tracemalloc.start()
    triples = structure._triples(500, 500, np.random.default_rng(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
    assert len(np.unique(triples, axis=0)) == 500
    assert (triples[:, 0] < triples[:, 1]).all()
    assert all(len({*triple}) == 3 for triple in triples.tolist())
    few = structure._triples(5, 500, np.random.default_rng(0)).tolist()
    assert few == [
        [x, y, z] for x in range(5) for y in range(x + 1, 5) for z in range(5) if z not in (x, y)
    ]


def test_more_rows_of_the_same_kind_have_no_more_global_utility() -> None:
    """Forests learn from equally many synthetic and real rows."""
    table = Table.from_frame(clusters(900, np.random.default_rng(0)), "label")
    few = table.take(np.arange(60))
    rows = Samples(few, table.take(np.arange(60, 500)), table.take(np.arange(500, 900)))
    found = [
        utility.GlobalUtility().measure(rows, np.random.default_rng(seed), Resources(60))
        for seed in range(3)
    ]
    assert np.mean(found) == pytest.approx(1.0, abs=0.06)
