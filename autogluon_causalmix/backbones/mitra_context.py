"""`MitraContext`: AutoGluon's network of Mitra with the real rows as context."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.backbones.facts import facts_of
from autogluon_causalmix.backbones.in_parts import predict_in_parts
from autogluon_causalmix.backbones.missing import fillings
from autogluon_causalmix.backbones.weights import Weights, first_line
from autogluon_causalmix.column import Column
from autogluon_causalmix.errors import CheckpointError, ConfigError
from autogluon_causalmix.table import Table, encode

if TYPE_CHECKING:
    import torch


class MitraContext:
    """AutoGluon's network of Mitra with the real rows as context.

    The preprocessing is that of its classifier: missing numbers are means, constant columns are
    left out, and each view mirrors a random half of the columns. The network itself turns numbers
    into quantiles of the context. Attention is torch's own also on a GPU, where AutoGluon takes
    the package `flash_attn` if there is one.

    Parameters
    ----------
    network : Tab2D
        Its weights belong to this model alone.
    mirrors : numpy.ndarray
        1 and −1, by which each view multiplies the columns, shape (V, C).
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
        network: Any,
        mirrors: Indices,
        columns: tuple[Column, ...],
        classes: pd.Index,
        rows: Matrix,
        codes: npt.NDArray[np.integer],
        weights: Weights,
    ) -> None:
        self.columns, self.mirrors = columns, mirrors
        self.classes: npt.NDArray[np.object_] = np.asarray(classes, dtype=object)
        self.learning_rate, self.notes = weights.learning_rate, weights.notes
        self.facts = facts_of(weights, network)
        self._network = network
        self._filling = fillings(columns, rows)
        self._shown = varying(np.where(np.isnan(rows), self._filling, rows))
        self._rows, self._codes = rows, codes

    @property
    def network(self) -> "torch.nn.Module":
        """The network whose weights are fine-tuned in place."""
        network: torch.nn.Module = self._network
        return network

    @property
    def device(self) -> str:
        """Where the network is."""
        return str(self._network.final_layer.weight.device.type)

    def to(self, device: str) -> None:
        """Move the network to a torch device; rows are moved when they are encoded."""
        self._network.to(device)

    def encode(self, features: pd.DataFrame) -> "Sequence[torch.Tensor]":
        """Return rows as each view sees them, (rows, C) each."""
        return self._views(encode(self.columns, features))

    def encode_context(self) -> "Sequence[torch.Tensor]":
        """Return the real rows as each view sees them, (rows, C) each."""
        return self._views(self._rows)

    def logits(
        self, view: int, context: "torch.Tensor", labels: "torch.Tensor", query: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return differentiable logits (B, Q, K); all views share one network."""
        import torch

        def kept(*shape: int) -> torch.Tensor:  # nothing is padding
            return torch.zeros(shape, dtype=torch.bool, device=context.device)

        (b, n, c), q = context.shape, query.shape[1]
        # On a GPU as AutoGluon does; on a CPU predictions keep all their digits.
        on_gpu = self.device == "cuda"
        with torch.autocast("cuda", torch.bfloat16) if on_gpu else nullcontext():
            out: torch.Tensor = self._network(
                context, labels, query, kept(b, c), kept(b, n), kept(b, q)
            )
        return out.float()[..., : len(self.classes)]

    def probabilities(self, logits: "torch.Tensor") -> "torch.Tensor":
        """Return probabilities (Q, K): the mean of those of all views."""
        return logits.softmax(dim=-1).mean(dim=0)

    def predict_proba(self, features: pd.DataFrame) -> Matrix:
        """Return the probabilities (rows, K) of new rows, all real rows as context."""
        import torch

        labels = torch.as_tensor(self._codes, device=self.device)[None]
        return predict_in_parts(self, self.encode_context(), labels, self.encode(features))

    def export_weights(self, path: str | Path) -> None:
        """Write the network as a folder for ``MitraClassifier(hf_model=…)`` of AutoGluon.

        Raises
        ------
        ConfigError
            There is a file of that name.
        """
        if Path(path).is_file():
            raise ConfigError(f"weights of Mitra are a folder, and {str(path)!r} is a file")
        self._network.save_pretrained(str(path))

    def _views(self, rows: Matrix) -> "list[torch.Tensor]":
        import torch

        numbers = np.where(np.isnan(rows), self._filling, rows)[:, self._shown]
        return [
            torch.as_tensor(numbers * mirror, dtype=torch.float32, device=self.device)
            for mirror in self.mirrors[:, self._shown]
        ]


def condition(
    weights: Weights, table: Table, n_estimators: int, device: str, seed: int
) -> MitraContext:
    """Load weights and give them the rows of `table` as context.

    Raises
    ------
    CheckpointError
        The file is cut short, or holds no weights of a Mitra classifier.
    """
    columns = table.feature_columns
    mirrors = np.random.default_rng(seed).choice([1, -1], size=(n_estimators, len(columns)))
    codes = table.classes.get_indexer(pd.Index(table.labels))
    rows = encode(columns, table.features)
    network = load(weights.path)
    model = MitraContext(network, mirrors, columns, table.classes, rows, codes, weights)
    model.to(device)
    return model


def varying(rows: Matrix) -> npt.NDArray[np.bool_]:
    """Return which columns have more than one value; the first one where none has."""
    shown: npt.NDArray[np.bool_] = (rows != rows[:1]).any(axis=0)
    shown[0] |= not shown.any()
    return shown


def load(path: Path) -> Any:
    """Return the network; whatever is wrong with the file becomes one `CheckpointError`."""
    import torch
    from autogluon.tabular.models.mitra._internal.models.tab2d import Tab2D

    try:
        with torch.random.fork_rng(devices=[]):  # a new network is random before it is loaded
            network = Tab2D.from_pretrained(str(path.parent), device="cpu")
    except Exception as error:  # foreign code: a foreign file can break the reader in any way
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise CheckpointError(_unusable(path, reason)) from error
    if network.task != "classification":
        raise CheckpointError(_unusable(path, f"it is one of {network.task}"))
    return network


def _unusable(path: Path, reason: str) -> str:
    return (
        f"{path.parent} cannot be used as weights of Mitra ({reason}); give a folder of a Mitra "
        "classifier"
    )
