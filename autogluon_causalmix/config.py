"""`Hyperparameters`: the one parser of what users write."""

import operator
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, SupportsIndex

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from autogluon_causalmix.errors import ConfigError

LARGEST_SEED = 2**32 - 1
"""What scikit-learn and NumPy's older generators take."""

WEIGHT_FILES = (".ckpt", ".pt", ".pth", ".safetensors")


class Named(BaseModel):
    """A plugin by its name, with its options: ``{"name": "scm", "graphs": 20}``.

    A bare string is the name.

    Examples
    --------
    >>> Named.parse("scm").options, Named.parse({"name": "scm", "graphs": 20}).options
    ({}, {'graphs': 20})
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @property
    def options(self) -> dict[str, object]:
        """What stands beside the name."""
        return dict(self.__pydantic_extra__ or {})

    @classmethod
    def parse(cls, given: object) -> Self:
        """Return the plugin that a string or a dict names.

        Raises
        ------
        ConfigError
            It is neither, or has no name.
        """
        try:
            return cls.model_validate(_named(given))
        except ValidationError:
            raise ConfigError(
                f"a plugin is named by a string or by a dict with 'name', got {given!r}"
            ) from None


def _named(given: object) -> object:
    if isinstance(given, type) or hasattr(given, "fit"):
        raise ConfigError(
            f"{given!r} is an object, which AutoGluon's workers and saved predictors cannot take "
            "along: put its class into a module and name it 'module:Class'"
        )
    if not isinstance(given, str):
        return given
    if given.endswith(WEIGHT_FILES):
        raise ConfigError(
            f"{given!r} is a file, which does not say whose weights it holds: write "
            f"{{'name': 'tabpfn-checkpoint', 'path': {given!r}}}, or the backbone of its family"
        )
    return {"name": given}


def _whole(given: object) -> object:
    """Return NumPy's whole numbers as Python's; True is none."""
    if isinstance(given, SupportsIndex) and not isinstance(given, bool):
        return operator.index(given)
    return given


NamedOption = Annotated[Named, BeforeValidator(_named)]
Whole = Annotated[int, BeforeValidator(_whole)]
Count = Annotated[Whole, Field(ge=1)]


class _Options(BaseModel):
    """Options that refuse what they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    owner: ClassVar[str]
    noun: ClassVar[str]

    @classmethod
    def parse(cls, given: Mapping[str, object]) -> Self:
        """Check what the user wrote.

        Raises
        ------
        ConfigError
            Names the first option that is unknown, of the wrong type or out of range, and says
            what is allowed.
        """
        try:
            return cls.model_validate(dict(given))
        except ValidationError as error:
            raise ConfigError(cls._explain(error)) from None

    @classmethod
    def _explain(cls, error: ValidationError) -> str:
        """Return one line that names the option, the rule and the value."""
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known: type[BaseModel] = Mixing if place.startswith("mixing.") else cls
            choices = sorted(known.model_fields)
            return f"{cls.owner} has no {cls.noun} {place!r}; choose from {choices}"
        if first["type"] == "value_error":
            return f"{cls.owner} {cls.noun} {place!r}: {first['ctx']['error']}"
        rule = first["msg"][0].lower() + first["msg"][1:]
        if first["type"] == "model_type":
            rule = "a plugin is named by a string or by a dict with 'name'"
        return f"{cls.owner} {cls.noun} {place!r}: {rule}, got {first['input']!r}"


class Mixing(_Options):
    """How synthetic rows enter the fine-tuning."""

    owner: ClassVar[str] = "CausalMix"
    noun: ClassVar[str] = "hyperparameter"

    ratio: float = Field(default=2.0, gt=0, le=100)
    """Synthetic rows drawn per real row."""

    real_fraction: float = Field(default=0.9, ge=0, le=1)
    """Weight of the real rows in the loss; 1 uses no synthetic row, 0 no real one as query."""

    balance: bool = False
    """Draw equally many synthetic rows of each class."""

    role: Literal["query", "episode"] = "query"
    """``"query"``: real and synthetic rows are predicted from real ones; ``"episode"``: each from
    rows of its own kind."""


class Hyperparameters(_Options):
    """The hyperparameters of `CausalMixModel`.

    Examples
    --------
    >>> Hyperparameters.parse({"generator": "bootstrap"}).generator.name
    'bootstrap'
    >>> Hyperparameters.parse({"learning_rate": -1.0})
    Traceback (most recent call last):
        ...
    autogluon_causalmix.errors.ConfigError: CausalMix hyperparameter 'learning_rate': \
input should be greater than 0, got -1.0
    """

    owner: ClassVar[str] = "CausalMix"
    noun: ClassVar[str] = "hyperparameter"

    backbone: NamedOption = Named(name="auto")
    """The foundation model: ``"auto"``, ``"mini"``, ``"tabpfn-v2"``, or a dict with ``"name"``
    and the options of a backbone."""

    generator: NamedOption | None = Named(name="scm")
    """What draws the synthetic rows; None fine-tunes on the real rows alone."""

    mixing: Mixing = Mixing()
    """How synthetic rows enter the fine-tuning."""

    finetune: bool = True
    """False predicts in context with the pretrained weights: the zero-shot arm."""

    finetune_steps: Whole = Field(default=240, ge=0, le=100_000)
    """Most optimiser steps: a run ends earlier once its best weights lie behind it. With early
    stopping off, their exact number."""

    member_steps: tuple[Annotated[Whole, Field(ge=0)], ...] | None = None
    """Steps of each backbone of an ensemble, as found before; None takes `finetune_steps`."""

    finetune_share: float = Field(default=1.0, ge=0, le=1)
    """With early stopping off, the weight of the fine-tuned network's probabilities in a
    prediction; the pretrained network has the rest."""

    member_shares: tuple[Annotated[float, Field(ge=0, le=1)], ...] | None = None
    """The same of each backbone of an ensemble; None takes `finetune_share`."""

    early_stopping: bool = True
    """Compare candidates on validation rows; off where AutoGluon refits on all rows with the
    steps and the share found before."""

    learning_rate: float | None = Field(default=None, gt=0, le=1)
    """Peak learning rate of AdamW; None takes the one that suits the backbone."""

    n_estimators: Whole = Field(default=4, ge=1, le=64)
    """Views of the table that the foundation model averages over."""

    time_limit: float = Field(default=600.0, gt=0)
    """Seconds of a fit where AutoGluon sets no limit, as in a refit, which gets as many as its
    folds had."""

    random_state: Annotated[int | None, BeforeValidator(_whole)] = Field(
        default=None, ge=0, le=LARGEST_SEED
    )
    """Seed of everything random; None is 0."""


class Augmentation(_Options):
    """The arguments of `augment` beside the table."""

    owner: ClassVar[str] = "augment"
    noun: ClassVar[str] = "argument"

    generator: NamedOption
    n_rows: Count
    seed: Annotated[Whole, Field(ge=0, le=LARGEST_SEED)]
    time_limit: float = Field(gt=0)
    num_cpus: Count
    balance: bool
    where: dict[Any, Any]
    do: dict[Any, Any]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.do and (self.where or self.balance):
            raise ValueError("an intervention changes who has which values: give 'do' alone")
        return self


class Counterfactual(_Options):
    """The arguments of `counterfactual` beside the tables."""

    owner: ClassVar[str] = "counterfactual"
    noun: ClassVar[str] = "argument"

    generator: NamedOption
    seed: Annotated[Whole, Field(ge=0, le=LARGEST_SEED)]
    time_limit: float = Field(gt=0)
    num_cpus: Count
    do: dict[Any, Any]


class Evaluation(_Options):
    """The arguments of `measure_fidelity` beside the tables."""

    owner: ClassVar[str] = "measure_fidelity"
    noun: ClassVar[str] = "argument"

    metrics: tuple[NamedOption, ...] | None
    seed: Annotated[Whole, Field(ge=0, le=LARGEST_SEED)]
    time_limit: float = Field(gt=0)
    num_cpus: Count
