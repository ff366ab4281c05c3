"""Metrics of detection: how well a classifier tells synthetic from real rows (C2ST)."""

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.fidelity.protocol import Better, Samples
from autogluon_causalmix.fidelity.space import Space
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.task import one_vs_rest_auc

FOLDS = 5
LOPEZ_PAZ = "Lopez-Paz & Oquab, 2017, Revisiting classifier two-sample tests"


@dataclass(frozen=True)
class LogisticDetection:
    """ROC-AUC of a cross-fitted logistic regression that tells synthetic from unseen real rows.

    It sees means and shares alone. ½ is a guess.
    """

    family: ClassVar[str] = "detection"
    better: ClassVar[Better] = 0.5
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = LOPEZ_PAZ

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the mean AUC over folds, on standardised numbers and indicators of categories."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        space = Space.of(rows.real)
        wanted, drawn = space.points(rows.holdout), space.points(rows.synthetic)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
        with warnings.catch_warnings():  # rows that are easily told apart have no best weights
            warnings.simplefilter("ignore", ConvergenceWarning)
            return cross_fitted_auc(model, wanted, drawn, rng)


@dataclass(frozen=True)
class BoostedDetection:
    """ROC-AUC of cross-fitted boosted trees that tell synthetic from unseen real rows.

    They see dependence, and also copies: a row that is drawn twice is known the second time.
    """

    family: ClassVar[str] = "detection"
    better: ClassVar[Better] = 0.5
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = LOPEZ_PAZ

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the mean AUC over folds."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(
            max_iter=50, max_leaf_nodes=8, early_stopping=False, random_state=0
        )
        ranks = _ranks(np.concatenate([rows.holdout.encode(), rows.synthetic.encode()]))
        size = len(rows.holdout)
        return cross_fitted_auc(model, ranks[:size], ranks[size:], rng)


def cross_fitted_auc(model: Any, wanted: Matrix, drawn: Matrix, rng: np.random.Generator) -> float:
    """Return the mean over folds of the ROC-AUC on rows that a classifier has not seen.

    Parameters
    ----------
    model : classifier of scikit-learn
        Fitted once per fold.
    wanted, drawn : numpy.ndarray
        Shape (rows, features): the two samples.
    rng : numpy.random.Generator
        Of the folds.
    """
    from sklearn.model_selection import StratifiedKFold

    features = np.concatenate([wanted, drawn])
    is_drawn: Indices = np.repeat([0, 1], [len(wanted), len(drawn)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    return float(
        np.mean(
            [
                one_vs_rest_auc(
                    model.fit(features[kept], is_drawn[kept]).predict_proba(features[left_out]),
                    is_drawn[left_out],
                )
                for kept, left_out in folds.split(features, is_drawn)
            ]
        )
    )


def _ranks(values: Matrix) -> Matrix:
    """Return the rank of each value among those of its column, −1 for a gap.

    Trees see no difference, and a column without values is one like others.
    """
    filled = np.where(np.isnan(values), -np.inf, values)
    ranks = [np.unique(column, return_inverse=True)[1] for column in filled.T]
    return np.column_stack(ranks).astype("float64") - np.isneginf(filled).any(axis=0)


@hookimpl
def causalmix_register_metrics(register: Register) -> None:
    """Register the built-in metrics of detection."""
    register("detection-logistic", LogisticDetection)
    register("detection-boosted", BoostedDetection)
