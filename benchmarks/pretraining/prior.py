"""The prior of `mini`: classification tables drawn from random structural causal models.

One call draws a batch of tables of equal shape. Every table has its own graph, mechanisms and columns:

    roots -> layers of nodes, each a sparse generalised linear or tree-like function of all earlier nodes
          -> nodes cut into categories, whose children see a random embedding of the level
          -> one group of hidden nodes becomes the label (a root, an inner node or a sink), its children see the class
          -> columns are a random choice of the other nodes; the nodes nobody chose are latent confounders
          -> columns are warped, copied, made irrelevant, ranked and lose cells

Letters: B tables, R rows, C columns, N nodes so far, W nodes of one layer, K levels, D depth, M label scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.pretraining.draws import Draw, Shape, pick, standardise

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


@dataclass(frozen=True, kw_only=True)
class _Nodes:
    """Nodes drawn so far: what children see, what a column shows, ties to the label; (B, R, N) or (B, N)."""

    value: Tensor
    shown: Tensor
    categorical: Tensor
    relevant: Tensor


def sample_tables(shape: Shape, rng: torch.Generator) -> Tables:
    """Draw a batch of tables on the generator's device; the same generator state gives the same bytes."""
    draw = Draw(shape, rng)
    n_layers = 1 + draw.integer(0, 1 + round(3 * shape.difficulty))
    sizes = _layer_sizes(draw, n_layers)
    label_layer = min(
        draw.integer(0, 2 * n_layers), n_layers
    )  # half of the labels are sinks, few are roots
    categorical_share = draw.table_uniform() * draw.table_switch(0.6) + draw.table_switch(0.1)
    categorical_share = categorical_share * draw.table_switch(shape.difficulty)
    nodes, labels = None, None
    for layer, width in enumerate(sizes):
        extra = LABEL_SCORES if layer == label_layer else 0
        raw, influence = (
            _roots(draw, width + extra)
            if nodes is None
            else _mechanisms(draw, nodes.value, width + extra)
        )
        new = _categorise(draw, raw[..., :width], categorical_share)
        if nodes is not None and labels is None and extra:
            nodes = _mark(nodes, influence[..., width:].amax(-1))
        elif labels is not None and nodes is not None:
            new = _mark(new, influence[:, _label_slice(sizes, label_layer)].amax(1)[:, :width])
        nodes = new if nodes is None else _join(nodes, new)
        if extra:
            labels, seen = _label(draw, raw[..., width:])
            nodes = _join(nodes, _hidden(seen))
    assert nodes is not None
    assert labels is not None
    x, categorical = _columns(draw, nodes)
    return Tables(x=x, y=_flip(draw, labels), categorical=categorical)


def _layer_sizes(draw: Draw, n_layers: int) -> list[int]:
    """Nodes per layer, roots first and often few: together more than the columns, so that some stay latent."""
    total = round(draw.shape.columns * (1 + draw.uniform(1).item())) + 3
    # few roots make columns go together as real ones do (effective rank .66 of 40 columns; .78 with a fixed share)
    roots = 2 + round(0.4 * total * draw.uniform(1).item() ** 2)
    width = -(-(total - roots) // n_layers)
    return [roots] + [max(width, 1)] * n_layers


def _label_slice(sizes: list[int], layer: int) -> slice:
    start = sum(sizes[: layer + 1])
    return slice(start, start + LABEL_SCORES)


def _join(a: _Nodes, b: _Nodes) -> _Nodes:
    pairs = {
        name: torch.cat([getattr(a, name), getattr(b, name)], -1) for name in a.__dataclass_fields__
    }
    return _Nodes(**pairs)


def _mark(nodes: _Nodes, relevant: Tensor) -> _Nodes:
    return _Nodes(
        value=nodes.value, shown=nodes.shown, categorical=nodes.categorical, relevant=relevant
    )


def _hidden(value: Tensor) -> _Nodes:
    """Nodes that never become a column: their relevance is -inf."""
    flat = torch.zeros_like(value[:, 0])
    return _Nodes(value=value, shown=value, categorical=flat.bool(), relevant=flat - torch.inf)


def _noise(draw: Draw, width: int) -> Tensor:
    """Draw unit noise (B, R, W): normal, heavy-tailed or skewed, one law per node."""
    size = (draw.shape.tables, draw.shape.rows, width)
    normal, spread = draw.normal(*size), draw.exponential(*size)
    return pick(
        [normal, normal, normal * spread, spread - 1], draw.integers(0, 4, size[0], 1, width)
    )


def _roots(draw: Draw, width: int) -> tuple[Tensor, Tensor]:
    """Root nodes (B, R, W) of several laws, some sharing a latent factor, and an empty influence."""
    b, r = draw.shape.tables, draw.shape.rows
    uniform = 3.4 * draw.uniform(b, r, width) - 1.7
    bimodal = 0.5 * draw.normal(b, r, width) + (draw.uniform(b, r, width) < 0.5).float() * 2 - 1
    x = pick(
        [_noise(draw, width), draw.normal(b, r, width), uniform, bimodal],
        draw.integers(0, 4, b, 1, width),
    )
    loading = draw.normal(b, 1, width) * draw.table_switch(0.5)[:, None]
    return standardise(x + loading * draw.normal(b, r, 1)), draw.uniform(b, 0, width)


def _mechanisms(draw: Draw, parents: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Draw one layer from all earlier nodes.

    Returns
    -------
    tuple of Tensor
        The nodes (B, R, W) and the influence (B, N, W), positive where a parent enters a node's equation.
    """
    b, hard = draw.shape.tables, draw.shape.difficulty
    smooth, weights = _generalised_linear(draw, parents, width)
    tree, splits = _tree(draw, parents, width)
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
    """activation(parents @ w + bias), the share of parents between one and all; values (B, R, W), weights (B, N, W)."""
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


def _tree(draw: Draw, parents: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Draw sums of trees whose levels split on a parent each, or products of two parents.

    In half of the tables the trees are rules: one leaf stands out, so a sum of them asks whether any of some
    conjunctions holds.

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


def _categorise(draw: Draw, raw: Tensor, share: Tensor) -> _Nodes:
    """Cut a share (B, 1) of the nodes (B, R, W) into 2..12 levels; nominal ones are shown in shuffled order."""
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
    return _Nodes(
        value=torch.where(on, value, raw),
        shown=torch.where(on, shown, raw),
        categorical=flag,
        relevant=torch.zeros_like(flag, dtype=torch.float32),
    )


def _label(draw: Draw, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Turn scores (B, R, M) into labels (B, R) and into what the label's children see (B, R, M)."""
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


def _columns(draw: Draw, nodes: _Nodes) -> tuple[Tensor, Tensor]:
    """Choose the columns (B, R, C), nodes next to the label rather than others, and wear them down."""
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
    """Give numeric columns (B, R, C) the marginals of real ones: skewed, heavy-tailed, rounded, censored, or ranked."""
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
    ranked = (draw.table_switch(0.25)[:, None] > 0).expand_as(
        kind
    )  # as a quantile transform at inference does
    return pick(shapes, torch.where(ranked, len(shapes) - 1, kind))


def _irrelevant(draw: Draw, x: Tensor) -> Tensor:
    """Shuffle the rows of some columns (B, R, C) together: their own law stays, their tie to the label goes."""
    b, r, c = x.shape
    order = draw.uniform(b, r, 1).argsort(1).expand(b, r, c)
    rate = draw.table_uniform() * 0.6 * draw.table_switch(0.5 * draw.shape.difficulty)
    return torch.where((draw.uniform(b, c) < rate)[:, None], x.gather(1, order), x)


def _lose_cells(draw: Draw, x: Tensor) -> Tensor:
    """Make cells NaN in some tables, at random or where the value is large, never all of a column."""
    b, r, c = x.shape
    rate = 0.5 * draw.uniform(b, c).square() * (draw.uniform(b, c) < draw.table_uniform())
    rate = rate * draw.table_switch(0.3 * draw.shape.difficulty)
    tilt = torch.where(draw.uniform(b, 1, c) < 0.3, torch.sigmoid(3 * standardise(x)) * 2, 1.0)
    return x.masked_fill(draw.uniform(b, r, c) < rate[:, None] * tilt, torch.nan)
