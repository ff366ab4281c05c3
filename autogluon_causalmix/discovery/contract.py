"""The contract of a discoverer, which may be foreign code: what it gets and what it returns."""

import math
from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from autogluon_causalmix import border
from autogluon_causalmix.arrays import Mask, Matrix
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.bootstraps import nodes_of
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.protocol import Discoverer
from autogluon_causalmix.entry import Owner
from autogluon_causalmix.errors import DiscovererError
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

ROUNDING = 1e-6
"""Most by which the probabilities of both directions of an edge may miss 1."""

Returned = TypeVar("Returned")


def discover(
    discoverer: Discoverer,
    table: Table,
    constraints: Constraints,
    rng: np.random.Generator,
    resources: Resources,
    *,
    owner: Owner,
) -> EdgeBeliefs:
    """Run a discoverer on copies of its arguments, and check the beliefs that it returns.

    Parameters
    ----------
    discoverer : Discoverer
        The result of `autogluon_causalmix.entry.Entry.create`.
    table : Table
        The rows; the discoverer gets a copy, so that it cannot change them.
    constraints : Constraints
        The user's knowledge.
    rng : numpy.random.Generator
        Source of all its randomness.
    resources : Resources
        What it may spend.
    owner : Owner
        Named in errors.

    Raises
    ------
    DiscovererError
        It raised, or its beliefs break the contract of `check_beliefs`.
    ConfigError
        It says that an option does not suit this table.
    OutOfTime
        It says that its time was too short.

    Examples
    --------
    >>> import pandas as pd
    >>> from autogluon_causalmix.discovery.controls import TargetStar
    >>> frame = pd.DataFrame({"dose": [1, 2, 3], "cured": ["no", "no", "yes"]})
    >>> table, nothing = Table.from_frame(frame, target="cured"), Constraints.none(2)
    >>> owner = Owner("controls", "autogluon-causalmix", "0.1.0")
    >>> rng = np.random.default_rng(0)
    >>> discover(TargetStar(), table, nothing, rng, Resources(10.0), owner=owner).probability
    array([[0., 0.],
           [1., 0.]])
    """
    label = f"{type(discoverer).__name__}.discover ({owner})"
    copy = table.take(np.arange(len(table)))
    known = Constraints(constraints.allowed.copy(), constraints.required.copy())
    found = border.call(
        lambda: discoverer.discover(copy, known, rng, resources), label, DiscovererError
    )
    check_beliefs(found, table, constraints, owner=owner)
    return found


def check_beliefs(found: object, table: Table, constraints: Constraints, *, owner: Owner) -> None:
    """Check what a discoverer returned; nothing is repaired.

    Parameters
    ----------
    found : EdgeBeliefs
        What `Discoverer.discover` returned.
    table : Table
        The rows that it was given.
    constraints : Constraints
        The user's knowledge that it was given.
    owner : Owner
        Named in errors.

    Raises
    ------
    DiscovererError
        The beliefs break the contract: `EdgeBeliefs` whose nodes are the columns of `table` in
        their order; one graph or more, shape (graphs, columns, columns), of finite floats in
        [0, 1]; no edge from a column to itself; the two directions of a pair add up to 1, or to 0
        where there is no edge; no edge that `constraints` forbid, and every edge that they require;
        the same constraints; seconds of at least 0; notes that are strings.
    """
    label = f"the discoverer of {owner}"
    breach = border.call(
        lambda: next(_breaches(found, table, constraints), None), label, DiscovererError
    )
    if breach is not None:
        raise DiscovererError(f"{label} broke the contract of its beliefs: {breach}")


def _breaches(found: object, table: Table, constraints: Constraints) -> Iterator[str]:
    """Yield what is wrong with beliefs; later checks rely on earlier ones."""
    names = nodes_of(table)
    if not isinstance(found, EdgeBeliefs):
        yield f"it returned {type(found).__name__}, not EdgeBeliefs"
        return
    if not isinstance(found.nodes, tuple) or found.nodes != names:
        yield f"its nodes are {found.nodes!r}, not the columns {names!r}"
    yield from _breaches_of_graphs(found.graphs, names)
    yield from _breaches_of_constraints(found, constraints, names)
    seconds = found.seconds
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        yield f"its seconds are {seconds!r}, not a number of at least 0"
    if not isinstance(found.notes, tuple) or not all(isinstance(each, str) for each in found.notes):
        yield f"its notes are no tuple of strings: {found.notes!r}"


def _breaches_of_graphs(graphs: object, names: tuple[object, ...]) -> Iterator[str]:
    """Yield what is wrong with the probabilities of edges, whatever is known."""
    wanted = f"(graphs, {len(names)}, {len(names)})"
    if not isinstance(graphs, np.ndarray) or not np.issubdtype(graphs.dtype, np.floating):
        kind = graphs.dtype if isinstance(graphs, np.ndarray) else type(graphs).__name__
        yield f"its graphs are {kind}, not an array of floats with shape {wanted}"
        return
    if graphs.ndim != 3 or graphs.shape[1:] != (len(names), len(names)) or len(graphs) == 0:
        yield f"its graphs have shape {graphs.shape}, not {wanted} with one graph or more"
        return
    outside = ~((graphs >= 0.0) & (graphs <= 1.0))  # also where NaN
    if outside.any():
        yield f"{_first(outside, graphs, names)}, not a probability"
    own = np.eye(len(names), dtype=bool) & (graphs != 0.0)
    if own.any():
        yield f"{_first(own, graphs, names)}, but no column causes itself"
    both = graphs + graphs.transpose(0, 2, 1)
    wrong = (both != 0.0) & (np.abs(both - 1.0) > ROUNDING)
    if wrong.any():
        place = _place(wrong)
        yield (
            f"{_first(wrong, graphs, names)}; with the other direction that is {both[place]:.9g}, "
            "neither 1 (an edge) nor 0 (none)"
        )


def _breaches_of_constraints(
    found: EdgeBeliefs, constraints: Constraints, names: tuple[object, ...]
) -> Iterator[str]:
    """Yield where beliefs break the user's knowledge."""
    forbidden = ~constraints.allowed & (found.graphs != 0.0)
    if forbidden.any():
        yield f"{_first(forbidden, found.graphs, names)}, but the edge is forbidden"
    missing = constraints.required & (found.graphs != 1.0)
    if missing.any():
        yield f"{_first(missing, found.graphs, names)}, but the edge is required"
    kept = found.constraints
    if not isinstance(kept, Constraints) or not (
        np.array_equal(kept.allowed, constraints.allowed)
        and np.array_equal(kept.required, constraints.required)
    ):
        yield "its constraints are not those that it was given"


def _first(mask: Mask, graphs: Matrix, names: tuple[object, ...]) -> str:
    """Say the probability of the first edge of a mask, shape (graphs, columns, columns)."""
    graph, cause, effect = place = _place(mask)
    return f"in graph {graph}, {names[cause]!r} → {names[effect]!r} is {graphs[place]:g}"


def _place(mask: Mask) -> tuple[int, int, int]:
    graph, cause, effect = np.argwhere(mask)[0].tolist()
    return graph, cause, effect
