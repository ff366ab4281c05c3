"""Predictions of a network, its loss on held-out tables, and the temperature that suits it best.

Letters: V views, B tables, R rows, N context rows, M query rows, K classes.
"""

from __future__ import annotations

import dataclasses

import torch
import torch.nn.functional as F
from tabpfn.architectures.tabpfn_v2 import TabPFNV2
from torch import Tensor

from benchmarks.pretraining import network
from benchmarks.pretraining.draws import generator
from benchmarks.pretraining.episodes import IGNORED, Episode, held_out
from benchmarks.pretraining.prior import MAX_CLASSES

# as many as the estimators of the zero-shot study: an average is less confident than each view
VIEWS = 4


def logits_of(net: TabPFNV2, episode: Episode) -> Tensor:
    """Return float logits (B, R - N, MAX_CLASSES); -inf for classes that the context lacks."""
    low = episode.x.device.type == "cuda" or torch.cpu.get_capabilities().get("avx512_bf16", False)
    with torch.autocast(episode.x.device.type, dtype=torch.bfloat16, enabled=low):
        logits = network.forward(net, episode.x, episode.context, episode.groups)
    absent = (
        torch.arange(MAX_CLASSES, device=logits.device) > episode.context.amax(1)[:, None, None]
    )
    return logits.float().masked_fill(absent, -torch.inf)


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean over the query rows whose class is known; 0 where there is none."""
    total = F.cross_entropy(
        logits.flatten(0, 1), target.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return total / (target != IGNORED).sum().clamp(min=1)


def views(episode: Episode, count: int, rng: torch.Generator) -> tuple[Episode, Tensor]:
    """Return one table as a batch of views with columns and classes permuted.

    The second result is the permutations of classes (V, K).
    """
    n_classes = int(episode.context.max().item()) + 1
    x, context = [], []
    permutations = torch.arange(MAX_CLASSES).repeat(count, 1)
    for permutation in permutations:
        x.append(episode.x[0][:, torch.randperm(episode.x.shape[-1], generator=rng)])
        permutation[:n_classes] = torch.randperm(n_classes, generator=rng)
        context.append(permutation.to(episode.context)[episode.context[0].long()])
    viewed = dataclasses.replace(episode, x=torch.stack(x), context=torch.stack(context))
    return viewed, permutations.to(episode.x.device)


def ensemble_loss(logits: Tensor, target: Tensor, temperature: float) -> float:
    """Return the log-loss of the mean probability over views; logits (V, M, K), targets (M,)."""
    p = (logits / temperature).softmax(-1).mean(0)
    return F.nll_loss(p.clamp(min=1e-9).log(), target, ignore_index=IGNORED).item()


@torch.no_grad()
def evaluate(net: TabPFNV2, device: torch.device) -> tuple[float, float]:
    """Return the log-loss on held-out tables, and the temperature at which it would be lowest."""
    rng, logits, targets = generator(0), [], []
    for episode in held_out(device, net.emsize):
        viewed, permutations = views(episode, VIEWS, rng)
        out = logits_of(net, viewed)
        logits.append(out.gather(2, permutations[:, None].expand_as(out)))
        targets.append(episode.target[0])
    joined, target = torch.cat(logits, 1), torch.cat(targets)
    return ensemble_loss(joined, target, 1.0), best_temperature(joined, target)


def best_temperature(logits: Tensor, target: Tensor) -> float:
    """Return the divisor of the logits (V, M, K) with the lowest log-loss: 0.5, 0.525, … 2."""
    grid = [0.5 + 0.025 * i for i in range(61)]
    return min(grid, key=lambda temperature: ensemble_loss(logits, target, temperature))
