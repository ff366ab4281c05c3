"""The network, and the model that it makes with the rows of a table as its context."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from autogluon_causalmix.plugin import BackboneFacts, Matrix, Table
from causalmix_nearest.backbone import MOST_QUERIES
from causalmix_nearest.encoding import Encoding

SHARE_OF_FEATURES = 0.8
"""Features that each view sees: only views that differ are better together than one of them."""

OTHERWISE = 0.01
"""Probability that is spread evenly over all classes, so that none is impossible."""


class Kernel(nn.Module):
    """Nadaraya-Watson regression: the mean label of the context rows, weighted by a kernel.

    ``p(k | x) = Σ_i a_i 1[y_i = k]`` with ``a = softmax_i(−Σ_c (w_c (x_c − x_ic))²)``. The weights
    w, shape (C,), are all that is trained: they say how much each column counts.
    """

    def __init__(self, n_columns: int, bandwidth: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((n_columns,), 1 / bandwidth))

    def forward(self, context: Tensor, labels: Tensor, query: Tensor) -> Tensor:
        """Return log-probabilities (B, Q, K) from labels (B, N, K) of the context (B, N, C)."""
        known, asked = context * self.weight, query * self.weight
        lengths = (asked**2).sum(-1)[..., None] + (known**2).sum(-1)[:, None]
        distance = lengths - 2 * asked @ known.transpose(1, 2)  # squared, (B, Q, N)
        found = (-distance).softmax(dim=-1) @ labels
        return torch.log((1 - OTHERWISE) * found + OTHERWISE / labels.shape[-1])


class NearestModel:
    """A kernel with the rows of a table as its context; an `InContextModel`."""

    learning_rate = 0.1
    """Large, as there is one weight for each column and no pretrained knowledge to lose."""

    def __init__(self, table: Table, n_views: int, bandwidth: float, seed: int) -> None:
        self.encoding = Encoding.fit(table)
        self.notes = self.encoding.notes
        self.classes: npt.NDArray[np.object_] = np.asarray(table.classes, dtype=object)
        codes = table.classes.get_indexer(pd.Index(table.labels))
        self.labels = torch.as_tensor(codes, dtype=torch.int64)[None]
        rng, sources = np.random.default_rng(seed), self.encoding.sources
        n_features = len(self.encoding.columns)
        n_shown = int(np.ceil(SHARE_OF_FEATURES * n_features))
        self.shown = [(rng.permutation(n_features) < n_shown)[sources] for _ in range(n_views)]
        self.kernel = Kernel(len(sources), bandwidth)
        self.facts = BackboneFacts(
            name="nearest",
            weights="none: all columns count alike before fine-tuning",
            sha256="",
            license="Apache-2.0",
            parameters=len(sources),
        )
        self.context = self.encode(table.features)

    @property
    def network(self) -> nn.Module:
        """The network whose weights are fine-tuned in place."""
        return self.kernel

    @property
    def device(self) -> str:
        """Where the network is."""
        return self.kernel.weight.device.type

    def to(self, device: str) -> None:
        """Move the network and the context to a torch device."""
        self.kernel.to(device)
        self.labels = self.labels.to(device)
        self.context = [rows.to(device) for rows in self.context]

    def encode(self, features: pd.DataFrame) -> Sequence[Tensor]:
        """Return rows as each view sees them, (rows, C) each; what it does not see is 0."""
        rows = self.encoding.encode(features)
        return [
            torch.as_tensor(rows * shown, dtype=torch.float32, device=self.device)
            for shown in self.shown
        ]

    def encode_context(self) -> Sequence[Tensor]:
        """Return the rows of the context as each view sees them, (rows, C) each."""
        return self.context

    def logits(self, view: int, context: Tensor, labels: Tensor, query: Tensor) -> Tensor:
        """Return differentiable logits (B, Q, K); all views share one network."""
        one_hot = nn.functional.one_hot(labels, len(self.classes)).to(context)
        logits: Tensor = self.kernel(context, one_hot, query)
        return logits

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return probabilities (Q, K): the mean of those of all views."""
        return logits.softmax(dim=-1).mean(dim=0)

    def predict_proba(self, features: pd.DataFrame) -> Matrix:
        """Return the probabilities (rows, K) of new rows, all rows of the table as context."""
        starts = range(0, max(len(features), 1), MOST_QUERIES)
        return np.concatenate([self._predict(features[i : i + MOST_QUERIES]) for i in starts])

    def _predict(self, features: pd.DataFrame) -> Matrix:
        views = zip(self.context, self.encode(features), strict=True)
        with torch.no_grad():
            logits = [
                self.logits(view, context[None], self.labels, query[None])[0]
                for view, (context, query) in enumerate(views)
            ]
            return np.asarray(self.probabilities(torch.stack(logits)).double().cpu())
