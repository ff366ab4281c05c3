"""TabArena on tables of a folder, or on the published suite.

::

    python -m benchmarks.tabarena --data DIR
    python -m benchmarks.tabarena --suite lite
    python -m benchmarks.tabarena --suite full

The first needs no network. A rerun fits only what is missing. The leaderboard is that of the splits
which every entrant has finished.
"""

from __future__ import annotations

import argparse
import gc
from pathlib import Path

import pandas as pd
from tabarena.benchmark.experiment import Job
from tabarena.contexts import AbstractArenaContext, TabArenaContext

from autogluon_causalmix.arms import ARMS
from autogluon_causalmix.tabarena import BACKBONES
from benchmarks.study.tables import Dataset, Unsuitable, load
from benchmarks.tabarena.board import Raw, leaderboard, missing, register
from benchmarks.tabarena.entrants import RIVALS, Entrant, entrants
from benchmarks.tabarena.tasks import Shape, collect, prepare

SUITES = {"lite": "lite", "full": None}  # TabArena's names of subsets


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--data", type=Path, help="folder of <name>.csv; else scikit-learn's tables")
    made.add_argument("--tables", nargs="+", help="names; all where none is given")
    made.add_argument("--suite", choices=list(SUITES), help="the published tasks, from OpenML")
    made.add_argument("--arms", nargs="*", default=list(ARMS), choices=list(ARMS))
    made.add_argument("--backbones", nargs="+", default=["mini"], choices=BACKBONES)
    made.add_argument("--rivals", nargs="*", default=list(RIVALS))
    made.add_argument("--splits", type=int, default=3)
    made.add_argument("--only", type=int, nargs="+", metavar="SPLIT", help="fit these splits")
    made.add_argument(
        "--beside", type=Path, nargs="+", default=[], metavar="RESULTS.CSV",
        help="of other splits, measured elsewhere with the same settings",
    )  # fmt: skip
    made.add_argument("--folds", type=int, default=8)
    made.add_argument("--rows", type=int, help="sample of each table; all rows where none is given")
    made.add_argument("--time-limit", type=float, default=3600, help="seconds of one bag")
    made.add_argument("--num-cpus", type=int, default=1)
    made.add_argument("--out", type=Path, default=Path("benchmarks/results/tabarena"))
    made.add_argument("--no-plot", dest="plot", action="store_false")
    return made


def own_tables(given: argparse.Namespace, known: list[Entrant]) -> None:
    """Run all entrants on tables of a folder, split by split, and show the leaderboard."""
    shape = Shape(given.splits, given.folds, given.rows)
    tables = suitable(load(given.data, given.tables), shape)
    tasks, collection = collect(tables, shape, given.out / "tasks")
    context = AbstractArenaContext(task_metadata=collection, methods=[])
    splits = given.only or list(range(given.splits))
    jobs = {
        entrant.name: [
            job for job in context.build_jobs([entrant.experiment]) if job.task.fold in splits
        ]
        for entrant in known
    }
    results: Raw = {entrant.name: [] for entrant in known}
    for split in splits:
        for name, all_jobs in jobs.items():
            gc.freeze()  # AutoGluon collects garbage in every fit, which looks through all imports
            results[name] += context.run_jobs(
                [job for job in all_jobs if job.task.fold == split],
                expname=given.out / "fits" / settings(shape, given.time_limit),
                register=False,
                user_tasks=tasks,
                debug_mode=True,  # in this process
                raise_on_failure=False,
            )
    for name, places in missing(results, jobs).items():
        print(f"{name} has no result for {places}")
    beside = [pd.read_csv(path) for path in given.beside]
    board = leaderboard(results, collection, given.out / "board", given.plot, beside)
    if board is None:
        print("no leaderboard: there is no split that two entrants have finished")
    else:
        print(board.to_string(index=False))


def settings(shape: Shape, time_limit: float) -> str:
    """Return the folder of fits on tasks of one shape: TabArena knows them by their table alone.

    Examples
    --------
    >>> settings(Shape(3, 4, 225), 3600.0)
    '3-splits-225-rows-4-folds-3600-s'
    """
    rows = "all" if shape.rows is None else shape.rows
    return f"{shape.splits}-splits-{rows}-rows-{shape.folds}-folds-{time_limit:g}-s"


def suitable(tables: list[Dataset], shape: Shape) -> list[Dataset]:
    """Return the tables as they are cut, and say what is left out of them."""
    kept = []
    for table in tables:
        try:
            kept.append(prepare(table, shape))
        except Unsuitable as error:
            print(f"{table.name} is left out: {error}")
        else:
            print(*(f"{table.name}: {note}" for note in kept[-1].notes), sep="\n")
    return kept


def suite_jobs(name: str, known: list[Entrant], context: TabArenaContext) -> list[Job]:
    """Return the jobs of the published suite that the model's limits allow."""
    experiments = [entrant.experiment for entrant in known]
    jobs: list[Job] = context.build_jobs(experiments, subset=SUITES[name])
    return jobs


def suite(given: argparse.Namespace, known: list[Entrant]) -> None:
    """Run the arms on the published tasks, and show them among the published results."""
    context = TabArenaContext()
    results: Raw = {
        entrant.name: context.run_jobs(
            suite_jobs(given.suite, [entrant], context),
            expname=given.out / given.suite,
            register=False,
            raise_on_failure=False,
        )
        for entrant in known
    }
    register(context, {name: own for name, own in results.items() if own})
    board = context.compare(output_dir=given.out / given.suite / "board", plot=given.plot)
    print(context.leaderboard_to_website_format(board).to_string(index=False))


def main() -> None:
    """Run the command."""
    given = parser().parse_args()
    settings = {
        "folds": given.folds, "time_limit": given.time_limit, "num_cpus": given.num_cpus
    }  # fmt: skip
    if given.suite:
        suite(given, entrants(given.arms, given.backbones, [], **settings))
    else:
        own_tables(given, entrants(given.arms, given.backbones, given.rivals, **settings))


if __name__ == "__main__":
    main()
