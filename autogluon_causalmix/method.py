"""CausalMix, the method on one page: synthetic rows, fine-tuning on both, the choice of weights.

Follows CausalMixFT (Bühler, Purucker & Hutter, 2026, arXiv 2601.04110); where it differs, and why,
stands in ``docs/decisions``.
"""

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from autogluon_causalmix.backbones.contract import condition
from autogluon_causalmix.backbones.protocol import Backbone, InContextModel
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.derived import Derived
from autogluon_causalmix.errors import OutOfTime, TooRare
from autogluon_causalmix.fidelity.glance import glance
from autogluon_causalmix.fidelity.marginals import marginals
from autogluon_causalmix.finetuning.rows import RowSets
from autogluon_causalmix.finetuning.selection import LEAST_SHARE
from autogluon_causalmix.finetuning.threads import idle_threads
from autogluon_causalmix.fitlog import Log, without_widget_warnings
from autogluon_causalmix.generation import fit_source
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.records import FitReport, GeneratorFacts, RowCounts
from autogluon_causalmix.resources import CUT_OFF, Resources
from autogluon_causalmix.table import Table

if TYPE_CHECKING:
    from autogluon_causalmix.finetuning.members import Tuned

GENERATION_SHARE = 0.25
"""Of the time: discovery, SCM and sampling; the rest is for fine-tuning."""

GENERATION_SECONDS = 20.0
"""Where that share is less, it is raised to these, up to half of the time: on a slow core imports,
compilation and the simplest causal model take as long, and without rows it is plain fine-tuning."""

FEWEST_FOR_TUNING = 20
"""Real rows; below, held-out rows say nothing and fine-tuning is a coin toss."""

VALIDATION_SHARE = 0.2
"""Of the rows, where the caller gives no validation rows."""

NOT_REPRODUCIBLE = (
    "this fit is not reproducible: the clock ended a part of it, and a rerun may get further"
)

NOTHING = Derived()

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
    """A fitted model and its report."""

    model: InContextModel
    report: FitReport


@without_widget_warnings
def fit(
    table: Table,
    validation: Table | None,
    options: Hyperparameters,
    resources: Resources,
    on_step: Callable[[int], None] = lambda _: None,
    log: Log | None = None,
    derived: Derived = NOTHING,
) -> Fitted:
    """Fit CausalMix: condition the foundation model, generate, fine-tune, choose the weights.

    Parameters
    ----------
    table : Table
        The real rows: the only ones that a generator sees, and the context at inference.
    validation : Table or None
        Real rows on which candidates are compared; None holds out a part of `table`, unless early
        stopping is off.
    options : Hyperparameters
        What to do.
    resources : Resources
        Seconds, cores and device for all of it.
    on_step : callable
        Gets the number of each optimiser step done.
    log : Log, optional
        Takes seconds and notes; the caller may have put notes of its own into it.
    derived : Derived
        Columns that are no data, which a generator does not see.

    Raises
    ------
    CausalMixError
        A plugin is unknown or broke its contract, or weights cannot be read.
    """
    log, seed = log or Log(), options.random_state or 0
    seeds = np.random.SeedSequence(seed).spawn(3)
    split_rng, generator_rng, episode_rng = (np.random.default_rng(own) for own in seeds)
    entry = plugin_registry().of(Backbone).get(options.backbone.name)
    conditioned = partial(
        condition,
        entry.create(options.backbone.options),
        owner=entry.owner,
        n_estimators=options.n_estimators,
        device=resources.device,
        seed=seed,
    )
    obstacle = _obstacle(table, validation, options)
    if obstacle:
        log.note(f"predicts in context, without fine-tuning: {obstacle}")
        options = options.model_copy(
            update={"finetune_steps": 0, "generator": None, "member_steps": None}
        )
    training, validation = _split(table, validation, options, split_rng, log)
    with log.stage("backbone"):
        model = conditioned(training)
    for sentence in model.notes:
        log.warn(sentence)
    synthetic, generator = synthesize(training, options, generator_rng, resources, log, derived)
    tables = RowSets(training, validation, synthetic)
    fidelity = _fidelity(tables, seed, resources.remaining(), log)
    work = "fine-tuning" if options.finetune_steps else "evaluation"
    cores = resources.num_cpus if options.finetune_steps and resources.device == "cpu" else 0
    with log.stage(work), idle_threads(cores, log):
        from autogluon_causalmix.finetuning.members import tune
        from autogluon_causalmix.finetuning.mixture import mix

        tuned = tune(model, tables, options, episode_rng, resources, on_step, log.say)
    if training is not table:
        weights = model.network.state_dict()
        model = conditioned(table)
        model.network.load_state_dict(weights)
    if any(0 < share < 1 for share in tuned.shares):
        model = mix(conditioned(table), model, tuned.shares)
    for sentence in tuned.whole.notes:
        log.note(sentence)
    if any(CUT_OFF in sentence for sentence in log.notes):
        log.note(NOT_REPRODUCIBLE)
    if obstacle:
        tuned = replace(tuned, whole=replace(tuned.whole, reason=obstacle))
    return Fitted(model, _report(tables, generator, fidelity, model, tuned, options, log))


def _obstacle(table: Table, validation: Table | None, options: Hyperparameters) -> str:
    """Return why these rows are not fine-tuned on, empty where nothing stands in the way."""
    if not options.finetune:
        return "fine-tuning is switched off"
    shares = options.member_shares or (options.finetune_share,)
    if not options.early_stopping and max(shares) < LEAST_SHARE:
        return f"the fits before gave the fine-tuned network a share of {max(shares):.1%}"
    if options.finetune_steps == 0:
        return "no step is to be taken"
    if len(table) < FEWEST_FOR_TUNING:
        return f"{len(table)} rows are fewer than the {FEWEST_FOR_TUNING} that fine-tuning needs"
    if validation is None and options.early_stopping and len(table) < len(table.classes) + 2:
        return "no row can be held out, as nearly every class has a single row"
    return table.task.obstacle(table.targets)


def _split(
    table: Table,
    validation: Table | None,
    options: Hyperparameters,
    rng: np.random.Generator,
    log: Log,
) -> tuple[Table, Table | None]:
    """Return training rows and validation rows."""
    if not options.early_stopping:
        return table, None
    if validation is None:
        if options.finetune_steps == 0:
            return table, None
        kept, held_out = table.task.hold_out(table.targets, VALIDATION_SHARE, rng)
        log.note(
            f"no validation rows were given: {len(held_out)} of the {len(table)} rows are held "
            "out for validation"
        )
        return table.take(kept), table.take(held_out)
    answerable = np.flatnonzero(table.task.answerable(validation.targets, table.targets))
    if len(answerable) == len(validation):
        return table, validation
    log.note(
        f"{len(validation) - len(answerable)} validation rows have a class that no training row "
        "has: left out"
    )
    return table, validation.take(answerable) if len(answerable) else None


def synthesize(
    table: Table,
    options: Hyperparameters,
    rng: np.random.Generator,
    resources: Resources,
    log: Log,
    derived: Derived = NOTHING,
) -> tuple[Table | None, GeneratorFacts | None]:
    """Draw from the chosen generator; None where there is none or it ran out of time."""
    if options.generator is None or options.mixing.real_fraction == 1:
        return None, None
    share = resources.share(_generation_share(resources.remaining()))
    n_rows = max(round(options.mixing.ratio * len(table)), 1)
    derived = derived.of(table)
    data = derived.without(table)
    if not data.feature_columns:
        log.note("no synthetic rows: every feature is made from text, and none is a column of data")
        return None, None
    if derived.text:
        log.note(
            f"{len(derived.text)} features made from text are no columns of data: synthetic rows "
            "have those of real rows of their class"
        )
    try:
        source = fit_source(options.generator, data, rng, share, log)
        with log.stage("sampling"):
            drawn = source.draw(data, n_rows, rng, share, balance=options.mixing.balance)
            rows = derived.complete(drawn, table, rng) if derived else drawn
    except (OutOfTime, TooRare) as error:
        log.note(f"no synthetic rows: {error}; fine-tunes on real rows alone")
        return None, None
    if options.mixing.role == "episode" and not table.task.can_be_episode(rows.targets):
        log.note(
            f"no synthetic rows: {len(rows)} are too few for a context and a query of their own; "
            "fine-tunes on real rows alone"
        )
        return None, None
    return rows, source.facts


def _generation_share(seconds: float) -> float:
    """Return the generator's share of the seconds left.

    Examples
    --------
    >>> [_generation_share(seconds) for seconds in (10.0, 50.0, 100.0, 600.0)]
    [0.5, 0.4, 0.25, 0.25]
    """
    return max(GENERATION_SHARE, min(0.5, GENERATION_SECONDS / max(seconds, 1.0)))


def _fidelity(of: RowSets[Table], seed: int, left: float, log: Log) -> dict[str, object] | None:
    """Return a look at the synthetic rows, as JSON; None where there are none, or none was had."""
    if of.synthetic is None:
        return None
    with log.stage("fidelity"):
        found, why_not = glance(of.training, of.synthetic, of.validation, seed, left)
    if found is None:
        log.note(f"the synthetic rows were not measured: {why_not}")
        return None
    return found.model_dump(mode="json", exclude={"marginals"}) | {"marginals": []}


def _report(
    tables: RowSets[Table],
    generator: GeneratorFacts | None,
    fidelity: dict[str, object] | None,
    model: InContextModel,
    tuned: "Tuned",
    options: Hyperparameters,
    log: Log,
) -> FitReport:
    real, synthetic, whole = tables.training, tables.synthetic, tuned.whole
    learning_rate = options.learning_rate or model.learning_rate
    return FitReport(
        target=str(real.target),
        versions={name: importlib.metadata.version(name) for name in DISTRIBUTIONS},
        seed=options.random_state or 0,
        device=model.device,
        backbone=model.facts,
        generator=generator,
        rows=RowCounts(
            real=len(real),
            validation=len(tables.validation or ()),
            synthetic=len(synthetic or ()),
        ),
        options=options.model_dump(mode="json") | {"learning_rate": learning_rate},
        seconds=log.seconds,
        curve=whole.curve,
        pretrained=whole.pretrained,
        tuned=whole.tuned,
        kept="fine-tuned" if whole.share else "pretrained",
        kept_step=whole.kept_step,
        share=whole.share,
        tuned_step=whole.best_step,
        reason=whole.reason,
        members=tuned.members,
        marginals=marginals(real, synthetic) if synthetic else [],
        fidelity=fidelity,
        notes=log.notes,
    )
