"""The shape of the package: one direction, light to import, small pieces, tidy names."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import autogluon_causalmix
from autogluon_causalmix.plugins import KINDS

PACKAGE = Path(autogluon_causalmix.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

# From first to last: a module imports from its own room and from rooms before it. A room is a
# module or a folder; the protocols of plugins are rooms of their own, before the registry that
# checks them.
ROOMS = [
    "arrays",
    "errors",
    "whole",
    "resources",
    "border",
    "fitlog",
    "config",
    "records",
    "arms",
    "granularity",
    "dtypes",
    "column",
    "task",
    "table",
    "derived",
    "files",
    "discovery.knowledge",
    "discovery.beliefs",
    "discovery.protocol",
    "generators.protocol",
    "backbones.protocol",
    "fidelity.protocol",
    "entry",
    "registry",
    "hookspecs",
    "plugins",
    "backbones",
    "discovery",
    "scm",
    "generators",
    "generation",
    "counterfactuals",
    "fidelity",
    "finetuning",
    "method",
    "refit",
    "warmup",
    "model",
    "presets",
    "tabarena",
    "learnable",
    "report",
    "reports",
    "classifier",
    "augmenter",
    "verdict",
    "comparison",
    "testing",
    "plugin",
    "cli",
]
LOOKED_UP = {
    "Generator": "generators",
    "Discoverer": "discovery",
    "Backbone": "backbones",
    "Metric": "fidelity",
}
HEAVY = ("torch", "tabpfn", "dowhy", "causallearn", "matplotlib", "numba", "ray")
LONGEST_FUNCTION = 60
LONGEST_FILE = 300


def room(module: str) -> str:
    """Return the room of a module: the longest name in `ROOMS` that it begins with."""
    path = module.removeprefix(PACKAGE.name).removeprefix(".")
    return max((own for own in ROOMS if f"{path}.".startswith(f"{own}.")), key=len, default="")


def imported(module: str, path: Path) -> Iterator[str]:
    """Yield the modules of this package that a module imports, at its top or in functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (
                alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE.name
            )
        elif (
            isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.split(".")[0] == PACKAGE.name
        ):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


def looked_up(path: Path) -> Iterator[str]:
    """Yield the rooms that a module asks the registry for: `.of(Generator)`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "of"
        ):
            names = [argument.id for argument in node.args if isinstance(argument, ast.Name)]
            yield from (LOOKED_UP[name] for name in names if name in LOOKED_UP)


def against_the_flow(module: str, path: Path) -> list[str]:
    mine = room(module)
    others = {room(target) for target in imported(module, path)} | set(looked_up(path))
    later = {other for other in others - {mine, ""} if ROOMS.index(other) > ROOMS.index(mine)}
    return sorted(later)


@pytest.mark.parametrize("module", [module for module in MODULES if room(module)])
def test_a_room_imports_only_from_rooms_before_it(module: str) -> None:
    assert against_the_flow(module, MODULES[module]) == []


def test_the_test_of_layers_sees_an_import_against_the_flow(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(
        "from autogluon_causalmix.errors import TableError\n"
        "def late():\n    from autogluon_causalmix import generation\n"
        "    import autogluon_causalmix.finetuning.loop\n"
    )
    assert against_the_flow("autogluon_causalmix.table", planted) == ["finetuning", "generation"]
    assert against_the_flow("autogluon_causalmix.cli", planted) == []


def test_the_test_of_layers_sees_a_look_up_by_registry(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(
        "from autogluon_causalmix.generators.protocol import Generator\n"
        "from autogluon_causalmix.plugins import plugin_registry\n"
        "def draw():\n    return plugin_registry().of(Generator).get('bootstrap')\n"
    )
    assert against_the_flow("autogluon_causalmix.scm.roots", planted) == ["generators"]
    assert against_the_flow("autogluon_causalmix.generation", planted) == []


def test_every_kind_of_plugin_can_be_seen_when_it_is_looked_up() -> None:
    assert {kind.protocol.__name__ for kind in KINDS} == set(LOOKED_UP)


def test_every_room_stands_in_the_list_once_and_exists() -> None:
    assert sorted(ROOMS) == sorted({room(module) for module in MODULES} - {""})
    assert [module for module in MODULES if module != PACKAGE.name and not room(module)] == []


def loaded_by(code: str, names: tuple[str, ...]) -> list[str]:
    """Return which of some modules a fresh process has loaded after running a line of code."""
    code = f"{code}; import sys; print('|', *[name for name in {names} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.rpartition("|")[2].split()


def test_importing_is_light() -> None:
    assert loaded_by("import autogluon_causalmix", (*HEAVY, "autogluon", "pandas")) == []
    plugins = "from autogluon_causalmix.plugins import plugin_registry; plugin_registry()"
    assert loaded_by(plugins, HEAVY) == []


FETCH = """\
import sys
sys.argv = ["causalmix", "weights", "fetch", "tabpfn-v1"]
from autogluon_causalmix.cli.app import main
try:
    main()
except SystemExit as end:
    assert not end.code
"""


def test_asking_for_cached_weights_loads_nothing_heavy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tabpfn-v1.safetensors").touch()
    monkeypatch.setenv("CAUSALMIX_CACHE", str(tmp_path))
    light = ("autogluon", "pandas", "numpy", "requests", "ssl")
    assert loaded_by(f"exec({FETCH!r})", (*HEAVY, *light)) == []


@pytest.mark.parametrize("module", MODULES)
def test_all_names_exist_and_are_sorted(module: str) -> None:
    if module.endswith("__main__"):
        return
    if module.endswith(".tabarena"):
        pytest.importorskip("tabarena")
    loaded = importlib.import_module(module)
    names = getattr(loaded, "__all__", [])
    assert [name for name in names if not hasattr(loaded, name)] == []
    assert names == sorted(names)


def test_the_package_exports_what_it_says_and_no_more() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    for_type_checkers = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(PACKAGE.name)
        for alias in node.names
    }
    at_run_time = {
        name: f"{PACKAGE.name}.{module}"
        for name, module in vars(autogluon_causalmix)["_MODULES"].items()
    }
    assert at_run_time == for_type_checkers
    assert sorted(at_run_time) == autogluon_causalmix.__all__
    assert set(autogluon_causalmix.__all__) <= set(dir(autogluon_causalmix))
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        autogluon_causalmix.nonsense  # type: ignore[attr-defined]  # noqa: B018


def python_files() -> Iterator[Path]:
    for folder in (PACKAGE, PACKAGE.parent / "benchmarks"):
        yield from (path for path in sorted(folder.rglob("*.py")))


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    said = function.body[0]
    return lines - ((said.end_lineno or said.lineno) - said.lineno + 1)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_functions_and_files_are_short() -> None:
    named = {str(path.relative_to(PACKAGE.parent)): path for path in python_files()}
    lengths = {
        f"{name}:{node.name}": length_of(node)
        for name, path in named.items()
        for node in functions(path)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    assert sorted(lengths.values())[int(0.9 * len(lengths))] <= 25
    files = {
        name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in named.items()
    }
    assert {name: length for name, length in files.items() if length > LONGEST_FILE} == {}
