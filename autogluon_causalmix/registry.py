"""`Registry`: the plugins of one kind by name; a name has one owner."""

import importlib
import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic

from autogluon_causalmix.config import Named
from autogluon_causalmix.entry import Entry, Kind, Owner, Plugin
from autogluon_causalmix.errors import NameTaken, PluginError, UnknownPlugin


@dataclass(frozen=True)
class Failure:
    """A plugin that was skipped, and why."""

    owner: Owner
    reason: str

    def __str__(self) -> str:
        return f"{self.owner}: {self.reason}"


class Registry(Generic[Plugin]):
    """The plugins of one kind by name; a name has one owner.

    Parameters
    ----------
    kind : Kind
        Whose plugins these are.
    failures : list of Failure
        Plugins that could not be loaded: named in the error about an unknown name.

    Examples
    --------
    >>> registry = Registry(Kind("generator", object), [])
    >>> class Noise: ...
    >>> registry.add("noise", Noise, Owner("noise", "causalmix-noise", "0.1"))
    >>> registry.names
    ['noise']
    >>> registry.get("nose")
    Traceback (most recent call last):
        ...
    autogluon_causalmix.errors.UnknownPlugin: there is no generator 'nose'; \
choose from ['noise'] or give 'module:Class'
    """

    def __init__(self, kind: Kind[Plugin], failures: list[Failure]) -> None:
        self.kind = kind
        self._failures = failures
        self._entries: dict[str, Entry[Plugin]] = {}

    def __iter__(self) -> Iterator[Entry[Plugin]]:
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
        label = f"{self.kind.name} {name!r} ({owner})"
        if not isinstance(name, str) or not name or ":" in name:
            raise PluginError(
                f"{label}: a name is a non-empty string without ':', "
                "which stands for 'module:Class'"
            )
        if not isinstance(factory, type):
            raise PluginError(
                f"{label}: register a class whose fields are its options, not {factory!r}"
            )
        _refuse_main(label, factory.__module__)
        if name in self._entries:
            raise NameTaken(
                f"the name of {label} is taken by {self._entries[name].owner}; "
                "rename or uninstall one"
            )
        self._entries[name] = Entry(self.kind, name, factory, owner)

    def remove(self, owner: Owner) -> None:
        """Forget all names of an owner."""
        self._entries = {
            name: entry for name, entry in self._entries.items() if entry.owner != owner
        }

    def get(self, name: str) -> Entry[Plugin]:
        """Return what has this name, or the class that ``"module:Class"`` imports.

        Raises
        ------
        UnknownPlugin
            Nothing goes by that name; the message lists what exists and what failed to load.
        PluginError
            The class lives in ``__main__``, where no other process finds it.
        """
        if name in self._entries:
            return self._entries[name]
        if ":" in name:
            return self._imported(name)
        failed = "".join(f"; failed to load: {failure}" for failure in self._failures)
        raise UnknownPlugin(
            f"there is no {self.kind.name} {name!r}; choose from {self.names} "
            f"or give 'module:Class'{failed}"
        )

    def create(self, named: Named) -> Plugin:
        """Return the plugin that a user named, with the options beside the name.

        Raises
        ------
        UnknownPlugin
            Nothing goes by that name.
        ConfigError
            An option is unknown, of the wrong type, or refused.
        PluginError
            The class does not follow the protocol of its kind.
        """
        return self.get(named.name).create(named.options)

    def _imported(self, path: str) -> Entry[Plugin]:
        module, _, attribute = path.partition(":")
        label = f"{self.kind.name} {path!r}"
        _refuse_main(label, module)
        try:
            factory = getattr(importlib.import_module(module), attribute)
        except Exception as error:  # foreign code: importing runs foreign code
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
            f"{label} is defined in __main__, which ray workers and saved predictors cannot "
            "import: move the class into a module of its own and name it 'module:Class'"
        )


def _owner_of(path: str, module: str) -> Owner:
    """Return the distribution that a module came with; a plain file on the path has none."""
    distributions = importlib.metadata.packages_distributions().get(module.partition(".")[0])
    if not distributions:
        return Owner(path, "no distribution", "unknown")
    return Owner(path, distributions[0], importlib.metadata.version(distributions[0]))
