"""The contract of discoverers: the built-in ones keep it, and each planted fault is named."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.contract import check_beliefs, discover
from autogluon_causalmix.discovery.knowledge import Constraints, Knowledge
from autogluon_causalmix.discovery.protocol import Discoverer
from autogluon_causalmix.entry import Owner
from autogluon_causalmix.errors import ConfigError, DiscovererError, OutOfTime
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import toy_tables

OWNER = Owner("seer", "causalmix-seer", "1.2")
KNOWN = Knowledge(required=(("a", "b"),), forbidden=(("c", "a"),)).constraints(["a", "b", "c"], "c")


def small_table() -> Table:
    values = np.random.default_rng(0).normal(size=(30, 2))
    frame = pd.DataFrame(values, columns=["a", "b"])
    return Table.from_frame(frame.assign(c=np.where(values[:, 1] > 0, "yes", "no")), "c")


def beliefs() -> EdgeBeliefs:
    """Return beliefs that keep the contract: a → b is certain, b – c undecided in one of two."""
    graphs = np.zeros((2, 3, 3))
    graphs[:, 0, 1] = graphs[0, 1, 2] = 1.0
    graphs[1, 1, 2], graphs[1, 2, 1] = 0.7, 0.3
    return EdgeBeliefs(("a", "b", "c"), graphs, KNOWN, 0.1, ("a note",))


@dataclass(frozen=True)
class Seer:
    """A discoverer that returns the result of a function of its arguments."""

    answer: Callable[[Table, Constraints], Any]

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        found: EdgeBeliefs = self.answer(table, constraints)
        return found


def discovered(seer: Seer) -> EdgeBeliefs:
    rng = np.random.default_rng(0)
    return discover(seer, small_table(), KNOWN, rng, Resources(10.0), owner=OWNER)


def with_graphs(change: Callable[[Matrix], Any]) -> EdgeBeliefs:
    """Return the good beliefs with the graphs that `change` returns."""
    return replace(beliefs(), graphs=change(beliefs().graphs))


def with_entry(place: tuple[int, int, int], value: float) -> EdgeBeliefs:
    """Return the good beliefs with another probability."""
    found = beliefs()
    found.graphs[place] = value
    return found


loose: Any = replace  # faults have types that no type checker would allow

FAULTS: dict[str, tuple[Any, str]] = {
    "no beliefs": (None, "it returned NoneType, not EdgeBeliefs"),
    "a matrix": (np.zeros((1, 3, 3)), "it returned ndarray, not EdgeBeliefs"),
    "other nodes": (
        replace(beliefs(), nodes=("a", "c", "b")),
        "its nodes are ('a', 'c', 'b'), not",
    ),
    "a list of nodes": (loose(beliefs(), nodes=["a", "b", "c"]), "its nodes are ['a', 'b', 'c']"),
    "lists": (with_graphs(lambda graphs: graphs.tolist()), "its graphs are list, not an array"),
    "whole numbers": (with_graphs(lambda graphs: graphs.astype(int)), "its graphs are int64"),
    "one graph": (with_graphs(lambda graphs: graphs[0]), "its graphs have shape (3, 3)"),
    "no graph": (with_graphs(lambda graphs: graphs[:0]), "its graphs have shape (0, 3, 3)"),
    "a column less": (with_graphs(lambda graphs: graphs[:, :2, :2]), "have shape (2, 2, 2)"),
    "nan": (with_entry((1, 1, 2), np.nan), "in graph 1, 'b' → 'c' is nan, not a probability"),
    "infinite": (with_entry((1, 1, 2), np.inf), "in graph 1, 'b' → 'c' is inf, not a probability"),
    "above one": (with_entry((0, 1, 2), 1.5), "in graph 0, 'b' → 'c' is 1.5, not a probability"),
    "below zero": (with_entry((0, 2, 1), -0.5), "in graph 0, 'c' → 'b' is -0.5, not a probab"),
    "a loop": (with_entry((1, 2, 2), 1.0), "in graph 1, 'c' → 'c' is 1, but no column causes its"),
    "half an edge": (
        with_entry((1, 2, 1), 0.0),
        "in graph 1, 'b' → 'c' is 0.7; with the other direction that is 0.7, neither 1 (an edge)",
    ),
    "two edges": (with_entry((0, 2, 1), 1.0), "with the other direction that is 2, neither 1"),
    "a forbidden edge": (
        with_graphs(lambda graphs: graphs + np.eye(3)[2][:, None] * np.eye(3)[0]),
        "in graph 0, 'c' → 'a' is 1, but the edge is forbidden",
    ),
    "a required edge missing": (
        with_entry((1, 0, 1), 0.0),
        "in graph 1, 'a' → 'b' is 0, but the edge is required",
    ),
    "other constraints": (
        replace(beliefs(), constraints=Constraints.none(3)),
        "its constraints are not those that it was given",
    ),
    "no constraints": (loose(beliefs(), constraints=None), "its constraints are not those"),
    "no seconds": (loose(beliefs(), seconds=None), "its seconds are None, not a number"),
    "endless": (replace(beliefs(), seconds=float("inf")), "its seconds are inf, not a number"),
    "a note as text": (loose(beliefs(), notes="a note"), "its notes are no tuple of strings: 'a"),
    "a number as note": (loose(beliefs(), notes=(1,)), "its notes are no tuple of strings: (1,)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_the_plugin(fault: str) -> None:
    answer, message = FAULTS[fault]
    with pytest.raises(DiscovererError) as caught:
        discovered(Seer(lambda *_: answer))
    assert message in str(caught.value)
    assert str(OWNER) in str(caught.value)


def test_good_beliefs_come_back_as_they_are() -> None:
    good = beliefs()
    assert discovered(Seer(lambda *_: good)) is good
    check_beliefs(good, small_table(), KNOWN, owner=OWNER)


def raising(error: BaseException) -> Seer:
    def answer(*_: object) -> None:
        raise error

    return Seer(answer)


@pytest.mark.parametrize(
    "error", [ValueError("odd"), KeyError("a"), AssertionError(), OSError(5), SystemExit("bye")]
)
def test_what_a_discoverer_raises_becomes_one_error_with_its_cause(error: BaseException) -> None:
    with pytest.raises(DiscovererError) as caught:
        discovered(raising(error))
    assert caught.value.__cause__ is error
    said = f"Seer.discover ({OWNER}) raised {type(error).__name__}: {error}"
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "error", [ConfigError("alpha"), OutOfTime("late"), MemoryError(), KeyboardInterrupt()]
)
def test_errors_with_a_meaning_of_their_own_pass(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        discovered(raising(error))
    assert caught.value is error


def test_a_class_without_the_method_is_named() -> None:
    nothing: Any = object()
    with pytest.raises(DiscovererError, match="has no attribute 'discover'"):
        discovered(nothing)


def test_a_discoverer_cannot_change_what_it_is_given() -> None:
    table, known = small_table(), Constraints(KNOWN.allowed.copy(), KNOWN.required.copy())
    pristine = table.frame.copy(deep=True)

    def vandal(given: Table, constraints: Constraints) -> EdgeBeliefs:
        given.frame.loc[:, "a"] = 0.0
        constraints.allowed[:] = True
        return replace(beliefs(), constraints=constraints)

    rng = np.random.default_rng(0)
    with pytest.raises(DiscovererError, match="its constraints are not those"):
        discover(Seer(vandal), table, known, rng, Resources(10.0), owner=OWNER)
    assert table.frame.equals(pristine)
    assert (known.allowed == KNOWN.allowed).all()


@pytest.mark.parametrize("name", [entry.name for entry in plugin_registry().of(Discoverer)])
def test_every_registered_discoverer_keeps_the_contract(name: str) -> None:
    entry = plugin_registry().of(Discoverer).get(name)
    options = {"bootstraps": 2} if "bootstraps" in entry.options() else {}
    for table in toy_tables(0).values():
        names = [column.name for column in table.columns]
        first, second, *_ = names
        known: Any = Knowledge(required=((first, second),), tiers=((first,), (second,)))  # type: ignore[arg-type]
        for constraints in (Constraints.none(len(names)), known.constraints(names, table.target)):
            rng = np.random.default_rng(0)
            step = entry.create(options)
            discover(step, table, constraints, rng, Resources(60.0), owner=entry.owner)
