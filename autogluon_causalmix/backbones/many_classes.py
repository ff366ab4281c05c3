"""`ManyClasses`: a foundation model shown a table with more classes than it knows.

Classes are pooled at random into as many groups as the model knows classes, several times over
(error-correcting output codes: Dietterich and Bakiri, 1995). The model predicts the groups, and a
class is as likely as all of its groups are. The model's weights, its views and what they see of the
features stay the same.

Shapes: M groupings, G groups, V views of the model, K classes; M × V views in all.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.backbones.in_parts import predict_in_parts
from autogluon_causalmix.backbones.protocol import InContextModel
from autogluon_causalmix.table import Table

if TYPE_CHECKING:
    import torch

MOST_CLASSES = 100
"""Of a table; more have hardly been tried."""

SMALLEST = 1e-12
"""Probability below which a group counts as equally unlikely."""


class ManyClasses:
    """A foundation model that predicts groups of classes, opened up as one that predicts classes.

    Parameters
    ----------
    inner : InContextModel
        Has the real rows as context, labelled with the groups of the first grouping.
    classes : pandas.Index
        Those of the table, K.
    groupings : numpy.ndarray of int
        The group of each class, shape (M, K); every grouping has all groups.
    codes : numpy.ndarray of int
        The classes of the real rows, shape (N,).
    """

    def __init__(
        self, inner: InContextModel, classes: pd.Index, groupings: Indices, codes: Indices
    ) -> None:
        place = pd.Index(inner.classes).get_indexer(pd.RangeIndex(int(groupings.max()) + 1))
        self.inner, self.codes = inner, codes
        self.groupings = place[groupings]  # as positions among the classes of the model
        self.classes = np.asarray(classes, dtype=object)
        self.facts, self.learning_rate = inner.facts, inner.learning_rate
        self.n_views = len(inner.encode_context())
        note = (
            f"the {len(classes)} classes are more than the {len(place)} of {inner.facts.name}: it "
            f"predicts groups of them, in {len(groupings)} groupings"
        )
        self.notes = (*inner.notes, note)

    @property
    def network(self) -> "torch.nn.Module":
        """The network whose weights are fine-tuned in place."""
        return self.inner.network

    @property
    def device(self) -> str:
        """Where the network is."""
        return self.inner.device

    def to(self, device: str) -> None:
        """Move everything to a torch device."""
        self.inner.to(device)

    def encode(self, features: pd.DataFrame) -> "Sequence[torch.Tensor]":
        """Return rows as each view sees them; the same for every grouping."""
        return [*self.inner.encode(features)] * len(self.groupings)

    def encode_context(self) -> "Sequence[torch.Tensor]":
        """Return the real rows as each view sees them."""
        return [*self.inner.encode_context()] * len(self.groupings)

    def logits(
        self, view: int, context: "torch.Tensor", labels: "torch.Tensor", query: "torch.Tensor"
    ) -> "torch.Tensor":
        """Return differentiable logits (B, Q, K); classes of one group have the same."""
        import torch

        grouping, own = divmod(view, self.n_views)
        group = torch.as_tensor(self.groupings[grouping], device=context.device)
        return self.inner.logits(own, context, group[labels], query)[..., group]

    def probabilities(self, logits: "torch.Tensor") -> "torch.Tensor":
        """Return probabilities (Q, K) from the logits (M × V, Q, K) of all views."""
        import torch

        predicted = []
        parts = torch.split(logits, self.n_views)
        for grouping, own in zip(self.groupings, parts, strict=True):
            first = np.unique(grouping, return_index=True)[1]  # a class of each group
            predicted.append(self.inner.probabilities(own[..., first]))
        return _of_classes(torch.stack(predicted), self.groupings)

    def predict_proba(self, features: pd.DataFrame) -> Matrix:
        """Return the probabilities (rows, K) of new rows, all real rows as context."""
        import torch

        contexts, views = self.encode_context(), self.encode(features)
        labels = torch.as_tensor(self.codes, device=contexts[0].device)[None]
        return predict_in_parts(self, contexts, labels, views)


def show_groups(
    table: Table, n_groups: int, show: Callable[[Table], InContextModel], seed: int
) -> ManyClasses:
    """Return a model of all classes of a table, from a model that knows fewer.

    Parameters
    ----------
    table : Table
        The real rows.
    n_groups : int
        How many classes the model knows.
    show : callable
        Gives a model the rows of a table as context.
    seed : int
        Of the groupings.
    """
    rng = np.random.default_rng(seed)
    groupings = draw_groupings(len(table.classes), n_groups, rng)
    codes = np.asarray(table.classes.get_indexer(pd.Index(table.labels)), dtype="int64")
    frame = table.frame.copy()
    frame[table.target] = groupings[0][codes]
    shown = show(Table.from_frame(frame, table.target))
    return ManyClasses(shown, table.classes, groupings, codes)


def needed_groupings(n_classes: int, n_groups: int) -> int:
    """Return how many groupings it takes at least to tell all classes apart."""
    return math.ceil(math.log(n_classes) / math.log(n_groups))


def draw_groupings(n_classes: int, n_groups: int, rng: np.random.Generator) -> Indices:
    """Return random groups of equal size for the classes, shape (M, K).

    There are twice as many groupings as needed, and no two classes are together in all of them.

    Examples
    --------
    >>> groupings = draw_groupings(19, 10, np.random.default_rng(0))
    >>> [int(np.bincount(grouping).max()) for grouping in groupings]
    [2, 2, 2, 2]
    """
    places = np.arange(n_classes) % n_groups
    n_groupings = 2 * needed_groupings(n_classes, n_groups)
    while True:  # more than every second draw will do
        groupings = np.stack([rng.permutation(places) for _ in range(n_groupings)])
        if np.unique(groupings, axis=1).shape[1] == n_classes:
            return groupings


def _of_classes(predicted: "torch.Tensor", groupings: Indices) -> "torch.Tensor":
    """Return the probabilities (Q, K) of classes from those of their groups (M, Q, G).

    The mean of the log-probabilities of a class's groups counts as often as groupings are needed to
    tell all classes apart: so many groups name a class.
    """
    import torch

    needed = needed_groupings(groupings.shape[1], predicted.shape[2])
    group = torch.as_tensor(groupings, device=predicted.device)[:, None]
    logs = predicted.clamp_min(SMALLEST).log()
    logs = logs.gather(2, group.expand(-1, predicted.shape[1], -1))  # (M, Q, K)
    return (needed * logs.mean(dim=0)).softmax(dim=-1)
