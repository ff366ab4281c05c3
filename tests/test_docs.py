"""The documentation runs, and says what the code says."""

import ast
import importlib
import importlib.util
import inspect
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from test_architecture import ROOMS

import autogluon_causalmix
from autogluon_causalmix import CausalMixModel, augment, errors
from autogluon_causalmix.cli.app import app
from autogluon_causalmix.config import Hyperparameters, Mixing
from autogluon_causalmix.entry import Kind
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.plugins import KINDS, plugin_registry
from autogluon_causalmix.records import FitReport

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *(
        path
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if not path.parent.name.startswith("_")
    ),
]
READMES = sorted((ROOT / "plugins").glob("*/README.md"))
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
RUN = [
    path
    for path in PAGES
    if path.parent.name != "plugins" and "```python" in path.read_text(encoding="utf-8")
]


def blocks(page: Path, language: str) -> Iterator[str]:
    """Yield the code blocks of a page, moved down so that tracebacks show its lines."""
    text = page.read_text(encoding="utf-8")
    for block in re.finditer(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        yield "\n" * text[: block.start(1)].count("\n") + block[1]


def prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def rows(heading: str, page: str = REFERENCE) -> dict[str, list[str]]:
    """Return the rows of a table by each name in their first cell."""
    table = re.search(
        rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", page, flags=re.MULTILINE
    )
    assert table, f"there is no table {heading!r}"
    cells = [
        [cell.strip() for cell in line.strip("|\n").split(" |")] for line in table[1].splitlines()
    ]
    return {name: rest for first, *rest in cells for name in code(first)}


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda path: path.stem)
def test_the_blocks_of_a_page_run_from_top_to_bottom(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    namespace: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), namespace)


def test_pages_with_code_are_run() -> None:
    assert {path.stem for path in RUN} >= {"README", "tutorial", "how-to"}


@pytest.mark.parametrize("page", [*PAGES, *READMES], ids=lambda path: path.stem)
def test_links_and_pictures_are_there(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_command_lines_are_such_as_causalmix_takes() -> None:
    shell = [
        block for page in PAGES for language in ("sh", "bash") for block in blocks(page, language)
    ]
    spans = [span for page in [*PAGES, *READMES] for span in code(prose(page)) if ".csv" in span]
    lines = [shlex.split(line, comments=True) for block in shell for line in block.splitlines()]
    lines += [shlex.split(span) for span in spans]
    said = [words[1:] for words in lines if words[:1] == ["causalmix"]]
    assert {name for name, *_ in said} >= {"fit", "augment", "graph", "plugins"}
    for name, *arguments in said:
        COMMANDS[name].make_context(
            name, arguments
        )  # raises on an unknown option and on a missing one


def test_module_paths_lead_to_something() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for path in re.findall(r"\bautogluon_causalmix(?:\.\w+)+(?::\w+)?", text):
            assert leads_somewhere(path.replace(":", ".")), f"{page.name} names {path}"


def leads_somewhere(path: str) -> bool:
    """Return whether a dotted path is a module, or an attribute of one."""
    module, _, attribute = path.rpartition(".")
    if importlib.util.find_spec(module) is None:
        return False
    if module.endswith(".tabarena") and importlib.util.find_spec("tabarena") is None:
        return True  # needs an extra to be imported
    return hasattr(importlib.import_module(module), attribute) or (
        hasattr(importlib.import_module(module), "__path__")
        and importlib.util.find_spec(path) is not None
    )


def test_files_of_the_repository_that_are_named_exist() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for path in re.findall(r"(?<![\w/.-])(?:tests|benchmarks|docs|plugins)/[\w./-]*\w", text):
            assert any((folder / path).exists() for folder in (ROOT, page.parent)), (
                f"{page.name} names {path}"
            )


def test_make_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    packages = [path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")]
    targets = {
        *re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE),
        *(f"test-{name}" for name in ("PACKAGE", *packages)),
    }
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = re.findall(r"(?:`|^)make ([\w-]+)", text, flags=re.MULTILINE)
        assert set(named) <= targets, page.name


def test_studies_that_are_named_exist_and_have_these_options() -> None:
    shared = (ROOT / "benchmarks" / "study" / "command.py").read_text(encoding="utf-8")
    lines = [
        shlex.split(line, comments=True)
        for page in PAGES
        for language in ("sh", "bash")
        for block in blocks(page, language)
        for line in block.splitlines()
    ]
    said = [words for words in lines if words[:2] == ["python", "-m"]]
    assert len(said) > 5
    for _, _, module, *arguments in said:
        path = ROOT / module.replace(".", "/")
        source = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
        text = source.read_text(encoding="utf-8")
        takes_shared = "parser_of(" in text or "add_options_of_runs(" in text
        options = set(re.findall(r'"(--[a-z-]+)"', text + shared * takes_shared))
        assert {word for word in arguments if word.startswith("--")} <= options, module


def test_hyperparameters_that_are_named_are_accepted() -> None:
    """A dict in the text, or a pair such as ``"backbone": "mini"``, can be used as it stands."""
    found = [
        (page.name, given)
        for page in PAGES
        for span in code(prose(page))
        for given in hyperparameters(span)
    ]
    assert len(found) > 8
    for page, given in found:
        if given.get("generator") not in PACKAGED:
            assert CausalMixModel.check(given), page


PACKAGED = [
    name
    for path in ROOT.glob("plugins/*/*.py")
    for name in re.findall(r'register\("([\w+-]+)"', path.read_text(encoding="utf-8"))
]
"""Names of the packages of plugins/, which need not be installed."""


def hyperparameters(span: str) -> Iterator[dict[str, object]]:
    for text in (span, f"{{{span}}}"):
        try:
            given = ast.literal_eval(text)
        except (SyntaxError, TypeError, ValueError):  # no literal
            continue
        if isinstance(given, dict) and given and set(given) <= set(Hyperparameters.model_fields):
            yield given
        elif isinstance(given, dict) and given.get("name") in plugin_registry().of(Generator).names:
            yield {"generator": given}


def test_the_rooms_stand_in_the_order_of_the_test_of_layers() -> None:
    page = (ROOT / "docs" / "decisions" / "rooms.md").read_text(encoding="utf-8")
    assert list(rows("rooms", page)) == ROOMS


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {
        (index.parent / link).resolve()
        for link in re.findall(r"\]\(([^)#]+)", index.read_text(encoding="utf-8"))
    }
    assert {page for page in PAGES if page.parent != ROOT} - {index} <= linked


def test_commands_named_in_a_sentence_exist() -> None:
    for page in PAGES:
        said = re.findall(r"`causalmix ([a-z]+)[ `]", page.read_text(encoding="utf-8"))
        assert set(said) <= set(COMMANDS), page


@pytest.mark.parametrize(
    ("heading", "model"), [("hyperparameter", Hyperparameters), ("`mixing`", Mixing)]
)
def test_hyperparameters_and_their_defaults(heading: str, model: type[BaseModel]) -> None:
    told = rows(heading)
    assert set(told) == set(model.model_fields)
    given = {name: json.loads(cells[0].strip("`")) for name, cells in told.items()}
    assert model.model_validate(given) == model()
    assert {name: cells[1] for name, cells in told.items()} == {
        name: limits(field) for name, field in model.model_fields.items()
    }


def limits(field: FieldInfo) -> str:
    """Return the range of a hyperparameter as the reference writes it."""
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    found = [
        (sign, getattr(limit, kind, None))
        for limit in field.metadata
        for kind, sign in signs.items()
    ]
    return ", ".join(f"{sign} {value:.0f}" for sign, value in found if value is not None)


def test_limits_are_the_constants_of_the_code() -> None:
    for path, (value, _) in rows("constant").items():
        module, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(f"autogluon_causalmix.{module}"), name) == float(
            value
        ), path
    caps = CausalMixModel._default_auxiliary_params_extra
    assert (
        "above {max_rows:,} rows, {max_features} features or {max_classes} classes".format(**caps)
        in REFERENCE
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_built_in_plugins_and_their_options(kind: Kind[Any]) -> None:
    found = plugin_registry().of(kind.protocol)
    built_in = {
        entry.name: entry.factory
        for entry in found
        if entry.owner.distribution == "autogluon-causalmix"
    }
    assert {name: code(cells[0]) for name, cells in rows(kind.name).items()} == {
        name: [option(each) for each in inspect.signature(factory).parameters.values()]
        for name, factory in built_in.items()
    }


def option(parameter: inspect.Parameter) -> str:
    """Return an option as the reference writes it, with its default as JSON."""
    return parameter.name + (
        "" if parameter.default is parameter.empty else f"={json.dumps(parameter.default)}"
    )


def test_errors_and_what_they_refine() -> None:
    raised = {name: error for name, error in vars(errors).items() if inspect.isclass(error)}
    told = {name: code(cells[0])[0] for name, cells in rows("error").items()}
    assert {*told, "CausalMixError"} == set(raised)
    for name, base in told.items():
        assert base in {parent.__name__ for parent in raised[name].__bases__}, (
            f"{name} is no {base}"
        )


def test_fields_of_the_fit_report() -> None:
    assert set(rows("field")) == set(FitReport.model_fields)


def test_exported_names_and_the_signature_of_augment() -> None:
    told = {name.partition("(")[0] for name in rows("`from autogluon_causalmix import …`")}
    assert told == set(autogluon_causalmix.__all__)
    parameters = [
        str(each.replace(annotation=each.empty))
        for each in inspect.signature(augment).parameters.values()
    ]
    assert f"`augment({', '.join(parameters)})`".replace("'", '"') in REFERENCE


def test_commands_and_their_options() -> None:
    there = {
        name: {max(p.opts, key=len) for p in command.params if p.opts[0].startswith("-")}
        for name, command in COMMANDS.items()
    }
    told = {first.split()[1]: set(code(cells[0])) for first, cells in rows("command").items()}
    assert told == there
