"""The random forest that stands for "a model trained on these rows", and what it is asked."""

from typing import Any

import numpy as np

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.table import Table

LARGEST = 1e30
"""Values beyond count as this: trees add up 32-bit floats, which end at 3e38."""

SMALLEST_LEAF = 5
"""Rows of a leaf: its shares are probabilities, and not votes of single rows."""


def features(table: Table, position: int | None = None) -> Matrix:
    """Return all columns but one as floats with gaps, shape (rows, columns − 1).

    Parameters
    ----------
    table : Table
        The rows.
    position : int, optional
        The column to leave out; the target if not given.
    """
    left_out = table.target_position if position is None else position
    return np.clip(np.delete(table.encode(), left_out, axis=1), -LARGEST, LARGEST)


def codes(table: Table) -> Indices:
    """Return the classes of the rows as codes, shape (rows,)."""
    return table.targets.astype("int64")


def probabilities(
    training: Matrix,
    classes: Indices,
    rows: Matrix,
    n_classes: int,
    trees: int,
    rng: np.random.Generator,
) -> Matrix:
    """Return P(class) by a random forest, shape (rows, n_classes); 0 for classes it has not seen.

    Parameters
    ----------
    training : numpy.ndarray
        Shape (training rows, features), NaN where missing.
    classes : numpy.ndarray of int
        Their classes, 0 … n_classes − 1.
    rows : numpy.ndarray
        Shape (rows, features).
    n_classes : int
        How many columns to return.
    trees : int
        Of the forest.
    rng : numpy.random.Generator
        Source of its seed.
    """
    from sklearn.ensemble import RandomForestClassifier

    forest = _fitted(RandomForestClassifier, training, classes, trees, rng)
    found = np.zeros((len(rows), n_classes))
    found[:, forest.classes_.astype("int64")] = forest.predict_proba(rows)
    return found


def predictions(
    training: Matrix, values: Matrix, rows: Matrix, trees: int, rng: np.random.Generator
) -> Matrix:
    """Return the mean of a numeric column by a random forest, shape (rows,)."""
    from sklearn.ensemble import RandomForestRegressor

    forest = _fitted(RandomForestRegressor, training, values, trees, rng)
    return np.asarray(forest.predict(rows))


def _fitted(
    kind: Any, training: Matrix, wanted: Indices | Matrix, trees: int, rng: np.random.Generator
) -> Any:
    forest = kind(
        n_estimators=trees,
        min_samples_leaf=min(SMALLEST_LEAF, max(len(training) // 10, 1)),
        max_features="sqrt",
        random_state=int(rng.integers(2**31)),
    )
    return forest.fit(training, wanted)
