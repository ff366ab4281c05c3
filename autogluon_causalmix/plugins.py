"""`plugin_registry`: every plugin, built-in or installed, by kind and name."""

import importlib
import importlib.metadata
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import pluggy

from autogluon_causalmix import hookspecs
from autogluon_causalmix.backbones.protocol import Backbone
from autogluon_causalmix.discovery.protocol import Discoverer
from autogluon_causalmix.entry import Kind, Owner, Plugin
from autogluon_causalmix.errors import OutOfTime, PluginError, remedy
from autogluon_causalmix.fidelity.protocol import Metric
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.registry import Failure, Registry
from autogluon_causalmix.resources import cut_off

logger = logging.getLogger("autogluon.causalmix")

KINDS: tuple[Kind[Any], ...] = (
    Kind("generator", Generator),
    Kind("discoverer", Discoverer),
    Kind("backbone", Backbone),
    Kind("metric", Metric),
)
"""The kinds of plugin; each needs its hook in `hookspecs`, and nothing else."""

BUILT_IN = (
    "autogluon_causalmix.backbones.auto",
    "autogluon_causalmix.backbones.ensemble",
    "autogluon_causalmix.backbones.mitra",
    "autogluon_causalmix.backbones.tabicl",
    "autogluon_causalmix.backbones.tabpfn",
    "autogluon_causalmix.backbones.tabpfn_v1",
    "autogluon_causalmix.discovery.constraint.pc_fci",
    "autogluon_causalmix.discovery.controls",
    "autogluon_causalmix.discovery.random_order",
    "autogluon_causalmix.discovery.score.boss",
    "autogluon_causalmix.discovery.score.ges",
    "autogluon_causalmix.discovery.score.grasp",
    "autogluon_causalmix.fidelity.detection",
    "autogluon_causalmix.fidelity.distances",
    "autogluon_causalmix.fidelity.embedding",
    "autogluon_causalmix.fidelity.labels",
    "autogluon_causalmix.fidelity.manifold",
    "autogluon_causalmix.fidelity.pairwise",
    "autogluon_causalmix.fidelity.privacy",
    "autogluon_causalmix.fidelity.structure",
    "autogluon_causalmix.fidelity.univariate",
    "autogluon_causalmix.fidelity.utility",
    "autogluon_causalmix.generators.bootstrap",
    "autogluon_causalmix.generators.marginals",
    "autogluon_causalmix.generators.perturb",
    "autogluon_causalmix.generators.pfn",
    "autogluon_causalmix.generators.scm",
    "autogluon_causalmix.generators.tabebm",
)
"""Modules that register through the same hooks as any installed plugin; importing them is light."""

LOAD_SECONDS = 60.0
"""After which the import of an installed plugin, or the call of its hooks, is cut off; on a cold
disk torch takes half."""


@dataclass(frozen=True)
class Plugins:
    """Everything registered in this process.

    Attributes
    ----------
    registries : tuple of Registry
        One per kind, in the order of `KINDS`.
    failures : list of Failure
        The plugins that were skipped, with their distributions and the reasons.
    """

    registries: tuple[Registry[Any], ...]
    failures: list[Failure]

    def of(self, protocol: type[Plugin]) -> Registry[Plugin]:
        """Return the registry of the kind with this protocol.

        Examples
        --------
        >>> "bootstrap" in plugin_registry().of(Generator).names
        True
        """
        return next(own for own in self.registries if own.kind.protocol is protocol)


@cache
def plugin_registry() -> Plugins:
    """Return everything registered; plugins are loaded on the first call of a process.

    Examples
    --------
    >>> plugin_registry().of(Generator).get("bootstrap").owner.distribution
    'autogluon-causalmix'
    """
    return load_plugins()


def load_plugins() -> Plugins:
    """Load the built-in modules, then every entry point in the order of distribution and name.

    A plugin registers all of its names or none. One that cannot be imported in `LOAD_SECONDS`,
    misspells a hook, raises or hangs in one or claims a taken name is skipped with a warning, and
    listed in `Plugins.failures`. Each has a plugin manager of its own, so that no plugin can wrap
    or block the hooks of another.
    """
    failures: list[Failure] = []
    plugins = Plugins(tuple(Registry(kind, failures) for kind in KINDS), failures)
    for owner, load in _candidates():
        try:
            _register(load(), owner, plugins)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a border: plugins are foreign code
            failure = Failure(owner, _reason(error))
            failures.append(failure)
            logger.warning("\tSkipping %s", failure)
    return plugins


def _candidates() -> Iterator[tuple[Owner, Callable[[], object]]]:
    """Yield each plugin's owner and how to load it."""
    version = importlib.metadata.version("autogluon-causalmix")
    for path in BUILT_IN:
        yield Owner(path, "autogluon-causalmix", version), partial(importlib.import_module, path)
    found = importlib.metadata.entry_points(group=hookspecs.NAME)
    owned = [(Owner(point.name, *_distribution(point)), point) for point in found]
    for owner, point in sorted(owned, key=lambda pair: (pair[0].distribution, pair[0].plugin)):
        yield owner, partial(cut_off, LOAD_SECONDS, "its import", point.load, imports=True)


def _distribution(point: importlib.metadata.EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("no distribution", "unknown")


def _register(plugin: object, owner: Owner, plugins: Plugins) -> None:
    """Check the hooks of one plugin and call them; it registers all of its names or none."""
    manager = pluggy.PluginManager(hookspecs.NAME)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    _check_hooks(manager, plugin)

    def call() -> None:
        for registry in plugins.registries:
            hook = getattr(manager.hook, f"causalmix_register_{registry.kind.name}s")
            hook(register=partial(registry.add, owner=owner))

    try:
        cut_off(LOAD_SECONDS, "the call of its hooks", call, imports=True)
    except BaseException:
        for registry in plugins.registries:
            registry.remove(owner)
        raise


def _check_hooks(manager: pluggy.PluginManager, plugin: object) -> None:
    """Refuse a plugin with a hook that would never be called."""
    known = [name for name in vars(hookspecs) if name.startswith("causalmix_")]
    implemented = {caller.name for caller in manager.get_hookcallers(plugin) or ()}
    unknown = sorted(implemented - set(known))
    if unknown:
        raise PluginError(f"there is no hook {unknown[0]!r}; the hooks are {known}")
    named = {
        name
        for name in dir(plugin)
        if name.startswith("causalmix_") and callable(getattr(plugin, name))
    }
    unmarked = sorted(named - implemented)
    if unmarked:
        raise PluginError(
            f"{unmarked[0]!r} is not marked with @hookimpl, so it is no hook; the hooks are {known}"
        )
    if not implemented:
        raise PluginError(f"it implements no hook; the hooks are {known}")


def _reason(error: BaseException) -> str:
    """Return an error in one line."""
    message = " ".join(str(error).split()) + remedy(error)
    told = isinstance(error, PluginError | OutOfTime)
    return message if told else f"{type(error).__name__}: {message}"
