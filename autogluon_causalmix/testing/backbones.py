"""`check_backbone`: everything that this package relies on in a foundation model."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.contract import condition
from autogluon_causalmix.backbones.protocol import Backbone, InContextModel
from autogluon_causalmix.finetuning.episodes import EpisodeSampler
from autogluon_causalmix.finetuning.loop import fine_tune, predict
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import EncodedRows, RowSets, encode_rows, encode_sets
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
from autogluon_causalmix.testing.memory import memory_used
from autogluon_causalmix.testing.tables import toy_tables

TOLERANCE = 1e-4
"""Of probabilities that two ways of computing must share."""

KEPT = 64e6
"""Bytes that allocators may keep."""


def check_backbone(
    backbone: Backbone, tables: Mapping[str, Table] | None = None, seed: int = 0
) -> None:
    """Hold a backbone to everything this package relies on; call it from a plugin's own tests.

    Conditions the model on each table, on the CPU, and checks that

    - `predict_proba` returns probabilities for every class that has a row, also for a table with
      one feature, ten classes or a class without rows, and for rows whose cells are all missing;
    - a row gets the same ones alone, among others, and in any order of the rows;
    - a category that the table lacks counts as a missing value;
    - the logits of all views, averaged by the model itself, give the same predictions;
    - conditioned again with an equal seed, it predicts the same to the last bit;
    - the table, the rows to predict and, in fine-tuning too, the global random generators stay as
      they were;
    - the predictions survive pickling and `to`;
    - the gradients of the loss are finite, and on one table at least not zero, for every trainable
      weight;
    - fine-tuning changes what the model predicts, and no other model;
    - `memory` grows with the table and is larger for tuning;
    - a prediction and a step of fine-tuning, measured in a process of their own, take at most twice
      what `memory` says, beyond 64 MB that allocators keep. An estimate that is too high passes:
      checkpoints for tests are often smaller than the published ones.

    Parameters
    ----------
    backbone : Backbone
        With the options to check.
    tables : mapping of str to Table, optional
        By name; if not given, those of `toy_tables` with more than two rows, and `class_tables`.
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
    reached: dict[str, bool] = {}
    for key, table in (tables or given | class_tables(seed)).items():
        with blamed(f"{name} on the table {key!r}"), global_randomness_kept():
            for weight, is_reached in _check_on(backbone, table, seed).items():
                reached[weight] = is_reached or reached.get(weight, False)
    idle = [weight for weight, is_reached in reached.items() if not is_reached]
    with blamed(f"{name}, the network"):
        require(
            not idle,
            f"the gradients of {idle} are zero on all tables; use these weights in logits, or set "
            "their requires_grad to False",
        )
    with blamed(f"{name}.memory"):
        _check_memory(backbone)


def class_tables(seed: int = 0) -> dict[str, Table]:
    """Return small tables that are difficult for classifiers, by what they hold.

    Examples
    --------
    >>> {name: len(table.classes) for name, table in class_tables().items()}
    {'one feature': 2, 'ten classes': 10, 'a class without rows': 2}
    """
    rng, n = np.random.default_rng(seed), 60
    number = rng.normal(size=n)
    frame = pd.DataFrame({"number": number, "group": rng.choice(["a", "b", "c"], n)})
    ten = pd.qcut(number + 0.1 * rng.normal(size=n), 10, labels=False).astype("int64")
    levels = pd.Index(["low", "middle", "high"])
    three = pd.Categorical.from_codes((ten // 4).tolist(), categories=levels)
    full = Table.from_frame(frame.assign(label=three), "label")
    return {
        "one feature": Table.from_frame(
            pd.DataFrame({"number": number, "label": ten > 4}), "label"
        ),
        "ten classes": Table.from_frame(frame.assign(label=ten), "label"),
        "a class without rows": full.take(np.flatnonzero(three != "middle")),
    }


def _check_on(backbone: Backbone, table: Table, seed: int) -> dict[str, bool]:
    """Check one table, and return for each trainable weight whether its gradient is not zero."""

    def conditioned() -> InContextModel:
        return condition(backbone, table, n_estimators=2, device="cpu", seed=seed, owner=OWNER)

    pristine = table.frame.copy(deep=True)
    model = conditioned()
    predicted = _probabilities(model, table.features)
    require(table.frame.equals(pristine), "it modified the table it was given; work on a copy")
    again = _probabilities(conditioned(), table.features)
    require(
        np.array_equal(predicted, again),
        "conditioned twice with an equal seed, it predicts otherwise",
    )
    _check_rows(model, table, predicted, seed)
    rows = encode_sets(model, RowSets(table))
    views = predict(model, rows.training, encode_rows(model, table))
    require(_close(predicted, views), "its views and logits give other predictions than its own")
    copied = pickled(model)
    after = _probabilities(copied, table.features)
    require(_close(predicted, after), "after pickling it predicts otherwise")
    copied.to("cpu")
    after = _probabilities(copied, table.features)
    require(_close(predicted, after), 'after to("cpu") it predicts otherwise')
    require(copied.device == "cpu", f'after to("cpu") its device is {copied.device!r}')
    reached = _check_gradients(model, rows.training, table, seed)
    _check_tuning(model, conditioned(), table, seed)
    return reached


def _check_rows(model: InContextModel, table: Table, predicted: Matrix, seed: int) -> None:
    """Check that predictions depend on the values of a row alone, whatever those are."""
    features = table.features
    first = _probabilities(model, features.iloc[:1])
    require(_close(predicted[:1], first), "a row is predicted otherwise alone than among others")
    order = np.random.default_rng(seed).permutation(len(table))
    shuffled = _probabilities(model, features.iloc[order])
    require(_close(predicted[order], shuffled), "in another order its rows are predicted otherwise")
    with blamed("where all cells are missing"):
        _probabilities(model, features.mask(np.ones(features.shape, dtype=bool)))
    unseen, missing = features.copy(), features.copy()
    for name in table.categorical:
        unseen[name] = pd.Categorical(["never seen"] * len(table))
        missing[name] = pd.Categorical([None] * len(table), categories=["never seen"])
    with blamed("where categories are not those of the table"):
        as_missing = _close(_probabilities(model, unseen), _probabilities(model, missing))
        require(as_missing, "it predicts otherwise than where they are missing")


def _check_gradients(
    model: InContextModel, rows: EncodedRows, table: Table, seed: int
) -> dict[str, bool]:
    """Return for each trainable weight whether its gradient in an episode of all rows is not 0."""
    import torch

    weights = {name: w for name, w in model.network.named_parameters() if w.requires_grad}
    require(bool(weights), "its network has no weight to fine-tune")
    if table.task.obstacle(table.targets) or not table.task.can_be_episode(table.targets):
        return {}
    rng, codes = np.random.default_rng(seed), torch.as_tensor(rows.labels)
    sampler = EpisodeSampler(table.task, rows.labels, rows.labels[:0], 1.0, "query")
    episode = sampler.draw(rng, most_rows=len(rows))
    known, asked = episode.context, episode.queries[0].rows
    for number, view in enumerate(rows.views):
        logits = model.logits(number, view[None, known], codes[None, known], view[None, asked])
        wanted = (1, len(asked), len(model.classes))
        require(logits.shape == wanted, f"logits have shape {tuple(logits.shape)}, not {wanted}")
        require(logits.requires_grad, "its logits do not depend on the weights as torch sees it")
        torch.autograd.backward(table.task.loss(logits[0], codes[asked]))
    gradients = {name: weight.grad for name, weight in weights.items()}
    model.network.zero_grad(set_to_none=True)
    wild = [name for name, g in gradients.items() if g is not None and not g.isfinite().all()]
    require(not wild, f"the gradients of {wild} are not finite")
    return {name: g is not None and bool(g.any()) for name, g in gradients.items()}


def _check_tuning(model: InContextModel, other: InContextModel, table: Table, seed: int) -> None:
    """Take two steps whose mean shows, and look for the change in one model alone."""
    features = table.features
    before, others = _probabilities(model, features), _probabilities(other, features)
    rows, rng = encode_sets(model, RowSets(table)), np.random.default_rng(seed)
    if not table.task.obstacle(table.targets):
        fine_tune(model, rows, table.task, Recipe(2, 0.1), rng, Resources(AMPLE))
        moved = not _close(before, _probabilities(model, features))
        require(moved, "fine-tuning its network does not change what it predicts")
    same = _close(others, _probabilities(other, features))
    require(same, "fine-tuning one model changed another; copy the network in condition")


def _check_memory(backbone: Backbone) -> None:
    small, large = (backbone.memory(rows, 10, tuning=False) for rows in (100, 1000))
    require(0 < small < large, f"it must grow with the rows, got {small} and {large} bytes")
    tuning = backbone.memory(100, 10, tuning=True)
    require(tuning >= small, f"tuning cannot take less than predicting, got {tuning} < {small}")
    shape = {"rows": 400, "columns": 10}
    used = memory_used(pickled(backbone), **shape)
    for what, tuned, taken in zip(("a prediction", "a step"), (False, True), used, strict=True):
        said = backbone.memory(**shape, tuning=tuned)
        otherwise = f"took {taken / 1e6:.0f} MB; it says {said / 1e6:.0f}"
        require(taken <= KEPT + 2 * said, f"{what} on 400 rows of ten columns {otherwise}")


def _probabilities(model: InContextModel, features: pd.DataFrame) -> Matrix:
    """Return the predictions for some rows, after a check that they are probabilities."""
    pristine = features.copy(deep=True)
    predicted = model.predict_proba(features)
    untouched = features.equals(pristine)
    require(untouched, "predict_proba modified the rows it was given; work on a copy")
    wanted = (len(features), len(model.classes))
    require(predicted.shape == wanted, f"predict_proba has shape {predicted.shape}, not {wanted}")
    sums = predicted.sum(axis=1)
    sound = bool((predicted >= 0).all() and np.allclose(sums, 1, atol=TOLERANCE))
    require(sound, "predict_proba returned rows that are no probabilities")
    return predicted


def _close(one: Matrix, other: Matrix) -> bool:
    return bool(np.allclose(one, other, atol=TOLERANCE))
