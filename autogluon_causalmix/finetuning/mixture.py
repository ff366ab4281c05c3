"""`Mixture`: the pretrained and the fine-tuned network of one model predict together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.ensemble_context import EnsembleContext
from autogluon_causalmix.backbones.protocol import InContextModel, Pooled, members_of

if TYPE_CHECKING:
    from torch import Tensor

Probabilities = TypeVar("Probabilities", Matrix, "Tensor")


class Mixture(EnsembleContext):
    """Two networks of one model, whose probabilities are averaged with unequal weights.

    Parameters
    ----------
    pretrained, tuned : InContextModel
        Of the same rows and with the same views.
    share : float
        The weight of the fine-tuned one.
    """

    def __init__(self, pretrained: InContextModel, tuned: InContextModel, share: float) -> None:
        super().__init__((pretrained, tuned), (1 - share, share))
        self.tuned = tuned
        self.facts = tuned.facts
        self.learning_rate = tuned.learning_rate
        self.notes = tuned.notes

    def _pool(self, parts: "Tensor") -> "Tensor":
        return mixed(parts[0], parts[1], self.shares[1])


def mixed(pretrained: Probabilities, tuned: Probabilities, share: float) -> Probabilities:
    """Return what both networks predict together, from the probabilities (rows, K) of each.

    Their weighted mean, the linear pool (Stone, 1961, Ann. Math. Stat. 32). No row's log-loss is
    above that of the pretrained network by more than −log(1 − share), however wrong the other one
    is; and the mean is at most the weighted mean of the log-losses of both.

    Examples
    --------
    >>> import numpy as np
    >>> mixed(np.array([[0.5, 0.5]]), np.array([[0.9, 0.1]]), 0.5).round(2)
    array([[0.7, 0.3]])
    """
    return pretrained * (1 - share) + tuned * share


def mix(
    pretrained: InContextModel, tuned: InContextModel, shares: Sequence[float]
) -> InContextModel:
    """Return the model that predicts with both, member by member.

    Parameters
    ----------
    pretrained, tuned : InContextModel
        Of the same rows.
    shares : sequence of float
        The weight of the fine-tuned network, one for each member; for most models, one.
    """
    members = tuple(
        Mixture(before, after, share) if 0 < share < 1 else after
        for before, after, share in zip(
            members_of(pretrained), members_of(tuned), shares, strict=True
        )
    )
    return tuned.with_members(members) if isinstance(tuned, Pooled) else members[0]
