"""A cell is one table, one split and one arm; its identity is a hash of everything that made it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.study.splits import Split, SplitRule
from benchmarks.study.tables import Dataset, Unsuitable
from benchmarks.study.versions import file_hash, versions

Settings = Mapping[str, Any]
"""JSON: what an arm is, as its author wrote it."""

Values = dict[str, Any]
"""JSON: what a measurement found; the metrics are numbers in it."""


@dataclass(frozen=True)
class Parsed:
    """Settings after parsing: two ways to write the same arm give the same options.

    Attributes
    ----------
    options : dict
        JSON, defaults filled in, without paths.
    files : tuple of Path
        Files that the arm reads, such as weights; their bytes count, their paths do not.
    """

    options: Values
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Metric:
    """A number that a study compares.

    Attributes
    ----------
    name : str
        Its key in the measured values.
    better : str or None
        ``"lower"`` or ``"higher"``; None for a number that is reported but not compared.
    bound : float
        A run is worse than the reference where it loses more than this.
    """

    name: str
    better: str | None = None
    bound: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Study:
    """How one kind of cell is measured. All functions must be importable in another process.

    Attributes
    ----------
    name : str
        A word; finished cells lie in a folder of that name.
    version : int
        Raise it whenever `measure` computes something else: old cells are then left alone.
    prepare : callable
        Returns the rows of a table that the study uses, or raises `Unsuitable`.
    rule : SplitRule
        How rows are drawn.
    parse : callable
        Returns an arm's settings after parsing; raises where they are wrong.
    measure : callable
        Returns the values of one cell from its table, its split and its arm's settings.
    metrics : tuple of Metric
        What the summary shows.
    reference : str
        The arm that others are compared with unless the user names another.
    """

    name: str
    version: int
    prepare: Callable[[Dataset], Dataset]
    rule: SplitRule
    parse: Callable[[Settings], Parsed]
    measure: Callable[[Dataset, Split, Settings], Values]
    metrics: tuple[Metric, ...]
    reference: str


@dataclass(frozen=True, eq=False)
class Cell:
    """One table, one split and one arm of a study.

    Attributes
    ----------
    study : Study
        How it is measured.
    table : Dataset
        The table, prepared.
    split : Split
        Its rows.
    arm : str
        What the arm is called; not part of the identity.
    settings : Mapping
        What the arm is.
    factors : Mapping
        What a plan has crossed with the arms, such as the seed; not part of the identity, which has
        it in `settings` or in `split`.
    """

    study: Study
    table: Dataset
    split: Split
    arm: str
    settings: Settings
    factors: Settings = field(default_factory=dict)

    def __str__(self) -> str:
        crossed = "".join(f", {name} {value}" for name, value in self.factors.items() if value)
        return f"{self.table.name}, split {self.split.seed}, {self.arm}{crossed}"

    @cached_property
    def identity(self) -> str:
        """The hash of the ingredients, 16 hexadecimal digits."""
        return digest(self.ingredients)[:16]

    @cached_property
    def ingredients(self) -> Values:
        """Everything that made the result, as JSON: equal ingredients give equal results."""
        parsed = self.study.parse(self.settings)
        parts = {
            name: [int(row) for row in getattr(self.split, name)]
            for name in ("train", "validation", "test")
        }
        return {
            "measurement": {"name": self.study.name, "version": self.study.version},
            "table": self.table.sha256,
            "split": {"seed": self.split.seed, "rows": digest(parts)},
            "options": json.loads(json.dumps(parsed.options)),
            "files": [file_hash(path) for path in parsed.files],
            "versions": dict(versions()),
        }


@dataclass(frozen=True)
class Outcome:
    """What running a cell gave: values, or an error.

    Attributes
    ----------
    values : dict or None
        The measured values; None where the cell raised.
    seconds : float
        Wall-clock seconds of the measurement.
    error : str
        Type and message of what it raised, empty where it finished.
    traceback : str
        Where it was raised.
    """

    values: Values | None
    seconds: float
    error: str = ""
    traceback: str = ""

    @property
    def failed(self) -> bool:
        """Whether the cell raised."""
        return self.values is None


def cells_of(
    study: Study,
    tables: Sequence[Dataset],
    arms: Mapping[str, Settings],
    n_splits: int,
    first: int = 0,
) -> tuple[list[Cell], list[str]]:
    """Return all cells, split by split, and what was left out of which table, in sentences."""
    own, notes = suited(study, tables)
    cells = []
    for seed in range(first, first + n_splits):
        for table in own:
            split = study.rule.draw(table, seed)
            cells += [Cell(study, table, split, arm, settings) for arm, settings in arms.items()]
    return cells, notes


def suited(study: Study, tables: Sequence[Dataset]) -> tuple[list[Dataset], list[str]]:
    """Return the tables that a study takes, prepared, and what was left out, in sentences."""
    own, notes = [], []
    for table in tables:
        try:
            own.append(study.prepare(table))
            notes += [f"{table.name}: {note}" for note in own[-1].notes]
        except Unsuitable as reason:
            notes.append(f"{table.name} is left out: {reason}")
    return own, notes


def digest(value: object) -> str:
    """Return the SHA-256 of a JSON value; the order of keys does not matter.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 2.5})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
