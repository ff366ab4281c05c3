"""Mechanisms on simulators whose truth is known.

::

    python -m benchmarks.simulators labels
    python -m benchmarks.simulators noise

labels  ROC-AUC of a fitted mechanism's own probabilities for labels drawn from them, which should
        be that of the truth, and how well it predicts true labels (ours: the mean of ten draws);
        ours and classifiers of scikit-learn
noise   the spread of the noise that a fitted mechanism draws; the truth is 1
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

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.fitting import DEFAULT_LEARNERS
from autogluon_causalmix.scm.mechanisms import AdditiveNoise, CalibratedClassifier
from benchmarks.study.metrics import both, log_loss, roc_auc

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
    """Return P(y = 1) of fresh rows (functions, rows); a model draws labels from each function."""
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
    """Print means over seeds: AUC of own probabilities, AUC on true labels, excess log-loss."""
    rows = []
    names = ("ours", "gradient boosting", "random forest", "logistic regression")
    for (simulator, logit), n, seed in product(LOGITS.items(), SIZES, range(seeds)):
        rng = np.random.default_rng(seed)
        x, fresh = rng.normal(size=(n, COLUMNS)), rng.normal(size=(FRESH, COLUMNS))
        y, true = (rng.random(n) < expit(logit(x))).astype(float), expit(logit(fresh))
        label = (rng.random(FRESH) < true).astype("int64")
        for name, drawn in [
            ("truth", true[None]),
            *((name, probabilities(name, x, y, fresh, seed)) for name in names),
        ]:
            own = np.mean([roc_auc(both(p), (rng.random(FRESH) < p).astype(int)) for p in drawn])
            on_true = np.mean([roc_auc(both(p), label) for p in drawn])
            excess = log_loss(both(drawn.mean(axis=0)), label) - log_loss(both(true), label)
            rows.append((simulator, n, name, own, on_true, excess))
    frame = pd.DataFrame(
        rows, columns=["simulator", "rows", "model", "own AUC", "true AUC", "excess log-loss"]
    )
    print(frame.groupby(["simulator", "rows", "model"], sort=False).mean().round(3).to_string())


def measure_noise(seeds: int) -> None:
    """Print mean and standard deviation over seeds of the spread of drawn noise."""
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
