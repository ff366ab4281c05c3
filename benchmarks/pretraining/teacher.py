"""TabPFN v1 as a teacher: its probabilities for the query rows of an episode.

On held-out tables of the prior, v1's log-loss is lower than `mini`'s. Its probabilities say more
about a table than one drawn label for each row does (distillation: Hinton, Vinyals and Dean, 2015,
arXiv 1503.02531). Its weights see tables of the prior here, no real table.

Letters: B tables, R rows, N context rows, C columns, M query rows, K classes.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from autogluon_causalmix.backbones.tabpfn_v1_context import TEMPERATURE
from autogluon_causalmix.backbones.tabpfn_v1_network import CLASSES, FEATURES, network_of
from benchmarks.pretraining.episodes import Episode

TOO_FAR = 4.0
"""Standard deviations beyond which values grow as their logarithm, as published."""


class Teacher:
    """A TabPFN v1 that labels the query rows of episodes.

    Parameters
    ----------
    weights
        Its file, as ``causalmix weights fetch tabpfn-v1`` leaves it.
    views
        Orders of columns and classes to average over; every second one sees ranks.
    device
        Where episodes are.
    """

    def __init__(self, weights: Path, views: int, device: torch.device) -> None:
        self.network = network_of(load_file(weights)).to(device).requires_grad_(False)
        self.views = views

    @torch.no_grad()
    def probabilities(self, episode: Episode, rng: torch.Generator) -> Tensor:
        """Return probabilities (B, M, K) of the classes that the context has, 0 for others."""
        n = episode.context.shape[1]
        n_classes = episode.context.amax(1, keepdim=True).long() + 1
        classes = torch.arange(CLASSES, device=rng.device)
        numbers, mean = standardised(episode.x, n), torch.zeros(())
        shown = (numbers, standardised(normal_scores(episode.x, n), n))
        for view in range(self.views):
            order = torch.randperm(numbers.shape[-1], generator=rng, device=rng.device)
            shift = torch.randint(CLASSES, (1,), generator=rng, device=rng.device)
            labels = (episode.context.long() + shift) % n_classes
            rows = padded(shown[view % 2][..., order])
            with torch.autocast(rows.device.type, dtype=torch.bfloat16):
                logits = self.network(rows[:, :n], labels, rows[:, n:]).float()
            place = ((classes + shift) % n_classes)[:, None].expand_as(logits)
            mean = mean + logits.gather(2, place) / (TEMPERATURE * self.views)
        absent = classes >= n_classes
        return mean.masked_fill(absent[:, None], -torch.inf).softmax(-1)


def standardised(x: Tensor, n: int) -> Tensor:
    """Standardise columns (B, R, C) by the context, soften what is far, and fill gaps with 0."""
    known = x[:, :n]
    mean, count = known.nanmean(1, keepdim=True), (~known.isnan()).sum(1, keepdim=True)
    spread = ((known - mean).square().nansum(1, keepdim=True) / (count - 1).clamp(min=1)).sqrt()
    z = torch.where(spread > 0, (x - mean) / spread, 0.0).nan_to_num(0.0).clamp(-100, 100)
    z = torch.maximum(z, -TOO_FAR - z.abs().log1p())
    return torch.minimum(z, TOO_FAR + z.abs().log1p())


def normal_scores(x: Tensor, n: int) -> Tensor:
    """Return the normal quantiles of ranks among the context rows, (B, R, C); gaps stay."""
    known = x[:, :n].transpose(1, 2).nan_to_num(torch.inf).sort(-1)[0].contiguous()
    asked = x.transpose(1, 2).contiguous()
    below = torch.searchsorted(known, asked) + torch.searchsorted(known, asked, right=True)
    count = known.isfinite().sum(-1, keepdim=True).clamp(min=1)
    share = ((below / 2 + 0.5) / (count + 1)).clamp(0.5 / (n + 1), 1 - 0.5 / (n + 1))
    scores: Tensor = torch.special.ndtri(share)
    return scores.masked_fill(asked.isnan(), torch.nan).transpose(1, 2)


def padded(rows: Tensor) -> Tensor:
    """Return rows (B, R, C) scaled and padded to the columns of the network."""
    c = rows.shape[-1]
    return torch.nn.functional.pad(rows * (FEATURES / c), (0, FEATURES - c))
