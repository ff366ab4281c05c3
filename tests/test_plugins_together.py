"""All packages of `plugins/` in one environment: `make test-together` runs this in theirs."""

import importlib.metadata
import tomllib
from pathlib import Path

import pytest

from autogluon_causalmix.hookspecs import NAME
from autogluon_causalmix.plugins import plugin_registry

PROJECTS = [
    tomllib.loads(path.read_text(encoding="utf-8"))
    for path in Path(__file__).parents[1].glob("plugins/*/pyproject.toml")
]
PACKAGES = {each["project"]["name"] for each in PROJECTS if "causalmix" not in each["tool"]}
"""Those that `make test-plugins` installs."""


def installed() -> set[str]:
    points = importlib.metadata.entry_points(group=NAME)
    return {point.dist.name for point in points if point.dist}


@pytest.mark.skipif(not installed() >= PACKAGES, reason="not all packages are installed here")
def test_all_packages_load_side_by_side_and_each_registers_something() -> None:
    plugins = plugin_registry()
    assert plugins.failures == []
    owners = {entry.owner.distribution for registry in plugins.registries for entry in registry}
    assert owners >= PACKAGES
