"""Predictions of many rows, some thousand at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.protocol import InContextModel

if TYPE_CHECKING:
    import torch

MOST_QUERIES = 4096
"""Rows predicted at once: more are no faster and need more memory."""


def predict_in_parts(
    model: InContextModel,
    contexts: "Sequence[torch.Tensor]",
    labels: "torch.Tensor",
    views: "Sequence[torch.Tensor]",
) -> Matrix:
    """Return probabilities (rows, K), no gradients.

    Parameters
    ----------
    model : InContextModel
        Predicts.
    contexts, views : sequence of torch.Tensor
        The context rows and the asked rows as each view sees them, (rows, C) each.
    labels : torch.Tensor
        Of the context, shape (1, N).
    """
    import torch

    done = []
    with torch.no_grad():
        for part in zip(*(torch.split(rows, MOST_QUERIES) for rows in views), strict=True):
            logits = [
                model.logits(view, context[None], labels, query[None])[0]
                for view, (context, query) in enumerate(zip(contexts, part, strict=True))
            ]
            done.append(model.probabilities(torch.stack(logits)).double().cpu())
    if not done:
        return np.zeros((0, len(model.classes)))
    return np.asarray(torch.cat(done).numpy())
