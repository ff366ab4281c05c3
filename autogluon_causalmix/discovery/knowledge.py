"""`Knowledge`: what the user knows of the graph, and `Constraints`, the same as matrices."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from autogluon_causalmix.errors import ConfigError

Edge = tuple[str | int, str | int]
Relation = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Knowledge:
    """What is known of the causes before any row is seen.

    Parameters
    ----------
    required, forbidden : tuple of (cause, effect)
        Edges that every graph has, and edges that none has.
    tiers : tuple of tuples of columns
        Columns in the order of time: none causes a column of an earlier tier. Columns left out are free.
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
    tiers: tuple[tuple[str | int, ...], ...] = ()
    label: Literal["node", "sink"] = "node"

    def constraints(self, nodes: Sequence[Hashable], target: Hashable) -> "Constraints":
        """Return the knowledge as matrices over `nodes`.

        Raises
        ------
        ConfigError
            A column does not exist, required edges form a cycle, or an edge is both required and forbidden.
        """
        place = {node: index for index, node in enumerate(nodes)}
        self._check_columns(place)
        allowed = ~np.eye(len(nodes), dtype=bool)
        for cause, effect in self.forbidden:
            allowed[place[cause], place[effect]] = False
        for later, tier in enumerate(self.tiers):
            earlier = [place[column] for other in self.tiers[:later] for column in other]
            allowed[np.ix_([place[column] for column in tier], earlier)] = False
        if self.label == "sink":
            allowed[place[target]] = False
        required = np.zeros_like(allowed)
        for cause, effect in self.required:
            if not allowed[place[cause], place[effect]]:
                raise ConfigError(
                    f"the edge {cause!r} → {effect!r} is required, but 'forbidden', 'tiers' or 'label' forbid it"
                )
            required[place[cause], place[effect]] = True
        if _reachable(required).diagonal().any():
            raise ConfigError(f"the required edges form a cycle: {list(self.required)}")
        return Constraints(allowed & ~required.T, required)

    def _check_columns(self, place: dict[Hashable, int]) -> None:
        named = [column for edge in (*self.required, *self.forbidden) for column in edge]
        named += [column for tier in self.tiers for column in tier]
        unknown = [column for column in named if column not in place]
        if unknown:
            raise ConfigError(
                f"the knowledge names {unknown[0]!r}, which is no column; the columns are {list(place)}"
            )


@dataclass(frozen=True)
class Constraints:
    """Knowledge over the columns of one table, entry [i, j] about the edge i → j.

    Attributes
    ----------
    allowed, required : numpy.ndarray of bool
        Shape (columns, columns); every required edge is allowed, its reverse is not.
    """

    allowed: Relation
    required: Relation

    @classmethod
    def none(cls, n_columns: int) -> "Constraints":
        """Return the constraints of somebody who knows nothing."""
        return cls(~np.eye(n_columns, dtype=bool), np.zeros((n_columns, n_columns), dtype=bool))

    @property
    def possible(self) -> Relation:
        """Pairs that may be adjacent, symmetric."""
        return self.allowed | self.allowed.T


def _reachable(edges: Relation) -> Relation:
    """Return whether a path of at least one edge leads from i to j."""
    reach = edges.copy()
    for middle in range(len(edges)):
        reach |= reach[:, middle, None] & reach[middle]
    return reach
