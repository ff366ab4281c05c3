"""Tables as TabArena's tasks: stratified splits, made from a folder without a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split
from tabarena.benchmark.task import UserTask
from tabarena.benchmark.task.metadata import TaskMetadataCollection

from benchmarks.study.tables import TARGET, Dataset, keep_classes

MOST_CLASSES = 10


@dataclass(frozen=True)
class Shape:
    """What a table is cut into.

    Attributes
    ----------
    splits : int
        Outer splits: each row is tested once.
    folds : int
        Of a bag, within the training rows of a split.
    rows : int or None
        A stratified sample of the table; None takes all rows.
    """

    splits: int = 3
    folds: int = 8
    rows: int | None = None


def prepare(table: Dataset, shape: Shape) -> Dataset:
    """Return at most ten classes, each in every fold of every split, and a sample of the rows."""
    kept = keep_classes(table, shape.splits * shape.folds, MOST_CLASSES)
    if shape.rows is None or shape.rows >= len(kept.rows):
        return kept
    sample, _ = train_test_split(
        kept.rows, train_size=shape.rows, stratify=kept.labels, random_state=0
    )
    sampled = Dataset(kept.name, kept.frame, kept.sha256, np.sort(sample), kept.notes)
    return keep_classes(sampled, shape.splits * shape.folds)


def task_of(table: Dataset, shape: Shape, folder: Path) -> tuple[UserTask, object]:
    """Return a table as a task, saved in a folder, and TabArena's facts of it."""
    frame = table.take(table.rows).reset_index(drop=True)
    cut = StratifiedKFold(shape.splits, shuffle=True, random_state=0)
    splits = {
        0: {
            fold: (train.tolist(), test.tolist())
            for fold, (train, test) in enumerate(cut.split(frame, frame[TARGET]))
        }
    }
    task = UserTask(task_name=table.name, task_cache_path=folder)
    made = task.create_task(
        dataset=frame, target_feature=TARGET, problem_type="classification", splits=splits
    )
    task.save_task(made)
    return task, made.metadata


def collect(
    tables: list[Dataset], shape: Shape, folder: Path
) -> tuple[list[UserTask], TaskMetadataCollection]:
    """Return prepared tables as tasks, and their collection."""
    pairs = [task_of(table, shape, folder) for table in tables]
    return [task for task, _ in pairs], TaskMetadataCollection.from_source(
        [facts for _, facts in pairs]
    )
