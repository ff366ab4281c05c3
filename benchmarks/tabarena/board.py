"""The leaderboard of what is finished: splits that every entrant has results for.

An entrant without any result is left out; else one that always fails would leave nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from tabarena.benchmark.experiment import Job
from tabarena.benchmark.task.metadata import TaskMetadataCollection
from tabarena.contexts import AbstractArenaContext
from tabarena.end_to_end import EndToEnd

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


def leaderboard(
    results: Raw, tasks: TaskMetadataCollection, folder: Path, plot: bool
) -> pd.DataFrame | None:
    """Return TabArena's leaderboard of the finished places, and write it, with pictures.

    Each entrant is registered alone: TabArena would merge those that share a class. None where
    there are not two entrants to compare on one place.
    """
    context, places = AbstractArenaContext(task_metadata=tasks, methods=[]), finished(results)
    took_part = {name: own for name, own in results.items() if own}
    if not places or len(took_part) < 2:
        return None
    for name, own in took_part.items():
        read = EndToEnd.from_raw(
            [result for result in own if place_of(result) in places],
            task_metadata=tasks, name=name, model_key=name, cache=False, backend="native",
            verbose=False,
        )  # fmt: skip
        context.register(read.to_method_metadata_lst())
    board, single = context.compare(
        output_dir=folder, return_results=True, plot=plot, figure_file_type="png"
    )
    single.to_csv(folder / "results.csv", index=False)
    whole: pd.DataFrame = board
    return whole
