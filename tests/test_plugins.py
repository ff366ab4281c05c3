"""Plugins: built-in, installed, broken, and rivals for one name."""

import inspect
import logging
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pluggy
import pytest
from pydantic import Field

from autogluon_causalmix import hookspecs
from autogluon_causalmix.backbones.protocol import Backbone
from autogluon_causalmix.config import Named
from autogluon_causalmix.entry import Entry, Kind, Owner
from autogluon_causalmix.errors import ConfigError, NameTaken, PluginError, UnknownPlugin
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.plugins import BUILT_IN, KINDS, Plugins, load_plugins, plugin_registry
from autogluon_causalmix.registry import Failure, Registry
from benchmarks.plugin_startup import look_up, plant

SOUND = """
    from dataclasses import dataclass
    from autogluon_causalmix.hookspecs import hookimpl

    @dataclass(frozen=True)
    class Noise:
        scale: float = 0.1

    @hookimpl
    def {hook}(register):
        register("{name}", Noise)
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that puts a distribution with an entry point on the path."""
    installed = []

    def install_one(
        module: str, code: str, distribution: str = "stranger", target: str | None = None
    ) -> None:
        info = tmp_path / distribution / f"{distribution}-1.2.dist-info"
        info.mkdir(parents=True)
        (tmp_path / distribution / f"{module}.py").write_text(textwrap.dedent(code))
        monkeypatch.syspath_prepend(str(tmp_path / distribution))
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n"
        )
        (info / "entry_points.txt").write_text(
            f"[autogluon_causalmix]\n{module} = {target or module}\n"
        )
        installed.append(module)

    yield install_one
    for module in installed:
        sys.modules.pop(module, None)


def failure_of(plugins: Plugins, plugin: str) -> Failure:
    (failure,) = [failure for failure in plugins.failures if failure.owner.plugin == plugin]
    return failure


def test_built_in_plugins_register_through_the_hooks_and_load() -> None:
    plugins = plugin_registry()
    assert not [failure for failure in plugins.failures if failure.owner.plugin in BUILT_IN]
    assert {"bootstrap", "scm"} <= set(plugins.of(Generator).names)
    assert "mini" in plugins.of(Backbone).names
    for entry in [*plugins.of(Generator), *plugins.of(Backbone)]:
        if entry.owner.distribution == "autogluon-causalmix":
            assert entry.owner.plugin in BUILT_IN
            assert entry.factory.__module__ == entry.owner.plugin


def test_plugins_are_loaded_once_a_process() -> None:
    assert plugin_registry() is plugin_registry()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_hook_registers_into_its_own_registry(kind: Kind[Any], install: Install) -> None:
    install("strange_noise", SOUND.format(hook=f"causalmix_register_{kind.name}s", name="noise"))
    plugins = load_plugins()
    assert not [failure for failure in plugins.failures if failure.owner.distribution == "stranger"]
    found = [own.kind for own in plugins.registries if "noise" in own.names]
    assert found == [kind]
    entry = plugins.of(kind.protocol).get("noise")
    assert entry.owner == Owner("strange_noise", "stranger", "1.2")


def test_every_kind_has_its_hook_and_every_hook_its_kind() -> None:
    hooks = {name for name in vars(hookspecs) if name.startswith("causalmix_")}
    assert hooks == {f"causalmix_register_{kind.name}s" for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_class_that_does_not_follow_its_protocol_is_refused_by_name(
    kind: Kind[Any], install: Install
) -> None:
    install("strange_noise", SOUND.format(hook=f"causalmix_register_{kind.name}s", name="noise"))
    with pytest.raises(
        PluginError, match=r"'noise' \(plugin 'strange_noise' of stranger 1.2\).*lacks"
    ):
        load_plugins().of(kind.protocol).create(Named(name="noise"))


def test_every_hook_stands_in_the_reference_with_its_exact_signature() -> None:
    reference = (Path(__file__).parents[1] / "docs" / "plugins" / "hooks.md").read_text()
    headings = re.findall(r"^## `(.+)`$", reference, flags=re.MULTILINE)
    hooks = [
        function for name, function in vars(hookspecs).items() if name.startswith("causalmix_")
    ]
    assert headings == [
        f"{hook.__name__}({', '.join(inspect.signature(hook).parameters)})" for hook in hooks
    ]


BROKEN = {
    "is not there": (
        "import no_such_library",
        "ModuleNotFoundError: No module named 'no_such_library'",
    ),
    "raises on import": ("raise RuntimeError('no GPU\\nat all')", "RuntimeError: no GPU at all"),
    "exits on import": ("raise SystemExit(3)", "SystemExit: 3"),
    "raises in its hook": (
        """
        from autogluon_causalmix.hookspecs import hookimpl
        @hookimpl
        def causalmix_register_generators(register):
            register("noise", dict)
            raise KeyError("licence")
        """,
        "KeyError: 'licence'",
    ),
    "misspells a hook": (
        """
        from autogluon_causalmix.hookspecs import hookimpl
        @hookimpl
        def causalmix_register_generator(register): ...
        """,
        (
            "there is no hook 'causalmix_register_generator'; the hooks are "
            "['causalmix_register_generators'"
        ),
    ),
    "misspells an argument": (
        """
        from autogluon_causalmix.hookspecs import hookimpl
        @hookimpl
        def causalmix_register_generators(registry): ...
        """,
        "hook 'causalmix_register_generators'",
    ),
    "forgets the marker": (
        "def causalmix_register_generators(register): ...",
        "'causalmix_register_generators' is not marked with @hookimpl",
    ),
    "has no hook": ("class Noise: ...", "it implements no hook"),
    "registers an object": (
        """
        from autogluon_causalmix.hookspecs import hookimpl
        @hookimpl
        def causalmix_register_generators(register):
            register("noise", object())
        """,
        (
            "generator 'noise' (plugin 'broken' of stranger 1.2): register a class whose fields "
            "are its options"
        ),
    ),
    "registers a path": (
        """
        from autogluon_causalmix.hookspecs import hookimpl
        @hookimpl
        def causalmix_register_generators(register):
            register("my:noise", dict)
        """,
        "a name is a non-empty string without ':'",
    ),
    "registers a class of __main__": (
        """
        from autogluon_causalmix.hookspecs import hookimpl
        @hookimpl
        def causalmix_register_generators(register):
            register("noise", type("Noise", (), {"__module__": "__main__"}))
        """,
        "is defined in __main__, which ray workers and saved predictors cannot import",
    ),
    "registers a name twice": (
        """
        from autogluon_causalmix.hookspecs import hookimpl
        @hookimpl
        def causalmix_register_generators(register):
            register("noise", dict)
            register("noise", dict)
        """,
        (
            "the name of generator 'noise' (plugin 'broken' of stranger 1.2) is taken by "
            "plugin 'broken' of stranger 1.2"
        ),
    ),
}


@pytest.mark.parametrize(("code", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_skipped_with_a_warning_and_the_others_load(
    code: str,
    reason: str,
    install: Install,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A predictor that was fitted before may have silenced AutoGluon's log.
    monkeypatch.setattr(logging.getLogger("autogluon"), "propagate", True)
    caplog.set_level(logging.WARNING, "autogluon.causalmix")
    install("broken", code)
    install(
        "zzz_noise",
        SOUND.format(hook="causalmix_register_generators", name="later"),
        distribution="zzz",
    )
    plugins = load_plugins()

    failure = failure_of(plugins, "broken")
    assert reason in failure.reason
    assert failure.owner == Owner("broken", "stranger", "1.2")
    assert f"Skipping plugin 'broken' of stranger 1.2: {failure.reason}" in caplog.text
    assert {"bootstrap", "later"} <= set(plugins.of(Generator).names)
    assert "noise" not in plugins.of(Generator).names  # all of a plugin's names, or none

    with pytest.raises(UnknownPlugin) as unknown:
        plugins.of(Generator).get("noise")
    for part in (
        "there is no generator 'noise'",
        "bootstrap",
        "plugin 'broken' of stranger 1.2",
        failure.reason,
    ):
        assert part in str(unknown.value)


def test_of_twenty_installed_plugins_none_is_imported_before_the_first_look_up(
    tmp_path: Path,
) -> None:
    for number in range(20):
        plant(tmp_path, number)
    found = look_up(tmp_path)
    assert found["early"] == []
    assert sorted(found["found"]) == sorted(f"tiny-{number}" for number in range(20))


def test_an_entry_point_to_nothing_is_skipped(install: Install) -> None:
    install("hollow", "", target="hollow:missing")
    assert (
        "AttributeError: module 'hollow' has no attribute 'missing'"
        in failure_of(load_plugins(), "hollow").reason
    )


@pytest.mark.parametrize(
    ("name", "holder"),
    [
        ("bootstrap", "'autogluon_causalmix.generators.bootstrap' of autogluon-causalmix"),
        ("noise", "'first' of aaa 1.2"),
    ],
)
def test_a_taken_name_is_refused_with_both_owners(name: str, holder: str, install: Install) -> None:
    # zzz comes first on the path, aaa in the order of distributions: the order of installation must
    # not decide.
    install(
        "first",
        SOUND.format(hook="causalmix_register_generators", name="noise"),
        distribution="aaa",
    )
    install(
        "second", SOUND.format(hook="causalmix_register_generators", name=name), distribution="zzz"
    )
    plugins = load_plugins()
    reason = failure_of(plugins, "second").reason
    assert (
        f"the name of generator '{name}' (plugin 'second' of zzz 1.2) is taken by plugin {holder}"
        in reason
    )
    assert plugins.of(Generator).get(name).owner.plugin != "second"


def test_a_plugin_cannot_wrap_the_hooks_of_others(install: Install) -> None:
    greedy = """
        from autogluon_causalmix.hookspecs import hookimpl

        @hookimpl(wrapper=True)
        def causalmix_register_generators(register):
            register("greedy", dict)
            yield
    """
    install("greedy", greedy, distribution="aaa")
    install("later", SOUND.format(hook="causalmix_register_generators", name="noise"))
    assert {"bootstrap", "greedy", "noise"} <= set(load_plugins().of(Generator).names)


def test_add_raises_name_taken() -> None:
    registry = Registry(Kind("generator", object), [])
    registry.add("noise", dict, Owner("a", "a", "1"))
    with pytest.raises(NameTaken, match="taken by plugin 'a' of a 1"):
        registry.add("noise", dict, Owner("b", "b", "1"))


def test_a_class_is_found_by_module_and_name(install: Install) -> None:
    install(
        "loose", "class Noise:\n    def fit(self, table, rng, resources): ...", distribution="quiet"
    )
    entry = plugin_registry().of(Generator).get("loose:Noise")
    assert type(entry.create({})).__module__ == "loose"
    assert (entry.owner.plugin, entry.owner.version) == ("loose:Noise", "unknown")


def test_a_class_found_by_path_names_its_distribution() -> None:
    entry = (
        plugin_registry().of(Generator).get("autogluon_causalmix.generators.bootstrap:Bootstrap")
    )
    assert entry.owner.distribution.replace("_", "-") == "autogluon-causalmix"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("no_such_module:Noise", "cannot be imported: ModuleNotFoundError"),
        ("json:Noise", "cannot be imported: AttributeError"),
        ("json:", "cannot be imported: AttributeError"),
        ("json:dumps", "is not a class but <function dumps"),
    ],
)
def test_a_path_that_leads_nowhere_is_an_unknown_plugin(path: str, reason: str) -> None:
    with pytest.raises(UnknownPlugin, match=re.escape(f"generator {path!r} {reason}")):
        plugin_registry().of(Generator).get(path)


def test_main_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("__main__:Noise", "autogluon_causalmix.registry:Stray"):
        stray = type("Stray", (), {"__module__": "__main__"})
        monkeypatch.setattr("autogluon_causalmix.registry.Stray", stray, raising=False)
        with pytest.raises(
            PluginError,
            match="is defined in __main__, which ray workers .* cannot import: move the",
        ):
            plugin_registry().of(Generator).get(path)


@dataclass(frozen=True)
class Options:
    """Every type of option that a plugin may declare."""

    scale: float = 0.5
    rows: Annotated[int, Field(ge=1)] = 10
    mode: Literal["fast", "exact"] = "fast"
    edges: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    computed: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.rows == 13:
            raise ValueError("13 rows bring bad luck")


class Plain:
    """A class that is no dataclass, with an option that must be given."""

    def __init__(self, path: str, depth: int = 1) -> None:
        self.path, self.depth = path, depth


def entry_of(factory: type) -> Entry[Any]:
    return Entry(Kind("generator", object), "noise", factory, Owner("noise", "stranger", "1.2"))


def test_options_become_fields() -> None:
    given = {"scale": 1, "rows": 3, "mode": "exact", "edges": [["a", "b"]], "limit": None}
    assert entry_of(Options).create(given) == Options(1.0, 3, "exact", (("a", "b"),), None)
    plain = entry_of(Plain).create({"path": "x"})
    assert (plain.path, plain.depth) == ("x", 1)


@pytest.mark.parametrize(
    ("factory", "options", "complaint"),
    [
        (Options, {"scael": 1}, "has no option 'scael' (got 1)"),
        (Options, {"computed": 1}, "has no option 'computed' (got 1)"),
        (Options, {"scale": "big"}, "option 'scale' should be a valid number, got 'big'"),
        (Options, {"rows": "3"}, "option 'rows' should be a valid integer, got '3'"),
        (Options, {"rows": True}, "option 'rows' should be a valid integer, got True"),
        (Options, {"rows": 0}, "option 'rows' should be greater than or equal to 1, got 0"),
        (Options, {"mode": "slow"}, "option 'mode' should be 'fast' or 'exact', got 'slow'"),
        (Options, {"edges": [["a"]]}, "option 'edges' "),
        (Options, {"limit": {1, 2}}, "option 'limit' must be JSON, got {1, 2}"),
        (Options, {"rows": 13}, "refuses the options {'rows': 13}: 13 rows bring bad luck"),
        (Plain, {"depth": 2}, "needs the option 'path'"),
        (Plain, {"path": 3}, "option 'path' should be a valid string, got 3"),
    ],
)
def test_a_bad_option_is_refused_with_its_name_its_value_and_what_is_allowed(
    factory: type, options: dict[str, object], complaint: str
) -> None:
    allowed = (
        ["scale", "rows", "mode", "edges", "limit"] if factory is Options else ["path", "depth"]
    )
    with pytest.raises(ConfigError) as error:
        entry_of(factory).create(options)
    assert str(error.value).startswith(f"generator 'noise': {complaint}")
    assert str(error.value).endswith(f"; its options are {allowed}")


def test_options_whose_types_cannot_be_read_blame_the_plugin() -> None:
    class Hidden:
        def __init__(self, graph: "NoSuchType" = None) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    class Foreign:
        def __init__(self, manager: pluggy.PluginManager | None = None) -> None: ...

    with pytest.raises(
        PluginError, match="plugin 'noise' of stranger 1.2.*cannot be read at run time"
    ):
        entry_of(Hidden).create({"graph": 1})
    with pytest.raises(
        PluginError, match="no JSON value fits the declared type of option 'manager'"
    ):
        entry_of(Foreign).create({"manager": 1})
