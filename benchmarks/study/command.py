"""The command line that all studies share."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.files import write_text
from benchmarks.study.cells import Cell, Settings, Study, cells_of
from benchmarks.study.cluster import Cluster
from benchmarks.study.progress import Progress
from benchmarks.study.runner import Processes, Runner, Serial, run_missing
from benchmarks.study.store import Store
from benchmarks.study.summary import grid, runs_of, summarize
from benchmarks.study.tables import load


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that every study has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options_of_runs(parser)
    parser.add_argument("--tables", nargs="+", help="names; all where none is given")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--first-split", type=int, default=0, help="earlier ones chose, say")
    parser.add_argument("--reference", help="the arm that others are compared with")
    return parser


def add_options_of_runs(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where tables come from, where cells go and who measures them."""
    parser.add_argument("--data", type=Path, help="folder of <name>.csv; scikit-learn's tables")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--threads", type=int, default=1, help="torch threads of a process")
    parser.add_argument("--ray-address", help="a Ray cluster in place of processes, 'auto' or host")
    parser.add_argument("--memory", type=float, default=2.0, help="GiB of a cell; on Ray only")
    parser.add_argument("--gpus", type=float, default=0.0, help="of a cell; on Ray only")


def run(study: Study, arms: Mapping[str, Settings], options: argparse.Namespace) -> None:
    """Measure the arms of a study on all tables and splits, see `run_cells`."""
    reference = _reference(study, arms, options.reference)
    cells, notes = cells_of(
        study, load(options.data, options.tables), arms, options.splits, options.first_split
    )
    run_cells(study, cells, notes, reference, options)


def run_cells(
    study: Study,
    cells: Sequence[Cell],
    notes: Sequence[str],
    reference: str | None,
    options: argparse.Namespace,
) -> int:
    """Run the missing cells, print the summary, and write it and the cells as CSV.

    Returns how many cells failed. They stand in ``cells.csv`` with what they raised, and the
    summary counts them: no mean has a number in their place.
    """
    console = Console(width=120)
    for note in notes:
        console.print(note)
    store, outcomes = Store(options.out), {}
    stored = sum((known := store.load(cell)) is not None and not known.failed for cell in cells)
    progress = Progress(len(cells), stored, console)
    for cell, outcome in run_missing(cells, store, runner_of(options)):
        outcomes[cell] = outcome
        progress.see(cell, outcome)
    runs = runs_of([(cell, outcomes[cell]) for cell in cells], study.metrics)
    summary = summarize(runs, study.metrics, reference)
    folder = options.out / study.name
    write_text(folder / "cells.csv", runs.to_csv(index=False))
    write_text(folder / "summary.csv", summary.to_csv(index=False))
    console.print(grid(summary, reference))
    return progress.failed


def runner_of(options: argparse.Namespace) -> Runner:
    """Return the runner that the options ask for."""
    if options.ray_address:
        return Cluster(options.ray_address, options.threads, options.memory, options.gpus)
    if options.workers == 1:
        return Serial(options.threads)
    return Processes(options.workers, options.threads)


def _reference(study: Study, arms: Mapping[str, Settings], asked: str | None) -> str | None:
    """Return the arm to compare with; None where the study's own is not among the arms."""
    if asked is not None and asked not in arms:
        raise SystemExit(f"there is no arm {asked!r} to compare with; choose from {list(arms)}")
    return asked or (study.reference if study.reference in arms else None)
