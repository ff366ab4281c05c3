"""`check_backbone`: everything that this package relies on in a foundation model."""

from collections.abc import Mapping

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.contract import condition
from autogluon_causalmix.backbones.protocol import Backbone, InContextModel
from autogluon_causalmix.finetuning.loop import fine_tune, predict
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import RowSets, encode_rows, encode_sets
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing.checks import (
    AMPLE,
    OWNER,
    blamed,
    global_randomness_kept,
    pickled,
    require,
)
from autogluon_causalmix.testing.tables import toy_tables

TOLERANCE = 1e-4
"""Of probabilities that two ways of computing must share."""


def check_backbone(
    backbone: Backbone, tables: Mapping[str, Table] | None = None, seed: int = 0
) -> None:
    """Hold a backbone to everything this package relies on; call it from a plugin's own tests.

    Conditions the model on each table and checks that `predict_proba` returns probabilities for
    every class; that a row gets the same ones alone and among others; that the logits of all views,
    averaged by the model itself, give the same predictions; that an equal seed gives an equal
    model; that the table and the global generators are left as they were; that the model can be
    pickled and then predicts the same; that fine-tuning changes its weights and those of no other
    model; and that `memory` grows with the table and is larger for tuning.

    Parameters
    ----------
    backbone : Backbone
        With the options to check.
    tables : mapping of str to Table, optional
        By name; those of `toy_tables` with more than two rows if not given.
    seed : int
        Of everything random.

    Raises
    ------
    AssertionError
        Names the backbone and the table, and says what is wrong.

    Examples
    --------
    >>> from autogluon_causalmix.backbones.tabpfn import Mini
    >>> check_backbone(Mini(), {"mixed types": toy_tables()["mixed types"]})
    """
    name = type(backbone).__name__
    given = {key: toy for key, toy in toy_tables(seed).items() if len(toy) > 2}
    for key, table in (tables or given).items():
        with blamed(f"{name} on the table {key!r}"):
            _check_on(backbone, table, seed)
    with blamed(f"{name}.memory"):
        _check_memory(backbone)


def _check_on(backbone: Backbone, table: Table, seed: int) -> None:
    def conditioned() -> InContextModel:
        return condition(backbone, table, n_estimators=2, device="cpu", seed=seed, owner=OWNER)

    pristine = table.frame.copy(deep=True)
    with global_randomness_kept():
        model = conditioned()
        predicted = _probabilities(model, table)
    require(table.frame.equals(pristine), "it modified the table it was given; work on a copy")
    again = _probabilities(conditioned(), table)
    require(_close(predicted, again), "conditioned twice with an equal seed, it predicts otherwise")
    first = _probabilities(model, table.take(np.array([0])))
    require(_close(predicted[:1], first), "a row is predicted otherwise alone than among others")
    rows = encode_sets(model, RowSets(table))
    views = predict(model, rows.training, encode_rows(model, table))
    require(_close(predicted, views), "its views and logits give other predictions than its own")
    copied = _probabilities(pickled(model), table)
    require(_close(predicted, copied), "after pickling it predicts otherwise")
    _check_tuning(model, conditioned(), table, seed)


def _check_tuning(model: InContextModel, other: InContextModel, table: Table, seed: int) -> None:
    """Take two steps with a rate that shows, and look for the change in one model alone."""
    before, others = _probabilities(model, table), _probabilities(other, table)
    rows, rng = encode_sets(model, RowSets(table)), np.random.default_rng(seed)
    if not table.task.obstacle(table.targets):
        fine_tune(model, rows, table.task, Recipe(2, 1e-2), rng, Resources(AMPLE))
        moved = not _close(before, _probabilities(model, table))
        require(moved, "fine-tuning its network does not change what it predicts")
    same = _close(others, _probabilities(other, table))
    require(same, "fine-tuning one model changed another; copy the network in condition")


def _check_memory(backbone: Backbone) -> None:
    small, large = (backbone.memory(rows, 10, tuning=False) for rows in (100, 1000))
    require(0 < small < large, f"it must grow with the rows, got {small} and {large} bytes")
    tuning = backbone.memory(100, 10, tuning=True)
    require(tuning >= small, f"tuning cannot take less than predicting, got {tuning} < {small}")


def _probabilities(model: InContextModel, table: Table) -> Matrix:
    """Return the predictions for a table, after a check that they are probabilities."""
    predicted = model.predict_proba(table.features)
    wanted = (len(table), len(model.classes))
    require(predicted.shape == wanted, f"predict_proba has shape {predicted.shape}, not {wanted}")
    sums = predicted.sum(axis=1)
    sound = bool((predicted >= 0).all() and np.allclose(sums, 1, atol=TOLERANCE))
    require(sound, "predict_proba returned rows that are no probabilities")
    return predicted


def _close(one: Matrix, other: Matrix) -> bool:
    return bool(np.allclose(one, other, atol=TOLERANCE))
