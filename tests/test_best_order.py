"""BOSS in compiled loops: the graphs of a plain search written here, with and without numba."""

import subprocess
import sys
from collections.abc import Callable
from random import Random
from typing import cast

import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix.arrays import Adjacency
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.knowledge import Constraints, Knowledge
from autogluon_causalmix.discovery.protocol import Discoverer
from autogluon_causalmix.discovery.score import boss, degenerate_gaussian
from autogluon_causalmix.discovery.score.best_order import BestOrder, GrowShrinkTrees
from autogluon_causalmix.discovery.score.boss import BOSS
from autogluon_causalmix.discovery.score.degenerate_gaussian import DegenerateGaussianBIC
from autogluon_causalmix.discovery.score.protocol import LEAST_GAIN, Score
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

KINDS = ("numbers", "mixed", "categories", "gaps", "knowledge")


class PlainOrder:
    """The search of `BestOrder`, from its definition: each gain is the difference of two scores."""

    def __init__(self, score: Score, allowed: Adjacency) -> None:
        self.score, self.allowed = score, allowed
        self.known: dict[tuple[int, frozenset[int]], tuple[list[int], float]] = {}

    def search(self, order: list[int], rng: Random) -> Adjacency:
        order, turns, moved = list(order), sorted(order), True
        while moved:
            rng.shuffle(turns)
            moved = sum([self.move(node, order) for node in turns]) > 0
        dag = np.zeros(self.allowed.shape, dtype=bool)
        for place, node in enumerate(order):
            dag[self.best(node, order[:place])[0], node] = True
        return dag

    def move(self, node: int, order: list[int]) -> bool:
        others = [other for other in order if other != node]
        orders = [[*others[:place], node, *others[place:]] for place in range(len(order))]
        totals = np.array(
            [
                sum(self.best(column, one[:place])[1] for place, column in enumerate(one))
                for one in orders
            ]
        )
        best = int(np.flatnonzero(totals > totals.max() - LEAST_GAIN)[-1])
        moves = bool(totals[best] >= totals[order.index(node)] + LEAST_GAIN)
        if moves:
            order[:] = orders[best]
        return moves

    def best(self, node: int, among: list[int]) -> tuple[list[int], float]:
        """Return parents and their score: the best is added, then the worst is removed."""
        key = node, frozenset(among)
        if key not in self.known:
            varying = self.score.varying if node in self.score.varying else frozenset()
            rest = sorted(
                other for other in among if other in varying and self.allowed[other, node]
            )
            parents: list[int] = []
            while rest:
                gain, chosen = self.first_of_best(node, parents, [[*parents, one] for one in rest])
                if gain <= 0.0:
                    break
                parents.append(rest.pop(chosen))
            while parents:
                without = [[one for one in parents if one != gone] for gone in parents]
                gain, chosen = self.first_of_best(node, parents, without)
                if gain <= 0.0:
                    break
                del parents[chosen]
            value = self.score.score(node, parents) - self.score.score(node, [])
            self.known[key] = parents, value
        return self.known[key]

    def first_of_best(
        self, node: int, parents: list[int], changed: list[list[int]]
    ) -> tuple[float, int]:
        now = self.score.score(node, parents)
        gains = np.array([self.score.score(node, one) - now for one in changed])
        return float(gains.max()), int(np.flatnonzero(gains > gains.max() - LEAST_GAIN)[0])


def random_table(seed: int, kind: str) -> Table:
    """Return eight to eleven columns that hang on three common causes and on each other."""
    rng = np.random.default_rng(seed)
    n_columns, rows = int(rng.integers(8, 12)), int(rng.integers(60, 400))
    values = rng.normal(size=(rows, 3)) @ rng.normal(size=(3, n_columns))
    values += rng.normal(size=(rows, n_columns))
    values[:, 1:] += 0.5 * values[:, :-1]
    values[:, -2] = 1.0
    every = {"numbers": n_columns, "mixed": 3, "gaps": 3, "knowledge": 2, "categories": 1}[kind]
    frame = pd.DataFrame({f"x{i}": column for i, column in enumerate(values.T)})
    for place in range(0, n_columns, every):
        levels = int(rng.integers(2, 9))
        codes = np.digitize(values[:, place], np.sort(rng.normal(size=levels)))
        frame[f"x{place}"] = np.array([f"level {level}" for level in range(levels + 1)])[codes]
    if kind == "gaps":
        frame = frame.mask(rng.random(frame.shape) < 0.1)
    return Table.from_frame(frame.assign(y=(values[:, 3] > 0).astype(int).astype(str)), "y")


def constraints_of(table: Table, kind: str) -> Constraints:
    names = [column.name for column in table.columns]
    if kind != "knowledge":
        return Constraints.none(len(names))
    known = Knowledge(
        required=(("x0", "x1"),), forbidden=(("x2", "x3"),), tiers=(("x0", "x4"), ("x1", "y"))
    )
    return known.constraints(names, "y")


def beliefs(discoverer: Discoverer, seed: int) -> EdgeBeliefs:
    kind = KINDS[seed % len(KINDS)]
    table = random_table(seed, kind)
    rng, resources = np.random.default_rng(seed), Resources(60.0)
    return discoverer.discover(table, constraints_of(table, kind), rng, resources)


@pytest.mark.parametrize("seed", range(50))
def test_boss__random_table__graphs_of_the_plain_search(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = beliefs(BOSS(bootstraps=2), seed)
    monkeypatch.setattr(boss, "BestOrder", PlainOrder)
    plain = beliefs(BOSS(bootstraps=2), seed)
    assert found.notes == ()
    assert found.graphs.any()
    assert (found.graphs == plain.graphs).all()


def found_in_all() -> bytes:
    return b"".join(beliefs(BOSS(bootstraps=1), seed).graphs.tobytes() for seed in range(5))


def test_boss__without_numba__same_graphs_and_a_note() -> None:
    program = (
        "import sys; sys.modules['numba'] = None\n"
        "import tests.test_best_order as t\n"
        "assert t.beliefs(t.BOSS(bootstraps=1), 0).notes == (t.boss.WITHOUT_NUMBA,)\n"
        "sys.stdout.buffer.write(t.found_in_all())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=250
    )
    assert done.stdout == found_in_all()


def dense_score(seed: int, n_columns: int = 9) -> DegenerateGaussianBIC:
    table = random_table(seed, "mixed")
    codes = [place for place, column in enumerate(table.columns) if column.is_categorical]
    return DegenerateGaussianBIC(Blocks.of(table.encode(), codes).correlations())


def test_gains__compiled__as_python_to_the_last_bit() -> None:
    from autogluon_causalmix.discovery.score import gaussian_gains

    def as_python(loop: str) -> Callable[..., None]:
        return cast("Callable[..., None]", getattr(gaussian_gains, loop).py_func)

    score = dense_score(1)
    n = score.n_columns
    varying = sorted(score.varying)
    nodes, parents = np.array(varying[:2]), np.full((2, n), -1)
    parents[0, :4], parents[1, :1] = varying[2:6], varying[5]
    candidates = np.isin(np.arange(n), varying[6:])[None].repeat(2, axis=0)
    gains, steps = score.additions(nodes, parents, candidates, candidates)
    plain = np.full_like(gains, np.nan), np.zeros(2, dtype=np.int64)
    as_python("additions")(
        *score._arrays, nodes, parents, candidates, candidates, LEAST_GAIN, *score._room, *plain
    )
    assert steps.max() > 1
    assert plain[1].tolist() == steps.tolist()
    for walk, other, length in zip(gains, plain[0], steps, strict=True):
        assert np.isfinite(walk[:length]).any()
        assert walk[:length].tobytes() == other[:length].tobytes()
    removed, other = score.removals(nodes, parents, ~candidates), np.full((2, n), -np.inf)
    as_python("removals")(*score._arrays, nodes, parents, ~candidates, *score._room, other)
    assert np.isfinite(removed).any(axis=1).all()
    assert removed.tobytes() == other.tobytes()


def test_additions__step_after_step__as_a_set_of_its_own() -> None:
    score, taken = dense_score(2), 0
    n, varying = score.n_columns, sorted(score.varying)
    for node in varying:
        candidates = np.isin(np.arange(n), [other for other in varying if other != node])
        among = candidates & (np.arange(n) % 3 > 0)
        none = np.full((1, n), -1)
        (walk,), (steps,) = score.additions(np.array([node]), none, candidates[None], among[None])
        parents = none.copy()
        for step in range(1, steps):
            best = np.argsort(-walk[step - 1], kind="stable")
            chosen = next(place for place, column in enumerate(best) if among[column])
            parents[0, step - 1] = best[chosen]
            candidates[best[: chosen + 1]] = False
            alone, _ = score.additions(
                np.array([node]), parents, candidates[None], np.zeros((1, n), dtype=bool)
            )
            np.testing.assert_allclose(walk[step], alone[0, 0], atol=1e-8)
            taken += 1
        assert not (among & (walk[steps - 1] > 0.0)).any()
    assert taken > n


def test_search__a_few_sets_in_each_compiled_call__same_graph(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def search() -> Adjacency:
        score = dense_score(1)
        allowed = ~np.eye(score.n_columns, dtype=bool)
        return BestOrder(score, allowed).search(list(range(score.n_columns)), Random(0))

    whole = search()
    monkeypatch.setattr(degenerate_gaussian, "ENTRIES_PER_BATCH", 1)
    assert whole.any()
    assert (search() == whole).all()


@pytest.mark.parametrize("seed", range(4))
def test_trees__sets_in_any_order__parents_and_score_of_the_plain_search(seed: int) -> None:
    score, rng = dense_score(seed), np.random.default_rng(seed)
    n = score.n_columns
    varying = np.isin(np.arange(n), sorted(score.varying))
    allowed = ~np.eye(n, dtype=bool) & varying & varying[:, None]
    trees, plain = GrowShrinkTrees(score, allowed), PlainOrder(score, allowed)
    for _ in range(100):
        node, among = int(rng.integers(n)), rng.random(n) < rng.random()
        among[node] = False
        parents, value = trees.best(node, among)
        expected = plain.best(node, np.flatnonzero(among).tolist())
        assert parents.tolist() == expected[0]
        assert value == pytest.approx(expected[1], abs=1e-8)
