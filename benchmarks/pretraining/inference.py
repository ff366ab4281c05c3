"""Which preprocessing suits the network: `python -m benchmarks.pretraining.inference --weights mini.safetensors`.

Candidates are compared on held-out tables of the prior, through the whole classifier as a user meets it, never on real
tables. The winner is `checkpoint.INFERENCE`, written into every exported checkpoint.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rich.progress import track
from sklearn.metrics import log_loss
from tabpfn import TabPFNClassifier

from benchmarks.pretraining.draws import Shape, generator
from benchmarks.pretraining.prior import sample_tables
from benchmarks.zero_shot import mean_auc

CONTEXT = 200
_STREAM = 2**16  # apart from the streams of runs
SHUFFLED = "ordinal_very_common_categories_shuffled"
PLAIN = {"name": "none", "categorical_name": SHUFFLED}
RANKS = {"name": "quantile_uni_coarse", "categorical_name": SHUFFLED}
SQUASHED = {"name": "squashing_scaler_default", "categorical_name": SHUFFLED}
ONE_HOT = {"name": "none", "categorical_name": "onehot", "max_onehot_cardinality": 12}
CANDIDATES: dict[str, dict[str, Any]] = {
    "default of the architecture": {},
    "plain, with fingerprints": {"PREPROCESS_TRANSFORMS": [PLAIN]},
    "plain": {"PREPROCESS_TRANSFORMS": [PLAIN], "FINGERPRINT_FEATURE": False},
    "ranks": {"PREPROCESS_TRANSFORMS": [RANKS], "FINGERPRINT_FEATURE": False},
    "ranks and plain": {"PREPROCESS_TRANSFORMS": [RANKS, PLAIN], "FINGERPRINT_FEATURE": False},
    "squashed and plain": {"PREPROCESS_TRANSFORMS": [SQUASHED, PLAIN], "FINGERPRINT_FEATURE": False},
    "one-hot and plain": {"PREPROCESS_TRANSFORMS": [ONE_HOT, PLAIN], "FINGERPRINT_FEATURE": False},
    "one-hot and ranks": {"PREPROCESS_TRANSFORMS": [ONE_HOT, RANKS], "FINGERPRINT_FEATURE": False},
}


def tables(count: int) -> Iterator[tuple[pd.DataFrame, NDArray[np.int64]]]:
    """Yield held-out tables of 5 to 40 columns as a user would hold them: categories as text."""
    for i in range(count):
        shape = Shape(tables=1, rows=CONTEXT + 200, columns=5 + (7 * i) % 36)
        drawn = sample_tables(shape, generator(i, stream=_STREAM))
        frame = pd.DataFrame(drawn.x[0].numpy())
        for column in drawn.categorical[0].nonzero()[:, 0].tolist():
            text = frame[column].map(lambda code: f"level {code:.0f}", na_action="ignore")
            frame[column] = text.astype("category")
        yield frame, drawn.y[0].numpy()


def score(weights: Path, inference: dict[str, Any], x: pd.DataFrame, y: NDArray[np.int64]) -> tuple[float, float]:
    """Return AUC and log-loss on the query rows whose class the context holds; 4 estimators."""
    model = TabPFNClassifier(
        model_path=str(weights), n_estimators=4, device="cpu", random_state=0, inference_config=inference
    )
    model.fit(x[:CONTEXT], y[:CONTEXT])
    known = CONTEXT + np.flatnonzero(np.isin(y[CONTEXT:], model.classes_))
    p = model.predict_proba(x.iloc[known])
    dense = np.searchsorted(model.classes_, y[known])
    return mean_auc(dense, p), float(log_loss(dense, p, labels=np.arange(p.shape[1])))


def compare(weights: Path, count: int) -> pd.DataFrame:
    """Return AUC and log-loss of every candidate, and how its log-loss differs from the first one's, in its errors."""
    drawn = [(x, y) for x, y in tables(count) if len(set(y[:CONTEXT]) & set(y[CONTEXT:])) > 1]
    scores = {
        name: np.array([score(weights, inference, x, y) for x, y in drawn])
        for name, inference in track(CANDIDATES.items(), "candidates")
    }
    first = next(iter(scores.values()))[:, 1]
    rows = {
        name: (*s.mean(0), np.mean(s[:, 1] - first), np.std(s[:, 1] - first) / np.sqrt(len(first)))
        for name, s in scores.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["auc", "log_loss", "difference", "standard error"])


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(compare(options.weights, options.tables).round(4).to_string())


if __name__ == "__main__":
    main()
