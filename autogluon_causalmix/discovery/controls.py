"""Discoverers that ignore the rows, as controls in comparisons."""

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
    """A control: the target causes every feature, and there is no other edge (naive Bayes).

    A forbidden edge is reversed if that is allowed.
    """

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return the star."""
        return star(table, constraints, time.monotonic(), ())


@dataclass(frozen=True)
class NoEdges:
    """A control: there is no edge, except for required ones."""

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return the empty graph."""
        return EdgeBeliefs(
            nodes_of(table), constraints.required.astype("float64")[None], constraints
        )


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register the built-in controls."""
    register("target-star", TargetStar)
    register("no-edges", NoEdges)
