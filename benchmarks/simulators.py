"""Mechanisms on simulators whose truth is known: `python -m benchmarks.simulators {labels,noise}`.

labels  how predictable the labels are that a fitted mechanism draws (ROC-AUC of its own probabilities for them) beside
        those of the truth, and how well it predicts the true ones (ours: the mean of ten draws); ours beside
        classifiers of scikit-learn
noise   the spread of the noise that a fitted mechanism draws, where the truth is 1
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.fitting import DEFAULT_LEARNERS
from autogluon_causalmix.scm.mechanisms import AdditiveNoise, CalibratedClassifier

COLUMNS, FRESH, DRAWS = 5, 6000, 10
SIZES = (100, 200, 500, 2000)

LOGITS: dict[str, Callable[[Matrix], Matrix]] = {
    "waves and a product": lambda x: 1.2 * np.sin(2 * x[:, 0]) + 0.8 * x[:, 1] * x[:, 2],
    "a line": lambda x: x[:, 0],
    "nothing": lambda x: np.zeros(len(x)),
}


def main() -> None:
    """Read the command line and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["labels", "noise"])
    parser.add_argument("--seeds", type=int, default=20)
    arguments = parser.parse_args()
    {"labels": compare_labels, "noise": measure_noise}[arguments.what](arguments.seeds)


def probabilities(name: str, x: Matrix, y: Matrix, fresh: Matrix, seed: int) -> Matrix:
    """Return P(y = 1) for fresh rows under every function that a model draws labels from, shape (functions, rows)."""
    if name == "ours":
        mechanism = CalibratedClassifier([False] * COLUMNS, DEFAULT_LEARNERS, seed=seed)
        mechanism.fit(x, y[:, None])
        rng = np.random.default_rng(seed)
        return np.stack(
            [mechanism.redrawn(rng).estimate_probabilities(fresh)[:, -1] for _ in range(DRAWS)]
        )
    models = {
        "gradient boosting": HistGradientBoostingClassifier(random_state=seed),
        "random forest": RandomForestClassifier(random_state=seed),
        "logistic regression": LogisticRegression(),
    }
    return np.asarray(models[name].fit(x, y).predict_proba(fresh)[:, 1])[None]


def compare_labels(seeds: int) -> None:
    """Print the mean over seeds of the AUC under the own probabilities, on true labels, and the excess log-loss."""
    rows = []
    names = ("ours", "gradient boosting", "random forest", "logistic regression")
    for (simulator, logit), n, seed in product(LOGITS.items(), SIZES, range(seeds)):
        rng = np.random.default_rng(seed)
        x, fresh = rng.normal(size=(n, COLUMNS)), rng.normal(size=(FRESH, COLUMNS))
        y, true = (rng.random(n) < expit(logit(x))).astype(float), expit(logit(fresh))
        label = rng.random(FRESH) < true
        for name, drawn in [
            ("truth", true[None]),
            *((name, probabilities(name, x, y, fresh, seed)) for name in names),
        ]:
            own = np.mean([roc_auc_score(rng.random(FRESH) < p, p) for p in drawn])
            mean = drawn.mean(axis=0)
            excess = log_loss(label, mean) - log_loss(label, true)
            rows.append((simulator, n, name, own, roc_auc_score(label, mean), excess))
    frame = pd.DataFrame(
        rows, columns=["simulator", "rows", "model", "own AUC", "true AUC", "excess log-loss"]
    )
    print(frame.groupby(["simulator", "rows", "model"], sort=False).mean().round(3).to_string())


def measure_noise(seeds: int) -> None:
    """Print mean and standard deviation over seeds of the spread of the noise drawn."""
    for n in SIZES:
        spreads = []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            x, fresh = rng.normal(size=(n, COLUMNS)), rng.normal(size=(200, COLUMNS))
            mechanism = AdditiveNoise([False] * COLUMNS, DEFAULT_LEARNERS, seed=seed)
            mechanism.fit(x, (LOGITS["waves and a product"](x) + rng.normal(size=n))[:, None])
            drawn = [mechanism.evaluate(fresh, rng.random((len(fresh), 1))) for _ in range(200)]
            spreads.append(np.std(drawn, axis=0).mean())
        print(f"{n} rows: {np.mean(spreads):.3f} ± {np.std(spreads):.3f} (truth 1)", flush=True)


if __name__ == "__main__":
    main()
