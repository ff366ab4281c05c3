"""The degenerate-Gaussian BIC, and BOSS, GES and GRaSP against causal-learn and known graphs."""

import os
import pickle
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from causallearn.utils.DAG2CPDAG import dag2cpdag
from score_cases import gains

from autogluon_causalmix.arrays import Adjacency, Marks, Matrix
from autogluon_causalmix.discovery.blocks import BlockCorrelation, Blocks
from autogluon_causalmix.discovery.causal_learn import data_for, directed, search_module
from autogluon_causalmix.discovery.protocol import Constraints, Discoverer
from autogluon_causalmix.discovery.score import gaussian_gains, grow_shrink  # noqa: F401 - compiles
from autogluon_causalmix.discovery.score.best_order import BestOrder, GrowShrinkTrees
from autogluon_causalmix.discovery.score.boss import BOSS
from autogluon_causalmix.discovery.score.degenerate_gaussian import DegenerateGaussianBIC
from autogluon_causalmix.discovery.score.ges import GES, all_paths_blocked
from autogluon_causalmix.discovery.score.grasp import GRaSP
from autogluon_causalmix.discovery.score.protocol import Score
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

Search = type[GES] | type[BOSS] | type[GRaSP]

every_search = pytest.mark.parametrize("search", [GES, BOSS, GRaSP])


def random_table(seed: int, n_columns: int = 8, rows: int = 300) -> tuple[Matrix, list[int]]:
    """Return rows of a random linear model, and the columns that are categories, every third.

    With an odd seed, some cells are missing.
    """
    rng = np.random.default_rng(seed)
    weights = np.triu(
        rng.normal(size=(n_columns, n_columns)) * (rng.random((n_columns, n_columns)) < 0.35), 1
    )
    values = rng.normal(size=(rows, n_columns))
    for column in range(n_columns):
        values[:, column] += values @ weights[:, column]
    codes = list(range(1, n_columns, 3))
    for code in codes:
        values[:, code] = np.digitize(values[:, code], np.quantile(values[:, code], [0.3, 0.7]))
    if seed % 2:
        values[rng.random(values.shape) < 0.05] = np.nan
    return values, codes


def mixed_table(rows: int = 300) -> Table:
    """Return a table of eight columns and a target that is made from one of them."""
    values, codes = random_table(6, rows=rows)
    frame = pd.DataFrame({f"x{i}": column for i, column in enumerate(values.T)})
    for code in codes:
        frame[f"x{code}"] = frame[f"x{code}"].map({0.0: "low", 1.0: "mid", 2.0: "high"})
    return Table.from_frame(frame.assign(y=(values[:, 3] > 0).astype(int)), "y")


def parents_of(n: int) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Yield two columns and a set of others."""
    for x, y in combinations(range(n), 2):
        others = [column for column in range(n) if column not in (x, y)]
        for size in range(3):
            yield from ((x, y, given) for given in combinations(others, size))


@pytest.mark.parametrize("seed", range(4))
def test_score__covered_edge_reversed__same_score(seed: int) -> None:
    """Graphs are equivalent if and only if such reversals connect them (Chickering, 1995)."""
    values, codes = random_table(seed, n_columns=6)
    values[:, 0] = 1.0
    bic = DegenerateGaussianBIC(Blocks.of(values, codes).correlations(), penalty=1.5)
    for x, y, given in parents_of(6):
        forwards = bic.score(x, given) + bic.score(y, [*given, x])
        assert forwards == pytest.approx(bic.score(y, given) + bic.score(x, [*given, y]), abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_score__mixed_columns__formula_of_the_paper(seed: int) -> None:
    values, codes = random_table(2 * seed, n_columns=6)
    correlation = Blocks.of(values, codes).correlations()
    bic = DegenerateGaussianBIC(correlation, penalty=1.5)

    def log_determinant(columns: list[int]) -> float:
        place = np.flatnonzero(np.isin(correlation.block, columns))
        return float(np.linalg.slogdet(correlation.matrix[np.ix_(place, place)])[1])

    for x, _, given in parents_of(6):
        likelihood = -150.0 * (log_determinant([x, *given]) - log_determinant(list(given)))
        price = (
            1.5 * 0.5 * np.log(300.0) * correlation.width[x] * correlation.width[list(given)].sum()
        )
        assert bic.score(x, given) == pytest.approx(likelihood - price, abs=1e-8)


def test_score__constant_column__has_no_effect_not_even_by_rounding() -> None:
    values = np.random.default_rng(0).normal(size=(40, 12))
    values[np.random.default_rng(1).random(values.shape) < 0.4] = np.nan
    values[:, 5] = np.where(np.arange(40) == 0, 1.0, 0.0)
    weights = np.ones(40)
    weights[0] = 0.0  # the only row that differs is not in this bootstrap
    bic = DegenerateGaussianBIC(Blocks.of(values, []).correlations(weights))
    for size in range(5, 12):
        others = [column for column in range(1, size) if column != 5]
        assert bic.score(5, others) == 0.0
        assert bic.score(0, [*others, 5]) == bic.score(0, others)


def test_score__cells_missing__gain_of_an_edge_as_on_the_rows_of_its_pair() -> None:
    values = random_table(0, n_columns=3)[0]
    everything = plain(values)
    rows = np.array([[300.0, 120.0, 300.0], [120.0, 120.0, 120.0], [300.0, 120.0, 300.0]])
    some, few = (
        replace(everything, rows=rows),
        replace(everything, rows=np.full((3, 3), 120.0), total=120.0),
    )
    gain, gain_of_few = (
        bic.score(0, [2, 1]) - bic.score(0, [2])
        for bic in (DegenerateGaussianBIC(some), DegenerateGaussianBIC(few))
    )
    assert gain * 120.0 / 300.0 == pytest.approx(gain_of_few)


@pytest.mark.parametrize("search", [BOSS, GRaSP])
@pytest.mark.parametrize(("gone", "most"), [(0.2, 0.04), (0.5, 0.05)])
def test_searches__cells_missing__unrelated_columns_get_few_edges(
    search: Search, gone: float, most: float
) -> None:
    """With all cells observed, 2 % of such pairs get an edge.

    With half of the cells missing, 24 % would, if every row counted.
    """
    joined = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=(400, 8))
        values[rng.random(values.shape) < gone] = np.nan
        bic = DegenerateGaussianBIC(Blocks.of(values, []).correlations())
        joined += int(np.triu(search().cpdag(bic, all_edges(8), rng) != 0).sum())
    assert joined / (20 * 28) <= most


def all_edges(n: int) -> Adjacency:
    return np.asarray(~np.eye(n, dtype=bool))


def plain(values: Matrix) -> BlockCorrelation:
    """Return the correlations of numeric columns without normal scores and without a ridge."""
    n = values.shape[1]
    rows = float(len(values))
    everything = np.full((n, n), rows)
    return BlockCorrelation(
        np.asarray(np.corrcoef(values.T)),
        np.arange(n),
        np.ones(n, dtype=np.int64),
        everything,
        rows,
    )


@pytest.mark.parametrize("seed", range(0, 20, 2))
def test_searches__numeric_table__same_graph_as_causal_learn_with_its_own_score(seed: int) -> None:
    """Its BIC of standardised columns is ours minus a constant, with ½ for our penalty of 1."""
    from causallearn.search.PermutationBased.BOSS import boss
    from causallearn.search.PermutationBased.GRaSP import grasp
    from causallearn.search.ScoreBased.GES import ges

    values = random_table(seed)[0]
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    bic = DegenerateGaussianBIC(plain(values), penalty=1.0)
    assert (
        GES().cpdag(bic, all_edges(8), np.random.default_rng(0)) == ges(values)["G"].graph
    ).all()
    draws = int(np.random.default_rng(seed).integers(2**63))
    random.seed(draws)
    stock = grasp(values, parameters={"lambda_value": 0.5}, verbose=False).graph
    assert (GRaSP().cpdag(bic, all_edges(8), np.random.default_rng(seed)) == stock).all()
    random.seed(draws)
    stock = boss(values, parameters={"lambda_value": 0.5}, verbose=False).graph
    parents = BestOrder(bic, all_edges(8)).search(list(range(8)), random.Random(draws))
    assert (dag2cpdag(directed(parents)).graph == stock).all()


@pytest.mark.parametrize("seed", range(4))
def test_best_order__mixed_columns__same_graph_as_causal_learn_with_our_score(seed: int) -> None:
    values, codes = random_table(seed, n_columns=12)
    bic = DegenerateGaussianBIC(Blocks.of(values, codes).correlations())
    module = search_module("PermutationBased.BOSS", bic, np.random.default_rng(seed))
    stock = module.boss(data_for(bic), verbose=False)
    draws = random.Random(int(np.random.default_rng(seed).integers(2**63)))
    parents = BestOrder(bic, all_edges(12)).search(list(range(12)), draws)
    assert (dag2cpdag(directed(parents)).graph == stock.graph).all()


@pytest.mark.parametrize("seed", range(4))
def test_additions_and_removals__mixed_columns__differences_of_scores(seed: int) -> None:
    values, codes = random_table(seed, n_columns=7)
    bic = DegenerateGaussianBIC(Blocks.of(values, codes).correlations(), penalty=1.5)
    for node in range(7):
        others = (
            np.random.default_rng(seed)
            .permutation([column for column in range(7) if column != node])
            .tolist()
        )
        for size in range(1, 5):
            parents, candidates = others[:size], others[size:]
            base = bic.score(node, parents)
            more = [bic.score(node, [*parents, column]) - base for column in candidates]
            less = [
                bic.score(node, [kept for kept in parents if kept != column]) - base
                for column in parents
            ]
            added, removed = gains(bic, node, parents, candidates)
            assert added == pytest.approx(more, abs=1e-8)
            assert removed == pytest.approx(less, abs=1e-8)


def test_best_order__forbidden_edges__are_not_searched() -> None:
    values = random_table(0)[0]
    bic, later = plain(values), np.triu(all_edges(8))
    parents = BestOrder(DegenerateGaussianBIC(bic), later).search(list(range(8)), random.Random(0))
    assert parents.any()
    assert not (parents & ~later).any()


def test_best_order__no_single_move_is_better() -> None:
    bic = DegenerateGaussianBIC(plain(random_table(2)[0]))

    def value(order: list[int]) -> float:
        trees = GrowShrinkTrees(bic, all_edges(8))
        return sum(
            trees.best(node, np.isin(np.arange(8), order[:place]))[1]
            for place, node in enumerate(order)
        )

    parents = BestOrder(bic, all_edges(8)).search(list(range(8)), random.Random(1))
    order = list(nx.topological_sort(nx.from_numpy_array(parents, create_using=nx.DiGraph)))
    for node, place in product(range(8), range(8)):
        moved = [other for other in order if other != node]
        moved.insert(place, node)
        assert value(moved) <= value(order) + 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_boss__other_rounding_errors__same_graph(seed: int) -> None:
    """Orders with equal scores abound, so that rounding, as of another processor, would decide."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(300, 3))
    values = common @ rng.normal(size=(3, 16)) + rng.normal(size=(300, 16))
    values[:, :4] = values[:, :4].round()
    correlation = Blocks.of(values, range(3)).correlations()
    noise = np.triu(rng.normal(size=correlation.matrix.shape) * 1e-14, 1)
    other = replace(correlation, matrix=correlation.matrix * (1.0 + noise + noise.T))
    one, two = (
        BOSS().cpdag(DegenerateGaussianBIC(same), all_edges(16), np.random.default_rng(seed))
        for same in (correlation, other)
    )
    assert (one == two).all()


@pytest.mark.parametrize("seed", range(5))
def test_all_paths_blocked__random_graphs__as_causal_learn_says(seed: int) -> None:
    from causallearn.utils.GESUtils import insert_vc2_fast

    rng, said = np.random.default_rng(seed), []
    for _ in range(200):
        onwards = {
            node: set(np.flatnonzero(row).tolist()) - {node}
            for node, row in enumerate(rng.random((7, 7)) < 0.3)
        }
        start, end, *others = rng.permutation(7).tolist()
        blocking = set(others[: rng.integers(4)])
        said.append(all_paths_blocked(start, end, blocking, onwards))
        assert said[-1] == bool(insert_vc2_fast(start, end, blocking, onwards))
    assert 0.2 < np.mean(said) < 0.8


def known_model(mixed: bool) -> tuple[Table, Adjacency]:
    """Return rows and graph of a → c ← b, c → d ← e, all compelled, and an independent target."""
    rng = np.random.default_rng(0)
    a, b, e, target = rng.normal(size=(4, 1000))
    if mixed:
        a, e = np.digitize(a, [-0.5, 0.5]) - 1.0, np.sign(e)
    c = a + b + 0.7 * rng.normal(size=1000)
    d = c + e + 0.7 * rng.normal(size=1000)
    frame = pd.DataFrame(
        {"a": a, "b": b, "c": c, "d": d, "e": e, "f": np.where(target > 0, "yes", "no")}
    )
    if mixed:
        frame["a"] = frame["a"].map({-1.0: "low", 0.0: "mid", 1.0: "high"})
        frame["e"] = frame["e"].map({-1.0: "no", 1.0: "yes"})
    true = np.zeros((6, 6), dtype=bool)
    true[[0, 1, 2, 4], [2, 2, 3, 3]] = True
    return Table.from_frame(frame, "f"), true


@every_search
@pytest.mark.parametrize("mixed", [False, True], ids=["gaussian", "mixed"])
def test_discover__known_model__skeleton_and_v_structures(search: Search, mixed: bool) -> None:
    table, true = known_model(mixed)
    rng, resources = np.random.default_rng(0), Resources(30.0)
    belief = search(bootstraps=30).discover(table, Constraints.none(6), rng, resources).probability
    found = belief + belief.T >= 0.5
    assert (found == (true | true.T)).all()
    assert (belief[true] > 0.8).all()


@every_search
def test_discover__twice__same_beliefs_no_global_state_changed_nothing_printed(
    search: Search, capsys: pytest.CaptureFixture[str]
) -> None:
    table, found = mixed_table(), []
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - the global state, which must have no effect and not change
        before = pickle.dumps((random.getstate(), np.random.get_state()))  # noqa: NPY002
        rng = np.random.default_rng(0)
        found.append(
            search(bootstraps=3)
            .discover(table, Constraints.none(9), rng, Resources(30.0))
            .graphs.tobytes()
        )
        assert pickle.dumps((random.getstate(), np.random.get_state())) == before  # noqa: NPY002
    assert found[0] == found[1]
    assert capsys.readouterr() == ("", "")


@every_search
def test_cpdag__many_threads__each_has_its_own_score(search: Search) -> None:
    from concurrent.futures import ThreadPoolExecutor

    scores = [
        DegenerateGaussianBIC(Blocks.of(*random_table(seed)).correlations()) for seed in range(4)
    ]

    def marks(score: DegenerateGaussianBIC) -> list[list[int]]:
        found: list[list[int]] = (
            search().cpdag(score, all_edges(8), np.random.default_rng(0)).tolist()
        )
        return found

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(marks, scores)) == [marks(score) for score in scores]


def test_discover__another_process__same_beliefs() -> None:
    """causal-learn loops over sets of nodes, whose order must not depend on Python's hash seed."""
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_searches as t; sys.stdout.buffer.write(t.all_found())"
    )
    other = {
        **os.environ,
        "PYTHONHASHSEED": "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=other, capture_output=True, check=True
    )
    assert done.stdout == all_found()


def all_found() -> bytes:
    table, nothing, resources = mixed_table(), Constraints.none(9), Resources(60.0)
    searches = (GES(bootstraps=2), BOSS(bootstraps=2), GRaSP(bootstraps=2))
    found = [
        search.discover(table, nothing, np.random.default_rng(0), resources).graphs
        for search in searches
    ]
    return np.array(found).tobytes()


class Endless(GES):
    """A search that does not end by itself."""

    def cpdag(self, score: Score, allowed: Adjacency, rng: np.random.Generator) -> Marks:
        while True:
            time.sleep(0.001)


@pytest.mark.parametrize(
    ("search", "seconds", "message"),
    [
        (GES, 0.0, "before it began"),
        (BOSS, 0.0, "before it began"),
        (GRaSP, 0.0, "before it began"),
        (Endless, 0.3, "cut off"),
    ],
)
def test_discover__no_time__star_with_a_note_and_no_thread_left(
    search: Search, seconds: float, message: str
) -> None:
    table, threads = mixed_table(), threading.active_count()
    beliefs = search().discover(
        table, Constraints.none(9), np.random.default_rng(0), Resources(seconds)
    )
    assert beliefs.probability[8].tolist() == [1.0] * 8 + [0.0]
    assert message in beliefs.notes[0]
    assert "star" in beliefs.notes[0]
    assert threading.active_count() == threads


@every_search
def test_discover__time_runs_out__keeps_the_finished_graphs(search: Search) -> None:
    started, threads = time.monotonic(), threading.active_count()
    discoverer, rng = search(bootstraps=10_000), np.random.default_rng(0)
    beliefs = discoverer.discover(mixed_table(), Constraints.none(9), rng, Resources(1.0))
    assert time.monotonic() - started < 3.0
    assert beliefs.notes == (
        beliefs.notes[0].split(" with ")[0] + f" with {len(beliefs.graphs)} of 10000 graphs done",
    )
    assert len(beliefs.graphs) > 0
    assert threading.active_count() == threads


def test_boss__wide_table__few_edges_or_directions_missed() -> None:
    rng, n = np.random.default_rng(0), 150
    true = np.triu(rng.random((n, n)) < 3 / n, 1)
    values = rng.normal(size=(1000, n))
    for column in range(n):
        values[:, column] += values @ (true[:, column] * rng.uniform(0.4, 0.9, n))
    frame = pd.DataFrame(values).add_prefix("x").assign(coin=rng.integers(2, size=1000))
    table, free = Table.from_frame(frame, "coin"), Constraints.none(n + 1)
    found = BOSS(bootstraps=3).discover(table, free, rng, Resources(120.0))
    belief = found.probability[:-1, :-1]
    edges, directed = belief + belief.T > 0.5, belief > 0.5
    both = true | true.T
    assert found.notes == ()
    assert 2 * (edges & both).sum() / (edges.sum() + both.sum()) > 0.9
    assert 2 * (directed & true).sum() / (directed.sum() + true.sum()) > 0.8


@every_search
def test_discover__few_rows__star_with_a_note(search: Search) -> None:
    beliefs = search().discover(
        mixed_table(19), Constraints.none(9), np.random.default_rng(0), Resources(30.0)
    )
    assert beliefs.probability[8].tolist() == [1.0] * 8 + [0.0]
    assert "19 rows are too few" in beliefs.notes[0]


@pytest.mark.parametrize("name", ["ges", "boss", "grasp"])
@pytest.mark.parametrize(
    "options", [{"penalty": 0.0}, {"penalty": float("inf")}, {"bootstraps": 0}]
)
def test_options__refused__says_which(name: str, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"'{next(iter(options))}' must be"):
        plugin_registry().of(Discoverer).get(name).create(options)
