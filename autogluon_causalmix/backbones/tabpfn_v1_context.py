"""`TabPFNv1Context`: a TabPFN v1 with the real rows as context."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.facts import facts_of
from autogluon_causalmix.backbones.in_parts import predict_in_parts
from autogluon_causalmix.backbones.weights import Weights, first_line
from autogluon_causalmix.column import Column
from autogluon_causalmix.errors import CheckpointError
from autogluon_causalmix.table import Table, encode

if TYPE_CHECKING:
    import torch

    from autogluon_causalmix.backbones.tabpfn_v1_views import View

TEMPERATURE = 0.8
"""By which logits are divided, as published."""


class TabPFNv1Context:
    """A TabPFN v1 with the real rows as context.

    Parameters
    ----------
    network : TabPFNv1Network
        Its weights belong to this model alone.
    views : sequence of View
        Fitted to the real rows.
    columns : tuple of Column
        The features.
    classes : pandas.Index
        The classes of the context.
    rows : numpy.ndarray
        The real rows, encoded, shape (N, features).
    codes : numpy.ndarray of int
        Their classes, shape (N,).
    weights : Weights
        Where the network came from.
    """

    def __init__(
        self,
        network: "torch.nn.Module",
        views: "Sequence[View]",
        columns: tuple[Column, ...],
        classes: pd.Index,
        rows: Matrix,
        codes: npt.NDArray[np.integer],
        weights: Weights,
    ) -> None:
        import torch

        self.views = views
        self.columns = columns
        self.classes: npt.NDArray[np.object_] = np.asarray(classes, dtype=object)
        self.learning_rate = weights.learning_rate
        self.notes = weights.notes
        self.facts = facts_of(weights, network)
        self._network = network
        self._labels = torch.as_tensor(codes)[None]
        self._context = self._shown(rows)

    @property
    def network(self) -> "torch.nn.Module":
        """The network whose weights are fine-tuned in place."""
        return self._network

    @property
    def device(self) -> str:
        """Where the network is."""
        return str(next(self._network.parameters()).device.type)

    def to(self, device: str) -> None:
        """Move the network and the context to a torch device."""
        self._network.to(device)
        self._context = [rows.to(device) for rows in self._context]
        self._labels = self._labels.to(device)

    def encode(self, features: pd.DataFrame) -> "Sequence[torch.Tensor]":
        """Return rows as each view sees them, (rows, 100) each."""
        return self._shown(encode(self.columns, features))

    def encode_context(self) -> "Sequence[torch.Tensor]":
        """Return the real rows as each view sees them, (rows, 100) each."""
        return self._context

    def logits(
        self, view: int, context: "torch.Tensor", labels: "torch.Tensor", query: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return differentiable logits (B, Q, K), columns in the order of `classes`."""
        import torch

        n_classes, shift = len(self.classes), self.views[view].class_shift
        out: torch.Tensor = self._network(context, (labels + shift) % n_classes, query)
        order = (torch.arange(n_classes, device=out.device) + shift) % n_classes
        return out[..., order]

    def probabilities(self, logits: "torch.Tensor") -> "torch.Tensor":
        """Return probabilities (Q, K) of the mean logits, at the published temperature."""
        return (logits / TEMPERATURE).mean(dim=0).softmax(dim=-1)

    def predict_proba(self, features: pd.DataFrame) -> Matrix:
        """Return the probabilities (rows, K) of new rows, all real rows as context."""
        return predict_in_parts(self, self._context, self._labels, self.encode(features))

    def _shown(self, rows: Matrix) -> "list[torch.Tensor]":
        import torch

        return [
            torch.as_tensor(view.encode(rows), dtype=torch.float32, device=self.device)
            for view in self.views
        ]


def condition(
    weights: Weights, table: Table, n_estimators: int, device: str, seed: int
) -> "TabPFNv1Context":
    """Load weights of any size of this architecture and show them the rows of `table`.

    Raises
    ------
    CheckpointError
        The file is cut short, or holds no weights of a TabPFN v1.
    """
    from autogluon_causalmix.backbones.tabpfn_v1_views import fit_views

    network = _load(weights.path)
    columns, rows = table.feature_columns, encode(table.feature_columns, table.features)
    views = fit_views(rows, columns, len(table.classes), n_estimators, seed)
    codes = table.classes.get_indexer(pd.Index(table.labels))
    model = TabPFNv1Context(network, views, columns, table.classes, rows, codes, weights)
    model.to(device)
    return model


def _load(path: Path) -> "torch.nn.Module":
    """Return the network; its weights stay in the file until one of them is changed."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from autogluon_causalmix.backbones.tabpfn_v1_network import network_of

    try:
        return network_of(load_file(path))
    except (SafetensorError, OSError, CheckpointError) as error:
        raise CheckpointError(
            f"{path} cannot be used ({first_line(error)}); remove it, and it is fetched again"
        ) from error
