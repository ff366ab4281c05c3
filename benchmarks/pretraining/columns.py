"""Columns of a table: which nodes are shown, and how they are distorted.

Letters: B tables, R rows, C columns.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.pretraining.draws import Draw, pick, standardise
from benchmarks.pretraining.nodes import Nodes


def columns(draw: Draw, nodes: Nodes) -> tuple[Tensor, Tensor]:
    """Choose columns (B, R, C), with a preference for nodes next to the label, and distort them."""
    b, r, c = draw.shape.tables, draw.shape.rows, draw.shape.columns
    pull = draw.table_uniform() * (1 - 0.5 * draw.shape.difficulty) + 0.5
    score = draw.uniform(b, nodes.relevant.shape[1]) + torch.where(
        nodes.relevant > 0, pull, nodes.relevant.clamp(max=0)
    )
    chosen = score.topk(c, 1).indices.gather(1, draw.uniform(b, c).argsort(1))
    copy = draw.uniform(b, c) < 0.15 * draw.table_switch(0.3 * draw.shape.difficulty)
    chosen = torch.where(copy, chosen.gather(1, draw.integers(0, c, b, c)), chosen)
    categorical = nodes.categorical.gather(1, chosen)
    x = nodes.shown.gather(2, chosen[:, None].expand(b, r, c))
    numeric = _warp(draw, x + copy[:, None] * 0.2 * draw.normal(b, r, c))
    x = _irrelevant(draw, torch.where(categorical[:, None], x, numeric))
    constant = (x == x[:, :1]).all(1, keepdim=True)
    x = torch.where(constant, draw.normal(b, r, c), x)
    return _lose_cells(draw, x), categorical & ~constant[:, 0]


def _warp(draw: Draw, x: Tensor) -> Tensor:
    """Give numeric columns (B, R, C) the marginals of real ones.

    They become skewed, heavy-tailed, rounded, censored or ranks.
    """
    b, r, c = x.shape
    rank = x.argsort(1).argsort(1) / r
    shapes = [
        x,
        torch.exp(x.clamp(-5, 5)),
        x.sign() * x.square(),
        torch.round(2 * x),
        x.clamp(min=0),
        torch.tanh(x),
        rank,
    ]
    plain = draw.uniform(b, 1, c) < draw.table_uniform()[:, None] + (1 - draw.shape.difficulty)
    kind = torch.where(plain, 0, draw.integers(1, len(shapes), b, 1, c))
    # ranks are what a quantile transform gives at inference
    ranked = (draw.table_switch(0.25)[:, None] > 0).expand_as(kind)
    return pick(shapes, torch.where(ranked, len(shapes) - 1, kind))


def _irrelevant(draw: Draw, x: Tensor) -> Tensor:
    """Shuffle the rows of some columns (B, R, C) together: they no longer depend on the label."""
    b, r, c = x.shape
    order = draw.uniform(b, r, 1).argsort(1).expand(b, r, c)
    rate = draw.table_uniform() * 0.6 * draw.table_switch(0.5 * draw.shape.difficulty)
    return torch.where((draw.uniform(b, c) < rate)[:, None], x.gather(1, order), x)


def _lose_cells(draw: Draw, x: Tensor) -> Tensor:
    """Make cells NaN in some tables, at random or where values are large, never all of a column."""
    b, r, c = x.shape
    rate = 0.5 * draw.uniform(b, c).square() * (draw.uniform(b, c) < draw.table_uniform())
    rate = rate * draw.table_switch(0.3 * draw.shape.difficulty)
    tilt = torch.where(draw.uniform(b, 1, c) < 0.3, torch.sigmoid(3 * standardise(x)) * 2, 1.0)
    return x.masked_fill(draw.uniform(b, r, c) < rate[:, None] * tilt, torch.nan)
