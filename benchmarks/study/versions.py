"""The code that makes a result: versions of libraries, and a hash of this package's own code."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import platform
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import autogluon_causalmix

LIBRARIES = (
    "autogluon.tabular",
    "causal-learn",
    "dowhy",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "tabpfn",
    "torch",
)
"""Distributions whose versions are part of every identity."""


@cache
def versions() -> Mapping[str, str]:
    """Return the versions of Python, of the libraries that matter, and of this package's code."""
    found = {name: importlib.metadata.version(name) for name in LIBRARIES}
    own = importlib.metadata.version("autogluon-causalmix")
    code = code_hash(Path(autogluon_causalmix.__file__).parent)
    python = ".".join(platform.python_version_tuple()[:2])
    return found | {"python": python, "autogluon-causalmix": f"{own}+{code[:12]}"}


def code_hash(folder: Path) -> str:
    """Return a hash of a package's code and weights; comments, docstrings and layout do not count.

    A version alone would not do: it stays the same between releases.
    """
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".py", ".safetensors"}:
            content = _code(path) if path.suffix == ".py" else path.read_bytes()
            whole.update(path.relative_to(folder).as_posix().encode())
            whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()


def _code(path: Path) -> bytes:
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = list(_without_docstrings(node.body))
    return ast.dump(tree).encode()


def _without_docstrings(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not text:
            yield statement


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
