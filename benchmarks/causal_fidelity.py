"""What synthetic rows are worth, beside stock parts: `python -m benchmarks.causal_fidelity --arms ours`.

For each of ten tables and each split, at most 500 rows go to a generator, which draws 1,000:

TSTR       ROC-AUC on unseen real rows of gradient boosting trained on the drawn rows (higher is better)
detection  cross-fitted ROC-AUC of gradient boosting that tells them from unseen real rows (½ is perfect)

The arms are `real` (the rows themselves, TSTR alone), `stock` (causal-learn's PC with Fisher-Z on codes, DoWhy's
automatic mechanisms) and `ours`, with the generator's options as JSON. Stock takes minutes a table: finished cells are
kept, and run again only under another name (`--name`).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.generators.scm import SCMGenerator
from autogluon_causalmix.resources import Resources, cut_off
from autogluon_causalmix.table import Table
from benchmarks.causal_stage import read, stock
from benchmarks.pretraining.checkpoint import write_text

TEN = (
    "diabetes", "wdbc", "credit-g", "qsar-biodeg", "heart-cleveland", "vehicle", "credit-approval", "ionosphere", "cmc",
    "churn",
)  # fmt: skip
TRAIN_ROWS, DRAWN_ROWS, FEWEST_OF_A_CLASS = 500, 1000, 10


@dataclass(frozen=True)
class Cell:
    """One arm on one split of one table; NaN where it does not apply, `raised` where the arm did not run."""

    table: str
    split: int
    arm: str
    tstr: float
    detection: float
    seconds: float
    raised: str = ""


def main() -> None:
    """Run what the store lacks and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with open/"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/causal_fidelity"))
    parser.add_argument("--tables", nargs="+", default=TEN)
    parser.add_argument(
        "--arms", nargs="+", default=["real", "ours", "stock"], choices=["real", "ours", "stock"]
    )
    parser.add_argument("--name", default="ours", help="what the arm `ours` is called in the store")
    parser.add_argument(
        "--set", type=json.loads, default={}, metavar="JSON", help="options of the generator"
    )
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument(
        "--limit",
        type=float,
        default=600.0,
        help="seconds after which the stock pipeline is cut off",
    )
    parser.add_argument("--cpus", type=int, default=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for split in range(options.splits):
        for table in options.tables:
            real, held_out = rows_of(read(options.data, table), split)
            for arm in options.arms:
                path = (
                    options.out / f"{table}-{split}-{options.name if arm == 'ours' else arm}.json"
                )
                if not path.exists():
                    name = options.name if arm == "ours" else arm
                    cell = measure(table, split, arm, name, real, held_out, options)
                    write_text(path, json.dumps(asdict(cell)))
                    print(cell, flush=True)
    print(markdown(options.out))


def rows_of(frame: pd.DataFrame, split: int) -> tuple[Table, Table]:
    """Return the rows of one split that generators see, and up to 1,000 that none does; rare classes are left out."""
    frame = frame.groupby("target").filter(lambda rows: len(rows) >= FEWEST_OF_A_CLASS)
    size = min(TRAIN_ROWS, int(0.65 * len(frame)))
    train, test = train_test_split(
        frame, train_size=size, random_state=split, stratify=frame["target"]
    )
    whole = Table.from_frame(
        pd.concat([train, test.sample(min(len(test), 1000), random_state=split)]), "target"
    )
    return whole.take(np.arange(len(train))), whole.take(np.arange(len(train), len(whole)))


def measure(
    table: str,
    split: int,
    arm: str,
    name: str,
    real: Table,
    held_out: Table,
    options: argparse.Namespace,
) -> Cell:
    """Draw rows of one arm and score them; what it raises is written down."""
    started = time.perf_counter()
    try:
        if arm == "real":
            drawn = real.encode()
        elif arm == "stock":
            drawn = cut_off(
                options.limit, "stock", partial(stock, real, DRAWN_ROWS, split)
            ).to_numpy()
        else:
            rng, resources = np.random.default_rng(split), Resources(600.0, options.cpus)
            drawn = (
                SCMGenerator(**options.set)
                .fit(real, rng, resources)
                .sample(DRAWN_ROWS, rng)
                .encode()
            )
    except Exception as error:  # noqa: BLE001 - a border: whether stock parts run is what is asked
        return Cell(
            table,
            split,
            name,
            np.nan,
            np.nan,
            time.perf_counter() - started,
            f"{type(error).__name__}: {error}",
        )
    seconds = time.perf_counter() - started
    told = np.nan if arm == "real" else detection(drawn, held_out.encode())
    return Cell(table, split, name, tstr(drawn, held_out), told, seconds)


def tstr(drawn: Matrix, real: Table) -> float:
    """Return the ROC-AUC on real rows of gradient boosting trained on synthetic ones, the mean over classes."""
    target, truth = real.target_position, real.encode()
    codes = [
        i - (i > target)
        for i, column in enumerate(real.columns)
        if column.is_categorical and i != target
    ]
    model = HistGradientBoostingClassifier(max_iter=60, categorical_features=codes, random_state=0)
    if len(np.unique(drawn[:, target])) < 2:
        return 0.5
    model.fit(np.delete(drawn, target, axis=1), drawn[:, target])
    probability = np.full(
        (len(truth), int(max(truth[:, target].max(), model.classes_.max())) + 1), 1e-9
    )
    probability[:, model.classes_.astype(int)] = model.predict_proba(
        np.delete(truth, target, axis=1)
    )
    areas = [
        roc_auc_score(truth[:, target] == code, probability[:, int(code)])
        for code in np.unique(truth[:, target])
    ]
    return float(np.mean(areas))


def detection(drawn: Matrix, held_out: Matrix) -> float:
    """Return the cross-fitted ROC-AUC of gradient boosting that tells synthetic from unseen real rows."""
    n = min(len(drawn), len(held_out))
    rows, label = np.concatenate([held_out[:n], drawn[:n]]), np.repeat([0, 1], n)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    return float(
        roc_auc_score(
            label, cross_val_predict(model, rows, label, cv=folds, method="predict_proba")[:, 1]
        )
    )


def markdown(folder: Path) -> str:
    """Return the means over splits of every finished cell, one line a table; ✗ where an arm raised on every split."""
    cells = pd.DataFrame([json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))])
    means = cells.groupby(["table", "arm"])[["tstr", "detection"]].mean().unstack("arm")
    means = means.drop(columns=[("detection", "real")], errors="ignore")
    head = [
        f"{arm} {score}"
        for score, arm in zip(*map(means.columns.get_level_values, (0, 1)), strict=True)
    ]
    lines = ["| table | " + " | ".join(head) + " |", "| --- |" + " ---: |" * len(head)]
    for name, values in means.iterrows():
        shown = ["✗" if np.isnan(value) else f"{value:.3f}" for value in values]
        lines += [f"| {name} | " + " | ".join(shown) + " |"]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
