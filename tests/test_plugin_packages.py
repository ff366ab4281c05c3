"""The packages in `plugins/`: found by their folder, checked one by one, named nowhere else."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ["Makefile", "pyproject.toml", "constraints.txt", ".ci/run", ".pre-commit-config.yaml"]
PROJECTS = {
    path.parent.name: tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))
}
PACKAGES = [*PROJECTS]
BY_HAND = {
    name: project["tool"]["causalmix"]["by-hand"]
    for name, project in PROJECTS.items()
    if "causalmix" in project["tool"]
}

PROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "causalmix-{name}"
version = "3.4"
dependencies = ["autogluon-causalmix"]

[project.entry-points.autogluon_causalmix]
{name} = "causalmix_{name}"

[tool.setuptools]
py-modules = ["causalmix_{name}"]
"""
MODULE = """
from dataclasses import dataclass
from autogluon_causalmix.plugin import hookimpl

@dataclass(frozen=True)
class Empty:
    def fit(self, table, rng, resources): ...

@hookimpl
def causalmix_register_generators(register):
    register("{name}", Empty)
"""
LOOK = """
import importlib.util
from autogluon_causalmix.plugin import Generator
from autogluon_causalmix.plugins import load_plugins
print(load_plugins().of(Generator).get("first").owner, importlib.util.find_spec("causalmix_second"))
"""


def plant(tree: Path, name: str) -> None:
    """Put a package with a name of its own in the `plugins/` of a tree."""
    folder = tree / "plugins" / f"causalmix-{name}"
    (folder / "tests").mkdir(parents=True)
    (folder / "README.md").touch()
    (folder / "pyproject.toml").write_text(PROJECT.format(name=name))
    (folder / f"causalmix_{name}.py").write_text(MODULE.format(name=name))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the files of this project that `make` reads, with two packages."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("first", "second"):
        plant(tmp_path, name)
    return tmp_path


def dry_run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask `make` for the commands that it would run."""
    inherited = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=tree,
        env=inherited | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def packages_in(commands: str) -> list[str]:
    """Return the packages whose tests are run from their own folder."""
    return re.findall(r"^cd plugins/(\S+) && \S+/python -m pytest", commands, flags=re.MULTILINE)


def test_a_folder_with_a_pyproject_is_installed_checked_and_tested(tree: Path) -> None:
    (tree / "plugins" / "notes").mkdir()
    done = dry_run(tree, "test")
    assert done.returncode == 0, done.stderr
    names = ["causalmix-first", "causalmix-second"]
    assert packages_in(done.stdout) == names
    for name in names:
        own = rf"\.venv/plugins/{name}/bin/python"
        assert re.search(rf"pip --python {own} install .* -e plugins/{name}\n", done.stdout)
        assert f"ruff check plugins/{name}\n" in done.stdout
        assert re.search(rf"mypy --python-executable {own} .* plugins/{name}\n", done.stdout)
    assert "notes" not in done.stdout


def test_all_packages_of_this_project_are_tested_but_those_with_a_reason() -> None:
    tested = packages_in(dry_run(ROOT, "test-plugins").stdout)
    assert sorted([*tested, *BY_HAND]) == PACKAGES
    assert tested
    assert all(len(reason.split()) > 5 for reason in BY_HAND.values())


def test_a_package_with_a_reason_is_not_installed_unasked(tree: Path) -> None:
    project = tree / "plugins" / "causalmix-second" / "pyproject.toml"
    project.write_text(project.read_text() + '\n[tool.causalmix]\nby-hand = "it is dear"\n')
    commands = dry_run(tree, "test").stdout
    assert packages_in(commands) == ["causalmix-first"]
    assert "causalmix-second" not in commands
    assert packages_in(dry_run(tree, "test-causalmix-second").stdout) == ["causalmix-second"]


def test_a_broken_package_does_not_stop_the_tests_of_the_others(tree: Path) -> None:
    plant(tree, "broken")
    (tree / "plugins" / "causalmix-broken" / "tests").rmdir()
    done = dry_run(tree, "test")
    assert done.returncode != 0
    assert "No rule to make target 'plugins/causalmix-broken/tests'" in done.stderr
    assert packages_in(done.stdout) == ["causalmix-first", "causalmix-second"]


def test_the_checks_of_the_core_do_not_read_the_packages(tree: Path) -> None:
    commands = dry_run(tree, "lint").stdout
    assert commands.count("--extend-exclude 'plugins/*'") == commands.count("bin/ruff") == 2
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    read = re.findall(r"^(?:files|testpaths) = \[(.*)\]", settings, flags=re.MULTILINE)
    assert len(read) == 2
    assert "plugins" not in "".join(read)


def test_no_file_of_the_core_names_a_package() -> None:
    sources = [*ROOT.glob("autogluon_causalmix/**/*.py"), *ROOT.glob("tests/*.py")]
    for path in [*(ROOT / name for name in FILES), *sources]:
        text = path.read_text(encoding="utf-8")
        for package in PACKAGES:
            assert package not in text, path
            assert package.replace("-", "_") not in text, path


@pytest.mark.slow
def test_a_package_is_installed_on_top_of_the_core_alone(tree: Path) -> None:
    own = ".venv/plugins/causalmix-first"
    commands = dry_run(tree, f"{own}/.installed", f"BIN={Path(sys.executable).parent}").stdout
    commands = commands[commands.index(f"{Path(sys.executable).parent}/python -m venv --clear") :]
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "PIP_NO_INDEX": "1",  # what the core has is not installed again
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's way to say: build with the setuptools that is there
    }
    subprocess.run(["bash", "-ec", commands], cwd=tree, env=environment, check=True, timeout=240)
    found = subprocess.run(
        [tree / own / "bin" / "python", "-c", LOOK],
        cwd="/",
        env=environment,
        check=True,
        timeout=120,
        capture_output=True,
        text=True,
    )
    assert found.stdout.split("\n")[0] == "plugin 'first' of causalmix-first 3.4 None"
    core = Path(sysconfig.get_path("purelib"))
    assert not [path for path in core.iterdir() if path.name.startswith("causalmix_first")]
