"""CausalMix, the method on one page: synthetic rows from models of the real ones, fine-tuning on both, the guard.

Follows CausalMixFT (Bühler, Purucker & Hutter, 2026, arXiv 2601.04110); where it goes another way, and why, stands
in ``docs/decisions``.
"""

import importlib.metadata
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import train_test_split

from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.fidelity.marginals import marginals
from autogluon_causalmix.generators.contract import description, draw, fit_generator
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.records import FitReport, GeneratorFacts, Rows
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

if TYPE_CHECKING:
    from autogluon_causalmix.backbones.protocol import InContextModel
    from autogluon_causalmix.finetuning import loop
    from autogluon_causalmix.finetuning.loop import FineTuned

logger = logging.getLogger("autogluon.causalmix")

GENERATION_SHARE = 0.25  # of the time: discovery, SCM and sampling; the rest is for fine-tuning
FEWEST_ROWS = 20  # real rows; below, held-out rows say nothing and fine-tuning is a coin toss
VALIDATION_SHARE = 0.2  # of the rows, where nobody handed in validation rows
DISTRIBUTIONS = (
    "autogluon-causalmix",
    "autogluon.tabular",
    "causal-learn",
    "dowhy",
    "tabpfn",
    "torch",
)


@dataclass(frozen=True)
class Fitted:
    """A fitted model and what is to be said of it."""

    model: "InContextModel"
    report: FitReport


@dataclass(frozen=True)
class Synthetic:
    """Rows drawn from a generator, and who made them."""

    table: Table
    facts: GeneratorFacts


@dataclass
class Log:
    """Collects what the report needs: seconds per stage, and every fallback, which also goes to the log."""

    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - started, 3)

    def note(self, sentence: str, level: int = logging.INFO) -> None:
        """Log a fallback and keep it for the report."""
        logger.log(level, "\t%s", sentence)
        self.notes.append(sentence)


def fit(
    table: Table,
    validation: Table | None,
    options: Hyperparameters,
    resources: Resources,
    device: str = "cpu",
    on_step: Callable[[int], None] = lambda _: None,
    notes: Iterable[str] = (),
) -> Fitted:
    """Fit CausalMix: condition the foundation model, generate, fine-tune, judge.

    Parameters
    ----------
    table : Table
        The real rows: the only ones that a generator learns from, and the context at inference.
    validation : Table or None
        Real rows that judge; None holds out a part of `table`, unless early stopping is off.
    options : Hyperparameters
        What to do.
    resources : Resources
        Seconds and cores for all of it.
    device : str
        Torch device of the network.
    on_step : callable
        Told the number of each optimiser step done.
    notes : iterable of str
        What the caller did of its own accord; logged and reported with the rest.

    Raises
    ------
    CausalMixError
        A plugin is unknown or broke its contract, or weights cannot be read.
    """
    log, seed = Log(), options.random_state or 0
    for sentence in notes:
        log.note(sentence)
    split, generate, episodes = (
        np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3)
    )
    backbone = (
        plugin_registry().backbones.get(options.backbone.name).create(options.backbone.options)
    )
    condition = partial(
        backbone.condition, n_estimators=options.n_estimators, device=device, seed=seed
    )

    obstacle = _obstacle(table, options)
    if obstacle:
        log.note(f"predicts in context, without fine-tuning: {obstacle}")
        options = options.model_copy(update={"finetune_steps": 0, "generator": None})
    learned, judges = _split(table, validation, options, split, log)
    with log.stage("backbone"):
        model = condition(learned)
    for sentence in model.notes:
        log.note(sentence, level=logging.WARNING)
    synthetic = synthesize(learned, options, generate, resources, log)
    with log.stage("fine-tuning"):
        tuned = _tune(model, learned, judges, synthetic, options, episodes, resources, on_step)
    if learned is not table:
        weights = model.network.state_dict()
        model = condition(table)
        model.network.load_state_dict(weights)
    for sentence in tuned.notes:
        log.note(sentence)
    tuned = replace(tuned, reason=obstacle or tuned.reason)
    return Fitted(model, _report(learned, judges, synthetic, model, tuned, options, log))


def _obstacle(table: Table, options: Hyperparameters) -> str:
    """Return why these rows are not fine-tuned on, empty where nothing stands in the way."""
    if not options.finetune:
        return "fine-tuning is switched off"
    if options.finetune_steps == 0:
        return "no step is to be taken: either so chosen, or the folds kept the pretrained weights"
    if len(table.classes) < 2:
        return "the rows hold a single class"
    if len(table) < FEWEST_ROWS:
        return f"{len(table)} rows are fewer than the {FEWEST_ROWS} that fine-tuning needs"
    return ""


def _split(
    table: Table,
    validation: Table | None,
    options: Hyperparameters,
    rng: np.random.Generator,
    log: Log,
) -> tuple[Table, Table | None]:
    """Return the rows to learn from and the rows that judge."""
    if not options.early_stopping:
        return table, None
    if validation is None:
        if options.finetune_steps == 0:
            return table, None
        learned, held_out = _hold_out(table, rng)
        log.note(
            f"no validation rows were given: {len(held_out)} of the {len(table)} rows are held out to judge"
        )
        return learned, held_out
    answerable = np.flatnonzero(validation.labels.isin(table.classes).to_numpy())
    if len(answerable) == len(validation):
        return table, validation
    log.note(
        f"{len(validation) - len(answerable)} validation rows have a class that no training row has: left out"
    )
    return table, validation.take(answerable) if len(answerable) else None


def _hold_out(table: Table, rng: np.random.Generator) -> tuple[Table, Table]:
    """Hold out rows, stratified where every class has two; each class keeps a row to learn from."""
    labels = table.labels.astype("object")
    rare = labels.isin(labels.value_counts().loc[lambda counts: counts < 2].index).to_numpy()
    n_held_out = max(round(VALIDATION_SHARE * len(table)), len(table.classes))
    kept, held_out = train_test_split(
        np.flatnonzero(~rare),
        test_size=n_held_out,
        stratify=labels[~rare],
        random_state=int(rng.integers(2**31)),
    )
    return table.take(np.sort(np.concatenate([kept, np.flatnonzero(rare)]))), table.take(
        np.sort(held_out)
    )


def synthesize(
    table: Table, options: Hyperparameters, rng: np.random.Generator, resources: Resources, log: Log
) -> Synthetic | None:
    """Fit the chosen generator to the real rows and draw from it; None where there is none or it ran out of time."""
    if options.generator is None or options.mixing.real_fraction == 1:
        return None
    entry = plugin_registry().generators.get(options.generator.name)
    generator = entry.create(options.generator.options)
    share = resources.share(GENERATION_SHARE)
    try:
        with log.stage("generator"):
            fitted = fit_generator(generator, table, rng, share, owner=entry.owner)
        with log.stage("sampling"):
            n_rows = max(round(options.mixing.ratio * len(table)), 1)
            rows = draw(fitted, table, n_rows, rng, share, owner=entry.owner)
    except OutOfTime as error:
        log.note(f"no synthetic rows: {error}; fine-tunes on real rows alone")
        return None
    said = description(fitted, owner=entry.owner)
    for sentence in cast("list[str]", said.get("notes", [])):
        log.note(sentence)
    facts = GeneratorFacts(
        name=options.generator.name,
        distribution=entry.owner.distribution,
        version=entry.owner.version,
        options=options.generator.options,
        description=said,
    )
    return Synthetic(rows, facts)


def _tune(
    model: "InContextModel",
    learned: Table,
    judges: Table | None,
    synthetic: Synthetic | None,
    options: Hyperparameters,
    rng: np.random.Generator,
    resources: Resources,
    on_step: Callable[[int], None],
) -> "FineTuned":
    """Encode all rows once and hand them to the loop."""
    from autogluon_causalmix.finetuning import loop
    from autogluon_causalmix.finetuning.episodes import EpisodeSampler

    real = loop.Rows(model.encode_context(), class_codes(model, learned))
    validation = encode_rows(model, judges)
    drawn = encode_rows(model, synthetic.table if synthetic else None)
    sampler = EpisodeSampler(
        real.labels,
        drawn.labels if drawn else np.empty(0, dtype="int64"),
        options.mixing.real_fraction,
        options.mixing.role,
    )
    recipe = loop.Recipe(options.finetune_steps, options.learning_rate or model.learning_rate)
    return loop.fine_tune(model, real, validation, drawn, sampler, recipe, rng, resources, on_step)


def encode_rows(model: "InContextModel", table: Table | None) -> "loop.Rows | None":
    """Return a table as the loop takes it, None where there is none."""
    from autogluon_causalmix.finetuning import loop

    if table is None:
        return None
    return loop.Rows(
        model.encode(table.features), class_codes(model, table), _soft_labels(model, table)
    )


def _soft_labels(model: "InContextModel", table: Table) -> npt.NDArray[np.float64] | None:
    """Return P(class) with the model's classes as columns, shape (rows, K); None where labels are certain."""
    if table.soft_labels is None:
        return None
    return table.soft_labels[:, table.levels.astype("object").get_indexer(pd.Index(model.classes))]


def class_codes(model: "InContextModel", table: Table) -> npt.NDArray[np.int64]:
    """Return the labels of `table` as positions among the model's classes, shape (rows,)."""
    codes: npt.NDArray[np.int64] = pd.Index(model.classes).get_indexer(
        pd.Index(table.labels.astype("object"))
    )
    return codes.astype("int64")


def _report(
    learned: Table,
    judges: Table | None,
    synthetic: Synthetic | None,
    model: "InContextModel",
    tuned: "FineTuned",
    options: Hyperparameters,
    log: Log,
) -> FitReport:
    n_synthetic = len(synthetic.table) if synthetic else 0
    return FitReport(
        target=str(learned.target),
        versions={name: importlib.metadata.version(name) for name in DISTRIBUTIONS},
        seed=options.random_state or 0,
        device=model.device,
        backbone=model.facts,
        generator=synthetic.facts if synthetic else None,
        rows=Rows(
            real=len(learned), validation=len(judges) if judges else 0, synthetic=n_synthetic
        ),
        options=options.model_dump(mode="json")
        | {"learning_rate": options.learning_rate or model.learning_rate},
        seconds=log.seconds,
        curve=tuned.curve,
        pretrained=tuned.pretrained,
        tuned=tuned.tuned,
        kept="fine-tuned" if tuned.kept_step else "pretrained",
        kept_step=tuned.kept_step,
        reason=tuned.reason,
        marginals=marginals(learned, synthetic.table) if synthetic else [],
        notes=log.notes,
    )
