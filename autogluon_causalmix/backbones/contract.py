"""The border with backbones, which may be anybody's: what `condition` must return."""

from functools import partial

from autogluon_causalmix import border
from autogluon_causalmix.backbones.many_classes import MOST_CLASSES, show_groups
from autogluon_causalmix.backbones.protocol import Backbone, InContextModel, Limits, limits_of
from autogluon_causalmix.config import Named
from autogluon_causalmix.entry import Owner
from autogluon_causalmix.errors import (
    BackboneError,
    CausalMixError,
)
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.records import BackboneFacts
from autogluon_causalmix.table import Table


def condition(
    backbone: Backbone, table: Table, *, n_estimators: int, device: str, seed: int, owner: Owner
) -> InContextModel:
    """Give a foundation model the rows of `table` as context, and check what comes back.

    A table with more classes than the backbone knows is shown to it in groups of classes, see
    `autogluon_causalmix.backbones.many_classes`.

    Parameters
    ----------
    backbone : Backbone
        What the registry made.
    table : Table
        The real rows.
    n_estimators, device, seed
        As for `Backbone.condition`.
    owner : Owner
        Named in errors.

    Raises
    ------
    BackboneError
        The table has more than `MOST_CLASSES`, the backbone raised, or it returned a model that
        lacks what `InContextModel` asks for, or whose classes are not those of the rows.
    CheckpointError, ConfigError, OutOfTime
        As the backbone says.
    """
    show = partial(
        _shown, backbone, n_estimators=n_estimators, device=device, seed=seed, owner=owner
    )
    n_classes, known = len(table.classes), limits_of(backbone).classes
    if n_classes <= known:
        return show(table)
    if n_classes > MOST_CLASSES:
        raise BackboneError(
            f"the target {table.target!r} has {n_classes} classes, and at most {MOST_CLASSES} are "
            "predicted; merge rare ones, or choose another model"
        )
    return show_groups(table, known, show, seed)


def named_limits(named: object) -> Limits:
    """Return the limits of the backbone that a user named; `Limits()` where there is none such."""
    try:
        return limits_of(plugin_registry().of(Backbone).create(Named.parse(named)))
    except CausalMixError:  # whoever fits with it is told
        return Limits()


def _shown(
    backbone: Backbone, table: Table, *, n_estimators: int, device: str, seed: int, owner: Owner
) -> InContextModel:
    label = f"{type(backbone).__name__}.condition ({owner})"
    model = border.call(
        lambda: backbone.condition(table, n_estimators=n_estimators, device=device, seed=seed),
        label,
        BackboneError,
    )
    breach = _breach(model, table)
    if breach:
        raise BackboneError(f"{label} {breach}")
    return model


def _breach(model: object, table: Table) -> str:
    """Return what is wrong with a conditioned model, empty where nothing is."""
    if not isinstance(model, InContextModel):
        asked = {*vars(InContextModel), *InContextModel.__annotations__}
        missing = sorted(a for a in asked if not a.startswith("_") and not hasattr(model, a))
        return f"returned {type(model).__name__}, which lacks {missing}"
    if not isinstance(model.facts, BackboneFacts):
        return f"returned a model whose facts are {type(model.facts).__name__}, no BackboneFacts"
    found, wanted = list(model.classes), list(table.classes)
    if len(found) != len(wanted) or {*found} != {*wanted}:
        return f"returned a model of the classes {found}; the rows have {wanted}"
    return ""
