"""How good are pretrained weights on real tables: `python -m benchmarks.zero_shot --weights X --data DIR`.

Every table `<name>.csv` of the folder (last column `target`, text is categorical, an empty field is missing) with at
most 10 classes and 45 columns is split three times into 300 training rows (60 % where it is smaller) and up to 1,000
test rows. The network predicts in context with 4 estimators; 15 nearest neighbours, logistic regression and random
forest see the same rows, one-hot encoded, scaled and imputed. Finished cells are kept in the output folder and not run
again, so that a new checkpoint costs its own predictions only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rich.progress import track
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tabpfn import TabPFNClassifier

from benchmarks.pretraining.checkpoint import write_text

SPLITS, TRAIN_ROWS, TRAIN_SHARE, TEST_ROWS, MAX_CLASSES, MAX_COLUMNS, ESTIMATORS = (
    3,
    300,
    0.6,
    1000,
    10,
    45,
    4,
)
METRICS = ("auc", "log_loss", "ece")


class Classifier(Protocol):
    """What is measured: scikit-learn's way of fitting and predicting."""

    def fit(self, x: pd.DataFrame, y: NDArray[np.int64]) -> object: ...

    def predict_proba(self, x: pd.DataFrame) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Cell:
    """One model on one split of one table."""

    table: str
    split: int
    model: str
    auc: float
    log_loss: float
    ece: float
    seconds: float


def read_tables(folder: Path) -> Iterator[tuple[str, pd.DataFrame, NDArray[np.int64]]]:
    """Yield name, columns and coded labels of the tables that are within the limits."""
    for path in sorted(folder.glob("*.csv")):
        frame = pd.read_csv(path, dtype={"target": str})
        y = pd.factorize(frame.pop("target"), sort=True)[0].astype(np.int64)
        if y.max() < MAX_CLASSES and frame.shape[1] <= MAX_COLUMNS:
            text = frame.select_dtypes(exclude="number").columns
            yield path.stem, frame.astype(dict.fromkeys(text, "category")), y


def splits(y: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield stratified training and test rows; seeds are the split's numbers."""
    n = min(TRAIN_ROWS, int(TRAIN_SHARE * len(y)))
    for seed in range(SPLITS):
        splitter = StratifiedShuffleSplit(
            1, train_size=n, test_size=min(TEST_ROWS, len(y) - n), random_state=seed
        )
        yield next(splitter.split(np.zeros(len(y)), y))


def baselines(x: pd.DataFrame, seed: int) -> dict[str, Callable[[], Classifier]]:
    """Return makers of the classical models for one table."""
    text = list(x.select_dtypes("category").columns)
    numbers = [column for column in x.columns if column not in text]

    def pipeline(model: ClassifierMixin) -> Classifier:
        one_hot = make_pipeline(
            SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
        )
        scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        columns = make_column_transformer((one_hot, text), (scaled, numbers), sparse_threshold=0)
        made: Classifier = make_pipeline(columns, model)
        return made

    return {
        "15 nearest neighbours": lambda: pipeline(KNeighborsClassifier(15)),
        "logistic regression": lambda: pipeline(LogisticRegression(max_iter=2000)),
        "random forest": lambda: pipeline(RandomForestClassifier(500, random_state=seed)),
    }


def foundation_model(weights: Path, seed: int) -> Classifier:
    """Return a classifier that predicts in context with these weights."""
    model: Classifier = TabPFNClassifier(
        model_path=str(weights),
        n_estimators=ESTIMATORS,
        device="cpu",
        random_state=seed,
        n_preprocessing_jobs=1,
    )
    return model


def calibration_error(y: NDArray[np.int64], p: NDArray[np.float64], bins: int = 15) -> float:
    """Return the expected calibration error of the predicted class over bins of equal width."""
    confidence, correct = p.max(1), p.argmax(1) == y
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(correct[place == b].sum() - confidence[place == b].sum()) for b in range(bins)]
    return float(sum(gaps) / len(y))


def mean_auc(y: NDArray[np.int64], p: NDArray[np.float64]) -> float:
    """One-vs-rest ROC-AUC, the mean over the classes that the test rows hold."""
    if p.shape[1] == 2:
        return float(roc_auc_score(y, p[:, 1]))
    return float(np.mean([roc_auc_score(y == k, p[:, k]) for k in np.unique(y)]))


def measure(
    model: Classifier, x: pd.DataFrame, y: NDArray[np.int64], split: int
) -> dict[str, float]:
    """Fit and predict one split of a table."""
    train, test = list(splits(y))[split]
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # rare categories unseen in training, and the like: expected of 300 rows
        model.fit(x.iloc[train], y[train])
        p = model.predict_proba(x.iloc[test])
    seconds = time.perf_counter() - begin
    return {
        "auc": mean_auc(y[test], p),
        "log_loss": float(log_loss(y[test], p, labels=np.arange(p.shape[1]))),
        "ece": calibration_error(y[test], p),
        "seconds": round(seconds, 3),
    }


def run(weights: list[Path], data: Path, out: Path) -> list[Cell]:
    """Measure what the output folder lacks and return all cells of the asked models."""
    store = out / "zero_shot.json"
    cells = [Cell(**cell) for cell in json.loads(store.read_text())] if store.exists() else []
    done = {(cell.table, cell.split, cell.model) for cell in cells}
    names = {
        f"{path.stem} {hashlib.sha256(path.read_bytes()).hexdigest()[:8]}": path for path in weights
    }
    asked = set(names)
    for name, x, y in track(list(read_tables(data)), "tables"):
        for split in range(SPLITS):
            models = baselines(x, split) | {
                n: partial(foundation_model, path, split) for n, path in names.items()
            }
            asked |= set(models)
            for label, make in models.items():
                if (name, split, label) not in done:
                    cells.append(Cell(name, split, label, **measure(make(), x, y, split)))
        write_text(store, json.dumps([asdict(cell) for cell in cells], indent=1))
    return [cell for cell in cells if cell.model in asked]


def markdown(cells: list[Cell]) -> str:
    """Return two tables: the means per model, and the AUC per data set."""
    frame = pd.DataFrame([asdict(cell) for cell in cells])
    means = frame.groupby("model", sort=False)[[*METRICS, "seconds"]].mean().sort_values("auc")
    best = frame.pivot_table(index="table", columns="model", values="auc")[means.index]
    tables = frame["table"].nunique()
    lines = [f"{tables} tables, {SPLITS} splits, at most {TRAIN_ROWS} training rows.", ""]
    lines += _rows(["model", "mean AUC", "log-loss", "ECE", "seconds"], means, "{:.3f}")
    return "\n".join([*lines, "", *_rows(["AUC", *means.index], best, "{:.3f}")]) + "\n"


def _rows(head: list[str], frame: pd.DataFrame, form: str) -> list[str]:
    body = [[str(row[0]), *(form.format(value) for value in row[1:])] for row in frame.itertuples()]
    return [
        "| " + " | ".join(row) + " |" for row in [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    ]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--weights", type=Path, nargs="+", required=True, help="checkpoints to measure"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of tables")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/zero_shot"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    text = markdown(run(options.weights, options.data, options.out))
    write_text(options.out / "zero_shot.md", text)
    print(text)


if __name__ == "__main__":
    main()
