"""`EnsembleContext`: several foundation models with the same rows as context, pooled as one."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.backbones.protocol import InContextModel
from autogluon_causalmix.records import BackboneFacts

if TYPE_CHECKING:
    import torch

Classes = npt.NDArray[np.object_]

SMALLEST = 1e-12
"""Probability below which a model counts as equally sure: a single one has no veto."""


class EnsembleContext:
    """Several foundation models that have seen the real rows; predicts their pooled probabilities.

    The views of all members, one member after the other, are the views of the ensemble.

    Parameters
    ----------
    members : tuple of InContextModel
        Of the same rows; the order of their classes may differ.
    shares : tuple of float, optional
        The weight of each in the pool, 1 in all; None weighs them alike.
    """

    def __init__(
        self, members: tuple[InContextModel, ...], shares: tuple[float, ...] | None = None
    ) -> None:
        self.members = members
        self.shares = shares or (1 / len(members),) * len(members)
        self.classes = members[0].classes
        self.facts = _facts([member.facts for member in members])
        self.learning_rate = min(member.learning_rate for member in members)
        self.notes = tuple(
            f"{member.facts.name}: {note}" for member in members for note in member.notes
        )
        self._views = tuple(
            (number, view)
            for number, member in enumerate(members)
            for view in range(len(member.encode_context()))
        )
        self._orders = tuple(_order(self.classes, member.classes) for member in members)

    @property
    def network(self) -> "torch.nn.Module":
        """The networks of all members, in their order."""
        import torch

        return torch.nn.ModuleList(member.network for member in self.members)

    @property
    def device(self) -> str:
        """Where the networks are."""
        return self.members[0].device

    def to(self, device: str) -> None:
        """Move all members to a torch device."""
        for member in self.members:
            member.to(device)

    def encode(self, features: pd.DataFrame) -> "Sequence[torch.Tensor]":
        """Return rows as each view of each member sees them."""
        return [rows for member in self.members for rows in member.encode(features)]

    def encode_context(self) -> "Sequence[torch.Tensor]":
        """Return the real rows as each view of each member sees them."""
        return [rows for member in self.members for rows in member.encode_context()]

    def logits(
        self, view: int, context: "torch.Tensor", labels: "torch.Tensor", query: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return differentiable logits (B, Q, K) of the member that a view belongs to."""
        import torch

        number, own = self._views[view]
        order = torch.as_tensor(self._orders[number], device=context.device)
        return self.members[number].logits(own, context, order[labels], query)[..., order]

    def probabilities(self, logits: "torch.Tensor") -> "torch.Tensor":
        """Return pooled probabilities (Q, K) from the logits (V, Q, K) of all views."""
        import torch

        parts = []
        for number, (member, order) in enumerate(zip(self.members, self._orders, strict=True)):
            own = [view for view, (owner, _) in enumerate(self._views) if owner == number]
            back = np.argsort(order)
            parts.append(member.probabilities(logits[own][..., back])[..., order])
        return self._pool(torch.stack(parts))

    def predict_proba(self, features: pd.DataFrame) -> Matrix:
        """Return the pooled probabilities (rows, K) of new rows, all real rows as context."""
        return self.pooled([member.predict_proba(features) for member in self.members])

    def pooled(self, parts: Sequence[Matrix]) -> Matrix:
        """Return probabilities (rows, K) from the members', each in its own order of classes."""
        import torch

        ordered = [
            torch.as_tensor(part[:, order]) for part, order in zip(parts, self._orders, strict=True)
        ]
        return np.asarray(self._pool(torch.stack(ordered)).numpy(), dtype="float64")

    def with_members(self, members: tuple[InContextModel, ...]) -> "EnsembleContext":
        """Return an ensemble of other members in the places of these."""
        return EnsembleContext(members, self.shares)

    def _pool(self, parts: "torch.Tensor") -> "torch.Tensor":
        """Return probabilities (Q, K) from those of the members (members, Q, K)."""
        return pool(parts, self.shares)


def _order(classes: Classes, other: Classes) -> Indices:
    """Return where each class stands among the classes of a member."""
    found = pd.Index(other).get_indexer(pd.Index(classes))
    return np.asarray(found, dtype="int64")


def pool(parts: "torch.Tensor", shares: Sequence[float]) -> "torch.Tensor":
    """Return the logarithmic pool (Q, K) of probabilities (members, Q, K).

    The weighted mean of the log-probabilities, normalised (Genest and Zidek, 1986). Its log-loss
    is at most the weighted mean of the members' own, by Hölder's inequality.

    Examples
    --------
    >>> import torch
    >>> one, other = torch.tensor([[0.9, 0.1]]), torch.tensor([[0.5, 0.5]])
    >>> pool(torch.stack([one, other]), (0.5, 0.5)).round(decimals=2)
    tensor([[0.7500, 0.2500]])
    """
    logs = parts.clamp_min(SMALLEST).log()
    weights = logs.new_tensor(shares)[:, None, None]
    return (weights * logs).sum(dim=0).softmax(dim=-1)


def _facts(facts: Sequence[BackboneFacts]) -> BackboneFacts:
    hashes = "".join(each.sha256 for each in facts)
    return BackboneFacts(
        name=f"ensemble of {', '.join(each.name for each in facts)}",
        weights=", ".join(each.weights for each in facts),
        sha256=hashlib.sha256(hashes.encode()).hexdigest(),
        license="; ".join(f"{each.name}: {each.license}" for each in facts),
        parameters=sum(each.parameters for each in facts),
    )
