"""Registers the built-in discoverers that search with a score."""

from autogluon_causalmix.discovery.score.boss import BOSS
from autogluon_causalmix.discovery.score.ges import GES
from autogluon_causalmix.discovery.score.grasp import GRaSP
from autogluon_causalmix.hookspecs import Register, hookimpl


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register the built-in searches."""
    register("ges", GES)
    register("boss", BOSS)
    register("grasp", GRaSP)
