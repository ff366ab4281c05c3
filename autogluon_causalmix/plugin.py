"""Everything that the author of a plugin imports.

A plugin is a module named by an entry point of the group ``autogluon_causalmix``::

    from dataclasses import dataclass

    from autogluon_causalmix.plugin import Resources, Table, hookimpl

    @dataclass(frozen=True)
    class Noisy:
        scale: float = 0.1

        def fit(self, table: Table, rng, resources: Resources): ...

    @hookimpl
    def causalmix_register_generators(register):
        register("noisy", Noisy)

The checks for a plugin's own tests are in `autogluon_causalmix.testing`.
"""

from autogluon_causalmix.arrays import Indices, Mask, Matrix
from autogluon_causalmix.backbones.protocol import Backbone, InContextModel
from autogluon_causalmix.column import Column
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.protocol import Discoverer
from autogluon_causalmix.errors import (
    CausalMixError,
    CheckpointError,
    ConfigError,
    NotApplicable,
    OutOfTime,
)
from autogluon_causalmix.fidelity.protocol import Better, Metric, Samples
from autogluon_causalmix.generators.protocol import FittedGenerator, Generator
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.records import BackboneFacts
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

__all__ = [
    "Backbone",
    "BackboneFacts",
    "Better",
    "CausalMixError",
    "CheckpointError",
    "Column",
    "ConfigError",
    "Constraints",
    "Discoverer",
    "EdgeBeliefs",
    "FittedGenerator",
    "Generator",
    "InContextModel",
    "Indices",
    "Mask",
    "Matrix",
    "Metric",
    "NotApplicable",
    "OutOfTime",
    "Register",
    "Resources",
    "Samples",
    "Table",
    "hookimpl",
]
