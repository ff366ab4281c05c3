"""The prior of `mini`: classification tables drawn from random structural causal models.

One call draws a batch of tables of equal shape. Every table has its own graph, mechanisms and
columns:

1. Roots are drawn, then layers of nodes: each node is a sparse generalised linear or tree-like
   function of all earlier nodes.
2. Some nodes are cut into categories; their children see a random embedding of the level.
3. One group of hidden nodes becomes the label: a root, an inner node or a sink. Its children see
   the class.
4. Columns are a random choice of the other nodes; nodes that are not chosen are latent confounders.
5. Columns are warped, copied, made irrelevant, replaced by ranks, and lose cells.

Letters: B tables, R rows, C columns, N nodes so far, W nodes of one layer, M label scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.pretraining.columns import columns
from benchmarks.pretraining.draws import Draw, Shape
from benchmarks.pretraining.nodes import categorise, hidden, join, mark, mechanisms, roots

MAX_CLASSES = 10
LABEL_SCORES = 3


@dataclass(frozen=True, kw_only=True)
class Tables:
    """A batch of tables.

    Attributes
    ----------
    x
        Columns (B, R, C), float32, NaN where a cell is missing.
    y
        Labels (B, R), int64 in [0, MAX_CLASSES).
    categorical
        Which columns hold category codes (B, C), bool.
    """

    x: Tensor
    y: Tensor
    categorical: Tensor


def sample_tables(shape: Shape, rng: torch.Generator) -> Tables:
    """Draw a batch of tables on the generator's device; the same state gives the same bytes."""
    draw = Draw(shape, rng)
    n_layers = 1 + draw.integer(0, 1 + round(3 * shape.difficulty))
    sizes = _layer_sizes(draw, n_layers)
    # half of the labels are sinks, few are roots
    label_layer = min(draw.integer(0, 2 * n_layers), n_layers)
    categorical_share = draw.table_uniform() * draw.table_switch(0.6) + draw.table_switch(0.1)
    categorical_share = categorical_share * draw.table_switch(shape.difficulty)
    nodes, labels = None, None
    for layer, width in enumerate(sizes):
        extra = LABEL_SCORES if layer == label_layer else 0
        raw, influence = (
            roots(draw, width + extra)
            if nodes is None
            else mechanisms(draw, nodes.value, width + extra)
        )
        new = categorise(draw, raw[..., :width], categorical_share)
        if nodes is not None and labels is None and extra:
            nodes = mark(nodes, influence[..., width:].amax(-1))
        elif labels is not None and nodes is not None:
            new = mark(new, influence[:, _label_slice(sizes, label_layer)].amax(1)[:, :width])
        nodes = new if nodes is None else join(nodes, new)
        if extra:
            labels, seen = _label(draw, raw[..., width:])
            nodes = join(nodes, hidden(seen))
    assert nodes is not None
    assert labels is not None
    x, categorical = columns(draw, nodes)
    return Tables(x=x, y=_flip(draw, labels), categorical=categorical)


def _layer_sizes(draw: Draw, n_layers: int) -> list[int]:
    """Return the nodes of each layer, roots first; more than columns, so some stay latent."""
    total = round(draw.shape.columns * (1 + draw.uniform(1).item())) + 3
    # Often few: then columns are as correlated as real ones (effective rank .66 of 40 columns; .78
    # with a fixed share of roots).
    n_roots = 2 + round(0.4 * total * draw.uniform(1).item() ** 2)
    width = -(-(total - n_roots) // n_layers)
    return [n_roots] + [max(width, 1)] * n_layers


def _label_slice(sizes: list[int], layer: int) -> slice:
    start = sum(sizes[: layer + 1])
    return slice(start, start + LABEL_SCORES)


def _label(draw: Draw, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Turn scores (B, R, M) into labels (B, R) and what the label's children see (B, R, M)."""
    b, r, m = scores.shape
    many = 2 + (draw.table_uniform() ** 1.5 * (MAX_CLASSES - 1)).long()
    n_classes = torch.where(draw.table_uniform() < 0.55 * draw.shape.difficulty, many, 2)
    unused = torch.arange(MAX_CLASSES, device=draw.device) >= n_classes
    weight = (draw.exponential(b, MAX_CLASSES) + 2 * draw.table_uniform() + 0.1).masked_fill(
        unused, 0.0
    )
    share = weight.cumsum(1) / weight.sum(1, keepdim=True)
    place = ((share[:, :-1] * r).long()).clamp(1, r - 1)
    ordered = (scores[..., 0] + 1e-4 * draw.normal(b, r)).sort(1)[0]
    interval = (
        (scores[..., :1] > ordered.gather(1, place)[:, None]).sum(-1).clamp(max=MAX_CLASSES - 1)
    )
    interval = torch.minimum(interval, n_classes - 1)
    affinity = scores @ draw.normal(b, m, MAX_CLASSES) + 0.5 * draw.normal(b, 1, MAX_CLASSES)
    nearest = affinity.masked_fill(unused[:, None], -torch.inf).argmax(-1)
    y = torch.where(draw.table_uniform() < 0.5, interval, nearest)
    ticket = (draw.uniform(b, MAX_CLASSES) + unused * 2).argsort(1).argsort(1)
    y = ticket.gather(1, y)
    embedding = draw.normal(b, MAX_CLASSES, m).gather(1, y[..., None].expand(b, r, m))
    return y, embedding + 0.5 * draw.table_uniform()[:, None] * draw.normal(b, r, m)


def _flip(draw: Draw, y: Tensor) -> Tensor:
    """Replace a share of the labels (B, R) by the label of another row, in some tables."""
    b, r = y.shape
    rate = 0.3 * draw.table_uniform() * draw.table_switch(0.3 * draw.shape.difficulty)
    return torch.where(draw.uniform(b, r) < rate, y.gather(1, draw.integers(0, r, b, r)), y)
