"""Records as versioned JSON; `FitReport` holds all those of a fit."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from autogluon_causalmix.errors import CheckpointError
from autogluon_causalmix.whole import written_whole

SCHEMA_VERSION = 1
"""Raised when a field of `FitReport` changes its name or its meaning."""


FLAG = [-0.5, 0.5, 1.5]
"""Edges of the bins of a column of zeros and ones."""


class Record(BaseModel):
    """A frozen record that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Document(Record):
    """A record with a file of its own: versioned JSON.

    Attributes
    ----------
    title : str
        What errors call the file.
    current : int
        The newest `schema_version`; `read` takes all versions up to it.
    """

    title: ClassVar[str]
    current: ClassVar[int]

    def write(self, path: str | Path) -> None:
        """Write the record as JSON."""
        with written_whole(path) as place:
            place.write_text(self.model_dump_json(indent=2), encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a record that `write` wrote.

        Raises
        ------
        CheckpointError
            The file is missing, cut short, or holds something else.
        """
        try:
            return cls.model_validate_json(Path(path).read_text(encoding="utf-8"))
        except ValidationError as error:
            first = error.errors()[0]
            raise CheckpointError(
                f"{path} is not a {cls.title}: {first['loc']}: {first['msg']}"
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", error)
            raise CheckpointError(f"{path} is not a {cls.title}: {reason}") from error

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, given: object) -> object:
        """Return a record of an earlier version in the form of the current one."""
        if not isinstance(given, dict):
            return given
        version = given.get("schema_version", 0)  # the first reports do not say
        if not isinstance(version, int) or version > cls.current:
            raise ValueError(
                f"its schema version is {version!r}, and this release reads versions up to "
                f"{cls.current}: a newer release wrote it"
            )
        return {**given, "schema_version": cls.current}


class BackboneFacts(Record):
    """The foundation model and the weights that really ran."""

    name: str
    weights: str
    sha256: str
    license: str
    parameters: int


class GeneratorFacts(Record):
    """The generator, who ships it, and what it says of itself."""

    name: str
    distribution: str
    version: str
    options: dict[str, object]
    description: dict[str, object]


class RowCounts(Record):
    """How many rows of each kind took part."""

    real: int
    validation: int
    synthetic: int


class Scores(Record):
    """Scores on the validation rows; `roc_auc` is one-vs-rest, None where a class is missing."""

    log_loss: float
    roc_auc: float | None


class CurvePoint(Record):
    """One evaluation: mean training loss since the last one, and validation loss."""

    step: int
    train_loss: float | None
    validation_loss: float | None


class Marginal(Record):
    """One column's distribution, real beside synthetic.

    `labels` holds the category names, or the bins' edges (one more than there are counts); a last
    pair of shares, `missing`, says how much of the column is empty. All shares are relative
    frequencies.
    """

    column: str
    kind: Literal["numeric", "categorical"]
    labels: list[str] | list[float]
    real: list[float]
    synthetic: list[float]
    missing: tuple[float, float]

    def named(self, names: Mapping[str, str]) -> "Marginal":
        """Return it with names of categories in place of codes; 0 and 1 become categories."""
        labels = ["0", "1"] if self.labels == FLAG else self.labels
        if not names or (self.kind == "numeric" and labels is self.labels):
            return self
        told = [names.get(str(code), str(code)) for code in labels]
        return self.model_copy(update={"kind": "categorical", "labels": told})


class Member(Record):
    """One foundation model of an ensemble and its own fine-tuning; fields as in `FitReport`."""

    backbone: BackboneFacts
    learning_rate: float
    curve: list[CurvePoint]
    pretrained: Scores | None
    tuned: Scores | None
    kept: Literal["pretrained", "fine-tuned"]
    kept_step: int
    share: float = 1.0
    tuned_step: int = 0
    reason: str


class FoldVerdict(Record):
    """What one fold of a bag decided, for the report of the refit that follows it.

    Its fields are those of the fold's own report; `fold` is AutoGluon's name of the fold, and
    `generator` the name alone.
    """

    fold: str
    generator: str | None
    rows: RowCounts
    pretrained: Scores | None
    tuned: Scores | None
    kept: Literal["pretrained", "fine-tuned"]
    kept_step: int
    share: float = 1.0
    tuned_step: int = 0
    reason: str
    notes: list[str]


class FitReport(Document):
    """Everything that was decided and measured in one fit.

    Attributes
    ----------
    versions : dict of str to str
        The distributions that took part.
    seed : int
        All randomness of the fit follows from it.
    device : str
        Where the network ran.
    backbone, generator, rows
        What was fine-tuned, on what; `generator` is None without synthetic rows.
    options : dict of str to object
        The hyperparameters after parsing.
    seconds : dict of str to float
        Wall-clock time per stage.
    curve : list of CurvePoint
        The fine-tuning run; its first point is the untouched pretrained model.
    pretrained, tuned : Scores or None
        On the validation rows; None without them, or without fine-tuning. `tuned` belongs to both
        networks at `share`; where that is 0, to the fine-tuned one alone.
    kept : {"pretrained", "fine-tuned"}
        Whether the fine-tuned network takes part in a prediction.
    kept_step : int
        Steps over which its weights are averaged; 0 where it takes no part.
    share : float
        Weight of its probabilities in a prediction; the pretrained network has the rest. Of an
        ensemble, the mean of its members'.
    tuned_step : int
        Steps over which the fine-tuned weights are averaged that were compared with the pretrained
        ones.
    reason : str
        Why that share.
    marginals : list of Marginal
        Real against synthetic rows, column by column.
    notes : list of str
        Every fallback and everything left out, one sentence each.
    target : str or None
        The target's name; None in a report that does not say.
    fidelity : dict of str to object, or None
        A `FidelityReport` of a few metrics of the synthetic rows as JSON; None where there are no
        such rows, or too few validation rows.
    members : list of Member
        Of an ensemble: the fine-tuning of each. `curve` is then empty, `kept_step` the largest of
        theirs, and `tuned` belongs to what predicts.
    folds : list of FoldVerdict
        Of a refit: what the fits with validation rows before it decided.
    schema_version : int
        Of this record; `read` takes every version up to `SCHEMA_VERSION`.

    Examples
    --------
    >>> FitReport.read("no/such/file.json")
    Traceback (most recent call last):
        ...
    autogluon_causalmix.errors.CheckpointError: no/such/file.json is not a fit report: \
No such file or directory
    """

    title: ClassVar[str] = "fit report"
    current: ClassVar[int] = SCHEMA_VERSION

    versions: dict[str, str]
    seed: int
    device: str
    backbone: BackboneFacts
    generator: GeneratorFacts | None
    rows: RowCounts
    options: dict[str, object]
    seconds: dict[str, float]
    curve: list[CurvePoint]
    pretrained: Scores | None
    tuned: Scores | None
    kept: Literal["pretrained", "fine-tuned"]
    kept_step: int
    share: float = 1.0
    tuned_step: int = 0
    reason: str
    marginals: list[Marginal]
    notes: list[str]
    target: str | None = None
    fidelity: dict[str, object] | None = None
    members: list[Member] = []
    folds: list[FoldVerdict] = []
    schema_version: int = SCHEMA_VERSION

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        """Yield what a line has room for."""
        yield from (("kept", self.kept), ("steps", self.steps), ("backbone", self.backbone.name))
        yield from (
            ("generator", self.generator and self.generator.name),
            ("notes", len(self.notes)),
        )

    @property
    def steps(self) -> int:
        """Optimiser steps that were taken, whichever weights were kept; the most of any member."""
        curves = [self.curve, *(member.curve for member in self.members)]
        return max((curve[-1].step for curve in curves if curve), default=0)

    def named(self, names: Mapping[str, Mapping[str, str]]) -> Self:
        """Return the report with names of categories in place of AutoGluon's codes.

        Parameters
        ----------
        names : mapping of str to (mapping of str to str)
            By column, the name of each code.
        """
        marginals = [each.named(names.get(each.column, {})) for each in self.marginals]
        return self.model_copy(update={"marginals": marginals})
