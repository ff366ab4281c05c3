"""`CausalMixClassifier`: CausalMix with scikit-learn's interface, without AutoGluon's predictor."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.method import fit
from autogluon_causalmix.reports import ShownReport
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

TARGET = "target"
OPTIONS = set(Hyperparameters.model_fields)


class CausalMixClassifier(ClassifierMixin, BaseEstimator):
    """A tabular foundation model, fine-tuned on real rows and on rows of causal models.

    The method of `CausalMixModel`, for pipelines and searches of scikit-learn. Columns of a data
    frame keep their types: text and categories are categories, numbers and dates are numbers, and
    missing values may stay. An array has numbers only.

    Parameters
    ----------
    backbone, generator, finetune, finetune_steps, learning_rate, n_estimators, mixing
        As the hyperparameters of `CausalMixModel`.
    time_limit : float
        Seconds of a fit.
    num_cpus : int
        Cores that a fit may use.
    device : str
        Torch device of the network.
    random_state : int or None
        Seed of everything random; None is 0.

    Attributes
    ----------
    classes_ : numpy.ndarray
        The labels, in the order of the columns of `predict_proba`.
    report_ : ShownReport
        What was decided and measured in the fit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = CausalMixClassifier(backbone="mini", finetune=False, n_estimators=1)
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    """

    def __init__(
        self,
        backbone: str | dict[str, object] = "auto",
        generator: str | dict[str, object] | None = "scm",
        finetune: bool = True,
        finetune_steps: int = 240,
        learning_rate: float | None = None,
        n_estimators: int = 4,
        mixing: dict[str, object] | None = None,
        time_limit: float = 600.0,
        num_cpus: int = 1,
        device: str = "cpu",
        random_state: int | None = None,
    ) -> None:
        self.backbone = backbone
        self.generator = generator
        self.finetune = finetune
        self.finetune_steps = finetune_steps
        self.learning_rate = learning_rate
        self.n_estimators = n_estimators
        self.mixing = mixing
        self.time_limit = time_limit
        self.num_cpus = num_cpus
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to rows (n, features) and their labels (n,).

        Raises
        ------
        ConfigError
            A parameter is unknown to a plugin, of the wrong type or out of range.
        TableError
            The rows cannot be used; the message names the column.
        ValueError
            Labels are no classes, or shapes do not match.
        """
        options = self._options()
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        frame = self._frame(X, reset=True)
        if len(frame) < 2:
            raise ValueError("1 sample is too few to fit: at least 2 are needed")
        if len(frame) != len(y):
            raise ValueError(f"X has {len(frame)} rows and y {len(y)} labels")
        self.classes_, codes = np.unique(y, return_inverse=True)
        table = Table.from_frame(frame.assign(**{TARGET: codes.astype("int64")}), TARGET)
        resources = Resources(self.time_limit, self.num_cpus, self.device)
        fitted = fit(table, None, options, resources)
        self.model_ = fitted.model
        names = {TARGET: {str(code): str(name) for code, name in enumerate(self.classes_)}}
        report = ShownReport.model_validate(fitted.report.model_dump())
        self.report_ = report.named(names)
        return self

    def predict_proba(self, X: Any) -> Matrix:
        """Return P(class) of rows (n, features), shape (n, classes)."""
        check_is_fitted(self)
        frame = self._frame(X, reset=False)
        found = self.model_.predict_proba(frame)
        places = np.asarray(self.model_.classes).astype("int64")
        probabilities = np.zeros((len(frame), len(self.classes_)))
        probabilities[:, places] = found
        return probabilities

    def predict(self, X: Any) -> Any:
        """Return the most probable label of each row (n, features), shape (n,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _options(self) -> Hyperparameters:
        given = {name: own for name, own in vars(self).items() if name in OPTIONS}
        return Hyperparameters.parse(
            {name: value for name, value in given.items() if name != "mixing" or value is not None}
        )

    def _frame(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Return rows as a frame with text as names, after scikit-learn's checks."""
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, skip_check_array=True, reset=reset)
            frame = X.reset_index(drop=True)
        else:
            frame = pd.DataFrame(
                validate_data(self, X, reset=reset, ensure_all_finite="allow-nan", dtype="numeric")
            )
        if not len(frame) or not frame.shape[1]:
            raise ValueError(
                f"0 feature(s) or sample(s) (shape={frame.shape}) while a minimum of 1 is required."
            )
        return frame.set_axis([f"{place}: {name}" for place, name in enumerate(frame)], axis=1)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = False
        return tags
