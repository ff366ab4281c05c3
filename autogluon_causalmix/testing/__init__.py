"""Checks for authors of plugins, and tables with known causes."""

from autogluon_causalmix.testing.backbones import check_backbone
from autogluon_causalmix.testing.discoverers import check_discoverer
from autogluon_causalmix.testing.generators import check_generator
from autogluon_causalmix.testing.metrics import check_metric
from autogluon_causalmix.testing.tables import linear_scm, mixed_scm, toy_tables

__all__ = [
    "check_backbone",
    "check_discoverer",
    "check_generator",
    "check_metric",
    "linear_scm",
    "mixed_scm",
    "toy_tables",
]
