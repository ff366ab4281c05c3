"""The control `random-order`: complete graphs that keep to what is known."""

from collections import Counter
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from autogluon_causalmix import augment
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.knowledge import Constraints, Knowledge
from autogluon_causalmix.discovery.random_order import RandomOrder
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import check_discoverer, linear_scm


def found(names: str, constraints: Constraints, orders: int = 200) -> EdgeBeliefs:
    frame = pd.DataFrame({name: [0.5, 1.5] for name in names}).assign(y=["no", "yes"])
    table = Table.from_frame(frame, "y")
    return RandomOrder(orders).discover(
        table, constraints, np.random.default_rng(0), Resources(10.0)
    )


def test_without_knowledge_every_order_is_drawn_equally_often() -> None:
    graphs = found("ab", Constraints.none(3), orders=1000).graphs
    # The number of causes of a column is its place in the order.
    counts = Counter(tuple(graph.sum(axis=0).astype(int).tolist()) for graph in graphs)
    assert set(counts) == set(permutations(range(3)))
    # Each count is binomial with mean 167 and standard deviation 12.
    assert max(abs(count - 1000 / 6) for count in counts.values()) < 50


def test_a_label_that_causes_nothing_comes_last_and_tiers_in_their_order() -> None:
    knowledge = Knowledge((), (), (("d", "c"), ("a",)), "sink")
    beliefs = found("abcd", knowledge.constraints(list("abcdy"), "y"))
    a, b, c, d, y = range(5)
    assert (beliefs.graphs[:, :y, y] == 1).all()
    assert (beliefs.graphs[:, [c, d], a] == 1).all()
    assert 0.1 < beliefs.probability[b, a] < 0.9
    assert 0.1 < beliefs.probability[c, d] < 0.9


def test_required_edges_turn_the_order_and_forbidden_ones_are_left_out() -> None:
    knowledge = Knowledge((("c", "b"), ("b", "a")), (("c", "a"),), (), "node")
    beliefs = found("abc", knowledge.constraints(list("abcy"), "y"))
    a, b, c, y = range(4)
    assert (beliefs.graphs[:, c, b] == 1).all()
    assert (beliefs.graphs[:, b, a] == 1).all()
    assert not beliefs.graphs[:, [c, a], [a, c]].any()
    assert (beliefs.graphs[:, b, y] + beliefs.graphs[:, y, b] == 1).all()


def test_forbidden_edges_that_leave_a_cycle_alone_are_no_order() -> None:
    forbidden = (("b", "a"), ("c", "b"), ("a", "c"))  # left are a → b → c → a
    constraints = Knowledge((), forbidden, (), "node").constraints(list("abcy"), "y")
    graphs = found("abc", constraints).graphs
    cycle = graphs[:, [0, 1, 2], [1, 2, 0]]
    assert (graphs[:, :3, :3].sum(axis=(1, 2)) == cycle.sum(axis=1)).all()
    assert set(cycle.sum(axis=1)) == {1.0, 2.0}


def test_it_keeps_the_contract_of_discoverers() -> None:
    check_discoverer(RandomOrder())


@pytest.mark.slow
def test_rows_of_random_orders_keep_the_relations_that_rows_without_edges_lose() -> None:
    real, fresh = (linear_scm(600, np.random.default_rng(seed))[0] for seed in (0, 9))

    def detection(discoverer: str) -> float:
        scm: dict[str, object] = {"name": "scm", "discoverer": discoverer}
        rows = real.with_frame(augment(real.frame, "y", 600, generator=scm))
        both, whose = np.vstack([fresh.encode(), rows.encode()]), np.repeat([0, 1], 600)
        forest = RandomForestClassifier(200, min_samples_leaf=5, random_state=0)
        guessed = cross_val_predict(forest, both, whose, cv=3, method="predict_proba")[:, 1]
        return float(roc_auc_score(whose, guessed))

    assert detection("no-edges") > 0.7
    assert detection("random-order") < 0.6
