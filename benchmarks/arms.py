"""Compare arms of CausalMix on the tables of a folder: zero-shot, plain fine-tuning, the null, SCM rows, mixings.

::

    python -m benchmarks.arms --data DIR --out results/ --splits 3

One JSON file per (table, split, arm): a rerun computes only what is missing. The table printed at the end gives, per
arm, the mean gain over zero-shot on the test rows with its standard error over tables, and how often fine-tuned
weights were kept. ``DIR`` holds ``<name>.csv`` with a column ``target``.
"""

import argparse
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table as Grid
from sklearn.model_selection import train_test_split

from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.finetuning.rows import class_codes
from autogluon_causalmix.method import fit
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

ARMS: dict[str, dict[str, Any]] = {
    "zero-shot": {"finetune": False},
    "real rows": {"generator": None},
    "bootstrap null": {"generator": "bootstrap"},
    "causalmix": {},
    "label as sink": {"generator": {"name": "scm", "label": "sink"}},
    "teacher": {"generator": {"name": "scm", "label": "teacher"}},
    "pc+fci": {"generator": {"name": "scm", "discoverer": "pc+fci"}},
    "weighted": {"generator": {"name": "scm", "weighting": "likelihood"}},
    "pure synthetic": {"mixing": {"real_fraction": 0.0}},
    "synthetic episodes": {"mixing": {"role": "episode"}},
    "half real": {"mixing": {"real_fraction": 0.5}},
    "three quarters real": {"mixing": {"real_fraction": 0.75}},
}
TRAINING_ROWS = 200  # a quarter of them judges, as in AutoGluon's holdout
TEST_ROWS = 500


def load(path: Path) -> pd.DataFrame:
    """Return one table, text columns as categories, at most ten classes of at least five rows."""
    frame = pd.read_csv(path)
    counts = frame["target"].value_counts()
    frame = frame[frame["target"].isin(counts.index[:10][counts.iloc[:10] >= 5])]
    return frame.astype(
        {name: "category" for name in frame.select_dtypes("object") if name != "target"}
    )


def split(frame: pd.DataFrame, seed: int) -> tuple[Table, Table, Table]:
    """Return training, validation and test rows, stratified."""
    rows = min(TRAINING_ROWS, int(0.6 * len(frame)))
    train, rest = train_test_split(
        frame, train_size=rows, stratify=frame["target"], random_state=seed
    )
    learn, judge = train_test_split(
        train, test_size=0.25, stratify=_strata(train["target"]), random_state=seed
    )
    test = rest.sample(min(TEST_ROWS, len(rest)), random_state=seed)
    table = Table.from_frame(learn, "target")
    return (
        table,
        table.with_frame(judge),
        table.with_frame(test[test["target"].isin(set(learn["target"]))]),
    )


def _strata(labels: pd.Series) -> pd.Series | None:
    return labels if labels.value_counts().min() > 1 else None


def run_cell(path: Path, seed: int, options: dict[str, Any]) -> dict[str, Any]:
    """Fit one arm on one split and score it on the test rows."""
    learn, judge, test = split(load(path), seed)
    parsed = Hyperparameters.parse({"backbone": "mini", "random_state": seed, **options})
    fitted = fit(learn, judge, parsed, Resources(600, 1))
    scores = test.task.scores(
        fitted.model.predict_proba(test.features), class_codes(fitted.model, test)
    )
    report = fitted.report
    return {
        **scores.model_dump(),
        "kept_step": report.kept_step,
        "seconds": report.seconds,
        "notes": report.notes,
        "curve": [point.model_dump() for point in report.curve],
        "validation": [s and s.model_dump() for s in (report.pretrained, report.tuned)],
    }


def summarize(out: Path, arms: list[str]) -> Grid:
    """Return the gains over zero-shot, mean over splits, then mean and standard error over tables."""
    cells = pd.DataFrame([json.loads(path.read_text()) for path in sorted(out.glob("*.json"))])
    base = cells[cells["arm"] == "zero-shot"].set_index(["table", "split"])[["log_loss", "roc_auc"]]
    grid = Grid("arm", "tables", "Δ log-loss", "Δ ROC-AUC", "kept", "seconds")
    for arm in arms:
        mine = cells[cells["arm"] == arm].set_index(["table", "split"])
        gains = (mine[["log_loss", "roc_auc"]] - base).dropna(how="all").groupby("table").mean()
        error = gains.std(ddof=1) / np.sqrt(len(gains))
        changes = [f"{gains[m].mean():+.4f} ± {error[m]:.4f}" for m in ("log_loss", "roc_auc")]
        seconds = mine["seconds"].map(lambda stages: sum(stages.values())).median()
        grid.add_row(
            arm,
            str(len(gains)),
            *changes,
            f"{(mine['kept_step'] > 0).mean():.0%}",
            f"{seconds:.1f}",
        )
    return grid


def main() -> None:
    """Run the missing cells, then print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", nargs="*", help="names; all of the folder where none is given")
    parser.add_argument("--arms", nargs="*", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument(
        "--set", default="{}", help="JSON of hyperparameters that hold for every arm"
    )
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    names = given.tables or sorted(path.stem for path in given.data.glob("*.csv"))
    cells = [
        (seed, name, arm) for seed in range(given.splits) for name in names for arm in given.arms
    ]
    for seed, name, arm in track(cells, description="cells"):
        identity = zlib.crc32(f"{arm} {given.set}".encode())
        target = given.out / f"{name}-{seed}-{identity:08x}.json"
        if not target.exists():
            cell = run_cell(
                given.data / f"{name}.csv", seed, {**json.loads(given.set), **ARMS[arm]}
            )
            partial = target.with_suffix(".partial")
            partial.write_text(
                json.dumps({"table": name, "split": seed, "arm": arm, "set": given.set, **cell})
            )
            partial.replace(target)
    Console().print(summarize(given.out, given.arms))


if __name__ == "__main__":
    main()
