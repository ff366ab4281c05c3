"""Tables as the AutoML Benchmark's files: a training and a test file for each fold."""

from __future__ import annotations

from pathlib import Path

import yaml
from sklearn.model_selection import StratifiedKFold

from benchmarks.study.tables import TARGET, Dataset, keep_classes

MOST_CLASSES = 10


def definition(names: list[str], folds: int) -> str:
    """Return a definition of tables that `write` has written.

    Files are listed one by one: a folder named by ``path`` is read wrongly the second time.
    """
    entries = [
        {
            "name": name,
            "dataset": {
                part: [f"{{user}}/data/{name}/{part}_{fold}.csv" for fold in range(folds)]
                for part in ("train", "test")
            }
            | {"target": TARGET},
            "folds": folds,
        }
        for name in names
    ]
    text: str = yaml.safe_dump(entries, sort_keys=False, explicit_start=True)
    return text


def write(tables: list[Dataset], folds: int, folder: Path) -> None:
    """Write the files of each fold to ``<folder>/<table>/{train,test}_<fold>.csv``."""
    for table in tables:
        kept = keep_classes(table, 2 * folds, MOST_CLASSES)
        frame = kept.take(kept.rows)
        (folder / table.name).mkdir(parents=True, exist_ok=True)
        cut = StratifiedKFold(folds, shuffle=True, random_state=0)
        for fold, parts in enumerate(cut.split(frame, frame[TARGET])):
            for part, rows in zip(("train", "test"), parts, strict=True):
                # the benchmark takes numbers for a target of numbers: classes are words
                words = frame.iloc[rows].assign(**{TARGET: "class " + frame[TARGET].iloc[rows]})
                words.to_csv(folder / table.name / f"{part}_{fold}.csv", index=False)
