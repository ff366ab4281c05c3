"""Show that a change of the code changes no row and no prediction, by a hash of both per table.

Run it in a checkout of before and in one of after, and compare::

    python -m benchmarks.same_bytes --data DIR --tables credit-g vehicle > before.txt
    python -m benchmarks.same_bytes --data DIR --tables credit-g vehicle > after.txt
    diff before.txt after.txt

One line per table: its name, the hash of 300 rows of `augment`, and the hash of the predictions of
a `CausalMixModel` fitted by a `TabularPredictor`. Only the public interface is used, so that the
script runs in both checkouts. ``DIR`` holds ``<name>.csv`` with a column ``target``.
"""

import argparse
import hashlib
import tempfile
from pathlib import Path

import pandas as pd
import torch
from autogluon.tabular import TabularPredictor

from autogluon_causalmix import CausalMixModel, augment

TRAINING_ROWS, TEST_ROWS = 150, 200
OPTIONS = {"backbone": "mini", "finetune_steps": 10, "n_estimators": 2}


def read(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and test rows of one table, text columns as categories."""
    frame = pd.read_csv(path, dtype={"target": str})
    counts = frame["target"].value_counts()
    frame = frame[frame["target"].isin(counts.index[:10])].sample(frac=1, random_state=0)
    frame = frame.astype(
        {name: "category" for name in frame.select_dtypes("object") if name != "target"}
    )
    return frame[:TRAINING_ROWS], frame[TRAINING_ROWS : TRAINING_ROWS + TEST_ROWS]


def rows_hash(train: pd.DataFrame) -> str:
    """Return the hash of synthetic rows, each value to its last bit."""
    drawn = augment(train, "target", 300, seed=0)
    values = pd.util.hash_pandas_object(
        drawn.astype(dict.fromkeys(drawn.select_dtypes("category"), str))
    )
    return hashlib.sha256(values.to_numpy().tobytes()).hexdigest()[:16]


def predictions_hash(train: pd.DataFrame, test: pd.DataFrame) -> str:
    """Return the hash of the probabilities of the test rows, each to its last bit."""
    with tempfile.TemporaryDirectory() as path:
        predictor = TabularPredictor("target", path=path, verbosity=0)
        predictor.fit(train, hyperparameters={CausalMixModel: OPTIONS}, fit_weighted_ensemble=False)
        probabilities = predictor.predict_proba(test.drop(columns="target"))
    return hashlib.sha256(probabilities.to_numpy().tobytes()).hexdigest()[:16]


def main() -> None:
    """Print a line per table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", nargs="+", required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.tables:
        train, test = read(given.data / f"{name}.csv")
        print(name, rows_hash(train), predictions_hash(train, test), flush=True)


if __name__ == "__main__":
    main()
