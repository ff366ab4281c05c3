"""The user's knowledge as matrices: a known order, names of any kind, and contradictions."""

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogluon_causalmix.discovery.knowledge import Edge, Knowledge, Tier
from autogluon_causalmix.entry import Entry, Kind, Owner
from autogluon_causalmix.errors import ConfigError

NAMES = ["a", "b", "c", "d"]
orders = st.permutations(range(6))


def cut(order: list[int], size: int) -> tuple[Tier, ...]:
    """Return an order of columns in tiers of equal size."""
    return tuple(tuple(order[begin : begin + size]) for begin in range(0, len(order), size))


@given(orders, st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_constraints__knowledge_of_a_known_order__are_its_matrices(
    order: list[int], size: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    time = {column: place // size for place, column in enumerate(order)}
    edges = [(a, b) for place, a in enumerate(order) for b in order[place + 1 :]]
    kinds = rng.integers(4, size=len(edges))
    required = tuple(edge for edge, kind in zip(edges, kinds, strict=True) if kind == 0)
    forbidden = tuple(edge for edge, kind in zip(edges, kinds, strict=True) if kind == 1)
    found = Knowledge(required, forbidden, cut(order, size)).constraints(range(6), 0)
    for cause in range(6):
        for effect in range(6):
            edge = (cause, effect)
            assert found.required[edge] == (edge in required)
            assert found.allowed[edge] == (
                cause != effect
                and edge not in forbidden
                and edge[::-1] not in required
                and time[cause] <= time[effect]
            )


@given(orders, st.integers(0, 4), st.data())
def test_constraints__a_required_edge_against_the_order__is_an_error(
    order: list[int], place: int, data: st.DataObject
) -> None:
    early = order[place]
    late = data.draw(st.sampled_from(order[place + 1 :]))
    with pytest.raises(ConfigError, match=f"^the knowledge contradicts itself: {late} → {early} "):
        Knowledge(required=((late, early),), tiers=cut(order, 1)).constraints(range(6), 0)
    chain = tuple(pairwise(order))
    with pytest.raises(ConfigError, match="form a cycle"):
        Knowledge(required=(*chain, (late, early))).constraints(range(6), 0)


ab: Any = ("a", "b")


@pytest.mark.parametrize(
    ("knowledge", "message"),
    [
        (Knowledge(required=(("a", "zebra"),)), "'required' names 'zebra', which is no column"),
        (Knowledge(forbidden=((7, "a"),)), "'forbidden' names 7, which is no column"),
        (Knowledge(tiers=(("a",), ("zebra",))), "'tiers' names 'zebra', which is no column"),
        (Knowledge(required=(ab,), forbidden=(ab,)), "'a' → 'b' is required, but it is also forb"),
        (
            Knowledge(required=(("b", "a"),), tiers=(("a",), ("b",))),
            "'b' → 'a' is required, but 'tiers' has 'a' in tier 1 and 'b' in tier 2",
        ),
        (
            Knowledge(required=(("b", "d"), ("d", "a")), tiers=(("a",), ("b",))),
            "'b' → 'd' → 'a' is required, but 'tiers' has 'a' in tier 1 and 'b' in tier 2",
        ),
        (
            Knowledge(required=(("c", "a"),), label="sink"),
            "'c' → 'a' is required, but label='sink'",
        ),
        (
            Knowledge(tiers=(("a",), ("b",), ("a",))),
            "'tiers' has 'a' in tier 1 and again in tier 3",
        ),
        (Knowledge(tiers=(("b", "a", "b"),)), "'tiers' has 'b' in tier 1 and again in tier 1"),
        (Knowledge(required=(("a", "a"),)), "'required' has an edge from the column 'a' to itself"),
        (Knowledge(forbidden=(("b", "b"),)), "'forbidden' has an edge from the column 'b' to its"),
        (
            Knowledge(required=(("d", "a"), ("a", "b"), ("b", "c"), ("c", "a"))),
            "the required edges form a cycle: 'a' → 'b' → 'c' → 'a'",
        ),
        (Knowledge(required=(ab, ("b", "a"))), "the required edges form a cycle: 'a' → 'b' → 'a'"),
    ],
)
def test_a_contradiction_is_an_error_that_says_so(knowledge: Knowledge, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        knowledge.constraints(NAMES, "c")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("required", (), "an edge in 'required' is a pair (cause, effect), got ()"),
        (
            "forbidden",
            ("a", "b", "c"),
            "an edge in 'forbidden' is a pair (cause, effect), got ('a'",
        ),
        ("required", "ab", "an edge in 'required' is a pair (cause, effect), got 'ab'"),
        ("tiers", "ab", "tier 1 of 'tiers' is a list of columns, got 'ab'"),
        ("required", ({}, "a"), "'required' names {}, which is no column"),
    ],
)
def test_a_malformed_edge_or_tier_is_an_error(option: str, value: Any, message: str) -> None:
    options: dict[str, Any] = {option: (value,)}
    with pytest.raises(ConfigError) as caught:
        Knowledge(**options).constraints(NAMES, "c")
    assert message in str(caught.value)


@dataclass(frozen=True)
class Options:
    """Options that name columns, as a generator declares them."""

    required: tuple[Edge, ...] = ()
    tiers: tuple[Tier, ...] = ()


@pytest.mark.parametrize(
    "names",
    [
        ["dose", "age", "ill"],
        [1.5, 2.0, -0.25],
        [3, 1, 2],
        [("x", 1), ("x", 2), ("y", 1)],
        [("x", 0.5), "x", 0.5],
    ],
    ids=str,
)
def test_names_of_any_kind_are_found_also_after_json(names: list[Hashable]) -> None:
    expected = Knowledge(required=((0, 2),), tiers=((1,), (0, 2))).constraints(range(3), 2)
    entry: Entry[Any] = Entry(
        Kind("generator", object), "options", Options, Owner("here", "this package", "0")
    )
    json: list[Any] = [list(name) if isinstance(name, tuple) else name for name in names]
    written: dict[str, Any] = {
        "required": [[json[0], json[2]]],
        "tiers": [[json[1]], [json[0], json[2]]],
    }
    parsed = entry.create(written)
    for known in (parsed, Options(**written)):  # lists may also come without a check of types
        found = Knowledge(known.required, (), known.tiers).constraints(names, names[2])
        assert (found.allowed == expected.allowed).all()
        assert (found.required == expected.required).all()
