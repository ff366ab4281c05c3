"""PC and FCI against causal-learn, known graphs, the user's knowledge, beliefs and time limits."""

import os
import subprocess
import sys
import threading
import time
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.discovery.beliefs import belief_of, orient
from autogluon_causalmix.discovery.constraint.orientation import pc_marks
from autogluon_causalmix.discovery.constraint.pc_fci import PCAndFCI
from autogluon_causalmix.discovery.constraint.possible_d_separation import (
    possible_d_separation,
    semi_directed,
)
from autogluon_causalmix.discovery.constraint.skeleton import pc_stable
from autogluon_causalmix.discovery.controls import NoEdges, TargetStar
from autogluon_causalmix.discovery.independence.degenerate_gaussian import DegenerateGaussian
from autogluon_causalmix.discovery.protocol import Constraints, Discoverer, EdgeBeliefs, Knowledge
from autogluon_causalmix.discovery.score.boss import BOSS
from autogluon_causalmix.discovery.score.ges import GES
from autogluon_causalmix.discovery.score.grasp import GRaSP
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.scm.label_edges import connect_label
from autogluon_causalmix.table import Table
from benchmarks.causal_graphs import our_pag, their_pag
from benchmarks.causal_learn_reference import FisherZ, register, united
from benchmarks.causal_stage import random_columns


def random_table(seed: int, n_columns: int = 8, rows: int = 300) -> tuple[Matrix, list[int]]:
    """Return rows of a random graph, and the columns that are categories, about a third.

    With an odd seed, some cells are missing.
    """
    rng = np.random.default_rng(seed)
    weights = np.triu(
        rng.normal(size=(n_columns, n_columns)) * (rng.random((n_columns, n_columns)) < 0.35), 1
    )
    values = rng.normal(size=(rows, n_columns))
    for column in range(n_columns):
        values[:, column] += values @ weights[:, column]
    codes = [column for column in range(n_columns) if rng.random() < 0.35]
    for code in codes:
        values[:, code] = np.digitize(values[:, code], np.quantile(values[:, code], [0.3, 0.7]))
    if seed % 2:
        values[rng.random(values.shape) < 0.05] = np.nan
    return values, codes


@pytest.mark.parametrize("block", range(5))
def test_pc_stable__fifty_random_tables__same_edges_as_causal_learn(block: int) -> None:
    from causallearn.utils.cit import CIT
    from causallearn.utils.PCUtils.SkeletonDiscovery import skeleton_discovery

    for seed in range(10 * block, 10 * block + 10):
        values, codes = random_table(seed)
        reference = skeleton_discovery(
            values, 0.05, CIT(values, register(), categorical=codes), show_progress=False
        )
        found = pc_stable(DegenerateGaussian.of(values, codes), 0.05)
        assert ((reference.G.graph != 0) == found.adjacent).all()
        assert all(not found.adjacent[pair] for pair in found.separators)


def test_pc_stable__fisher_z__same_edges_as_causal_learn() -> None:
    from causallearn.utils.cit import CIT
    from causallearn.utils.PCUtils.SkeletonDiscovery import skeleton_discovery

    values = np.nan_to_num(random_table(0, n_columns=15, rows=500)[0])
    reference = skeleton_discovery(values, 0.05, CIT(values, "fisherz"), show_progress=False)
    found = pc_stable(FisherZ(np.asarray(np.corrcoef(values.T)), len(values)), 0.05)
    assert ((reference.G.graph != 0) == found.adjacent).all()


@pytest.mark.parametrize("seed", range(8))
def test_pc_marks__separating_sets_united__same_as_causal_learn(seed: int) -> None:
    from causallearn.search.ConstraintBased.PC import pc

    values, codes = random_table(seed, n_columns=7)
    test = DegenerateGaussian.of(values, codes)
    skeleton = united(pc_stable(test, 0.05), test, 0.05)
    reference = pc(values, 0.05, register(), categorical=codes, show_progress=False).G.graph
    assert (pc_marks(skeleton, Constraints.none(7)) == reference).all()


@pytest.mark.parametrize(("seed", "n_columns"), [*product(range(8), [7]), *product(range(4), [20])])
def test_fci_marks__separating_sets_united__same_as_causal_learn(seed: int, n_columns: int) -> None:
    values, codes = (
        random_table(seed, n_columns)
        if n_columns < 20
        else random_columns(20, 500, seed, categorical=True)
    )
    assert (our_pag(values, codes) == their_pag(values, codes)).all()


def test_possible_d_separation__random_marks__same_sets_in_the_same_order_as_causal_learn() -> None:
    from causallearn.graph.Endpoint import Endpoint
    from causallearn.search.ConstraintBased.FCI import getPossibleDsep

    from autogluon_causalmix.discovery.causal_learn import marked

    beyond_neighbours = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        adjacent = np.triu(rng.random((12, 12)) < 0.3, 1)
        marks = np.where(adjacent, rng.choice([-1, 1, 2], size=(12, 12)), 0)
        marks += np.where(adjacent, rng.choice([-1, 1, 2], size=(12, 12)), 0).T
        graph = marked(adjacent | adjacent.T, Endpoint.CIRCLE)
        graph.graph = marks
        for x, y in np.argwhere(adjacent | adjacent.T).tolist():
            found = getPossibleDsep(graph.nodes[x], graph.nodes[y], graph, -1)
            theirs = [int(node.get_name()[1:]) - 1 for node in found]
            ours = possible_d_separation(marks, semi_directed(marks), x, y)
            assert ours == theirs
            beyond_neighbours += bool(set(ours) - set(np.flatnonzero(marks[x])))
    assert beyond_neighbours > 100


def chain_table(rows: int = 400) -> Table:
    """Return rows of a → b → c and an independent d; the target is c."""
    rng = np.random.default_rng(0)
    a, noise = rng.normal(size=rows), rng.normal(size=(3, rows))
    b = a + 0.7 * noise[0]
    c = np.where(b + 0.7 * noise[1] > 0, "yes", "no")
    return Table.from_frame(pd.DataFrame({"a": a, "b": b, "c": c, "d": noise[2]}), "c")


def test_pc_and_fci__chain__finds_its_edges_and_no_others() -> None:
    beliefs = PCAndFCI().discover(
        chain_table(), Constraints.none(4), np.random.default_rng(0), Resources(30.0)
    )
    either = beliefs.probability + beliefs.probability.T
    assert either[0, 1] == either[1, 2] == pytest.approx(1.0)
    assert either[3].max() < 0.5
    assert either[0, 2] < 0.5


def test_pc_and_fci__collider__finds_its_direction() -> None:
    rng = np.random.default_rng(1)
    left, right = rng.normal(size=(2, 500))
    effect = np.where(left + right + 0.5 * rng.normal(size=500) > 0, 1, 0)
    table = Table.from_frame(
        pd.DataFrame({"left": left, "right": right, "effect": effect}), "effect"
    )
    belief = PCAndFCI().discover(table, Constraints.none(3), rng, Resources(30.0)).probability
    # FCI leaves a circle at each cause, which counts as ¾ for the arrow.
    assert belief[0, 2] > 0.7
    assert belief[1, 2] > 0.7


def test_pc_and_fci__no_time__star_with_a_note_and_no_thread_left() -> None:
    threads = threading.active_count()
    beliefs = PCAndFCI().discover(
        chain_table(), Constraints.none(4), np.random.default_rng(0), Resources(0.0)
    )
    assert beliefs.probability[2].tolist() == [1.0, 1.0, 0.0, 1.0]
    assert "star" in beliefs.notes[0]
    assert threading.active_count() == threads


def test_pc_and_fci__time_runs_out__keeps_the_finished_graphs() -> None:
    values, _ = random_table(2, n_columns=40, rows=400)
    frame = pd.DataFrame(np.nan_to_num(values), columns=[f"x{i}" for i in range(40)]).assign(
        y=np.arange(400) % 2
    )
    table, started = Table.from_frame(frame, "y"), time.monotonic()
    discoverer = PCAndFCI(bootstraps=10_000)
    beliefs = discoverer.discover(
        table, Constraints.none(41), np.random.default_rng(0), Resources(3.0)
    )
    assert time.monotonic() - started < 6.0
    assert "cut off" in beliefs.notes[0]
    assert len(beliefs.graphs) > 0


@pytest.mark.parametrize(
    "discoverer",
    [
        PCAndFCI(bootstraps=2),
        GES(bootstraps=2),
        BOSS(bootstraps=2),
        GRaSP(bootstraps=2),
        TargetStar(),
        NoEdges(),
    ],
    ids=lambda d: type(d).__name__,
)
def test_discoverers__knowledge__kept_in_every_graph(discoverer: Discoverer) -> None:
    knowledge = Knowledge(
        required=(("d", "a"),), forbidden=(("a", "b"),), tiers=(("d",), ("a", "b")), label="sink"
    )
    constraints = knowledge.constraints(["a", "b", "c", "d"], "c")
    rng = np.random.default_rng(0)
    beliefs = discoverer.discover(chain_table(), constraints, rng, Resources(30.0))
    for _ in range(20):
        dag = beliefs.sample_dag(rng)
        assert dag[constraints.required].all()
        assert not dag[~constraints.allowed].any()


def test_belief_of__every_pair_of_marks__follows_its_formula() -> None:
    tail, arrow, circle = -1, 1, 2
    expected = {
        (tail, arrow): 1.0,
        (circle, arrow): 0.75,
        (arrow, arrow): 0.5,
        (circle, circle): 0.5,
        (tail, tail): 0.5,
    }
    for (here, there), belief in expected.items():
        marks = np.array([[0, here], [there, 0]])
        assert belief_of(marks, Constraints.none(2)).tolist() == [
            [0.0, belief],
            [1.0 - belief, 0.0],
        ]


@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
def test_orient__any_beliefs__acyclic_with_every_edge(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    half = np.triu(rng.choice([0.0, 0.25, 0.5, 1.0], size=(n, n)), 1)
    present = np.triu(rng.random((n, n)) < 0.6, 1)
    belief = half * present + ((1.0 - half) * present).T
    dag = orient(belief, Constraints.none(n), rng)
    assert ((dag | dag.T) == (present | present.T)).all()
    walks = np.linalg.matrix_power(dag.astype("float64"), n)
    assert not walks.any()


def test_sample_dag__undecided_edge__directions_as_often_as_believed() -> None:
    beliefs = EdgeBeliefs(("a", "b"), np.array([[[0, 0.75], [0.25, 0]]]), Constraints.none(2))
    rng = np.random.default_rng(0)
    forward = np.mean([beliefs.sample_dag(rng)[0, 1] for _ in range(2000)])
    assert 0.72 < forward < 0.78


def test_connect_label__separated_column__gets_an_edge_and_an_unrelated_one_none() -> None:
    table = chain_table()
    empty = NoEdges().discover(table, Constraints.none(4), np.random.default_rng(0), Resources(1.0))
    connected = connect_label(empty, table, alpha=0.001).probability
    assert connected[2].tolist() == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.slow
@pytest.mark.parametrize("discoverer", [PCAndFCI(), BOSS()])
def test_beliefs__simulators__edges_believed_in_are_there(discoverer: Discoverer) -> None:
    believed, there, pointed, right = 0, 0, 0, 0
    for seed, rows in product(range(8), (200, 1000)):
        rng = np.random.default_rng(seed)
        values, codes = random_table(2 * seed, n_columns=10, rows=rows)
        truth = np.triu(np.random.default_rng(2 * seed).normal(size=(10, 10)) != 0, 1)
        drawn = np.random.default_rng(2 * seed)
        weights = np.triu(drawn.normal(size=(10, 10)) * (drawn.random((10, 10)) < 0.35), 1)
        truth &= weights != 0
        frame = pd.DataFrame({f"x{i}": values[:, i] for i in range(10)})
        for code in codes:
            frame[f"x{code}"] = frame[f"x{code}"].map({0.0: "low", 1.0: "mid", 2.0: "high"})
        table = Table.from_frame(frame.assign(y=rng.integers(2, size=rows)), "y")
        belief = discoverer.discover(table, Constraints.none(11), rng, Resources(60.0)).probability[
            :10, :10
        ]
        sure = belief + belief.T >= 0.8
        believed += int(np.triu(sure).sum())
        there += int(np.triu(sure & (truth | truth.T)).sum())
        pointed += int((belief >= 0.8).sum())
        right += int((truth & (belief >= 0.8)).sum())
    assert believed > 50
    assert there / believed >= 0.8
    if isinstance(discoverer, BOSS):  # PC and FCI direct few edges, 71 % of them the right way
        assert pointed > 50
        assert right / pointed >= 0.8


@pytest.mark.slow
def test_pc_and_fci__other_processes__same_beliefs() -> None:
    """causal-learn loops over sets of nodes, whose order must not depend on Python's hash seed."""
    program = (
        "import numpy as np, tests.test_discovery as t\n"
        "nothing, resources = t.Constraints.none(15), t.Resources(60.0)\n"
        "found, rng = t.PCAndFCI(bootstraps=3), np.random.default_rng(0)\n"
        "print(found.discover(t.wide_table(), nothing, rng, resources).graphs.tolist())"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]


def wide_table() -> Table:
    values, _ = random_table(4, n_columns=14)
    frame = pd.DataFrame(np.nan_to_num(values), columns=[f"x{i}" for i in range(14)])
    return Table.from_frame(frame.assign(y=(values[:, 3] > 0).astype(int)), "y")
