"""The reference for authors of plugins shows the protocols as they are."""

import ast
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from autogluon_causalmix import plugin, testing
from autogluon_causalmix.plugins import KINDS

HOOKS = (Path(__file__).parents[1] / "docs" / "plugins" / "hooks.md").read_text(encoding="utf-8")
SHOWN = {
    node.name: node
    for block in re.findall(r"^```python\n(.*?)^```$", HOOKS, flags=re.MULTILINE | re.DOTALL)
    for node in ast.parse(block).body
    if isinstance(node, ast.ClassDef) and not node.decorator_list
}


def members(protocol: ast.ClassDef) -> dict[str, str]:
    """Return the types of the attributes and the signatures of the methods, by name."""
    found = {}
    for node in protocol.body:
        if isinstance(node, ast.AnnAssign):
            found[ast.unparse(node.target)] = ast.unparse(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            bare = ast.FunctionDef(
                node.name, node.args, [ast.Pass()], node.decorator_list, node.returns, lineno=0
            )
            found[node.name] = ast.unparse(bare).replace("'", "")
    return found


@pytest.mark.parametrize("name", SHOWN)
def test_a_protocol_is_shown_as_it_is(name: str) -> None:
    written = ast.parse(inspect.getsource(getattr(plugin, name))).body[0]
    assert isinstance(written, ast.ClassDef)
    assert members(SHOWN[name]) == members(written)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_kind_has_its_protocol_its_check_and_its_error(kind: Any) -> None:
    assert kind.protocol.__name__ in SHOWN
    assert f"`check_{kind.name}(Yours())`" in HOOKS
    assert hasattr(testing, f"check_{kind.name}")
    assert f"`{kind.name.capitalize()}Error`" in HOOKS


def test_what_the_reference_imports_is_there() -> None:
    block = re.search(r"^```python\n(from .*?)^```$", HOOKS, flags=re.MULTILINE | re.DOTALL)
    assert block
    exec(block[1], {})


def test_the_discoverer_that_is_shown_keeps_the_contract() -> None:
    block = re.search(
        r"^```python\n# my_discoverer.py\n(.*?)^```$", HOOKS, re.MULTILINE | re.DOTALL
    )
    assert block
    module = ModuleType("my_discoverer")
    sys.modules["my_discoverer"] = module
    exec(block[1], module.__dict__)
    testing.check_discoverer(module.RequiredOnly())
