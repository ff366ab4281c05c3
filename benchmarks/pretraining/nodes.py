"""Nodes of a random structural causal model: roots, mechanisms and categories.

Letters: B tables, R rows, N nodes so far, W nodes of one layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.pretraining.draws import Draw, pick, standardise


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """Nodes drawn so far.

    Attributes
    ----------
    value
        What children see (B, R, N).
    shown
        What a column shows (B, R, N).
    categorical
        Whether a node is a category (B, N), bool.
    relevant
        Positive for nodes next to the label, -inf for nodes that never become a column (B, N).
    """

    value: Tensor
    shown: Tensor
    categorical: Tensor
    relevant: Tensor


def join(a: Nodes, b: Nodes) -> Nodes:
    """Return the nodes of both."""
    pairs = {
        name: torch.cat([getattr(a, name), getattr(b, name)], -1) for name in a.__dataclass_fields__
    }
    return Nodes(**pairs)


def mark(nodes: Nodes, relevant: Tensor) -> Nodes:
    """Return the nodes with another relevance (B, N)."""
    return Nodes(
        value=nodes.value, shown=nodes.shown, categorical=nodes.categorical, relevant=relevant
    )


def hidden(value: Tensor) -> Nodes:
    """Return nodes that never become a column."""
    flat = torch.zeros_like(value[:, 0])
    return Nodes(value=value, shown=value, categorical=flat.bool(), relevant=flat - torch.inf)


def _noise(draw: Draw, width: int) -> Tensor:
    """Draw noise (B, R, W) of spread 1: normal, heavy-tailed or skewed, one law per node."""
    size = (draw.shape.tables, draw.shape.rows, width)
    normal, spread = draw.normal(*size), draw.exponential(*size)
    return pick(
        [normal, normal, normal * spread, spread - 1], draw.integers(0, 4, size[0], 1, width)
    )


def roots(draw: Draw, width: int) -> tuple[Tensor, Tensor]:
    """Draw root nodes (B, R, W) of several laws, some with a shared latent factor; no influence."""
    b, r = draw.shape.tables, draw.shape.rows
    uniform = 3.4 * draw.uniform(b, r, width) - 1.7
    bimodal = 0.5 * draw.normal(b, r, width) + (draw.uniform(b, r, width) < 0.5).float() * 2 - 1
    x = pick(
        [_noise(draw, width), draw.normal(b, r, width), uniform, bimodal],
        draw.integers(0, 4, b, 1, width),
    )
    loading = draw.normal(b, 1, width) * draw.table_switch(0.5)[:, None]
    return standardise(x + loading * draw.normal(b, r, 1)), draw.uniform(b, 0, width)


def mechanisms(draw: Draw, parents: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Draw one layer from all earlier nodes.

    Returns
    -------
    tuple of Tensor
        The nodes (B, R, W) and the influence (B, N, W), positive where a parent enters a node's
        equation.
    """
    b, hard = draw.shape.tables, draw.shape.difficulty
    smooth, weights = _generalised_linear(draw, parents, width)
    tree, splits = tree_sums(draw, parents, width)
    lean = draw.table_uniform()[:, None] * 1.5 - 0.25  # some tables are all smooth, some all trees
    mix = lean + 0.5 * draw.uniform(b, 1, width) - 0.25
    use_tree = (mix > 0.4) & (draw.uniform(b, 1, width) < hard)
    use_smooth = (mix < 0.6) | ~use_tree
    h = standardise(use_smooth * smooth + use_tree * tree)
    level = torch.exp(-4 * draw.table_uniform())[:, None] * draw.exponential(b, 1, width).clamp(
        max=2
    )
    scale = torch.where(draw.uniform(b, 1, width) < 0.15 * hard, h.abs(), 1.0)
    influence = use_smooth * weights.abs() + use_tree * splits
    return standardise(h + level * scale * _noise(draw, width)), influence


def _generalised_linear(draw: Draw, parents: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Draw activation(parents @ w + bias), between one and all parents each.

    Returns
    -------
    tuple of Tensor
        Values (B, R, W), weights (B, N, W).
    """
    b, n = draw.shape.tables, parents.shape[-1]
    keep = torch.exp(-draw.uniform(b, 1, width) * torch.log(torch.tensor(float(n))))
    ticket = draw.uniform(b, n, width)
    w = draw.normal(b, n, width) * ((ticket < keep) | (ticket == ticket.amin(1, keepdim=True)))
    w = w / w.square().sum(1, keepdim=True).sqrt().clamp(min=1e-3)
    slope = torch.exp(1.5 * draw.uniform(b, 1, width) - 0.3)
    z = standardise(parents @ w) * slope + 0.7 * draw.normal(b, 1, width)
    shapes = [
        z,
        z,
        torch.tanh(z),
        F.relu(z),
        torch.sin(2 * z),
        z.abs(),
        (z > 0).float(),
        torch.exp(-z * z),
    ]
    shapes += [z.square().clamp(max=9), torch.sigmoid(4 * z), F.elu(z), torch.floor(1.5 * z)]
    return standardise(pick(shapes, draw.integers(0, len(shapes), b, 1, width))), w


def tree_sums(draw: Draw, parents: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Draw sums of trees whose levels split on a parent each, or products of two parents.

    In half of the tables the trees are rules: one leaf stands out, so a sum of trees says whether
    any of several conjunctions holds.

    Returns
    -------
    tuple of Tensor
        Values (B, R, W), splits (B, N, W).
    """
    b, r, n = parents.shape
    depth, trees = draw.integer(2, 6), draw.integer(1, 4)
    chosen = draw.integers(0, n, b, width * trees * depth)
    seen = parents.gather(2, chosen[:, None].expand(b, r, -1))
    row = draw.integers(0, r, b, 1, width * trees * depth)
    # a threshold is a row's own value: no empty side
    bits = (seen > seen.gather(1, row)).view(b, r, width * trees, depth)
    leaf = (bits * 2 ** torch.arange(depth, device=draw.device)).sum(-1)
    heights = draw.normal(b, 2**depth, width * trees)
    outstanding = F.one_hot(
        leaf.gather(1, draw.integers(0, r, b, 1, width * trees))[:, 0], 2**depth
    ).transpose(1, 2)
    heights = torch.where(draw.table_switch(0.5)[:, None] > 0, heights.abs() * outstanding, heights)
    values = heights.gather(1, leaf).view(b, r, width, trees).sum(-1)
    first = seen.view(b, r, width, trees * depth)
    product = first[..., 0] * first[..., 1]
    splits = torch.zeros(b, n, width, device=draw.device)
    splits.scatter_(1, chosen.view(b, width, trees * depth).transpose(1, 2), 1.0)
    return standardise(torch.where(draw.uniform(b, 1, width) < 0.15, product, values)), splits


def categorise(draw: Draw, raw: Tensor, share: Tensor) -> Nodes:
    """Cut a share (B, 1) of the nodes (B, R, W) into 2 to 12 levels, shuffled where nominal."""
    b, r, width = raw.shape
    few = draw.integers(2, 3 + draw.integer(0, 11), b, 1, width, 1)
    used = torch.arange(11, device=draw.device) < few - 1
    cuts = raw.gather(1, draw.integers(0, r, b, 11, width)).transpose(1, 2)[
        :, None
    ]  # (B, 1, W, 11)
    level = ((raw[..., None] > cuts) & used).sum(-1)
    nominal = draw.uniform(b, width, 1) < draw.uniform(b, 1, 1) * 1.5
    ticket = (
        draw.uniform(b, width, 12)
        + torch.cat([torch.zeros_like(used[..., :1]), ~used], -1)[:, 0] * 2
    )
    code = torch.where(
        nominal, ticket.argsort(-1).argsort(-1), torch.arange(12, device=draw.device)
    )
    embedding = draw.normal(b, width, 12)
    embedding = torch.where(nominal, embedding, embedding.abs().cumsum(-1))
    shown = code.transpose(1, 2).gather(1, level).float()
    value = standardise(embedding.transpose(1, 2).gather(1, level))
    flag = draw.uniform(b, width) < share
    on = flag[:, None]
    return Nodes(
        value=torch.where(on, value, raw),
        shown=torch.where(on, shown, raw),
        categorical=flag,
        relevant=torch.zeros_like(flag, dtype=torch.float32),
    )
