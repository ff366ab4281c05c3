"""`Mixture`: the pretrained and the fine-tuned network of one model predict together."""

from collections.abc import Sequence

from autogluon_causalmix.backbones.ensemble_context import EnsembleContext
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
        self.tuned, self.share = tuned, share
        self.facts = tuned.facts
        self.learning_rate = tuned.learning_rate
        self.notes = tuned.notes


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
