"""Does a model trained on synthetic rows still know the label? Asked of a model that is fitted in milliseconds."""

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.learners import Fit, smooth
from autogluon_causalmix.scm.parents import ParentFeatures
from autogluon_causalmix.table import Table


def held_out_skill(table: Table, rng: np.random.Generator) -> float:
    """Return the ROC-AUC of a model on the rows it is trained on, each left out once; ½ where there is one class.

    Several classes are scored one against the rest, and averaged.
    """
    return _auc(_fit(table, table, rng).held_out, _labels(table))


def transferred_skill(synthetic: Table, real: Table, rng: np.random.Generator) -> float:
    """Return the ROC-AUC on real rows of the same model trained on synthetic rows."""
    scores = _fit(synthetic, real, rng).model.predict(_features(synthetic).transform(_causes(real)))
    return _auc(scores, _labels(real))


def _fit(rows: Table, like: Table, rng: np.random.Generator) -> Fit:
    """Fit a kernel regression of the indicators of all classes of `like` to rows."""
    indicators = (_labels(rows)[:, None] == np.unique(_labels(like))).astype("float64")
    return smooth(_features(rows).transform(_causes(rows)), indicators, rng)


def _features(table: Table) -> ParentFeatures:
    categorical = [column.is_categorical for column in table.columns if column.name != table.target]
    return ParentFeatures.of(_causes(table), categorical)


def _causes(table: Table) -> Matrix:
    return np.delete(table.encode(), table.target_position, axis=1)


def _labels(table: Table) -> Matrix:
    return table.encode()[:, table.target_position]


def _auc(scores: Matrix, labels: Matrix) -> float:
    """Return the mean over classes of P(score of a row of the class > score of another row), ties half."""
    from scipy.stats import rankdata

    classes = np.unique(labels)
    if len(classes) < 2:
        return 0.5
    areas = []
    for score, label in zip(scores.T, classes, strict=True):
        own = labels == label
        ranks = rankdata(score)[own].sum() - own.sum() * (own.sum() + 1) / 2.0
        areas.append(ranks / (own.sum() * (~own).sum()))
    return float(np.mean(areas))
