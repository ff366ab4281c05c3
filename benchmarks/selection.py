"""The instrument for rules that choose weights: runs whose whole course is kept.

::

    python -m benchmarks.selection --data DIR --splits 1
    python -m benchmarks.selection_rules --out benchmarks/results

A cell is one run of fine-tuning that nobody judges. At each candidate step it keeps the predictions
for validation and test rows of the weights themselves and of the running mean of the weights. The
same for rows left out, fold by fold, where the arm asks for folds; and with ``--judges`` for rows
of causal models that no step has seen. Any rule is then judged on the same runs, without running
again: see `benchmarks.selection_rules`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from autogluon_causalmix.backbones.protocol import Backbone
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.finetuning.loop import predict
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import RowSets, encode_rows, encode_sets
from autogluon_causalmix.finetuning.selection import has_turned
from autogluon_causalmix.finetuning.training import Training
from autogluon_causalmix.fitlog import Log
from autogluon_causalmix.method import synthesize
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from benchmarks.arms import hyperparameters, parse, prepare
from benchmarks.courses import pack
from benchmarks.study.cells import Metric, Parsed, Settings, Study, Values
from benchmarks.study.command import parser_of, run
from benchmarks.study.metrics import log_loss
from benchmarks.study.splits import Split, SplitRule
from benchmarks.study.tables import Dataset

ARMS: dict[str, dict[str, Any]] = {
    "real rows": {"generator": None},
    "bootstrap null": {"generator": "bootstrap"},
    "causalmix": {},
}
OWN: dict[str, int | bool] = {"folds": 0, "whole": True, "judges": False}
"""What makes a run beside hyperparameters: folds that are left out, whether it is kept whole, and
whether rows of other causal models judge it."""

SECONDS = 600.0
JUDGES: dict[str, Any] = {"mixing": {"ratio": 2.0}}
"""How rows of causal models are drawn that judge candidates, whatever rows a run is trained on."""

FLOOR = np.float32(np.log(1e-12))  # of a log-probability
WEIGHTS = (6, 12, 18, 24, 30, 36, 42, 48, 54, 60, 90, 120, 180, 240, 320, 400)
"""Steps after which the weights themselves predict: ten up to 60, fewer beyond."""

MEANS = (12, 24, 36, 48, 60, 90, 120, 180, 240, 320, 400)
"""Steps after which means of weights predict: of the whole run so far, and of its second half."""

Floats = NDArray[np.float32]

Draw = Callable[[Table, Hyperparameters, np.random.Generator], Table | None]
"""Returns the synthetic rows for a table of real ones."""


def drawn(train: Table, options: Hyperparameters, rng: np.random.Generator) -> Table | None:
    """Return synthetic rows as a fit has them."""
    return synthesize(train, options, rng, Resources(SECONDS, 1), Log())[0]


def measure(table: Dataset, split: Split, settings: Settings) -> Values:
    """Run one arm and keep its course."""
    settings, own = _split_off(settings)
    started = time.perf_counter()
    train, watched = rows_of(table, split)
    if own["judges"]:
        watched |= _judges(train, split.seed)
    kept = course(train, watched, settings, split.seed, whole=bool(own["whole"]))
    if own["folds"]:
        kept |= _left_out(train, settings, split.seed, own["folds"])
    return values_of(train, watched, kept, time.perf_counter() - started)


def rows_of(table: Dataset, split: Split) -> tuple[Table, dict[str, Table]]:
    """Return the training rows, and the validation and test rows of classes that these have."""
    train = Table.from_frame(table.take(split.train), "target")
    watched = {"validation": split.validation, "test": split.test}
    return train, {name: _known(train, table, rows) for name, rows in watched.items()}


def values_of(
    train: Table, watched: Mapping[str, Table], kept: Mapping[str, NDArray[Any]], seconds: float
) -> Values:
    """Return a cell: the course of a run, with the labels of the rows that were watched."""
    labels = {f"{name} labels": _codes(train, rows) for name, rows in watched.items()}
    return {
        "log_loss": log_loss(np.exp(kept["test 0"]), labels["test labels"]),
        "seconds": seconds,
        "arrays": pack({**labels, **kept}),
    }


def course(
    train: Table,
    watched: Mapping[str, Table],
    settings: Settings,
    seed: int,
    *,
    whole: bool = True,
    draw: Draw = drawn,
    steps_of: type[Training] = Training,
) -> dict[str, Floats]:
    """Return log-probabilities (rows, K) by rows and candidate.

    A key is the name of the rows and a candidate: ``"120"`` for the weights after 120 steps,
    ``"mean 120"`` for the mean of all weights up to then, ``"tail 120"`` of those since step 60.
    A run that is not kept whole ends where the package's own would. Its synthetic rows come from
    `draw`, and its steps from `steps_of`.
    """
    options = hyperparameters({"random_state": seed, **settings})
    generator_rng, episode_rng = np.random.default_rng(seed).spawn(2)
    synthetic = draw(train, options, generator_rng)
    model = (
        plugin_registry()
        .of(Backbone)
        .create(options.backbone)
        .condition(train, n_estimators=options.n_estimators, device="cpu", seed=seed)
    )
    rows = encode_sets(model, RowSets(train, None, synthetic))
    recipe = Recipe(
        options.finetune_steps,
        options.learning_rate or model.learning_rate,
        options.mixing.real_fraction,
        options.mixing.role,
    )
    training = steps_of(model, rows, train.task, recipe, episode_rng)
    encoded = {name: encode_rows(model, table) for name, table in watched.items()}

    def predictions(label: str) -> dict[str, Floats]:
        return {
            f"{name} {label}": _logs(predict(model, rows.training, query))
            for name, query in encoded.items()
        }

    kept = predictions("0")
    halves: dict[int, list[Tensor]] = {}
    for step in range(1, recipe.steps + 1):
        if not training.advance():
            raise RuntimeError(training.notes[-1])
        if 2 * step in MEANS:
            halves[step] = [mean.clone() for mean in training.mean]
        if step in WEIGHTS:
            kept |= predictions(str(step))
        if step in MEANS:
            with training.averaged():
                kept |= predictions(f"mean {step}")
                training.load(_tail(training.mean, halves.pop(step // 2), step))
                kept |= predictions(f"tail {step}")
            if not whole and has_turned(step, _best_mean(kept, encoded["validation"].labels)):
                break
    return kept


def _best_mean(kept: Mapping[str, Floats], labels: NDArray[np.int64]) -> int:
    """Return the steps of the mean of weights that suits the validation rows best; 0 for none."""
    rows = np.arange(len(labels))
    losses = {0: -kept["validation 0"][rows, labels].mean()}
    for step in MEANS:
        if f"validation mean {step}" in kept:
            losses[step] = -kept[f"validation mean {step}"][rows, labels].mean()
    return min(losses, key=lambda step: losses[step])


def _split_off(settings: Settings) -> tuple[dict[str, Any], dict[str, int | bool]]:
    """Return the hyperparameters, and the settings of `OWN`."""
    rest = {name: value for name, value in settings.items() if name not in OWN}
    return rest, {name: type(usual)(settings.get(name, usual)) for name, usual in OWN.items()}


def _judges(train: Table, seed: int) -> dict[str, Table]:
    """Return rows of causal models of their own, fitted apart from those that a run is trained on.

    Empty where there was no time for them.
    """
    rng = np.random.default_rng(seed).spawn(3)[2]  # a run itself takes the first two
    rows = drawn(train, hyperparameters({"random_state": seed, **JUDGES}), rng)
    return {} if rows is None else {"synthetic": rows}


def _tail(mean: list[Tensor], half: list[Tensor], step: int) -> list[Tensor]:
    """Return the mean of the weights after the steps of a run's second half."""
    n, m = step + 1, step // 2 + 1  # the pretrained weights count
    return [(n * whole - m * first) / (n - m) for whole, first in zip(mean, half, strict=True)]


def _left_out(train: Table, settings: Settings, seed: int, folds: int) -> dict[str, Any]:
    """Return what runs on the other folds predict for each fold's rows, in the rows' order.

    A row whose class the other folds lack has the label -1.
    """
    order = np.argsort(train.targets, kind="stable")  # every fold gets its share of each class
    blocks = np.arange(len(train)) // folds
    labels = _codes(train, train)
    whole: dict[str, Floats] = {}
    shape = len(train), len(train.classes)
    rng = np.random.default_rng(seed)
    places = np.empty(len(train), dtype=int)
    for block in np.unique(blocks):
        rows = order[blocks == block]
        places[rows] = rng.permutation(folds)[: len(rows)]
    for fold in range(folds):
        inside, outside = np.flatnonzero(places != fold), np.flatnonzero(places == fold)
        part = train.take(inside)
        classes = train.classes.get_indexer(part.classes)
        labels[outside[~np.isin(labels[outside], classes)]] = -1
        for name, logs in course(part, {"fold": train.take(outside)}, settings, seed).items():
            kept = whole.setdefault(name, np.full(shape, FLOOR, dtype="float32"))
            kept[np.ix_(outside, classes)] = logs
    return {"fold labels": labels, **whole}


def _codes(train: Table, rows: Table) -> NDArray[np.int64]:
    return np.asarray(train.classes.get_indexer(pd.Index(rows.labels)), dtype="int64")


def _known(train: Table, table: Dataset, rows: NDArray[np.intp]) -> Table:
    whole = train.with_frame(table.take(rows))
    return whole.take(np.flatnonzero(whole.labels.isin(train.classes).to_numpy()))


def _logs(probabilities: NDArray[np.float64]) -> Floats:
    return np.maximum(np.log(np.maximum(probabilities, 1e-30)), FLOOR).astype("float32")


def parse_run(settings: Settings) -> Parsed:
    """Return the hyperparameters with all defaults, and what else makes a run."""
    rest, own = _split_off(settings)
    parsed = parse(rest)
    return Parsed({**parsed.options, **own}, parsed.files)


STUDY = Study(
    name="selection",
    version=2,
    prepare=prepare,
    rule=SplitRule(train_rows=200, train_share=0.6, test_rows=300, validation_share=0.25),
    parse=parse_run,
    measure=measure,
    metrics=(Metric("log_loss", "lower"), Metric("seconds")),
    reference="real rows",
)


def main() -> None:
    """Run the command."""
    parser = parser_of(__doc__)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument(
        "--set", type=json.loads, default={}, metavar="JSON", help="hyperparameters of every arm"
    )
    parser.add_argument(
        "--folds", type=int, default=0, help="of runs that leave rows out; causalmix only"
    )
    parser.add_argument("--early", action="store_true", help="end runs where the package would")
    parser.add_argument(
        "--judges", action="store_true", help="keep predictions for rows of other causal models"
    )
    given = parser.parse_args()
    more = {**given.set, "whole": not given.early, "judges": given.judges}
    arms = {name: {**ARMS[name], **more} for name in given.arms}
    if "causalmix" in arms:
        arms["causalmix"]["folds"] = given.folds
    run(STUDY, arms, given)


if __name__ == "__main__":
    main()
