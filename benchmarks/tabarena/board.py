"""The leaderboard of what is finished: splits that every entrant has results for.

An entrant without any result is left out; else one that always fails would leave nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tabarena.benchmark.experiment import Job
from tabarena.benchmark.task.metadata import TaskMetadataCollection
from tabarena.contexts import AbstractArenaContext
from tabarena.end_to_end import EndToEnd

from autogluon_causalmix.method import NOT_REPRODUCIBLE
from autogluon_causalmix.records import FitReport

Place = tuple[str, int]  # table and split
Raw = dict[str, list[dict[str, Any]]]  # results by entrant


def place_of(result: dict[str, Any]) -> Place:
    """Return where a result was measured."""
    facts = result["task_metadata"]
    return facts["name"], facts["fold"]


def missing(results: Raw, jobs: dict[str, list[Job]]) -> dict[str, list[Place]]:
    """Return by entrant which of its jobs have no result."""
    found = {
        name: sorted(
            {(job.task.dataset, job.task.fold) for job in jobs[name]}
            - {place_of(result) for result in results[name]}
        )
        for name in jobs
    }
    return {name: places for name, places in found.items() if places}


def finished(results: Raw) -> list[Place]:
    """Return the places that every entrant with any result has one for."""
    per_entrant = [{place_of(result) for result in own} for own in results.values() if own]
    return sorted(set.intersection(*per_entrant)) if per_entrant else []


def verdicts(results: Raw) -> pd.DataFrame:
    """Return what each fit of CausalMix decided, from the report that AutoGluon kept of it.

    Columns: entrant, dataset, split, which weights predict, how many of the folds kept fine-tuned
    weights, how many folds had synthetic rows, and whether the clock cut any of these fits.
    """
    rows = []
    for name, own in results.items():
        for result in own:
            reports = [
                FitReport.model_validate(child["fit_report"])
                for child in result["method_metadata"]["info"].get("children_info", {}).values()
                if "fit_report" in child
            ]
            rows += [_verdict(name, place_of(result), report) for report in reports]
    return pd.DataFrame(rows)


def _verdict(name: str, place: Place, report: FitReport) -> dict[str, Any]:
    notes = [*report.notes, *(note for fold in report.folds for note in fold.notes)]
    return {
        "entrant": name,
        "dataset": place[0],
        "split": place[1],
        "kept": report.kept,
        "folds": len(report.folds),
        "folds_tuned": sum(fold.kept == "fine-tuned" for fold in report.folds),
        "folds_with_synthetic_rows": sum(fold.generator is not None for fold in report.folds),
        "cut": NOT_REPRODUCIBLE in notes,
    }


def register(context: AbstractArenaContext, results: Raw) -> None:
    """Make the results of each entrant a row of its own: TabArena would merge those of one class.

    All are read before one is registered, which narrows the context to that one's tasks.
    """
    read = [
        EndToEnd.from_raw(
            own,
            task_metadata=context.task_metadata_collection,
            name=name,
            model_key=name,
            cache=False,
            backend="native",
            verbose=False,
        )
        for name, own in results.items()
    ]
    for entrant in read:
        context.register(entrant.to_method_metadata_lst())


def leaderboard(
    results: Raw,
    tasks: TaskMetadataCollection,
    folder: Path,
    plot: bool,
    beside: Sequence[pd.DataFrame] = (),
) -> pd.DataFrame | None:
    """Return TabArena's leaderboard of the finished places, and write it, with pictures.

    None where there are not two entrants to compare on one place.

    Parameters
    ----------
    results : dict of str to list of dict
        By entrant.
    tasks : TaskMetadataCollection
        Of all places.
    folder : Path
        Gets ``results.csv``, ``verdicts.csv``, TabArena's own files and pictures.
    plot : bool
        Whether there are pictures.
    beside : sequence of pandas.DataFrame
        Each a ``results.csv`` of other splits, measured elsewhere with the same settings.
    """
    context, places = AbstractArenaContext(task_metadata=tasks, methods=[]), finished(results)
    took_part = {
        name: [result for result in own if place_of(result) in places]
        for name, own in results.items()
        if own
    }
    if not places or len(took_part) < 2:
        return None
    register(context, took_part)
    single = in_common([context.load_results(download_results="auto"), *beside])
    board: pd.DataFrame = context.compare(
        output_dir=folder,
        ta_results=single,
        filter_to_task_metadata=False,  # those of `beside` are not the context's
        plot=plot,
        figure_file_type="png",
    )
    single.to_csv(folder / "results.csv", index=False)
    verdicts(took_part).to_csv(folder / "verdicts.csv", index=False)
    return board


def in_common(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the results of all frames on the places that each method has one result for.

    Raises
    ------
    ValueError
        A method has two results on one place.
    """
    whole = pd.concat(frames, ignore_index=True)
    place = ["dataset", "fold"]
    twice = whole[whole.duplicated(["method", *place])]
    if len(twice):
        method, dataset, split = twice[["method", *place]].iloc[0]
        raise ValueError(f"{method} has two results on split {split} of {dataset}")
    methods = whole.groupby(place)["method"].transform("nunique")
    return whole[methods == whole["method"].nunique()].reset_index(drop=True)
