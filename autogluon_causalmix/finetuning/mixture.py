"""`Mixture`: the pretrained and the fine-tuned network of one model predict together."""

from collections.abc import Sequence

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.ensemble_context import EnsembleContext, pool
from autogluon_causalmix.backbones.protocol import InContextModel, Pooled, members_of


class Mixture(EnsembleContext):
    """Two networks of one model, whose log-probabilities are averaged with unequal weights.

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


def mixed(pretrained: Matrix, tuned: Matrix, share: float) -> Matrix:
    """Return what both networks predict together, from the probabilities (rows, K) of each.

    Examples
    --------
    >>> mixed(np.array([[0.5, 0.5]]), np.array([[0.9, 0.1]]), 0.5).round(2)
    array([[0.75, 0.25]])
    """
    import torch

    parts = torch.from_numpy(np.stack([pretrained, tuned]))
    return np.asarray(pool(parts, (1 - share, share)).numpy())


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
