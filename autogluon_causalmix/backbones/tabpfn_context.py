"""`TabPFNContext`: a `TabPFNClassifier` with the real rows as context, opened up for episodes.

The classifier preprocesses the real rows once, in V views. An episode is a slice of those, so that
fine-tuning sees rows exactly as inference does and no step pays for preprocessing.
"""

import copy
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.backbones.facts import facts_of
from autogluon_causalmix.backbones.weights import Weights, first_line, quiet, silence_telemetry
from autogluon_causalmix.column import Column
from autogluon_causalmix.errors import CheckpointError, ConfigError
from autogluon_causalmix.records import BackboneFacts
from autogluon_causalmix.table import Table, encode

if TYPE_CHECKING:
    import torch

FOR_NUMBERS = ("y_encoder.regression.", "heads.mlp_regression.", "heads.output_projection.")
"""Weights of TabPFN v3.5, one network for both tasks, on which no class depends; not tuned."""


class TabPFNContext:
    """A `TabPFNClassifier` that has seen the real rows, opened up for episodes.

    Parameters
    ----------
    classifier : tabpfn.TabPFNClassifier
        Fitted on the real rows with ``fit_mode="fit_preprocessors"``.
    facts : BackboneFacts
        Which weights these are.
    columns : tuple of Column
        The features. TabPFN gets them as floats: of frames it takes few names and dtypes, and it
        mistakes a batch of rows that all lack a category for one of another type.
    learning_rate : float
        The peak learning rate that suits these weights.
    notes : tuple of str
        Warnings.
    """

    def __init__(
        self,
        classifier: Any,
        facts: BackboneFacts,
        columns: tuple[Column, ...],
        learning_rate: float,
        notes: tuple[str, ...],
    ) -> None:
        self.classifier = classifier
        self.learning_rate = learning_rate
        self.columns = columns
        self.notes = notes
        self.facts = facts
        self.classes: npt.NDArray[np.object_] = np.asarray(classifier.classes_, dtype=object)

    @property
    def network(self) -> "torch.nn.Module":
        """The network whose weights are fine-tuned in place."""
        network: torch.nn.Module = self.classifier.models_[0]
        return network

    @property
    def device(self) -> str:
        """Where the network is."""
        return str(self.classifier.devices_[0].type)

    def to(self, device: str) -> None:
        """Move the network and the preprocessed context to a torch device."""
        self.classifier.to(device)

    def encode(self, features: pd.DataFrame) -> "Sequence[torch.Tensor]":
        """Return rows as each view sees them, (rows, C) each."""
        cleaned = self._clean(features)
        return [
            self._finish(member, member.transform_X_test(cleaned))[len(member.X_train) :]
            for member in self._views
        ]

    def encode_context(self) -> "Sequence[torch.Tensor]":
        """Return the real rows as each view sees them, (rows, C) each."""
        return [self._finish(member, member.X_train[:0]) for member in self._views]

    def logits(
        self, view: int, context: "torch.Tensor", labels: "torch.Tensor", query: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return differentiable logits (B, Q, K), columns in the order of `classes`."""
        import torch

        order = torch.as_tensor(np.asarray(self._permutation(view)), device=context.device)
        rows = torch.cat([context, query], dim=1).transpose(0, 1)  # (N + Q, B, C)
        with torch.autocast(
            self.device, dtype=torch.bfloat16, enabled=self.classifier.use_autocast_
        ):
            out: torch.Tensor = self.network(
                rows, order[labels].T.to(rows.dtype), task_type="multiclass"
            )  # (Q, B, at least K)
        return out.float()[..., order].transpose(0, 1)

    def probabilities(self, logits: "torch.Tensor") -> "torch.Tensor":
        """Return probabilities (Q, K): TabPFN's own temperature and averaging over views."""
        probabilities: torch.Tensor = self.classifier.logits_to_probabilities(logits)
        return probabilities

    def predict_proba(self, features: pd.DataFrame) -> Matrix:
        """Return the probabilities (rows, K) of new rows, all real rows as context."""
        with quiet():
            return np.asarray(
                self.classifier.predict_proba(encode(self.columns, features)), dtype="float64"
            )

    def export_weights(self, path: str | Path) -> None:
        """Write the network as a checkpoint for ``TabPFNClassifier(model_path=…)``.

        Raises
        ------
        ConfigError
            The name of the file does not end in ``.safetensors``, by which `tabpfn` knows it.
        """
        if Path(path).suffix != ".safetensors":
            raise ConfigError(f"the file of weights must end in '.safetensors', got {str(path)!r}")
        import torch
        from tabpfn.checkpoint import save_as_safetensors
        from tabpfn.model_loading import save_tabpfn_model

        pickled = io.BytesIO()  # tabpfn collects what belongs to a checkpoint in this format alone
        save_tabpfn_model(self.classifier, pickled)
        pickled.seek(0)
        save_as_safetensors(torch.load(pickled, "cpu", weights_only=True), path)

    @property
    def _views(self) -> list[Any]:
        members: list[Any] = self.classifier.executor_.ensemble_members
        return members

    def _permutation(self, view: int) -> Indices:
        permutation = self._views[view].config.class_permutation
        return np.arange(len(self.classes)) if permutation is None else np.asarray(permutation)

    def _clean(self, features: pd.DataFrame) -> Matrix:
        """Return rows after TabPFN's cleaning: its own prediction, stopped before the network."""
        self.classifier.forward = lambda X, **_: X
        try:
            with quiet():
                return np.asarray(
                    self.classifier._raw_predict(
                        encode(self.columns, features), return_logits=False
                    )
                )
        finally:
            del self.classifier.forward

    def _finish(self, member: Any, query: Matrix) -> "torch.Tensor":
        """Return context and query of one view after the steps that TabPFN runs on the device."""
        import torch

        rows = torch.as_tensor(
            np.concatenate([member.X_train, query]), dtype=torch.float32, device=self.device
        )
        if member.gpu_preprocessor is None:
            return rows
        finished = member.gpu_preprocessor(
            rows[:, None], feature_schema=member.feature_schema, num_train_rows=len(member.X_train)
        )
        cleaned: torch.Tensor = finished.x[:, 0]
        return cleaned


def condition(
    weights: Weights, table: Table, n_estimators: int, device: str, seed: int
) -> TabPFNContext:
    """Load weights and give them the rows of `table` as context.

    Raises
    ------
    CheckpointError
        The file is cut short, or holds no weights of a TabPFN classifier.
    """
    silence_telemetry()
    import torch
    from tabpfn import TabPFNClassifier

    columns = table.feature_columns
    classifier = TabPFNClassifier(
        model_path=weights.path,
        n_estimators=n_estimators,
        categorical_features_indices=[
            i for i, column in enumerate(columns) if column.is_categorical
        ],
        device=device,
        # On a CPU tabpfn would compute in bfloat16: no faster there, and a thousandth off.
        inference_precision=torch.float32 if device == "cpu" else "auto",
        ignore_pretraining_limits=True,
        random_state=seed,
    )
    # A new network of TabPFN v3 is random before its weights are loaded, which `fit` does, too.
    with torch.random.fork_rng(devices=[]):
        _load(classifier, weights.path)
        with quiet():
            classifier.fit(encode(columns, table.frame), table.labels.to_numpy())
    # tabpfn may keep built networks in a cache of the process: tuning ours in place must not reach
    # the others.
    own = copy.deepcopy(classifier)
    for name, weight in own.models_[0].named_parameters():
        weight.requires_grad_(not any(part in name for part in FOR_NUMBERS))
    return TabPFNContext(
        own, facts_of(weights, own.models_[0]), columns, weights.learning_rate, weights.notes
    )


def _load(classifier: Any, path: Path) -> None:
    """Read the weights; whatever is wrong with the file becomes one `CheckpointError`."""
    try:
        with quiet():
            classifier._initialize_model_variables()
    except Exception as error:  # foreign code: a foreign file can break the reader in any way
        raise CheckpointError(
            f"{path} cannot be used as TabPFN weights ({type(error).__name__}: "
            f"{first_line(error)}); give the path of a .safetensors or .ckpt file of a TabPFN "
            "classifier"
        ) from error
