"""CausalMix beside gradient boosting inside one `TabularPredictor`, with and without bagging.

::

    python -m benchmarks.leaderboard --data DIR --tables credit-g vehicle

Prints AutoGluon's leaderboard on held-out rows, the wall-clock time of the fit and the peak memory of the process.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from autogluon.tabular import TabularPredictor
from rich.console import Console
from sklearn.model_selection import train_test_split

from autogluon_causalmix import CausalMixModel
from benchmarks.arms import prepare
from benchmarks.study.tables import load

TRAINING_ROWS = 300


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
        name, frame = table.name, table.take(table.rows)
        train, test = train_test_split(
            frame, train_size=TRAINING_ROWS, stratify=frame["target"], random_state=0
        )
        for folds in given.folds:
            started = time.monotonic()
            with tempfile.TemporaryDirectory() as path:
                predictor = TabularPredictor(
                    "target", eval_metric="log_loss", path=path, verbosity=1
                )
                models = {CausalMixModel: {"backbone": "mini"}, "GBM": {}}
                predictor.fit(train, hyperparameters=models, num_bag_folds=folds)
                seconds = time.monotonic() - started
                board = predictor.leaderboard(
                    test,
                    extra_metrics=["roc_auc_ovr" if frame["target"].nunique() > 2 else "roc_auc"],
                )
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            console.print(
                f"\n{name}, {folds} folds: {seconds:.0f} s, peak memory of the process {peak:.1f} GB"
            )
            console.print(board.iloc[:, :8].round(4).to_string(index=False))


if __name__ == "__main__":
    main()
