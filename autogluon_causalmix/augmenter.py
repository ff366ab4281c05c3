"""`Augmenter`: synthetic rows beside the real ones, with the interface of imbalanced-learn."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length, column_or_1d

from autogluon_causalmix.generation import augment

TARGET = "the label of the rows"  # a name that no column has


class Augmenter(BaseEstimator):
    """Adds synthetic rows to the training rows, as a step of a pipeline of imbalanced-learn.

    The pipeline calls `fit_resample` when it is fitted, and skips the step when it predicts.
    Samplers of imbalanced-learn aim at given shares of classes. This one keeps the shares, or adds
    equally many rows of each class with `balance`.

    Parameters
    ----------
    n_rows : int or None
        How many rows to add; None is as many as there are.
    generator, balance, time_limit, num_cpus
        As the arguments of `augment`.
    random_state : int or None
        Seed of everything random; None is 0.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> X_more, y_more = Augmenter(n_rows=50, generator="bootstrap").fit_resample(X, y)
    >>> X_more.shape, len(y_more)
    ((200, 4), 200)
    """

    def __init__(
        self,
        n_rows: int | None = None,
        generator: Any = "scm",
        balance: bool = False,
        time_limit: float = 600.0,
        num_cpus: int = 1,
        random_state: int | None = None,
    ) -> None:
        self.n_rows = n_rows
        self.generator = generator
        self.balance = balance
        self.time_limit = time_limit
        self.num_cpus = num_cpus
        self.random_state = random_state

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Return real rows (n, features) and labels (n,), followed by synthetic ones.

        A frame stays a frame and an array an array, with their dtypes.

        Raises
        ------
        TableError, ConfigError, GeneratorError, OutOfTime
            As `augment`.
        """
        frame = X.reset_index(drop=True) if isinstance(X, pd.DataFrame) else pd.DataFrame(X)
        is_series = isinstance(y, pd.Series)
        labels = y.reset_index(drop=True) if is_series else pd.Series(column_or_1d(y, warn=True))
        check_consistent_length(frame, labels)
        drawn = augment(
            pd.concat([frame, labels.rename(TARGET)], axis=1),
            TARGET,
            len(frame) if self.n_rows is None else self.n_rows,
            self.generator,
            self.random_state or 0,
            self.time_limit,
            self.num_cpus,
            self.balance,
        )
        rows = pd.concat([frame, drawn.drop(columns=TARGET)], ignore_index=True)
        targets = pd.concat([labels, drawn[TARGET]], ignore_index=True)
        targets.name = labels.name
        return (
            rows if isinstance(X, pd.DataFrame) else rows.to_numpy(dtype=np.asarray(X).dtype),
            targets if is_series else targets.to_numpy(),
        )
