"""`Registry`: names of one kind of plugin, each with one owner, and `Entry.create`, which checks a user's options."""

import importlib
import importlib.metadata
import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError

from autogluon_causalmix.errors import ConfigError, NameTaken, PluginError, UnknownPlugin


@dataclass(frozen=True)
class Owner:
    """Who ships a plugin.

    Attributes
    ----------
    plugin : str
        The entry point's name, the path of a built-in module, or the ``"module:Class"`` the user wrote.
    distribution, version : str
        The installed package it came with.
    """

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"plugin {self.plugin!r} of {self.distribution} {self.version}"


@dataclass(frozen=True)
class Failure:
    """A plugin that was skipped, and why."""

    owner: Owner
    reason: str

    def __str__(self) -> str:
        return f"{self.owner}: {self.reason}"


@dataclass(frozen=True)
class Entry:
    """One registered class.

    Attributes
    ----------
    kind : str
        ``"generator"``, ``"backbone"`` or ``"discoverer"``.
    name : str
        What users write.
    factory : type
        The class; its fields are its options.
    owner : Owner
        Who ships it.
    """

    kind: str
    name: str
    factory: type
    owner: Owner

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r} ({self.owner})"

    def options(self) -> list[str]:
        """Return the names of the options, in their order."""
        return [parameter.name for parameter in self._parameters()]

    def create(self, options: Mapping[str, object]) -> Any:
        """Return an instance of the class with these options, each held to its declared type.

        Options are JSON: a list is given where the class declares a tuple, and the string ``"3"`` is no number.

        Raises
        ------
        ConfigError
            An option is unknown, missing, not JSON, of the wrong type, or refused by the class itself.

        Examples
        --------
        >>> @dataclass(frozen=True)
        ... class Noise:
        ...     scale: float = 0.1
        >>> entry = Entry("generator", "noise", Noise, Owner("noise", "causalmix-noise", "0.1"))
        >>> entry.create({"scale": 2})
        Noise(scale=2.0)
        >>> entry.create({"scale": "big"})
        Traceback (most recent call last):
            ...
        autogluon_causalmix.errors.ConfigError: generator 'noise': option 'scale' should be a valid number, got 'big'; \
its options are ['scale']
        """
        unknown = [name for name in options if name not in self.options()]
        if unknown:
            raise self._refusal(f"has no option {unknown[0]!r} (got {options[unknown[0]]!r})")
        missing = [
            p.name for p in self._parameters() if p.default is p.empty and p.name not in options
        ]
        if missing:
            raise self._refusal(f"needs the option {missing[0]!r}")
        hints = self._hints()
        checked = {
            name: self._check(name, value, hints.get(name, Any)) for name, value in options.items()
        }
        try:
            return self.factory(**checked)
        except Exception as error:  # a border: the class may be anybody's
            raise self._refusal(f"refuses the options {dict(options)}: {error}") from error

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
        return ConfigError(f"{self.kind} {self.name!r}: {reason}; its options are {self.options()}")


class Registry:
    """The plugins of one kind by name; a name has one owner.

    Parameters
    ----------
    kind : str
        ``"generator"``, ``"backbone"`` or ``"discoverer"``.
    failures : list of Failure
        Plugins that could not be loaded: named when somebody asks for a name that is not there.

    Examples
    --------
    >>> registry = Registry("generator", [])
    >>> class Noise: ...
    >>> registry.add("noise", Noise, Owner("noise", "causalmix-noise", "0.1"))
    >>> registry.names
    ['noise']
    >>> registry.get("nose")
    Traceback (most recent call last):
        ...
    autogluon_causalmix.errors.UnknownPlugin: there is no generator 'nose'; choose from ['noise'] or give 'module:Class'
    """

    def __init__(self, kind: str, failures: list[Failure]) -> None:
        self.kind = kind
        self._failures = failures
        self._entries: dict[str, Entry] = {}

    def __iter__(self) -> Iterator[Entry]:
        return (self._entries[name] for name in self.names)

    @property
    def names(self) -> list[str]:
        """The registered names, sorted."""
        return sorted(self._entries)

    def add(self, name: str, factory: type, owner: Owner) -> None:
        """Give `factory` its name.

        Raises
        ------
        NameTaken
            The name is taken.
        PluginError
            The name is no plain name, or `factory` is not a class that other processes can import.
        """
        label = f"{self.kind} {name!r} ({owner})"
        if not isinstance(name, str) or not name or ":" in name:
            raise PluginError(
                f"{label}: a name is a non-empty string without ':', which stands for 'module:Class'"
            )
        if not isinstance(factory, type):
            raise PluginError(
                f"{label}: register a class whose fields are its options, not {factory!r}"
            )
        _refuse_main(label, factory.__module__)
        if name in self._entries:
            raise NameTaken(
                f"the name of {label} is taken by {self._entries[name].owner}; rename or uninstall one"
            )
        self._entries[name] = Entry(self.kind, name, factory, owner)

    def remove(self, owner: Owner) -> None:
        """Forget all names of an owner."""
        self._entries = {
            name: entry for name, entry in self._entries.items() if entry.owner != owner
        }

    def get(self, name: str) -> Entry:
        """Return what is registered as `name`, or the class that ``"module:Class"`` imports.

        Raises
        ------
        UnknownPlugin
            Nothing goes by that name; the message lists what exists and what failed to load, and why.
        PluginError
            The class lives in ``__main__``, where no other process finds it.
        """
        if name in self._entries:
            return self._entries[name]
        if ":" in name:
            return self._imported(name)
        failed = "".join(f"; failed to load: {failure}" for failure in self._failures)
        raise UnknownPlugin(
            f"there is no {self.kind} {name!r}; choose from {self.names} or give 'module:Class'{failed}"
        )

    def _imported(self, path: str) -> Entry:
        module, _, attribute = path.partition(":")
        label = f"{self.kind} {path!r}"
        _refuse_main(label, module)
        try:
            factory = getattr(importlib.import_module(module), attribute)
        except Exception as error:  # a border: importing runs foreign code
            raise UnknownPlugin(
                f"{label} cannot be imported: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(factory, type):
            raise UnknownPlugin(f"{label} is not a class but {factory!r}")
        _refuse_main(label, factory.__module__)
        return Entry(self.kind, path, factory, _owner_of(path, module))


def _refuse_main(label: str, module: str) -> None:
    if module == "__main__":
        raise PluginError(
            f"{label} is defined in __main__, which ray workers and saved predictors cannot import: "
            "move the class into a module of its own and name it 'module:Class'"
        )


def _owner_of(path: str, module: str) -> Owner:
    """Return the installed distribution that a module came with; a plain file on the path has none."""
    distributions = importlib.metadata.packages_distributions().get(module.partition(".")[0])
    if not distributions:
        return Owner(path, "no distribution", "unknown")
    return Owner(path, distributions[0], importlib.metadata.version(distributions[0]))
