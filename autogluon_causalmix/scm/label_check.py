"""`LabelCheck`: how well a classifier trained on synthetic rows predicts real labels."""

from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.learners import smooth
from autogluon_causalmix.scm.parents import ParentFeatures
from autogluon_causalmix.scm.ridge import FittedLearner
from autogluon_causalmix.table import Table
from autogluon_causalmix.task import Task


@dataclass(frozen=True)
class LabelCheck:
    """The real rows of one table, to score classifiers that are trained on synthetic rows.

    The classifier is a kernel regression of the indicators of the classes: it fits in milliseconds.

    Attributes
    ----------
    task : Task
        Says what is learned of the labels, and how predictions are scored.
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
    >>> turned = table.with_frame(table.frame.assign(ill=dose <= 0))
    >>> check.auc(table, rng) > 0.95, check.auc(turned, rng) < 0.05
    (True, True)
    """

    task: Task
    features: Matrix
    labels: Matrix
    categorical: tuple[bool, ...]
    real_auc: float

    @classmethod
    def of(cls, real: Table, rng: np.random.Generator) -> "LabelCheck":
        """Encode the real rows and score the classifier on them."""
        features, labels = _encode(real)
        categorical = tuple(column.is_categorical for column in real.feature_columns)
        responses = real.task.responses(labels, labels)
        _, classifier = _train(features, responses, categorical, rng)
        auc = real.task.skill(classifier.held_out, labels)
        return cls(real.task, features, labels, categorical, auc)

    def auc(self, synthetic: Table, rng: np.random.Generator) -> float:
        """Return the ROC-AUC on the real rows of the classifier trained on synthetic rows."""
        features, labels = _encode(synthetic)
        responses = self.task.responses(labels, self.labels)
        inputs, classifier = _train(features, responses, self.categorical, rng)
        return self.task.skill(
            classifier.model.predict(inputs.transform(self.features)), self.labels
        )


def _encode(table: Table) -> tuple[Matrix, Matrix]:
    """Return features (rows, features) and labels (rows,) as floats."""
    values = table.encode()
    return np.delete(values, table.target_position, axis=1), values[:, table.target_position]


def _train(
    features: Matrix, responses: Matrix, categorical: tuple[bool, ...], rng: np.random.Generator
) -> tuple[ParentFeatures, FittedLearner]:
    """Return how features become inputs of the classifier, and the classifier."""
    inputs = ParentFeatures.of(features, categorical)
    return inputs, smooth(inputs.transform(features), responses, rng)
