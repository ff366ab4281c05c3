"""Compare arms of CausalMix: zero-shot, plain fine-tuning, the null, SCM rows, mixings.

::

    python -m benchmarks.arms --data DIR --splits 3
    python -m benchmarks.arms --data DIR --arms zero-shot causalmix --set '{"finetune_steps": 20}'

The summary compares every arm with zero-shot on the test rows. ``kept`` is the share of fits that
kept the fine-tuned weights.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from autogluon_causalmix.backbones.protocol import Backbone
from autogluon_causalmix.config import Hyperparameters, Named
from autogluon_causalmix.finetuning.rows import class_codes
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.method import fit
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.registry import Registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from benchmarks.study.cells import Metric, Parsed, Settings, Study, Values
from benchmarks.study.command import parser_of, run
from benchmarks.study.metrics import all_metrics
from benchmarks.study.splits import Split, SplitRule
from benchmarks.study.tables import Dataset, keep_classes

logger = logging.getLogger(__name__)

ARMS: dict[str, dict[str, Any]] = {
    "zero-shot": {"finetune": False},
    "real rows": {"generator": None},
    "bootstrap null": {"generator": "bootstrap"},
    "causalmix": {},
    "label as sink": {"generator": {"name": "scm", "label": "sink"}},
    "teacher": {"generator": {"name": "scm", "label": "teacher"}},
    "pc+fci": {"generator": {"name": "scm", "discoverer": "pc+fci"}},
    "weighted": {"generator": {"name": "scm", "weighting": "likelihood"}},
    "pure synthetic": {"mixing": {"real_fraction": 0.0}},
    "synthetic episodes": {"mixing": {"role": "episode"}},
    "half real": {"mixing": {"real_fraction": 0.5}},
    "three quarters real": {"mixing": {"real_fraction": 0.75}},
}
MOST_CLASSES, FEWEST_ROWS_OF_A_CLASS = 10, 5
SECONDS = 600  # of one fit


def prepare(table: Dataset) -> Dataset:
    """Return the table with at most ten classes of at least five rows."""
    return keep_classes(table, FEWEST_ROWS_OF_A_CLASS, MOST_CLASSES)


def parse(settings: Settings) -> Parsed:
    """Return the hyperparameters with all defaults, those of plugins included."""
    options = hyperparameters(settings)
    whole = options.model_dump(mode="json")
    registry = plugin_registry()
    files = weights_of(registry.of(Backbone).create(options.backbone))
    whole["backbone"] = described(registry.of(Backbone), options.backbone)
    whole["backbone"].pop("path", None)
    if options.generator is not None:
        whole["generator"] = described(registry.of(Generator), options.generator)
    return Parsed(whole, files)


def hyperparameters(settings: Settings) -> Hyperparameters:
    """Return the arm's hyperparameters; the backbone is `mini` unless they name another."""
    return Hyperparameters.parse({"backbone": "mini", **settings})


def described(registry: Registry[Any], named: Named) -> Values:
    """Return a plugin's name, its options with defaults, and the package it came with."""
    entry = registry.get(named.name)
    made = entry.create(named.options)
    options = asdict(made) if is_dataclass(made) and not isinstance(made, type) else named.options
    owner = entry.owner
    return {"name": named.name, **options, "from": f"{owner.distribution} {owner.version}"}


def weights_of(backbone: Backbone) -> tuple[Path, ...]:
    """Return the file of weights that a backbone reads, if it says which."""
    weights = getattr(backbone, "weights", None)
    return () if weights is None else (weights().path,)


def measure(table: Dataset, split: Split, settings: Settings) -> Values:
    """Fit one arm and score it on the test rows."""
    options = hyperparameters({"random_state": split.seed, **settings})
    train = Table.from_frame(table.take(split.train), "target")
    validation, test = (
        train.with_frame(table.take(rows)) for rows in (split.validation, split.test)
    )
    known = test.labels.isin(train.classes).to_numpy()
    notes = []
    if not known.all():
        notes.append(f"{(~known).sum()} test rows left out: no training row has their class")
        logger.warning("%s, split %d: %s", table.name, split.seed, notes[0])
    test = test.take(known.nonzero()[0])
    fitted = fit(train, validation, options, Resources(SECONDS, 1))
    report = fitted.report
    probabilities = fitted.model.predict_proba(test.features)
    return {
        **all_metrics(probabilities, class_codes(fitted.model, test)),
        "kept": float(report.kept_step > 0),
        "seconds": sum(report.seconds.values()),
        "notes": notes,
        "report": report.model_dump(mode="json"),
    }


STUDY = Study(
    name="arms",
    version=1,
    prepare=prepare,
    # a quarter validates, as in AutoGluon's holdout
    rule=SplitRule(train_rows=200, train_share=0.6, test_rows=500, validation_share=0.25),
    parse=parse,
    measure=measure,
    metrics=(
        Metric("log_loss", "lower", bound=0.01),
        Metric("roc_auc", "higher", bound=0.01),
        Metric("calibration_error", "lower", bound=0.01),
        Metric("kept"),
        Metric("seconds"),
    ),
    reference="zero-shot",
)


def main() -> None:
    """Run the command."""
    parser = parser_of(__doc__)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument(
        "--set", type=json.loads, default={}, metavar="JSON", help="hyperparameters of every arm"
    )
    given = parser.parse_args()
    run(STUDY, {name: {**given.set, **ARMS[name]} for name in given.arms}, given)


if __name__ == "__main__":
    main()
