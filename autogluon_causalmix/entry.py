"""`Entry`: one registered class of a plugin, and the check of a user's options."""

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError

from autogluon_causalmix.errors import ConfigError, NameTaken, PluginError, UnknownPlugin


@dataclass(frozen=True)
class Owner:
    """Who ships a plugin.

    Attributes
    ----------
    plugin : str
        The entry point's name, the path of a built-in module, or the ``"module:Class"`` the user
        wrote.
    distribution, version : str
        The installed package it came with.
    """

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"plugin {self.plugin!r} of {self.distribution} {self.version}"


Plugin = TypeVar("Plugin")
"""The protocol of one kind."""


@dataclass(frozen=True)
class Kind(Generic[Plugin]):
    """A kind of plugin.

    Attributes
    ----------
    name : str
        ``"generator"``, ``"discoverer"``, ``"backbone"`` or ``"metric"``; its hook is
        ``causalmix_register_<name>s``.
    protocol : type
        What every instance of the kind follows.
    """

    name: str
    protocol: type[Plugin]


@dataclass(frozen=True)
class Entry(Generic[Plugin]):
    """One registered class.

    Attributes
    ----------
    kind : Kind
        What it is a plugin for.
    name : str
        What users write.
    factory : type
        The class; its fields are its options.
    owner : Owner
        Who ships it.
    """

    kind: Kind[Plugin]
    name: str
    factory: type
    owner: Owner

    def __str__(self) -> str:
        return f"{self.kind.name} {self.name!r} ({self.owner})"

    def options(self) -> list[str]:
        """Return the names of the options, in their order."""
        return [parameter.name for parameter in self._parameters()]

    def create(self, options: Mapping[str, object]) -> Plugin:
        """Return an instance of the class with these options, each held to its declared type.

        Options are JSON: a list is given where the class declares a tuple, and the string ``"3"``
        is no number.

        Raises
        ------
        ConfigError
            An option is unknown, missing, not JSON, of the wrong type, or refused by the class.
        UnknownPlugin
            An option names another plugin, and there is none of that name.
        PluginError
            The instance lacks what the protocol of its kind asks for.

        Examples
        --------
        >>> @dataclass(frozen=True)
        ... class Noise:
        ...     scale: float = 0.1
        >>> owner = Owner("noise", "causalmix-noise", "0.1")
        >>> entry = Entry(Kind("generator", object), "noise", Noise, owner)
        >>> entry.create({"scale": 2})
        Noise(scale=2.0)
        >>> entry.create({"scale": "big"})
        Traceback (most recent call last):
            ...
        autogluon_causalmix.errors.ConfigError: generator 'noise': option 'scale' \
should be a valid number, got 'big'; its options are ['scale']
        """
        unknown = [name for name in options if name not in self.options()]
        if unknown:
            raise self._refusal(f"has no option {unknown[0]!r} (got {options[unknown[0]]!r})")
        parameters = [p for p in self._parameters() if p.default is p.empty]
        missing = [p.name for p in parameters if p.name not in options]
        if missing:
            raise self._refusal(f"needs the option {missing[0]!r}")
        hints = self._hints()
        checked = {
            name: self._check(name, value, hints.get(name, Any)) for name, value in options.items()
        }
        try:
            made = self.factory(**checked)
        except (UnknownPlugin, NameTaken):
            raise
        except Exception as error:  # foreign code may raise anything
            raise self._refusal(f"refuses the options {dict(options)}: {error}") from error
        return self._following_the_protocol(made)

    def _following_the_protocol(self, made: object) -> Plugin:
        protocol = self.kind.protocol
        if isinstance(made, protocol):
            return made
        members = sorted({*vars(protocol), *getattr(protocol, "__annotations__", {})})
        missing = [m for m in members if not m.startswith("_") and not hasattr(made, m)]
        raise PluginError(
            f"{self}: {self.factory.__name__} is no {protocol.__name__}: it lacks {missing}"
        )

    def _parameters(self) -> list[inspect.Parameter]:
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return [p for p in inspect.signature(self.factory).parameters.values() if p.kind in named]

    def _hints(self) -> dict[str, Any]:
        described = self.factory if is_dataclass(self.factory) else self.factory.__init__  # type: ignore[misc]
        try:
            return get_type_hints(described, include_extras=True)
        except NameError as error:  # an annotation that exists for type checkers alone
            raise PluginError(
                f"{self}: the types of its options cannot be read at run time: {error}"
            ) from error

    def _check(self, name: str, value: object, hint: Any) -> object:
        try:
            return TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            rule = error.errors()[0]["msg"].removeprefix("Input ")
            raise self._refusal(f"option {name!r} {rule}, got {value!r}") from None
        except PydanticSchemaGenerationError as error:
            raise PluginError(
                f"{self}: no JSON value fits the declared type of option {name!r}: {hint}"
            ) from error
        except (TypeError, ValueError) as error:
            raise self._refusal(f"option {name!r} must be JSON, got {value!r} ({error})") from None

    def _refusal(self, reason: str) -> ConfigError:
        return ConfigError(
            f"{self.kind.name} {self.name!r}: {reason}; its options are {self.options()}"
        )
