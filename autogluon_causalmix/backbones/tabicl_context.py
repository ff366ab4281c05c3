"""`TabICLContext`: a `TabICLClassifier` with the real rows as context, opened up for episodes."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.facts import facts_of
from autogluon_causalmix.backbones.in_parts import predict_in_parts
from autogluon_causalmix.backbones.missing import fillings
from autogluon_causalmix.backbones.weights import Weights, first_line
from autogluon_causalmix.column import Column
from autogluon_causalmix.errors import CheckpointError, ConfigError
from autogluon_causalmix.table import Table, encode

if TYPE_CHECKING:
    import torch


class TabICLContext:
    """A `TabICLClassifier` that has seen the real rows, opened up for episodes.

    Its preprocessing makes the views. Predictions come from the network's differentiable pass, so
    that they do not depend on which rows are predicted together: `tabicl` itself leaves out columns
    that are empty in all of them.

    Parameters
    ----------
    classifier : tabicl.TabICLClassifier
        Fitted on the real rows.
    columns : tuple of Column
        The features.
    filling : numpy.ndarray
        What stands for a missing value of each feature, shape (features,).
    classes : pandas.Index
        The classes of the context.
    codes : numpy.ndarray of int
        Those of the real rows, shape (N,).
    weights : Weights
        Where the network came from.
    """

    def __init__(
        self,
        classifier: Any,
        columns: tuple[Column, ...],
        filling: Matrix,
        classes: pd.Index,
        codes: npt.NDArray[np.integer],
        weights: Weights,
    ) -> None:
        self.columns, self.filling = columns, filling
        self.classes: npt.NDArray[np.object_] = np.asarray(classes, dtype=object)
        self.learning_rate, self.notes = weights.learning_rate, weights.notes
        self.temperature = float(classifier.softmax_temperature)
        self.config = dict(classifier.model_config_)
        self._network: torch.nn.Module = classifier.model_.train()  # the differentiable pass
        self._generator = classifier.ensemble_generator_
        self._patterns = [
            np.asarray(pattern)
            for method in sorted(self._generator.class_shuffles_)  # its own order is that of a set
            for pattern in self._generator.class_shuffles_[method]
        ]
        self._codes = codes
        self.facts = facts_of(weights, self._network)

    @property
    def network(self) -> "torch.nn.Module":
        """The network whose weights are fine-tuned in place."""
        return self._network

    @property
    def device(self) -> str:
        """Where the network is."""
        return str(next(self._network.parameters()).device.type)

    def to(self, device: str) -> None:
        """Move the network to a torch device; rows are moved when they are encoded."""
        self._network.to(device)

    def encode(self, features: pd.DataFrame) -> "Sequence[torch.Tensor]":
        """Return rows as each view sees them, (rows, C) each."""
        with _chatter_ignored():
            return self._views(self._generator.transform(self._numbers(features), mode="test"))

    def encode_context(self) -> "Sequence[torch.Tensor]":
        """Return the real rows as each view sees them, (rows, C) each."""
        return self._views(self._generator.transform(None, mode="train"))

    def logits(
        self, view: int, context: "torch.Tensor", labels: "torch.Tensor", query: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return differentiable logits (B, Q, K), columns in the order of `classes`."""
        import torch

        pattern = torch.as_tensor(self._patterns[view], device=context.device)
        rows = torch.cat([context, query], dim=1)
        out: torch.Tensor = self._network(rows, pattern[labels].to(rows.dtype))
        return out.float()[..., pattern]

    def probabilities(self, logits: "torch.Tensor") -> "torch.Tensor":
        """Return probabilities (Q, K) of the mean logits, at the published temperature."""
        return (logits.mean(dim=0) / self.temperature).softmax(dim=-1)

    def predict_proba(self, features: pd.DataFrame) -> Matrix:
        """Return the probabilities (rows, K) of new rows, all real rows as context."""
        import torch

        if len(features) == 0:
            return np.zeros((0, len(self.classes)))
        contexts, views = self.encode_context(), self.encode(features)
        labels = torch.as_tensor(self._codes, device=self.device)[None]
        return predict_in_parts(self, contexts, labels, views)

    def export_weights(self, path: str | Path) -> None:
        """Write the network as a checkpoint for ``TabICLClassifier(model_path=…)``.

        Raises
        ------
        ConfigError
            The name of the file does not end in ``.ckpt``.
        """
        if Path(path).suffix != ".ckpt":
            raise ConfigError(f"the file of weights must end in '.ckpt', got {str(path)!r}")
        import torch

        state = {name: weight.cpu() for name, weight in self._network.state_dict().items()}
        torch.save({"config": self.config, "state_dict": state}, path)

    def _numbers(self, features: pd.DataFrame) -> Matrix:
        rows = encode(self.columns, features)
        return np.where(np.isnan(rows), self.filling, rows)

    def _views(self, made: Any) -> "list[torch.Tensor]":
        import torch

        return [
            torch.as_tensor(rows, dtype=torch.float32, device=self.device)
            for method in sorted(made)
            for rows in made[method][0]
        ]


def condition(
    weights: Weights, table: Table, n_estimators: int, device: str, seed: int
) -> TabICLContext:
    """Load weights and give them the rows of `table` as context.

    Raises
    ------
    CheckpointError
        The file is cut short, or holds no weights of a TabICL classifier.
    """
    from tabicl import TabICLClassifier

    columns, rows = table.feature_columns, encode(table.feature_columns, table.features)
    filling = fillings(columns, rows)  # as `tabicl` has it
    classifier = TabICLClassifier(
        n_estimators=n_estimators,
        model_path=weights.path,
        allow_auto_download=False,
        device=device,
        random_state=seed,
    )
    _load(classifier, weights.path)
    codes = table.classes.get_indexer(pd.Index(table.labels))
    with _chatter_ignored():
        classifier.fit(np.where(np.isnan(rows), filling, rows), codes)
    return TabICLContext(classifier, columns, filling, table.classes, codes, weights)


def _load(classifier: Any, path: Path) -> None:
    """Read the weights; whatever is wrong with the file becomes one `CheckpointError`."""
    import torch

    try:
        with torch.random.fork_rng(devices=[]):  # a new network is random before it is loaded
            classifier._load_model()
    except Exception as error:  # foreign code: a foreign file can break the reader in any way
        raise CheckpointError(
            f"{path} cannot be used as TabICL weights ({type(error).__name__}: "
            f"{first_line(error)}); give the path of a .ckpt file of a TabICL classifier"
        ) from error
    classifier._load_model = lambda: None  # `fit` would read them again


@contextmanager
def _chatter_ignored() -> Iterator[None]:
    """Hide warnings of the power transform about columns that it cannot make Gaussian."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
