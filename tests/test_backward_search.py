"""The backward search: no deletion has a gain at the end, and it finds the true graph."""

from collections.abc import Iterator
from itertools import product

import networkx as nx
import numpy as np
import pytest

from autogluon_causalmix.arrays import Adjacency, Marks
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.causal_learn import directed
from autogluon_causalmix.discovery.score.backward_search import backward_search, class_of, member_of
from autogluon_causalmix.discovery.score.degenerate_gaussian import DegenerateGaussianBIC
from autogluon_causalmix.discovery.score.normalized_likelihood import QuotientNML
from autogluon_causalmix.discovery.score.protocol import total_score


def random_dag(rng: np.random.Generator, n: int, density: float) -> Adjacency:
    order = rng.permutation(n)
    return np.asarray((np.triu(rng.random((n, n)) < density, 1))[np.ix_(order, order)])


def members(marks: Marks) -> Iterator[Adjacency]:
    """Yield every graph of a class, by trying both directions of every undirected edge."""
    dag = (marks == -1) & (marks.T == 1)
    free = np.argwhere(np.triu((marks == -1) & (marks.T == -1)))
    for turns in product([False, True], repeat=len(free)):
        one = dag.copy()
        for (x, y), turn in zip(free, turns, strict=True):
            one[(y, x) if turn else (x, y)] = True
        if (
            nx.is_directed_acyclic_graph(nx.from_numpy_array(one, create_using=nx.DiGraph))
            and (class_of(one) == marks).all()
        ):
            yield one


@pytest.mark.parametrize("seed", range(30))
def test_class_of__random_graph__as_causal_learn_says(seed: int) -> None:
    from causallearn.utils.DAG2CPDAG import dag2cpdag

    rng = np.random.default_rng(seed)
    dag = random_dag(rng, int(rng.integers(2, 14)), rng.uniform(0.1, 0.9))
    assert (class_of(dag) == dag2cpdag(directed(dag)).graph).all()


@pytest.mark.parametrize("seed", range(30))
def test_member_of__class_of_a_random_graph__is_in_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    marks = class_of(random_dag(rng, 9, rng.uniform(0.1, 0.9)))
    dag = member_of(marks)
    assert nx.is_directed_acyclic_graph(nx.from_numpy_array(dag, create_using=nx.DiGraph))
    assert (class_of(dag) == marks).all()


def test_member_of__undirected_square__is_an_error() -> None:
    square = -np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]])
    with pytest.raises(ValueError, match="no directed graph"):
        member_of(square)


@pytest.mark.parametrize("seed", range(12))
def test_backward_search__random_categories__no_deletion_in_any_graph_of_the_class_gains(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(3, size=(300, 6))
    for node in range(1, 6):  # an interaction of two columns, in seven rows of ten
        one, other = codes[:, rng.integers(node, size=2)].T
        codes[:, node] = np.where(rng.random(300) < 0.7, one * other % 3, codes[:, node])
    score, start = QuotientNML(codes, np.ones(300)), random_dag(rng, 6, 0.8)
    marks = backward_search(score, start)
    graphs = list(members(marks))
    reached = total_score(score, graphs[0])
    assert reached >= total_score(score, start) - 1e-9
    for dag in graphs:
        assert total_score(score, dag) == pytest.approx(reached)
        for x, y in np.argwhere(dag):
            less = dag.copy()
            less[x, y] = False
            assert total_score(score, less) <= reached + 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_backward_search__from_all_edges__finds_the_true_class(seed: int) -> None:
    """With enough rows, deletions from the complete graph lead there (Chickering, 2002)."""
    rng = np.random.default_rng(seed)
    true = random_dag(rng, 6, 0.4)
    values = rng.normal(size=(20_000, 6))
    weights = np.where(
        true, rng.choice([-1.0, 1.0], size=(6, 6)) * rng.uniform(0.5, 1.0, size=(6, 6)), 0.0
    )
    values = values @ np.linalg.inv(np.eye(6) - weights)
    score = DegenerateGaussianBIC(Blocks.of(values, []).correlations(), penalty=3.0)
    complete = np.triu(np.ones((6, 6), dtype=bool), 1)
    assert (backward_search(score, complete) == class_of(true)).all()
