"""What the package asks of a tabular foundation model.

A backbone is a small class whose fields are its options. `Backbone.condition` loads the network
and gives it the real rows as context; what it returns is an `InContextModel`, which is all that
the other rooms know of a foundation model.

Shapes: V views of the table (the model's own ensemble over preprocessings), B episodes, N context
rows, Q query rows, C columns of a view, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.records import BackboneFacts
from autogluon_causalmix.table import Table

if TYPE_CHECKING:
    import torch

MOST_VALUES = 80_000
"""Rows × columns of a view in one pass with gradients, to which the fine-tuning keeps: 2.4 GB with
`mini`, 13 GB with TabPFN v2 (30 and 165 kB each)."""


@dataclass(frozen=True)
class Limits:
    """The largest table that a backbone is meant for.

    Attributes
    ----------
    rows, features : int
        Beyond them AutoGluon skips the model.
    classes : int
        That the network tells apart at once; more are predicted in groups.
    """

    rows: int = 10_000
    features: int = 500
    classes: int = 10


@runtime_checkable
class InContextModel(Protocol):
    """A foundation model with the real rows as its context; picklable.

    Attributes
    ----------
    facts : BackboneFacts
        Which weights these are.
    classes : numpy.ndarray
        The classes of the context, shape (K,), in the order of every array of probabilities.
    learning_rate : float
        The peak learning rate that suits these weights.
    notes : tuple of str
        Warnings; logged and in the report.
    """

    facts: BackboneFacts
    classes: npt.NDArray[np.object_]
    learning_rate: float
    notes: tuple[str, ...]

    @property
    def network(self) -> "torch.nn.Module":
        """The network whose weights are fine-tuned in place."""
        ...

    def encode(self, features: pd.DataFrame) -> "Sequence[torch.Tensor]":
        """Return rows as each of the V views sees them, (rows, C) each; C may differ."""
        ...

    def encode_context(self) -> "Sequence[torch.Tensor]":
        """Return the real rows as each view sees them, (rows, C) each."""
        ...

    def logits(
        self, view: int, context: "torch.Tensor", labels: "torch.Tensor", query: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return differentiable logits (B, Q, K).

        Of context (B, N, C) with labels (B, N), for query (B, Q, C). A step of fine-tuning calls
        this under `torch.autocast`, in bfloat16, where the device is fast in it.
        """
        ...

    def probabilities(self, logits: "torch.Tensor") -> "torch.Tensor":
        """Return probabilities (Q, K) from the logits (V, Q, K) of all views."""
        ...

    def predict_proba(self, features: pd.DataFrame) -> Matrix:
        """Return the probabilities (rows, K) of new rows, all real rows as context."""
        ...

    def to(self, device: str) -> None:
        """Move everything to a torch device."""
        ...

    @property
    def device(self) -> str:
        """Where the network is."""
        ...


@runtime_checkable
class Pooled(InContextModel, Protocol):
    """A model made of others, each of which is fine-tuned and judged by itself.

    Attributes
    ----------
    members : tuple of InContextModel
        The others; what they predict changes with their networks.
    """

    members: tuple[InContextModel, ...]

    def with_members(self, members: tuple[InContextModel, ...]) -> InContextModel:
        """Return a model made of other members in the places of these."""
        ...

    def pooled(self, parts: Sequence[Matrix]) -> Matrix:
        """Return probabilities (rows, K) from the members', each in its own order of classes."""
        ...


def members_of(model: InContextModel) -> tuple[InContextModel, ...]:
    """Return the models whose networks are fine-tuned one by one; for most, the model itself."""
    return model.members if isinstance(model, Pooled) else (model,)


@runtime_checkable
class Exportable(Protocol):
    """A foundation model whose network can be written to a file; a model need not be one."""

    def export_weights(self, path: str | Path) -> None:
        """Write the network in the format that other software of its family reads.

        Raises
        ------
        ConfigError
            The name of the file does not suit the format.
        """
        ...


@runtime_checkable
class Backbone(Protocol):
    """A family of foundation models; its fields are its options."""

    def condition(
        self, table: Table, *, n_estimators: int, device: str, seed: int
    ) -> InContextModel:
        """Load the network and give it the rows of `table` as context.

        Parameters
        ----------
        table : Table
            The real rows.
        n_estimators : int
            How many views to average over.
        device : str
            Torch device.
        seed : int
            Of everything random in the views.

        Raises
        ------
        CheckpointError
            The weights are missing, cut short, or not of this family.
        """
        ...

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        """Return an upper estimate of the bytes of a pass over a table of this shape.

        Parameters
        ----------
        rows, columns : int
            Of context and query together, before the model's own preprocessing.
        tuning : bool
            False: a prediction. True: a step of fine-tuning, of at most `MOST_VALUES` values.
        """
        ...


@runtime_checkable
class Limited(Protocol):
    """A backbone that says how large a table may be; one need not."""

    @property
    def limits(self) -> Limits:
        """The largest table."""
        ...


def limits_of(backbone: Backbone) -> Limits:
    """Return the largest table that a backbone is meant for; `Limits()` where it does not say."""
    return backbone.limits if isinstance(backbone, Limited) else Limits()
