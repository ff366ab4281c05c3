"""Backbones: one adapter per family of tabular foundation models, each a plugin.

A backbone is a small class whose fields are its options. `Backbone.condition` loads the network and shows it the
real rows; what it returns is an `InContextModel`, all that the fine-tuning knows of a foundation model.

Shapes: V views of the table (the model's own ensemble over preprocessings), B episodes, N context rows, Q query
rows, C columns of a view, K classes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from autogluon_causalmix.records import BackboneFacts
from autogluon_causalmix.table import Table

if TYPE_CHECKING:
    import torch


@runtime_checkable
class InContextModel(Protocol):
    """A foundation model that has seen the real rows; picklable.

    Attributes
    ----------
    facts : BackboneFacts
        Which weights these are.
    classes : numpy.ndarray
        The classes of the context, shape (K,), in the order of every array of probabilities.
    learning_rate : float
        The peak learning rate that suits these weights.
    notes : tuple of str
        What is to be said of their use; warned of, and in the report.
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
        """Return rows as each of the V views sees them, (rows, C) each; C may differ between views."""
        ...

    def encode_context(self) -> "Sequence[torch.Tensor]":
        """Return the real rows as each view sees them, (rows, C) each."""
        ...

    def logits(
        self, view: int, context: "torch.Tensor", labels: "torch.Tensor", query: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return differentiable logits (B, Q, K) for context (B, N, C), labels (B, N) and query (B, Q, C)."""
        ...

    def probabilities(self, logits: "torch.Tensor") -> "torch.Tensor":
        """Return probabilities (Q, K) from the logits (V, Q, K) of all views, as the model itself predicts."""
        ...

    def predict_proba(self, features: pd.DataFrame) -> npt.NDArray[np.float64]:
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
class Backbone(Protocol):
    """A family of foundation models; its fields are its options."""

    def condition(
        self, table: Table, *, n_estimators: int, device: str, seed: int
    ) -> InContextModel:
        """Load the network and show it the rows of `table`.

        Raises
        ------
        CheckpointError
            The weights are missing, cut short, or not of this family.
        """
        ...
