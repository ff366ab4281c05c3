"""`Energy`: how unlike the rows of a class a foundation model finds a point."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.backbones.contract import condition
from autogluon_causalmix.backbones.protocol import Backbone, InContextModel
from autogluon_causalmix.config import Named
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.table import Table

if TYPE_CHECKING:
    import torch

MOST_CONTEXT_ROWS = 500
"""Of a class: more of them cost time in each of the steps and hardly move its energy."""


@dataclass(frozen=True)
class Energy:
    """The energy of one class.

    Attributes
    ----------
    model : InContextModel
        Has the class and the corners as its context.
    context : numpy.ndarray
        These rows, shape (rows, features).
    labels : numpy.ndarray
        Their places among the model's classes, shape (rows,).
    slope : numpy.ndarray
        Shape (features + 1, C): the affine map to what the network sees, the constant last.
    """

    model: InContextModel
    context: Matrix
    labels: Indices
    slope: Matrix

    @classmethod
    def of(
        cls, rows: Matrix, named: Named, distance: float, rng: np.random.Generator, device: str
    ) -> "Energy":
        """Show the rows of a class, shape (rows, features), and corners that far to a backbone."""
        if len(rows) > MOST_CONTEXT_ROWS:
            rows = rows[rng.permutation(len(rows))[:MOST_CONTEXT_ROWS]]
        context = np.vstack([rows, distance * _corners(rows.shape[1], rng)])
        is_corner = np.arange(len(context)) >= len(rows)
        table = Table.from_frame(_frame(context).assign(corner=is_corner.astype("int64")), "corner")
        entry = plugin_registry().of(Backbone).get(named.name)
        model = condition(
            entry.create(named.options),
            table,
            n_estimators=1,
            device=device,
            seed=int(rng.integers(2**31)),
            owner=entry.owner,
        )
        labels = pd.Index(model.classes).get_indexer(pd.Index(table.labels.astype(object)))
        return cls(model, context, labels, _affine(model, context, rng))

    def gradient(self, rows: Matrix) -> Matrix:
        """Return ∇E at rows (rows, features), in their shape."""
        import torch

        points = self._tensor(rows).requires_grad_()
        (gradient,) = torch.autograd.grad(self.at(points).sum(), points)
        return np.asarray(gradient.double().cpu().numpy())

    def at(self, points: "torch.Tensor") -> "torch.Tensor":
        """Return E at points (rows, features), shape (rows,), differentiable."""
        import torch

        labels = torch.as_tensor(self.labels, device=self.model.device)
        context = self._seen(self._tensor(self.context))
        logits = self.model.logits(0, context[None], labels[None], self._seen(points)[None])
        return -logits[0].logsumexp(dim=-1)

    def _seen(self, points: "torch.Tensor") -> "torch.Tensor":
        """Return points (rows, features) as the network sees them, (rows, C)."""
        return points @ self._tensor(self.slope[:-1]) + self._tensor(self.slope[-1])

    def _tensor(self, values: Matrix) -> "torch.Tensor":
        import torch

        return torch.as_tensor(values, dtype=torch.float32, device=self.model.device)


def _corners(n_features: int, rng: np.random.Generator) -> Matrix:
    """Return two corners of the cube [−1, 1]^n and those across; four where n is at least 2."""
    first = rng.choice([-1.0, 1.0], size=n_features)
    flipped = np.arange(n_features) < rng.integers(1, max(n_features, 2))
    second = np.where(rng.permutation(flipped), -first, first)
    return np.array([first, -first, second, -second])


def _affine(model: InContextModel, context: Matrix, rng: np.random.Generator) -> Matrix:
    """Return the affine map nearest to what the first view of a backbone does near these rows."""
    copies = -(-4 * (context.shape[1] + 1) // len(context))
    probes = np.repeat(context, copies, axis=0)
    probes = probes + rng.normal(size=probes.shape)
    seen = model.encode(_frame(probes))[0].double().cpu().numpy()
    return np.asarray(np.linalg.lstsq(np.column_stack([probes, np.ones(len(probes))]), seen)[0])


def _frame(rows: Matrix) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])])
