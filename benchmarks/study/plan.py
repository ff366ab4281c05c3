"""`Plan`: a whole study in one TOML file, crossed into cells.

::

    study = "benchmarks.founding_question"   # the module whose STUDY measures a cell
    tables = ["credit-g", "vehicle"]         # all of the folder where none are named
    splits = 3
    seeds = [0, 1]                           # of the fit, for each split
    rows = [200]                             # training and validation rows together
    backbones = ["mini"]
    doses = [2.0]                            # synthetic rows per real row

    [options]                                # of every arm
    mixing = { real_fraction = 0.5 }

    [arms.bootstrap]                         # what an arm adds to them, or changes
    generator = "bootstrap"

    [arms."real rows"]
    generator = "none"                       # TOML has no word of its own for it

    [domains]                                # of tables, for the analysis
    finance = ["credit-g"]

Cells are ordered split by split, then seed by seed, then table by table: a run that is stopped
has compared all arms on all of its tables.
"""

from __future__ import annotations

import importlib
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmarks.study.cells import Cell, Settings, Study, Values, suited
from benchmarks.study.tables import Dataset

Positive = Annotated[int, Field(ge=1)]


class BadPlan(ValueError):
    """The file is no plan; the message names the file, the entry and what is allowed."""


class Plan(BaseModel):
    """What the file says; an entry that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: str
    tables: tuple[str, ...] | None = None
    splits: Positive = 3
    seeds: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    rows: tuple[Annotated[int, Field(ge=10)], ...] | None = None
    backbones: tuple[str, ...] | None = None
    doses: tuple[Annotated[float, Field(gt=0)], ...] | None = None
    options: dict[str, Any] = {}
    arms: dict[str, dict[str, Any]] = Field(min_length=1)
    domains: dict[str, tuple[str, ...]] = {}
    reference: str | None = None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a TOML file.

        Raises
        ------
        BadPlan
            It is no TOML, an entry is unknown or out of range, or the module has no study.
        """
        try:
            plan = cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise BadPlan(f"{path} cannot be read: {error.strerror}") from None
        except tomllib.TOMLDecodeError as error:
            raise BadPlan(f"{path} is no TOML: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            known = f"; the entries are {sorted(cls.model_fields)}"
            unknown = first["type"] == "extra_forbidden"
            said = f"is unknown{known}" if unknown else f"{first['msg']}, got {first['input']!r}"
            raise BadPlan(f"{path}: {place!r}: {said}") from None
        if plan.reference is not None and plan.reference not in plan.arms:
            raise BadPlan(
                f"{path}: there is no arm {plan.reference!r}; the arms are {[*plan.arms]}"
            )
        return plan

    @property
    def size(self) -> int:
        """How many cells there are if no table is left out; the tables must be named.

        Arms whose factors make no difference are counted as often as they are crossed.
        """
        crossed = [self.tables, self.seeds, self.rows, self.backbones, self.doses]
        counts = [len(own) for own in crossed if own is not None]
        return math.prod([self.splits, len(self.arms), *counts])

    def measured(self) -> Study:
        """Return the study that the module holds.

        Raises
        ------
        BadPlan
            There is no such module, or no STUDY in it.
        """
        try:
            study = importlib.import_module(self.study).STUDY
        except (ImportError, AttributeError) as error:
            raise BadPlan(f"study = {self.study!r}: {error}") from None
        assert isinstance(study, Study)
        return study

    def cells(self, tables: list[Dataset]) -> tuple[list[Cell], list[str]]:
        """Return all cells in the order in which they should run, and what was left out."""
        study = self.measured()
        own, notes = suited(study, tables)
        studies = [
            replace(study, rule=replace(study.rule, train_rows=rows)) if rows else study
            for rows in self.rows or (None,)
        ]
        cells = []
        for split in range(self.splits):
            for seed in self.seeds or (None,):
                for table, sized in product(own, studies):
                    drawn = sized.rule.draw(table, split)
                    for arm, factors, settings in self._arms(seed):
                        crossed = {**factors, "rows": sized.rule.train_rows}
                        cells.append(Cell(sized, table, drawn, arm, settings, crossed))
        return cells, notes

    def _arms(self, seed: int | None) -> Iterator[tuple[str, Values, Settings]]:
        """Yield each arm with its factors and its whole settings."""
        for arm, own in self.arms.items():
            for backbone, dose in product(self.backbones or (None,), self.doses or (None,)):
                crossed: dict[str, Any] = {}
                if seed is not None:
                    crossed["random_state"] = seed
                if backbone is not None:
                    crossed["backbone"] = backbone
                if dose is not None:
                    crossed["mixing"] = {"ratio": dose}
                factors = {"seed": seed, "backbone": backbone, "dose": dose}
                whole = merged(merged(self.options, crossed), own)
                none = {name: None for name, value in whole.items() if value == "none"}
                yield arm, factors, {**whole, **none}


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, `second` over `first`, tables within tables likewise.

    Examples
    --------
    >>> merged({"mixing": {"ratio": 2.0}, "n": 1}, {"mixing": {"role": "query"}, "n": 2})
    {'mixing': {'ratio': 2.0, 'role': 'query'}, 'n': 2}
    """
    whole = dict(first)
    for name, value in second.items():
        both = isinstance(value, Mapping) and isinstance(whole.get(name), Mapping)
        whole[name] = merged(whole[name], value) if both else value
    return whole
