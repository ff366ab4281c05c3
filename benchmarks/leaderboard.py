"""CausalMix and gradient boosting in one `TabularPredictor`, with and without bagging.

::

    python -m benchmarks.leaderboard --data DIR --tables credit-g vehicle

Prints AutoGluon's leaderboard on held-out rows, the wall-clock time of the fit and the peak memory
of the process.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor
from rich.console import Console

from autogluon_causalmix import CausalMixModel
from benchmarks.arms import prepare
from benchmarks.study.splits import SplitRule
from benchmarks.study.tables import load

RULE = SplitRule(train_rows=300, train_share=0.6, test_rows=100_000)


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, help="folder of <name>.csv; else scikit-learn's tables"
    )
    parser.add_argument("--tables", nargs="+", help="names; all where none is given")
    parser.add_argument("--folds", nargs="+", type=int, default=[0, 4])
    given = parser.parse_args()
    console = Console(width=140)
    for table in map(prepare, load(given.data, given.tables)):
        split = RULE.draw(table, seed=0)
        for folds in given.folds:
            board, seconds = fit(table.take(split.train), table.take(split.test), folds)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            measured = f"{seconds:.0f} s, peak memory {peak:.1f} GB"
            console.print(f"\n{table.name}, {folds} folds: {measured}")
            console.print(board.iloc[:, :8].round(4).to_string(index=False))


def fit(train: pd.DataFrame, test: pd.DataFrame, folds: int) -> tuple[pd.DataFrame, float]:
    """Return AutoGluon's leaderboard on the test rows, and the seconds of the fit."""
    auc = "roc_auc_ovr" if train["target"].nunique() > 2 else "roc_auc"
    models = {CausalMixModel: {"backbone": "mini"}, "GBM": {}}
    with tempfile.TemporaryDirectory() as path:
        started = time.monotonic()
        predictor = TabularPredictor("target", eval_metric="log_loss", path=path, verbosity=1)
        predictor.fit(train, hyperparameters=models, num_bag_folds=folds)
        seconds = time.monotonic() - started
        return predictor.leaderboard(test, extra_metrics=[auc]), seconds


if __name__ == "__main__":
    main()
