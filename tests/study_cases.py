"""A toy study whose cells count themselves, and helpers that run cells of any study.

Worker processes import this module: it is light.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.study.cells import Cell, Metric, Outcome, Parsed, Settings, Study, Values, cells_of
from benchmarks.study.runner import Runner, Serial, run_missing
from benchmarks.study.splits import Split, SplitRule
from benchmarks.study.store import Store
from benchmarks.study.tables import Dataset, load

RULE = SplitRule(train_rows=20, train_share=0.5, test_rows=10, validation_share=0.2)


def parse(settings: Settings) -> Parsed:
    given = {"rate": 1.0, **settings}
    given.pop("log", None)
    return Parsed(given, tuple(Path(path) for path in given.pop("files", ())))


def measure(table: Dataset, split: Split, settings: Settings) -> Values:
    """Write down that the cell runs; raise, crash or wait where the settings say so."""
    with Path(settings["log"]).open("a") as file:
        file.write(f"{table.name}-{split.seed}-{settings.get('rate', 1.0)}\n")
    if settings.get("raises") == table.name:
        raise ZeroDivisionError(f"planted in {table.name}")
    if settings.get("crashes") == table.name:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(settings.get("wait", 0.0))
    return {"loss": settings.get("rate", 1.0) * len(table.frame) + split.seed}


def same(table: Dataset) -> Dataset:
    return table


STUDY = Study(
    name="toy",
    version=1,
    prepare=same,
    rule=RULE,
    parse=parse,
    measure=measure,
    metrics=(Metric("loss", "lower", bound=1.0),),
    reference="base",
)


def write_table(path: Path, rows: int) -> None:
    x = np.arange(rows)
    frame = pd.DataFrame({"x": x, "code": x % 3, "target": np.where(x % 2, "yes", "no")})
    frame.to_csv(path, index=False)


def ran(folder: Path) -> list[str]:
    """Return what `measure` wrote down."""
    log = folder / "log"
    return sorted(log.read_text().split()) if log.exists() else []


def outcomes(
    folder: Path, settings: dict[str, Settings], runner: Runner | None = None, splits: int = 2
) -> list[tuple[Cell, Outcome]]:
    logged = {arm: {"log": str(folder / "log"), **given} for arm, given in settings.items()}
    cells, _ = cells_of(STUDY, load(folder), logged, splits)
    return list(run_missing(cells, Store(folder / "out"), runner or Serial()))


def measured(
    study: Study,
    folder: Path,
    arms: Mapping[str, Settings],
    names: Sequence[str],
    splits: int = 1,
) -> dict[tuple[str, int, str], Outcome]:
    """Run the cells of a study; outcomes by table, split and arm."""
    cells, _ = cells_of(study, load(folder, names), arms, splits)
    found = run_missing(cells, Store(folder / "out"), Serial())
    return {(cell.table.name, cell.split.seed, cell.arm): outcome for cell, outcome in found}


def value(outcome: Outcome, name: str) -> float:
    assert outcome.values is not None, outcome.traceback
    return float(outcome.values[name])
