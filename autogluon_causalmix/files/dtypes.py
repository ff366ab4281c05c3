"""What a user says about columns that their cells do not tell: the option ``--dtypes``."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from autogluon_causalmix.errors import ConfigError

DECLARED_TYPES = ("number", "whole", "category", "date", "ignore")


def read_dtypes(given: str | None) -> dict[str, str]:
    """Return the kinds of columns that a JSON object, or a file that holds one, declares.

    Raises
    ------
    ConfigError
        It cannot be read, is no JSON object, or names a kind that does not exist.

    Examples
    --------
    >>> read_dtypes('{"zip": "category", "when": "date:%d/%m/%Y"}')
    {'zip': 'category', 'when': 'date:%d/%m/%Y'}
    """
    if given is None:
        return {}
    declared = _object(given)
    for column, kind in declared.items():
        known = isinstance(kind, str) and (kind in DECLARED_TYPES or kind.startswith("date:%"))
        if not known:
            raise ConfigError(
                f"--dtypes: column {column!r} has the unknown type {kind!r}; "
                f"choose from {list(DECLARED_TYPES)} or 'date:%d/%m/%Y'"
            )
    return declared


def check_columns(declared: Mapping[str, str], names: Collection[str], path: Path) -> None:
    """Refuse columns that the file does not have.

    Raises
    ------
    ConfigError
        Names the first such column.
    """
    unknown = [name for name in declared if name not in names]
    if unknown:
        raise ConfigError(
            f"--dtypes: {path} has no column {unknown[0]!r}; its columns are {list(names)}"
        )


def _object(given: str) -> dict[str, str]:
    try:
        text = given if given.lstrip().startswith("{") else Path(given).read_text("utf-8-sig")
        declared = json.loads(text, object_pairs_hook=_once)
    except OSError as error:
        raise ConfigError(f"--dtypes: {given} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"--dtypes: {given} is no JSON ({error})") from None
    if not isinstance(declared, dict):
        raise ConfigError(f"--dtypes: {given} is no JSON object of column to type")
    return declared


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; refuse a name that it has twice, of which JSON keeps the last."""
    found = dict(pairs)
    repeated = sorted({name for name in found if [key for key, _ in pairs].count(name) > 1})
    if repeated:
        raise ConfigError(f"--dtypes: a column stands there more than once: {repeated}")
    return found
