"""Options that several commands share, and what they are checked for before the work starts."""

import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autogluon_causalmix.cli.terminal import console
from autogluon_causalmix.errors import ConfigError

if TYPE_CHECKING:  # loads pandas
    from autogluon_causalmix.column import Column
    from autogluon_causalmix.files.columns import FileColumn
    from autogluon_causalmix.files.schema import Schema
    from autogluon_causalmix.table import Table

Train = Annotated[Path, typer.Argument(help="CSV or Parquet file of the real rows.")]
Target = Annotated[
    str, typer.Option("--target", "-t", help="The column to predict; its values are classes.")
]
Dtypes = Annotated[
    str | None,
    typer.Option(
        help="JSON object, or a file that holds one, of column to number, whole, category, date, "
        "date:%d/%m/%Y or ignore.",
    ),
]
Generator = Annotated[
    str,
    typer.Option(
        help="What makes the synthetic rows: a name of `causalmix plugins`, a name with options as "
        "in scm:graphs=10, or JSON."
    ),
]
Backbone = Annotated[
    str,
    typer.Option(
        help="The foundation model: auto, mini, tabpfn-v2, or JSON with its name and options."
    ),
]
KNOWN = ("required", "forbidden", "tiers")
HIGHEST_SEED = 2**32 - 1  # of scikit-learn's


def _seed(seed: int) -> int:
    if not 0 <= seed <= HIGHEST_SEED:
        raise typer.BadParameter(f"{seed} is no seed; seeds are 0 to {HIGHEST_SEED}")
    return seed


def _finite(seconds: float | None) -> float | None:
    if seconds is not None and not math.isfinite(seconds):
        raise typer.BadParameter(f"{seconds} is no number of seconds")
    return seconds


Seconds = typer.Option(min=1.0, callback=_finite, help="Seconds the whole may take.")
Seed = Annotated[int, typer.Option(callback=_seed, help="The same seed gives the same result.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
KnowledgeFile = Annotated[
    Path | None,
    typer.Option(
        help="JSON file of what you know of causes: required and forbidden edges, and tiers.",
    ),
]
MINUTES = 10  # of an arm without a limit: `Hyperparameters.time_limit`
Balance = Annotated[bool, typer.Option("--balance", help="Draw equally many rows of each class.")]
Where = Annotated[
    list[str] | None, typer.Option(help="COLUMN=VALUE that all rows have; repeatable.")
]
Do = Annotated[
    list[str] | None,
    typer.Option(help="COLUMN=VALUE that an intervention sets, with scm; repeatable."),
]
BY_LIKELIHOOD = "scm:directions=likelihood"  # of questions about causes
Quiet = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show AutoGluon's log.")]


def hush(quiet: bool) -> None:
    """Print errors only, or everything."""
    console.quiet = quiet


def named(option: str, given: str) -> str | dict[str, Any]:
    """Return a plugin's name, or its name and options: a JSON object, or `name:option=value,…`.

    Raises
    ------
    ConfigError
        The string begins like a JSON object and is none, or an option has no value.

    Examples
    --------
    >>> named("--generator", '{"name": "scm", "graphs": 3}')
    {'name': 'scm', 'graphs': 3}
    >>> named("--generator", "scm:graphs=3,label=sink")
    {'name': 'scm', 'graphs': 3, 'label': 'sink'}
    >>> named("--generator", "package.module:Class")
    'package.module:Class'
    """
    if not given.lstrip().startswith("{"):
        name, _, rest = given.partition(":")
        if "=" not in rest:
            return given
        pairs = [pair.partition("=") for pair in rest.split(",")]
        lacking = [key for key, equals, _ in pairs if not equals]
        if lacking:
            raise ConfigError(
                f"{option}: {lacking[0]!r} has no value; write name:option=value, or JSON"
            )
        return {"name": name, **{key.strip(): _value(text) for key, _, text in pairs}}
    try:
        options: dict[str, Any] = json.loads(given)
    except ValueError as error:
        raise ConfigError(f"{option}: {given} is no JSON ({error})") from None
    return options


def assignments(
    option: str, given: Iterable[str], table: "Table", schema: "Schema"
) -> dict[Any, object]:
    r"""Return columns and values from texts like ``dose=3``, spelled as the file spells them.

    Parameters
    ----------
    option : str
        What the user calls it.
    given : iterable of str
        The texts.
    table : Table
        The rows of the file.
    schema : Schema
        How the file spells them.

    Raises
    ------
    ConfigError
        There is no equals sign, no such column, or the column has no such value.

    Examples
    --------
    >>> from autogluon_causalmix.files.delimited import read_delimited
    >>> from autogluon_causalmix.files.schema import Schema
    >>> from autogluon_causalmix.table import Table
    >>> sheet = read_delimited(Path("t.csv"), b"dose;cured\n1,5;no\n2,5;no\n3,5;yes\n")
    >>> schema, frame = Schema.infer(sheet, "cured", {})
    >>> table = Table.from_frame(frame, "cured")
    >>> assignments("--where", ["dose=3,5", "cured=yes"], table, schema)
    {'dose': 3.5, 'cured': 'yes'}
    """
    columns = {str(column.name): column for column in table.columns}
    found: dict[Any, object] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in columns:
            raise ConfigError(
                f"{option} {text}: write column=value, with a column of {list(columns)}"
            )
        spelled = schema.column(name)
        found[columns[name].name] = _read(columns[name], spelled, value, f"{option} {text}")
    return found


def _read(column: "Column", spelled: "FileColumn", text: str, place: str) -> object:
    """Return the value of a column that a text stands for, as a cell of its file would."""
    value = spelled.kind.value(text)
    if column.levels is not None:
        levels = {str(level): level for level in column.levels}
        alike = [level for level in column.levels if level == value]
        if text not in levels and not alike:
            raise ConfigError(f"{place}: choose from {list(levels)}")
        return levels.get(text, *alike[:1])
    if value is None:
        example = next(iter(spelled.spellings.values()), "")
        raise ConfigError(
            f"{place}: {text!r} is no {spelled.kind.name} of column {column.name!r}; "
            f"write it as the file does, as in {example!r}"
        )
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole and getattr(spelled.kind, "whole", False) else value


def _value(text: str) -> Any:
    """Return a number, truth or null as JSON has them, and any other text as it stands."""
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


def generator(given: str, knowledge: Path | None) -> str | dict[str, Any]:
    """Return a generator with what the user knows of causes among its options.

    Raises
    ------
    ConfigError
        The file is no JSON object of ``required``, ``forbidden`` and ``tiers``.
    """
    chosen = named("--generator", given)
    if knowledge is None:
        return chosen
    try:
        edges = json.loads(knowledge.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"--knowledge {knowledge}: {error}") from None
    if not isinstance(edges, dict) or not set(edges) <= set(KNOWN):
        raise ConfigError(
            f"--knowledge {knowledge}: write a JSON object with any of {list(KNOWN)}, as in "
            '{"tiers": [["age", "sex"], ["dose"]], "forbidden": [["dose", "age"]]}'
        )
    return {**({"name": chosen} if isinstance(chosen, str) else chosen), **edges}


def claim(
    out: Path, force: bool, inputs: Iterable[Path | None] = (), written: Sequence[str] | None = None
) -> None:
    """Refuse to overwrite, before the work starts.

    Parameters
    ----------
    out : Path
        The file, or the folder, that a command leaves.
    force : bool
        Whether the user lets it overwrite.
    inputs : iterable of Path or None
        The files that it reads, None for those not given; they are never overwritten.
    written : sequence of str, optional
        The names in `out` that it writes, where that is a folder.

    Raises
    ------
    ConfigError
        `out` exists, is of the wrong kind, would replace an input, or cannot be written to.
    """
    folder = written is not None
    if out.exists() and out.is_dir() != folder:
        raise ConfigError(f"{out} is {'no' if folder else 'a'} folder; choose another --out")
    replaced = [out / name for name in written or ()] or [out]
    for path in filter(None, inputs):
        if any(_holds(place, path) for place in replaced):
            raise ConfigError(f"{path} exists, and is read: choose another --out than {out}")
    taken = any(out.iterdir()) if out.is_dir() else out.exists()
    if taken and not force:
        raise ConfigError(f"{out} exists; choose another --out, or --force to overwrite it")
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"the folder of {out} does not exist")
    if not os.access(out if out.exists() else out.absolute().parent, os.W_OK):
        raise ConfigError(f"{out} cannot be written to; choose another --out")


def _holds(place: Path, path: Path) -> bool:
    """Whether a path is a place, under whatever name, or lies in it."""
    if not (place.exists() and path.exists()):
        return False
    return place.samefile(path) or path.resolve().is_relative_to(place.resolve())


def file_in(given: str | None) -> Path | None:
    """Return the file that an option names; None where it is JSON itself, or not given."""
    return None if given is None or given.lstrip().startswith("{") else Path(given)
