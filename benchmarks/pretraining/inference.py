"""Compare ways to preprocess tables for the network.

::

    python -m benchmarks.pretraining.inference --weights mini.safetensors

Candidates are compared on held-out tables of the prior, never on real tables, with the whole
classifier as a user calls it, each at the temperature that suits it best. The best one is
`checkpoint.INFERENCE`, which is written into every exported checkpoint.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from rich.progress import track
from tabpfn import TabPFNClassifier
from torch import Tensor

from benchmarks.pretraining.draws import Shape, generator
from benchmarks.pretraining.evaluation import VIEWS, best_temperature, ensemble_loss
from benchmarks.pretraining.prior import MAX_CLASSES, sample_tables
from benchmarks.study.metrics import roc_auc

CONTEXT = 200
_STREAM = 2**16  # apart from the streams of runs
SHUFFLED = "ordinal_very_common_categories_shuffled"
PLAIN = {"name": "none", "categorical_name": SHUFFLED}
RANKS = {"name": "quantile_uni_coarse", "categorical_name": SHUFFLED}
SQUASHED = {"name": "squashing_scaler_default", "categorical_name": SHUFFLED}
ONE_HOT = {"name": "none", "categorical_name": "onehot", "max_onehot_cardinality": 12}
DEFAULT = RANKS | {"append_original": "auto", "global_transformer_name": "svd"}
NUMBERS = {"name": "none", "categorical_name": "numeric"}
CANDIDATES: dict[str, dict[str, Any]] = {
    "default of the architecture": {
        "PREPROCESS_TRANSFORMS": [DEFAULT, NUMBERS],
        "FINGERPRINT_FEATURE": True,
    },
    "plain, with fingerprints": {"PREPROCESS_TRANSFORMS": [PLAIN], "FINGERPRINT_FEATURE": True},
    "plain": {"PREPROCESS_TRANSFORMS": [PLAIN], "FINGERPRINT_FEATURE": False},
    "ranks": {"PREPROCESS_TRANSFORMS": [RANKS], "FINGERPRINT_FEATURE": False},
    "ranks and plain": {"PREPROCESS_TRANSFORMS": [RANKS, PLAIN], "FINGERPRINT_FEATURE": False},
    "squashed and plain": {
        "PREPROCESS_TRANSFORMS": [SQUASHED, PLAIN],
        "FINGERPRINT_FEATURE": False,
    },
    "one-hot and ranks": {"PREPROCESS_TRANSFORMS": [ONE_HOT, RANKS], "FINGERPRINT_FEATURE": False},
}


def tables(count: int) -> Iterator[tuple[pd.DataFrame, NDArray[np.int64]]]:
    """Yield held-out tables of 5 to 40 columns with categories as text, as users have them."""
    for i in range(count):
        shape = Shape(tables=1, rows=CONTEXT + 200, columns=5 + (7 * i) % 36)
        drawn = sample_tables(shape, generator(i, stream=_STREAM))
        frame = pd.DataFrame(drawn.x[0].numpy())
        for column in drawn.categorical[0].nonzero()[:, 0].tolist():
            text = frame[column].map(lambda code: f"level {code:.0f}", na_action="ignore")
            frame[column] = text.astype("category")
        yield frame, drawn.y[0].numpy()


def predict(
    weights: Path, inference: dict[str, Any], x: pd.DataFrame, y: NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    """Return each estimator's logits (V, M, K) and the labels (M,) of query rows.

    Query rows whose class the context lacks are left out.
    """
    model = TabPFNClassifier(
        model_path=str(weights),
        n_estimators=VIEWS,
        device="cpu",
        random_state=0,
        inference_config=inference,
    )
    model.fit(x[:CONTEXT], y[:CONTEXT])
    known = CONTEXT + np.flatnonzero(np.isin(y[CONTEXT:], model.classes_))
    logits = torch.as_tensor(model.predict_raw_logits(x.iloc[known]))
    target = torch.as_tensor(np.searchsorted(model.classes_, y[known]))
    return F.pad(logits, (0, MAX_CLASSES - logits.shape[2]), value=-torch.inf), target


def scores(predictions: list[tuple[Tensor, Tensor]]) -> tuple[float, NDArray[np.float64]]:
    """Return the best temperature over all tables, and AUC and log-loss of each (tables, 2)."""
    logits, targets = zip(*predictions, strict=True)
    temperature = best_temperature(torch.cat(logits, 1), torch.cat(targets))
    rows = []
    for raw, target in predictions:
        p = (raw / temperature).softmax(-1).mean(0).numpy()[:, : int(raw[0, 0].isfinite().sum())]
        rows.append((roc_auc(p, target.numpy()), ensemble_loss(raw, target, temperature)))
    return temperature, np.array(rows)


def compare(weights: Path, count: int) -> pd.DataFrame:
    """Return every candidate's temperature, AUC and log-loss, and differences from the first."""
    drawn = [(x, y) for x, y in tables(count) if len(set(y[:CONTEXT]) & set(y[CONTEXT:])) > 1]
    results = {
        name: scores([predict(weights, inference, x, y) for x, y in drawn])
        for name, inference in track(CANDIDATES.items(), "candidates")
    }
    first = next(iter(results.values()))[1]
    rows = {}
    for name, (temperature, table_scores) in results.items():
        gap = table_scores - first
        error = gap.std(0) / np.sqrt(len(gap))
        rows[name] = (
            temperature,
            *table_scores.mean(0),
            gap[:, 0].mean(),
            error[0],
            gap[:, 1].mean(),
            error[1],
        )
    names = ["temperature", "auc", "log_loss", "auc gap", "±", "log_loss gap", "± "]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(compare(options.weights, options.tables).round(4).to_string())


if __name__ == "__main__":
    main()
