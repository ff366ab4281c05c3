"""Fine-tuning of a model by itself, or of an ensemble's members one after another."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autogluon_causalmix.backbones.protocol import InContextModel, members_of
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.finetuning.loop import FineTuned, fine_tune
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import RowSets, class_codes, encode_sets
from autogluon_causalmix.records import Member, Scores
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class Tuned:
    """What came of fine-tuning.

    Attributes
    ----------
    whole : FineTuned
        Of the model that predicts.
    members : list of Member
        Of an ensemble's members, in their order; empty for a model that is none.
    """

    whole: FineTuned
    members: list[Member] = field(default_factory=list)


def tune(
    model: InContextModel,
    tables: RowSets[Table],
    options: Hyperparameters,
    rng: np.random.Generator,
    resources: Resources,
    on_step: Callable[[int], None] = lambda _: None,
) -> Tuned:
    """Fine-tune a model in place; members of an ensemble by themselves, with their own verdicts.

    Each member sees the same episodes and gets an equal share of the time that is left.

    Parameters
    ----------
    model : InContextModel
        Conditioned on the training rows.
    tables : RowSets
        Training, validation and synthetic rows.
    options : Hyperparameters
        Steps, learning rate and mixing.
    rng : numpy.random.Generator
        Source of the episodes.
    resources : Resources
        For all members together.
    on_step : callable
        Gets the number of each step done; it begins anew with each member.

    Raises
    ------
    ConfigError
        There are other numbers of steps than members.
    """
    members = members_of(model)
    steps = options.member_steps or (options.finetune_steps,) * len(members)
    if len(steps) != len(members):
        raise ConfigError(
            f"member_steps has {len(steps)} numbers, and {model.facts.name} is "
            f"{len(members)} network(s); give one for each, or finetune_steps for all"
        )
    before = None if members == (model,) else _scores(model, tables)
    outcomes = []
    for number, (member, most) in enumerate(zip(members, steps, strict=True)):
        recipe = Recipe(
            most,
            options.learning_rate or member.learning_rate,
            options.mixing.real_fraction,
            options.mixing.role,
        )
        rows, own = encode_sets(member, tables), copy.deepcopy(rng)
        share, task = resources.share(1 / (len(members) - number)), tables.training.task
        outcomes.append(fine_tune(member, rows, task, recipe, own, share, on_step))
    if members == (model,):
        return Tuned(outcomes[0])
    after = _scores(model, tables) if any(outcome.tuned for outcome in outcomes) else None
    return _pooled(members, outcomes, options, before, after)


def _scores(model: InContextModel, tables: RowSets[Table]) -> Scores | None:
    """Return the scores on the validation rows of the weights as they are now."""
    if tables.validation is None:
        return None
    predicted = model.predict_proba(tables.validation.features)
    return tables.training.task.scores(predicted, class_codes(model, tables.validation))


def _pooled(
    members: Sequence[InContextModel],
    outcomes: Sequence[FineTuned],
    options: Hyperparameters,
    before: Scores | None,
    after: Scores | None,
) -> Tuned:
    """Return the facts of all members, and what they say of the ensemble."""
    facts = [
        Member(
            backbone=member.facts,
            learning_rate=options.learning_rate or member.learning_rate,
            curve=outcome.curve,
            pretrained=outcome.pretrained,
            tuned=outcome.tuned,
            kept="fine-tuned" if outcome.kept_step else "pretrained",
            kept_step=outcome.kept_step,
            tuned_step=outcome.best_step,
            reason=outcome.reason,
        )
        for member, outcome in zip(members, outcomes, strict=True)
    ]
    whole = replace(
        outcomes[0],
        kept_step=max(outcome.kept_step for outcome in outcomes),
        best_step=max(outcome.best_step for outcome in outcomes),
        reason="; ".join(f"{each.backbone.name} {each.kept}, {each.reason}" for each in facts),
        curve=[],
        pretrained=before,
        tuned=after,
        notes=[
            f"{each.backbone.name}: {note}"
            for each, outcome in zip(facts, outcomes, strict=True)
            for note in outcome.notes
        ],
    )
    return Tuned(whole, facts)
