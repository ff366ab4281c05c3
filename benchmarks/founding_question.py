"""How the fidelity of synthetic rows and the gain of fine-tuning on them hang together.

A cell fine-tunes on the rows of one arm to the last step and keeps the curve: what every candidate
loses on validation and on test rows, whichever of them the package would keep. Beside it stand the
fidelity metrics of the synthetic rows, against real rows that neither the generator nor the score
has seen::

    python -m benchmarks.study benchmarks/plans/founding-question.toml --data DIR --out OUT

The arm ``generator = "unseen"`` is a ceiling: its "synthetic" rows are real rows that nothing else
uses. They are compared with the test rows, as no others are left.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.backbones.contract import condition
from autogluon_causalmix.backbones.protocol import Backbone, InContextModel
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.errors import NotApplicable, OutOfTime
from autogluon_causalmix.fidelity.contract import measure as measure_metric
from autogluon_causalmix.fidelity.protocol import Metric, Samples
from autogluon_causalmix.finetuning.loop import predict
from autogluon_causalmix.finetuning.mixture import mixed
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import RowSets, encode_rows, encode_sets
from autogluon_causalmix.finetuning.selection import compare
from autogluon_causalmix.finetuning.training import Training
from autogluon_causalmix.fitlog import Log
from autogluon_causalmix.method import synthesize
from autogluon_causalmix.plugins import BUILT_IN, plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from benchmarks import arms
from benchmarks.study.cells import Metric as Compared
from benchmarks.study.cells import Parsed, Settings, Study, Values
from benchmarks.study.metrics import all_metrics
from benchmarks.study.splits import Split, SplitRule
from benchmarks.study.tables import Dataset, as_text

UNSEEN = "unseen"
SECONDS = 900.0  # of one cell


def parse(settings: Settings) -> Parsed:
    """Return the hyperparameters with all defaults; without a generator there is nothing to mix."""
    ceiling = settings.get("generator") == UNSEEN
    parsed = arms.parse({**settings, "generator": None} if ceiling else settings)
    if ceiling:
        parsed.options["generator"] = UNSEEN
    elif settings.get("generator", "") is None:
        parsed.options.pop("mixing")
    return parsed


def measure(table: Dataset, split: Split, settings: Settings) -> Values:
    """Fine-tune on the rows of one arm; return its curve and the fidelity of its rows."""
    rows = Rows.of(table, split)
    ceiling = settings.get("generator") == UNSEEN
    options = arms.hyperparameters({**settings, "generator": None} if ceiling else settings)
    seeds = np.random.SeedSequence([split.seed, options.random_state or 0]).spawn(3)
    rngs = [np.random.default_rng(seed) for seed in seeds]
    resources, log = Resources(SECONDS, 1), Log()
    started = time.perf_counter()
    synthetic, facts = synthesize(rows.training, options, rngs[0], resources, log)
    if ceiling:
        size = round(options.mixing.ratio * len(rows.training))  # as many as of a generator
        synthetic = rows.unseen.take(rngs[0].permutation(len(rows.unseen))[:size])
    generated = time.perf_counter()
    curve = curve_of(rows, synthetic, options, rngs[1])
    tuned = time.perf_counter()
    reference = rows.test if ceiling else rows.unseen
    fidelity, reasons = (
        ({}, {}) if synthetic is None else battery(rows.training, synthetic, reference, rngs[2])
    )
    return {
        **curve,
        "table": described(table, rows),
        "fidelity": fidelity,
        "without_value": reasons,
        "synthetic_rows": 0 if synthetic is None else len(synthetic),
        "generator_notes": log.notes,
        "changed_edges": None if facts is None else facts.description.get("changed_edges"),
        "seconds": {
            "generator": round(generated - started, 2),
            "fine-tuning": round(tuned - generated, 2),
            "fidelity": round(time.perf_counter() - tuned, 2),
        },
    }


@dataclass(frozen=True)
class Rows:
    """The rows of a cell; no row stands in two parts."""

    training: Table
    validation: Table
    test: Table
    unseen: Table

    @classmethod
    def of(cls, table: Dataset, split: Split) -> Rows:
        """Read all rows as one table; every second row of the rest is tested on."""
        parts = (split.train, split.validation, split.test[::2], split.test[1::2])
        frame = as_text(table.take(np.concatenate(parts)))
        whole = Table.from_frame(frame, "target")
        places = np.split(np.arange(len(whole)), np.cumsum([len(part) for part in parts])[:-1])
        cut = [whole.take(place) for place in places]
        known = cut[0].classes
        answerable = [part.take(np.flatnonzero(part.labels.isin(known))) for part in cut]
        return cls(*answerable)


def described(table: Dataset, rows: Rows) -> Values:
    """Return what the analysis has to know of a table."""
    features = rows.training.feature_columns
    return {
        "columns": len(features),
        "categorical_share": float(np.mean([column.is_categorical for column in features])),
        "classes": len(rows.training.classes),
        "training_rows": len(rows.training),
        "validation_rows": len(rows.validation),
        "test_rows": len(rows.test),
        "unseen_rows": len(rows.unseen),
        "notes": list(table.notes),
    }


CANDIDATES = 5
"""Means of weights along a run that are scored; half of the time of a cell goes into scoring."""


def curve_of(
    rows: Rows,
    synthetic: Table | None,
    options: Hyperparameters,
    rng: np.random.Generator,
) -> Values:
    """Fine-tune to the last step, whatever the validation rows say, and score the means of weights.

    ``average_gain`` is what the mean of all weights gains over the pretrained ones in log-loss on
    test rows, ``last_gain`` what the last weights do, and ``guarded_gain`` what the package would
    have kept by the validation rows.
    """
    model = conditioned(rows.training, options)
    recipe = Recipe(
        options.finetune_steps,
        options.learning_rate or model.learning_rate,
        options.mixing.real_fraction if synthetic is not None else 1.0,
        options.mixing.role,
    )
    encoded = encode_sets(model, RowSets(rows.training, None, synthetic))
    watched = {name: encode_rows(model, getattr(rows, name)) for name in ("validation", "test")}
    task, training = rows.training.task, Training(model, encoded, rows.training.task, recipe, rng)

    def scored() -> Scored:
        predicted = {
            name: predict(model, encoded.training, query) for name, query in watched.items()
        }
        losses = task.row_losses(predicted["validation"], watched["validation"].labels)
        return Scored(
            training.steps,
            losses,
            predicted["test"],
            all_metrics(predicted["test"], watched["test"].labels),
        )

    curve = [scored()]
    steps = {int(step) for step in np.linspace(0, recipe.steps, CANDIDATES + 1)[1:].round()}
    while training.steps < recipe.steps:
        if not training.advance():
            raise RuntimeError(training.notes[-1])
        if training.steps in steps:
            with training.averaged():
                curve.append(scored())
    return gains_of(curve, scored(), watched["test"].labels)


def gains_of(curve: list[Scored], last: Scored, labels: Indices) -> Values:
    """Return a run's curve and its gains over the pretrained weights, see `curve_of`.

    Parameters
    ----------
    curve : list of Scored
        The pretrained weights, and means of weights along the run.
    last : Scored
        The last weights themselves.
    labels : numpy.ndarray of int
        Of the test rows.
    """
    base, average = curve[0], curve[-1]
    zero_shot = base.test["log_loss"]
    best = min(curve[1:], key=lambda own: float(own.validation.mean()))
    share = compare(base.validation, best.validation).share
    guarded = all_metrics(mixed(base.predicted, best.predicted, share), labels)
    return {
        "curve": [own.values() for own in curve],
        "last": last.values(),
        "kept_step": best.step if share else 0,
        "share": share,
        "average_gain": zero_shot - average.test["log_loss"],
        "last_gain": zero_shot - last.test["log_loss"],
        "guarded_gain": zero_shot - guarded["log_loss"],
        "auc_gain": average.test["roc_auc"] - base.test["roc_auc"],
    }


@dataclass(frozen=True)
class Scored:
    """Weights after so many steps: losses of the validation rows, and how they predict test rows.

    Attributes
    ----------
    step : int
        After how many steps.
    validation : numpy.ndarray
        Losses (rows,).
    predicted : numpy.ndarray
        Probabilities of the test rows, shape (rows, K).
    test : dict of str to float
        Metrics of these.
    """

    step: int
    validation: Matrix
    predicted: Matrix
    test: Values

    def values(self) -> Values:
        """Return them as JSON."""
        return {
            "step": self.step,
            "validation_log_loss": float(self.validation.mean()),
            **self.test,
        }


def conditioned(training: Table, options: Hyperparameters) -> InContextModel:
    """Return the backbone with the training rows in context."""
    entry = plugin_registry().of(Backbone).get(options.backbone.name)
    return condition(
        entry.create(options.backbone.options),
        training,
        owner=entry.owner,
        n_estimators=options.n_estimators,
        device="cpu",
        seed=options.random_state or 0,
    )


def battery(
    real: Table, synthetic: Table, reference: Table, rng: np.random.Generator
) -> tuple[Values, dict[str, str]]:
    """Return the built-in metrics of as many synthetic as reference rows, and why some are None."""
    size = min(len(synthetic), len(reference))
    samples = Samples(
        real,
        synthetic.take(rng.permutation(len(synthetic))[:size]),
        reference.take(rng.permutation(len(reference))[:size]),
    )
    seed = int(rng.integers(2**32))
    values: Values = {}
    reasons: dict[str, str] = {}
    for entry in plugin_registry().of(Metric):
        if entry.owner.plugin not in BUILT_IN:
            continue
        try:
            values[entry.name] = measure_metric(
                entry.create({}),
                samples,
                np.random.default_rng(seed),
                Resources(SECONDS, 1),
                owner=entry.owner,
            )
        except (NotApplicable, OutOfTime) as error:
            reasons[entry.name] = str(error)
    return values, reasons


STUDY = Study(
    name="founding_question",
    version=3,
    prepare=arms.prepare,
    # a quarter validates; the rest of the table, 600 rows at most, is tested on or stays unseen
    rule=SplitRule(train_rows=200, train_share=0.5, test_rows=600, validation_share=0.25),
    parse=parse,
    measure=measure,
    metrics=(
        Compared("average_gain", "higher", bound=0.01),
        Compared("last_gain", "higher", bound=0.01),
        Compared("guarded_gain", "higher", bound=0.01),
        Compared("auc_gain", "higher", bound=0.005),
    ),
    reference="real rows",
)
