"""The quotient NML: its regret against the exact sum, equivalent graphs, and interactions."""

import random
from itertools import combinations, product
from math import comb

import numpy as np
import pandas as pd
import pytest
from causallearn.utils.DAG2CPDAG import dag2cpdag
from score_cases import gains

from autogluon_causalmix.arrays import Adjacency, Indices
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.causal_learn import data_for, directed, search_module
from autogluon_causalmix.discovery.protocol import Constraints
from autogluon_causalmix.discovery.score import normalized_likelihood
from autogluon_causalmix.discovery.score.backward_search import backward_search, member_of
from autogluon_causalmix.discovery.score.best_order import BestOrder
from autogluon_causalmix.discovery.score.boss import BOSS
from autogluon_causalmix.discovery.score.degenerate_gaussian import DegenerateGaussianBIC
from autogluon_causalmix.discovery.score.normalized_likelihood import QuotientNML, log_regret
from autogluon_causalmix.discovery.score.protocol import total_score
from autogluon_causalmix.discovery.score.search import score_of
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


def network(seed: int, n_columns: int = 10, rows: int = 1000) -> tuple[Indices, Adjacency]:
    """Return rows and graph of a network of categories with up to three parents each."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(2, 4, size=n_columns)
    codes = np.zeros((rows, n_columns), dtype=np.int64)
    true = np.zeros((n_columns, n_columns), dtype=bool)
    for node in range(n_columns):
        parents = rng.permutation(node)[: rng.integers(4)]
        true[parents, node] = True
        strata = (
            np.ravel_multi_index(codes[:, parents].T, levels[parents])
            if len(parents)
            else np.zeros(rows, int)
        )
        chances = rng.dirichlet(np.full(levels[node], 0.5), size=int(levels[parents].prod()))
        codes[:, node] = (rng.random((rows, 1)) > chances.cumsum(axis=1)[strata][:, :-1]).sum(
            axis=1
        )
    return codes, true


@pytest.mark.parametrize("rows", [10, 100, 1000])
def test_log_regret__any_levels__the_exact_sum(rows: int) -> None:
    """The exact sum for two levels is its definition, for more Kontkanen and Myllymäki (2007)."""
    exact = [
        1.0,
        sum(comb(rows, h) * h**h * (rows - h) ** (rows - h) for h in range(rows + 1)) / rows**rows,
    ]
    for levels in range(3, 101):
        exact.append(exact[-1] + rows / (levels - 2) * exact[-2])
    found = log_regret(float(rows), np.arange(1.0, 101.0))
    assert found == pytest.approx(np.log(exact), abs=0.18)  # largest error at a single level
    assert found[19:] == pytest.approx(np.log(exact[19:]), abs=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_score__covered_edge_reversed__same_score(seed: int) -> None:
    """Graphs are equivalent if and only if such reversals connect them (Chickering, 1995)."""
    weights = np.random.default_rng(seed).multinomial(300, np.full(300, 1 / 300)).astype(float)
    nml = QuotientNML(network(seed, 6, 300)[0], weights)
    for x, y in combinations(range(6), 2):
        others = [column for column in range(6) if column not in (x, y)]
        for given in [(), *combinations(others, 1), *combinations(others, 2)]:
            forwards = nml.score(x, given) + nml.score(y, [*given, x])
            assert forwards == pytest.approx(
                nml.score(y, given) + nml.score(x, [*given, y]), abs=1e-8
            )


def test_score__a_parent__mutual_information_less_the_regrets() -> None:
    codes, _ = network(3, 2, 500)
    codes = np.column_stack([codes[:, 0], (codes[:, 0] + (np.arange(500) % 5 == 0)) % 3])
    table = pd.crosstab(codes[:, 0], codes[:, 1]).to_numpy() / 500.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    information = float((table[table > 0] * np.log(table[table > 0] / expected[table > 0])).sum())
    one, other = table.shape
    price = log_regret(500.0, np.array([one * other, one, other])) @ [1.0, -1.0, -1.0]
    nml = QuotientNML(codes, np.ones(500), penalty=2.0)
    assert nml.score(1, [0]) - nml.score(1, []) == pytest.approx(500.0 * information - 2.0 * price)


@pytest.mark.parametrize("seed", range(3))
def test_additions_and_removals__differences_of_scores_whatever_was_asked_before(seed: int) -> None:
    codes, _ = network(seed, 7, 200)
    for node in range(7):
        nml = QuotientNML(codes, np.ones(200))
        others = (
            np.random.default_rng(seed)
            .permutation([column for column in range(7) if column != node])
            .tolist()
        )
        for size in range(1, 5):
            parents, candidates, fresh = (
                others[:size],
                others[size:],
                QuotientNML(codes, np.ones(200)),
            )
            base = fresh.score(node, parents)
            more = [fresh.score(node, [*parents, column]) - base for column in candidates]
            less = [
                fresh.score(node, [kept for kept in parents if kept != column]) - base
                for column in parents
            ]
            added, removed = gains(nml, node, parents, candidates)
            assert added == pytest.approx(more, abs=1e-8)
            assert removed == pytest.approx(less, abs=1e-8)


def test_additions__in_small_batches__the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, _ = network(0)
    whole = gains(QuotientNML(codes, np.ones(1000)), 0, [1, 2], [3, 4, 5, 6])[0]
    monkeypatch.setattr(normalized_likelihood, "CELLS_PER_BATCH", 2000)
    parts = gains(QuotientNML(codes, np.ones(1000)), 0, [1, 2], [3, 4, 5, 6])[0]
    assert parts == pytest.approx(whole, abs=1e-9)


def test_score__bootstrap__is_worth_its_effective_rows() -> None:
    codes, _ = network(1)
    once, thrice = (
        QuotientNML(codes, np.full(1000, weight)).score(4, [0, 2]) for weight in (1.0, 3.0)
    )
    assert once == pytest.approx(thrice)
    half = np.repeat([2.0, 0.0], 500)
    assert QuotientNML(codes, half).score(4, [0]) == pytest.approx(
        QuotientNML(codes[:500], np.ones(500)).score(4, [0])
    )


@pytest.mark.parametrize("seed", range(4))
def test_best_order__categories__same_graph_as_causal_learn_with_our_score(seed: int) -> None:
    nml = QuotientNML(network(seed)[0], np.ones(1000))
    module = search_module("PermutationBased.BOSS", nml, np.random.default_rng(seed))
    stock = module.boss(data_for(nml), verbose=False)
    draws, allowed = (
        random.Random(int(np.random.default_rng(seed).integers(2**63))),
        ~np.eye(10, dtype=bool),
    )
    assert (
        dag2cpdag(directed(BestOrder(nml, allowed).search(list(range(10)), draws))).graph
        == stock.graph
    ).all()


def test_boss__two_effects_of_an_interaction__get_no_edge_where_the_bic_adds_one() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(2, size=(2, 2000))
    c, d = rng.random((2, 2000)) < np.where(a & b, 0.9, 0.1)
    codes = np.column_stack([a, b, c, d]).astype(float)
    frame = pd.DataFrame(np.array(["no", "yes"])[codes.astype(int)], columns=["a", "b", "c", "d"])
    belief = (
        BOSS()
        .discover(Table.from_frame(frame, "d"), Constraints.none(4), rng, Resources(30.0))
        .probability
    )
    causes = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert (belief > 0.8).tolist() == causes.astype(bool).tolist()
    assert belief[2, 3] + belief[3, 2] < 0.2
    lines = DegenerateGaussianBIC(Blocks.of(codes, range(4)).correlations())
    assert BOSS().cpdag(lines, ~np.eye(4, dtype=bool), rng)[2, 3] != 0


def searched(seed: int, n_columns: int, rows: int) -> tuple[float, float]:
    """Return how far BOSS's score is above that of one turn, and above that of the true graph."""
    codes, true = network(seed, n_columns, rows)
    score, allowed = QuotientNML(codes, np.ones(rows)), ~np.eye(n_columns, dtype=bool)
    rng = np.random.default_rng(seed)
    reached = total_score(score, member_of(BOSS().cpdag(score, allowed, rng)))
    rng = np.random.default_rng(seed)
    draws = random.Random(int(rng.integers(2**63)))
    once = backward_search(
        score, BestOrder(score, allowed).search(rng.permutation(n_columns).tolist(), draws)
    )
    one_turn = total_score(score, member_of(once))
    return reached - one_turn, reached - total_score(score, true)


@pytest.mark.slow
def test_boss__searches_in_turns__score_at_least_as_one_turn_and_mostly_as_the_truth() -> None:
    found = np.array([searched(seed, 30, 2000) for seed in range(10)])
    wider = np.array([searched(seed, 40, 1000) for seed in range(10)])
    assert min(found[:, 0].min(), wider[:, 0].min()) >= 0.0
    assert wider[:, 0].max() > 50.0
    assert (found[:, 1] >= 0.0).sum() >= 8


def test_score_of__a_number_or_a_missing_cell__blocks() -> None:
    codes = network(0, 4)[0].astype(float)
    constant = np.column_stack([codes, np.ones(1000)])
    assert isinstance(score_of(Blocks.of(constant, range(5)), np.ones(1000), 1.0), QuotientNML)
    gone = codes.copy()
    gone[0, 0] = np.nan
    for values, categories in ((gone, range(4)), (codes, range(3))):
        assert isinstance(
            score_of(Blocks.of(values, categories), np.ones(1000), 1.0), DegenerateGaussianBIC
        )


@pytest.mark.slow
def test_beliefs__networks_of_categories__edges_believed_in_are_there() -> None:
    counts = np.zeros((2, 2))
    for seed, rows in product(range(8), (200, 1000)):
        codes, true = network(seed, 10, rows)
        frame = pd.DataFrame(
            np.array(["low", "mid", "high"])[codes], columns=[f"x{i}" for i in range(10)]
        )
        rng = np.random.default_rng(seed)
        table = Table.from_frame(
            frame.assign(y=np.array(["no", "yes"])[rng.integers(2, size=rows)]), "y"
        )
        belief = (
            BOSS().discover(table, Constraints.none(11), rng, Resources(60.0)).probability[:10, :10]
        )
        pairs, arrows = np.triu(belief + belief.T >= 0.8), belief >= 0.8
        counts += [
            [pairs.sum(), (pairs & (true | true.T)).sum()],
            [arrows.sum(), (arrows & true).sum()],
        ]
    assert (counts[:, 0] > 50).all()
    assert (counts[:, 1] >= 0.8 * counts[:, 0]).all(), counts
