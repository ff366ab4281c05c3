"""`Knowledge`: what the user knows of the graph, and `Constraints`, the same as matrices."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import networkx as nx
import numpy as np

from autogluon_causalmix.arrays import Adjacency
from autogluon_causalmix.errors import ConfigError

Name = str | int | float | tuple[str | int | float, ...]
"""The name of a column as an option, which is JSON: a tuple is given as a list."""

Edge = tuple[Name, Name]
"""Cause and effect."""

Tier = tuple[Name, ...]
"""Columns of one time."""

Place = dict[Hashable, int]
"""Positions of columns by name."""

Pair = tuple[int, int]
"""Positions of cause and effect."""


@dataclass(frozen=True)
class Knowledge:
    """What is known of the causes before any row is seen.

    Parameters
    ----------
    required, forbidden : tuple of (cause, effect)
        Edges that every graph has, and edges that no graph has.
    tiers : tuple of tuples of columns
        Columns in the order of time: none causes a column of an earlier tier. Columns that are in
        no tier are free.
    label : {"node", "sink"}
        Whether the target is a node like any other, or causes nothing.

    Examples
    --------
    >>> known = Knowledge(required=(("dose", "ill"),), tiers=(("age",), ("dose", "ill")))
    >>> known.constraints(["age", "dose", "ill"], target="ill").allowed.astype(int)
    array([[0, 1, 1],
           [0, 0, 1],
           [0, 0, 0]])
    """

    required: tuple[Edge, ...] = ()
    forbidden: tuple[Edge, ...] = ()
    tiers: tuple[Tier, ...] = ()
    label: Literal["node", "sink"] = "node"

    def constraints(self, nodes: Sequence[Hashable], target: Hashable) -> "Constraints":
        """Return the knowledge as matrices over `nodes`.

        A list in the knowledge stands for a column whose name is the tuple of its items.

        Parameters
        ----------
        nodes : sequence
            The names of the columns.
        target : hashable
            The name of the target.

        Raises
        ------
        ConfigError
            A name is no column, an edge is not a pair of two columns, a column is named twice in
            the tiers, required edges form a cycle, or an edge is required that `forbidden`,
            `tiers` or `label` rule out. The message names the columns.
        """
        place = {node: index for index, node in enumerate(nodes)}
        required = [_edge("required", edge, place) for edge in self.required]
        forbidden = [_edge("forbidden", edge, place) for edge in self.forbidden]
        tiers = [_tier(number, tier, place) for number, tier in enumerate(self.tiers, start=1)]
        sink = place[target] if self.label == "sink" else None
        breach = next(_contradictions(required, forbidden, tiers, sink, list(nodes)), None)
        if breach is not None:
            raise ConfigError(f"the knowledge contradicts itself: {breach}")
        allowed = ~np.eye(len(nodes), dtype=bool)
        allowed[*_index(forbidden)] = False
        for earlier, later in combinations(tiers, 2):
            allowed[np.ix_(later, earlier)] = False
        if sink is not None:
            allowed[sink] = False
        needed = np.zeros_like(allowed)
        needed[*_index(required)] = True
        return Constraints(allowed & ~needed.T, needed)


@dataclass(frozen=True)
class Constraints:
    """Knowledge of the columns of one table; entry [i, j] is about the edge i → j.

    Attributes
    ----------
    allowed, required : numpy.ndarray of bool
        Shape (columns, columns); every required edge is allowed, its reverse is not.
    """

    allowed: Adjacency
    required: Adjacency

    @classmethod
    def none(cls, n_columns: int) -> "Constraints":
        """Return no constraints."""
        return cls(~np.eye(n_columns, dtype=bool), np.zeros((n_columns, n_columns), dtype=bool))

    @property
    def possible(self) -> Adjacency:
        """Pairs that may be adjacent, symmetric."""
        return self.allowed | self.allowed.T


def _edge(option: str, edge: object, place: Place) -> Pair:
    """Return the positions of the ends of an edge."""
    if not isinstance(edge, tuple | list) or len(edge) != 2:
        raise ConfigError(f"an edge in '{option}' is a pair (cause, effect), got {edge!r}")
    cause, effect = (_position(option, name, place) for name in edge)
    if cause == effect:
        raise ConfigError(f"'{option}' has an edge from the column {edge[0]!r} to itself")
    return cause, effect


def _tier(number: int, tier: object, place: Place) -> list[int]:
    """Return the positions of the columns of a tier."""
    if not isinstance(tier, tuple | list):
        raise ConfigError(f"tier {number} of 'tiers' is a list of columns, got {tier!r}")
    return [_position("tiers", name, place) for name in tier]


def _position(option: str, name: object, place: Place) -> int:
    """Return the position of a column; a list stands for a tuple, since JSON has no tuples."""
    key = _as_tuple(name)
    if not isinstance(key, Hashable) or key not in place:
        raise ConfigError(
            f"'{option}' names {name!r}, which is no column; the columns are {list(place)}"
        )
    return place[key]


def _as_tuple(name: object) -> object:
    return tuple(_as_tuple(part) for part in name) if isinstance(name, tuple | list) else name


def _index(edges: list[Pair]) -> tuple[list[int], list[int]]:
    """Return edges as an index of matrices."""
    return [cause for cause, _ in edges], [effect for _, effect in edges]


def _contradictions(
    required: list[Pair],
    forbidden: list[Pair],
    tiers: list[list[int]],
    sink: int | None,
    names: list[Hashable],
) -> Iterator[str]:
    """Yield what contradicts what; later checks rely on earlier ones."""
    tier_of: dict[int, int] = {}
    for number, column in (
        (number, column) for number, tier in enumerate(tiers, start=1) for column in tier
    ):
        if column in tier_of:
            first = tier_of[column]
            yield f"'tiers' has {names[column]!r} in tier {first} and again in tier {number}"
        tier_of[column] = number
    for edge in required:
        if edge in forbidden:
            yield f"{_path(edge, names)} is required, but it is also forbidden"
        if edge[0] == sink:
            yield f"{_path(edge, names)} is required, but label='sink' allows no effects"
    graph = nx.DiGraph(required)
    if not nx.is_directed_acyclic_graph(graph):
        causes = [cause for cause, _ in nx.find_cycle(graph)]
        yield f"the required edges form a cycle: {_path([*causes, causes[0]], names)}"
    yield from _paths_back_in_time(graph, tier_of, names)


def _paths_back_in_time(
    required: nx.DiGraph, tier_of: dict[int, int], names: list[Hashable]
) -> Iterator[str]:
    """Yield the required edges and paths from a column to one of an earlier tier."""
    for cause in sorted(required.nodes & tier_of.keys()):
        for effect in sorted(nx.descendants(required, cause) & tier_of.keys()):
            if tier_of[effect] < tier_of[cause]:
                path = _path(nx.shortest_path(required, cause, effect), names)
                yield (
                    f"{path} is required, but 'tiers' has {names[effect]!r} in tier "
                    f"{tier_of[effect]} and {names[cause]!r} in tier {tier_of[cause]}"
                )


def _path(columns: Sequence[int], names: list[Hashable]) -> str:
    return " → ".join(repr(names[column]) for column in columns)
