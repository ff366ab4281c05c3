"""`LabelCheck`: how well a classifier trained on synthetic rows predicts real labels."""

from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.learners import FittedLearner, smooth
from autogluon_causalmix.scm.parents import ParentFeatures
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class LabelCheck:
    """The real rows of one table, to score classifiers that are trained on synthetic rows.

    The classifier is a kernel regression of the indicators of the classes: it fits in milliseconds.

    Attributes
    ----------
    features : numpy.ndarray
        Shape (rows, features), in the encoding of `Table.encode`.
    labels : numpy.ndarray
        Shape (rows,): codes of the classes.
    categorical : tuple of bool
        Which of the features are categories.
    real_auc : float
        ROC-AUC of the classifier trained on the real rows, each left out once.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> dose = rng.normal(size=200)
    >>> table = Table.from_frame(pd.DataFrame({"dose": dose, "ill": dose > 0}), "ill")
    >>> check = LabelCheck.of(table, rng)
    >>> shuffled = table.with_frame(table.frame.assign(ill=rng.permutation(dose > 0)))
    >>> check.auc(table, rng) > 0.95, check.auc(shuffled, rng) < 0.8
    (True, True)
    """

    features: Matrix
    labels: Matrix
    categorical: tuple[bool, ...]
    real_auc: float

    @classmethod
    def of(cls, real: Table, rng: np.random.Generator) -> "LabelCheck":
        """Encode the real rows and score the classifier on them."""
        features, labels = _encode(real)
        categorical = tuple(column.is_categorical for column in real.feature_columns)
        _, classifier = _train(features, labels, categorical, np.unique(labels), rng)
        return cls(features, labels, categorical, one_vs_rest_auc(classifier.held_out, labels))

    def auc(self, synthetic: Table, rng: np.random.Generator) -> float:
        """Return the ROC-AUC on the real rows of the classifier trained on synthetic rows."""
        classes = np.unique(self.labels)
        inputs, classifier = _train(*_encode(synthetic), self.categorical, classes, rng)
        scores = classifier.model.predict(inputs.transform(self.features))
        return one_vs_rest_auc(scores, self.labels)


def one_vs_rest_auc(scores: Matrix, labels: Matrix) -> float:
    """Return the mean over classes of P(a row of the class scores above another row), ties half.

    Parameters
    ----------
    scores : numpy.ndarray
        Shape (rows, classes), the classes sorted.
    labels : numpy.ndarray
        Shape (rows,). With a single class among them, the result is ½.
    """
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


def _encode(table: Table) -> tuple[Matrix, Matrix]:
    """Return features (rows, features) and labels (rows,) as floats."""
    values = table.encode()
    return np.delete(values, table.target_position, axis=1), values[:, table.target_position]


def _train(
    features: Matrix,
    labels: Matrix,
    categorical: tuple[bool, ...],
    classes: Matrix,
    rng: np.random.Generator,
) -> tuple[ParentFeatures, FittedLearner]:
    """Return how features become inputs of the classifier, and the classifier."""
    inputs = ParentFeatures.of(features, categorical)
    indicators = (labels[:, None] == classes).astype("float64")
    return inputs, smooth(inputs.transform(features), indicators, rng)
