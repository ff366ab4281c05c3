"""The command line that all studies share."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import track

from benchmarks.files import write_text
from benchmarks.study.cells import Settings, Study, cells_of
from benchmarks.study.runner import Processes, Runner, Serial, run_missing
from benchmarks.study.store import Store
from benchmarks.study.summary import grid, runs_of, summarize
from benchmarks.study.tables import load


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that every study has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of <name>.csv; scikit-learn's tables")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--tables", nargs="+", help="names; all where none is given")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--first-split", type=int, default=0, help="earlier ones chose, say")
    parser.add_argument("--reference", help="the arm that others are compared with")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--threads", type=int, default=1, help="torch threads of a process")
    return parser


def run(study: Study, arms: Mapping[str, Settings], options: argparse.Namespace) -> None:
    """Run the missing cells, print the summary, and write it and the cells as CSV."""
    console = Console(width=120)
    reference = _reference(study, arms, options.reference)
    cells, notes = cells_of(
        study, load(options.data, options.tables), arms, options.splits, options.first_split
    )
    for note in notes:
        console.print(note)
    runner: Runner = (
        Serial(options.threads)
        if options.workers == 1
        else Processes(options.workers, options.threads)
    )
    outcomes = {}
    running = run_missing(cells, Store(options.out), runner)
    for cell, outcome in track(running, "cells", len(cells), console=console):
        outcomes[cell] = outcome
        if outcome.failed:
            console.print(f"failed: {cell}: {outcome.error}", style="red", markup=False)
    runs = runs_of([(cell, outcomes[cell]) for cell in cells], study.metrics)
    summary = summarize(runs, study.metrics, reference)
    folder = options.out / study.name
    write_text(folder / "cells.csv", runs.to_csv(index=False))
    write_text(folder / "summary.csv", summary.to_csv(index=False))
    console.print(grid(summary, reference))


def _reference(study: Study, arms: Mapping[str, Settings], asked: str | None) -> str | None:
    """Return the arm to compare with; None where the study's own is not among the arms."""
    if asked is not None and asked not in arms:
        raise SystemExit(f"there is no arm {asked!r} to compare with; choose from {list(arms)}")
    return asked or (study.reference if study.reference in arms else None)
