"""`Hyperparameters`: the one parser of what users write."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from autogluon_causalmix.errors import ConfigError


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Named(BaseModel):
    """A plugin by its name, with its options: ``{"name": "scm", "bootstraps": 20}``; a bare string is the name."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @property
    def options(self) -> dict[str, object]:
        """What stands beside the name."""
        return dict(self.__pydantic_extra__ or {})


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def backbone_named(value: object) -> Named:
    """Return the backbone that a string or a dict of the user's names.

    Examples
    --------
    >>> backbone_named("tabpfn-v2").options
    {'version': 'v2'}
    """
    try:
        return Named.model_validate(_backbone(value))
    except ValidationError as error:
        raise ConfigError(f"a backbone is a name or a dict with 'name', got {value!r}") from error


def _backbone(value: object) -> object:
    """Read ``"tabpfn-v2"`` as a version of ``tabpfn`` and a path as a ``checkpoint``."""
    if isinstance(value, str) and value.endswith((".safetensors", ".ckpt")):
        return {"name": "checkpoint", "path": value}
    if isinstance(value, str) and value.startswith("tabpfn-"):
        return {"name": "tabpfn", "version": value.removeprefix("tabpfn-")}
    return _named(value)


NamedOption = Annotated[Named, BeforeValidator(_named)]


class Mixing(_Options):
    """How synthetic rows enter the fine-tuning."""

    ratio: float = Field(default=2.0, gt=0, le=100)
    """Synthetic rows drawn per real row."""

    real_fraction: float = Field(default=0.9, ge=0, le=1)
    """Weight of the real rows in the loss; 1 uses no synthetic row, 0 predicts none but synthetic rows."""

    role: Literal["query", "episode"] = "query"
    """``"query"``: real and synthetic rows are predicted from real ones; ``"episode"``: each from its own kind."""


class Hyperparameters(_Options):
    """The hyperparameters of `CausalMixModel`.

    Examples
    --------
    >>> Hyperparameters.parse({"generator": "bootstrap"}).generator.name
    'bootstrap'
    >>> Hyperparameters.parse({"learning_rate": -1.0})
    Traceback (most recent call last):
        ...
    autogluon_causalmix.errors.ConfigError: CausalMix hyperparameter 'learning_rate': input should be greater than 0, \
got -1.0
    """

    backbone: Annotated[Named, BeforeValidator(_backbone)] = Named(name="auto")
    """The foundation model: ``"auto"``, ``"mini"``, ``"tabpfn-v2"``, another version, or the path of a checkpoint."""

    generator: NamedOption | None = Named(name="scm")
    """What makes the synthetic rows; None fine-tunes on the real rows alone."""

    mixing: Mixing = Mixing()
    """How synthetic rows enter the fine-tuning."""

    finetune: bool = True
    """False predicts in context with the pretrained weights: the zero-shot arm."""

    finetune_steps: int = Field(default=60, ge=0, le=100_000)
    """Most optimiser steps; with early stopping off, their exact number."""

    early_stopping: bool = True
    """Judge candidates on validation rows; off where AutoGluon refits on all rows with the steps found before."""

    learning_rate: float | None = Field(default=None, gt=0, le=1)
    """Peak learning rate of AdamW; None takes the one that suits the backbone."""

    n_estimators: int = Field(default=4, ge=1, le=64)
    """Views of the table that the foundation model averages over."""

    random_state: int | None = None
    """Seed of everything random; None is 0."""

    @classmethod
    def parse(cls, given: Mapping[str, object]) -> "Hyperparameters":
        """Check what the user wrote.

        Raises
        ------
        ConfigError
            Names the first hyperparameter that is unknown, of the wrong type or out of range, and what is allowed.
        """
        try:
            return cls.model_validate(dict(given))
        except ValidationError as error:
            raise ConfigError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    """Return one line that names the hyperparameter, the rule and the value."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        owner: type[BaseModel] = Mixing if place.startswith("mixing.") else Hyperparameters
        return (
            f"CausalMix has no hyperparameter {place!r}; choose from {sorted(owner.model_fields)}"
        )
    rule = first["msg"][0].lower() + first["msg"][1:]
    return f"CausalMix hyperparameter {place!r}: {rule}, got {first['input']!r}"
