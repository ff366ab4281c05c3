"""Fine-tuning of a model by itself, or of an ensemble's members one after another."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.protocol import InContextModel, Pooled, members_of
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.finetuning.loop import FineTuned, fine_tune
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import RowSets, class_codes, encode_sets
from autogluon_causalmix.finetuning.selection import LEAST_SHARE
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
    shares : tuple of float
        Of each fine-tuned network in a prediction, beside its pretrained one.
    members : list of Member
        Of an ensemble's members, in their order; empty for a model that is none.
    """

    whole: FineTuned
    shares: tuple[float, ...]
    members: list[Member] = field(default_factory=list)


def tune(
    model: InContextModel,
    tables: RowSets[Table],
    options: Hyperparameters,
    rng: np.random.Generator,
    resources: Resources,
    on_step: Callable[[int], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> Tuned:
    """Fine-tune a model in place; members of an ensemble by themselves, with their own verdicts.

    Each member sees the same episodes and gets an equal part of the time that is left. A network
    whose share is not 0 is left with its best weights.

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
    say : callable
        Gets a sentence about how long fine-tuning takes.

    Raises
    ------
    ConfigError
        There are other numbers of steps than members.
    """
    members = members_of(model)
    steps = options.member_steps or (options.finetune_steps,) * len(members)
    shares = options.member_shares or (options.finetune_share,) * len(members)
    for name, given in (("steps", steps), ("shares", shares)):
        if len(given) != len(members):
            raise ConfigError(
                f"member_{name} has {len(given)} numbers, and {model.facts.name} is "
                f"{len(members)} network(s); give one for each, or finetune_{name[:5]} for all"
            )
    outcomes = []
    for number, (member, most, share) in enumerate(zip(members, steps, shares, strict=True)):
        recipe = Recipe(
            most if options.early_stopping or share >= LEAST_SHARE else 0,
            options.learning_rate or member.learning_rate,
            options.mixing.real_fraction,
            options.mixing.role,
            share,
        )
        rows, own = encode_sets(member, tables), copy.deepcopy(rng)
        time, task = resources.share(1 / (len(members) - number)), tables.training.task
        outcomes.append(fine_tune(member, rows, task, recipe, own, time, on_step, say))
    found = tuple(outcome.share for outcome in outcomes)
    if not isinstance(model, Pooled):
        return Tuned(outcomes[0], found)
    return Tuned(_whole(model, tables, outcomes), found, _facts(members, outcomes, options))


def _facts(
    members: Sequence[InContextModel], outcomes: Sequence[FineTuned], options: Hyperparameters
) -> list[Member]:
    return [
        Member(
            backbone=member.facts,
            learning_rate=options.learning_rate or member.learning_rate,
            curve=outcome.curve,
            pretrained=outcome.pretrained,
            tuned=outcome.tuned,
            kept="fine-tuned" if outcome.share else "pretrained",
            kept_step=outcome.kept_step,
            share=outcome.share,
            tuned_step=outcome.best_step,
            reason=outcome.reason,
        )
        for member, outcome in zip(members, outcomes, strict=True)
    ]


def _whole(model: Pooled, tables: RowSets[Table], outcomes: Sequence[FineTuned]) -> FineTuned:
    """Return what the outcomes of the members say of the ensemble."""
    named = [(member.facts.name, own) for member, own in zip(model.members, outcomes, strict=True)]
    kept = ["fine-tuned" if own.share else "pretrained" for own in outcomes]
    return FineTuned(
        share=float(np.mean([own.share for own in outcomes])),
        kept_step=max(own.kept_step for own in outcomes),
        best_step=max(own.best_step for own in outcomes),
        reason="; ".join(
            f"{name} {which}, {own.reason}" for (name, own), which in zip(named, kept, strict=True)
        ),
        curve=[],
        pretrained=_scores(model, tables, [own.before for own in outcomes]),
        tuned=_scores(model, tables, [own.after for own in outcomes])
        if any(own.tuned for own in outcomes)
        else None,
        notes=[f"{name}: {note}" for name, own in named for note in own.notes],
    )


def _scores(
    model: Pooled, tables: RowSets[Table], predicted: Sequence[Matrix | None]
) -> Scores | None:
    """Return the scores of the members' pooled predictions; None where one could not predict."""
    parts = [each for each in predicted if each is not None]
    if tables.validation is None or len(parts) < len(predicted):
        return None
    return tables.training.task.scores(model.pooled(parts), class_codes(model, tables.validation))
