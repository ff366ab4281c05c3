"""Discoverers that look at no row: what every other has to beat."""

import time
from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.bootstraps import nodes_of, star
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class TargetStar:
    """A control: the target causes every feature, and nothing else is related (naive Bayes).

    Where the user's knowledge forbids an edge, it is turned round if that is allowed.
    """

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return the star."""
        return star(table, constraints, time.monotonic(), ())


@dataclass(frozen=True)
class NoEdges:
    """A control: all columns are independent, but for the edges that the user requires."""

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return the empty graph."""
        return EdgeBeliefs(
            nodes_of(table), constraints.required.astype("float64")[None], constraints
        )


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register what this module knows."""
    register("target-star", TargetStar)
    register("no-edges", NoEdges)
