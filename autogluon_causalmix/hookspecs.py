"""The hooks of a plugin.

A plugin is a module (or any object) that implements some of the hooks below, found by entry point;
`autogluon_causalmix.plugin` shows one. A registered class is one whose fields are its options:
``{"generator": {"name": "noisy", "scale": 0.1}}`` becomes ``Noisy(scale=0.1)``, checked against the
types that the class declares. Installing a plugin changes nothing, naming it does. The hooks run
before the first name is looked up, in every process: register there, and import heavy libraries
where they are used.
"""

from collections.abc import Callable

import pluggy

NAME = "autogluon_causalmix"
"""Name of the plugin manager, of both markers and of the entry-point group."""

Register = Callable[[str, type], None]
"""``register(name, cls)``: give a class its name."""

hookspec = pluggy.HookspecMarker(NAME)
hookimpl = pluggy.HookimplMarker(NAME)


@hookspec
def causalmix_register_generators(register: Register) -> None:
    """Register generators of synthetic rows; called once a process, before the first look-up.

    Parameters
    ----------
    register : callable
        ``register(name, cls)``, with a class that follows
        `autogluon_causalmix.generators.protocol.Generator`.
    """


@hookspec
def causalmix_register_backbones(register: Register) -> None:
    """Register tabular foundation models; called once a process, before the first look-up.

    Parameters
    ----------
    register : callable
        ``register(name, cls)``, with a class that follows
        `autogluon_causalmix.backbones.protocol.Backbone`.
    """


@hookspec
def causalmix_register_discoverers(register: Register) -> None:
    """Register ways to find causal edges; called once a process, before the first look-up.

    Parameters
    ----------
    register : callable
        ``register(name, cls)``, with a class that follows
        `autogluon_causalmix.discovery.protocol.Discoverer`.
    """


@hookspec
def causalmix_register_metrics(register: Register) -> None:
    """Register measures of synthetic rows; called once a process, before the first look-up.

    Parameters
    ----------
    register : callable
        ``register(name, cls)``, with a class that follows
        `autogluon_causalmix.fidelity.protocol.Metric`.
    """
