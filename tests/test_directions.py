"""Edges turned by the likelihood of held-out rows: on simulators whose directions are known."""

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix.arrays import Mask, Matrix
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.generators.scm import FittedSCMGenerator, SCMGenerator
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.scm.directions import directed, fit_directed
from autogluon_causalmix.scm.fitting import DEFAULTS, fit_mechanism
from autogluon_causalmix.scm.likelihoods import gaussian_in_windows, of_any_shape
from autogluon_causalmix.table import Table
from benchmarks.directions import world, wrong


def fitted(table: Table, **options: Any) -> FittedSCMGenerator:
    return SCMGenerator(**options).fit(table, np.random.default_rng(0), Resources(100.0))


def test_fewer_edges_point_the_wrong_way_than_discovery_leaves() -> None:
    cases = [world(seed) for seed in range(500, 506)]
    shares = {given: wrong(cases, given)[0] for given in ("discovered", "likelihood")}
    assert shares["likelihood"] < 0.8 * shares["discovered"]


def judged(table: Table, dag: Mask, constraints: Constraints | None = None) -> Mask:
    values = table.encode()

    def likelihoods(node: int, parents: Any) -> Matrix:
        mechanism = fit_mechanism(table, values, (node, tuple(sorted(parents))), DEFAULTS, 0)
        return np.asarray(mechanism.likelihoods())

    return directed(dag, constraints or Constraints.none(len(dag)), likelihoods)


def collider() -> tuple[Table, Mask]:
    """Return a → d ← b, bent, and a coin; a score of lines found the edges the other way."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 500))
    d = np.sin(2 * a) + 0.8 * b + rng.normal(size=500)
    coin = rng.choice(["heads", "tails"], size=500)
    table = Table.from_frame(pd.DataFrame({"a": a, "b": b, "d": d, "coin": coin}), "coin")
    dag = np.zeros((4, 4), dtype=bool)
    dag[2, 0] = dag[2, 1] = True
    return table, dag


def test_a_wrong_collider_is_turned_and_what_is_known_stays() -> None:
    table, dag = collider()
    assert (judged(table, dag) == dag.T).all()
    known = Constraints(allowed=~np.eye(4, dtype=bool), required=np.zeros((4, 4), dtype=bool))
    known.allowed[0, 2] = False  # a does not cause d
    turned = judged(table, dag, known)
    assert turned[2, 0]
    assert not turned[0, 2]


@pytest.mark.parametrize("noise", ["normal", "uniform"])
def test_lines_are_turned_only_where_the_noise_tells(noise: str) -> None:
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        drawn = rng.normal(size=(2, 400)) if noise == "normal" else rng.random((2, 400))
        frame = pd.DataFrame({"cause": drawn[0], "effect": drawn[0] + drawn[1]})
        coin = rng.choice(["heads", "tails"], size=400)
        table = Table.from_frame(frame.assign(coin=coin), "coin")
        backward = np.zeros((3, 3), dtype=bool)
        backward[1, 0] = True
        found.append(bool(judged(table, backward)[0, 1]))
    if noise == "normal":
        assert np.mean(found) <= 0.1  # both directions are equally likely
    else:
        assert np.mean(found) >= 0.9


def test_neighbours_stay_and_no_cycle_comes() -> None:
    table, _ = world(7)
    found = fitted(table, directions="likelihood", graphs=3).chosen
    for dag in found.model.dags:
        assert nx.is_directed_acyclic_graph(nx.from_numpy_array(dag, create_using=nx.DiGraph))
    # The report says how often an edge points where, among graphs that are drawn from.
    probability = found.beliefs.probability
    adjacent = found.discovered.probability
    assert np.allclose(probability + probability.T, adjacent + adjacent.T)
    drawn = np.mean(found.model.dags, axis=0)
    both = drawn + drawn.T
    share = np.divide(drawn, both, out=np.zeros_like(drawn), where=both > 0)
    assert np.allclose(probability[both > 0], ((adjacent + adjacent.T) * share)[both > 0])


class Spent(Resources):
    """Time for the fit, and none for directions."""

    def share(self, fraction: float) -> Resources:
        return Resources(0.0)


def test_without_time_graphs_stay_as_they_were_found_and_a_note_says_so() -> None:
    table, dag = collider()
    beliefs = EdgeBeliefs(("a", "b", "d", "coin"), dag[None].astype(float), Constraints.none(4))
    rng = np.random.default_rng(0)
    model, _, notes = fit_directed(table, beliefs, [dag], rng, Spent(100.0), DEFAULTS, {})
    assert (model.dags[0] == dag).all()
    assert notes == ("judging directions was cut off: 1 of 1 graphs are as they were found",)


def of_noise(residuals: Matrix) -> Matrix:
    return of_any_shape(residuals, gaussian_in_windows(residuals, len(residuals)))


def test_the_density_of_noise_is_the_one_it_has() -> None:
    rng = np.random.default_rng(0)
    laplace = rng.laplace(size=3000)
    truth = -np.abs(laplace) - np.log(2)
    assert of_noise(laplace).mean() == pytest.approx(truth.mean(), abs=0.02)
    uniform = rng.random(3000) - 0.5
    assert of_noise(uniform).mean() == pytest.approx(0.0, abs=0.06)  # a kernel smooths the ends
    normal = rng.normal(size=3000)
    assert of_noise(normal).mean() == pytest.approx(-0.5 * np.log(2 * np.pi * np.e), abs=0.03)
    outlier = np.append(normal, 50.0)
    assert np.isfinite(of_noise(outlier)).all()
