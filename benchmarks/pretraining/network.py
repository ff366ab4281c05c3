"""The network of `mini` and its training forward.

The network is a small one of TabPFN-v2's architecture. `forward` computes the same function of the
same parameters as the network's own forward, 2.3 times faster on a CPU (34k against 15k cells a
second on one core, with the gradient): the last block computes only the label's token, projections
are fused, and attention over few tokens is plain matrix products.

Letters: B tables, R rows, N context rows, C columns, G groups of F columns, E embedding, H heads, D
their dimension.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import torch
import torch.nn.functional as F
from tabpfn.architectures.tabpfn_v2 import (
    AlongColumnAttention,
    AlongRowAttention,
    TabPFNBlock,
    TabPFNV2,
    TabPFNV2Config,
    get_architecture,
)
from torch import Tensor

from benchmarks.pretraining.prior import MAX_CLASSES

MAX_SEQUENCES = 65_535  # limit of a CUDA grid in the dimension that fused attention uses
MISSING = -2.0  # the architecture's own flag of a NaN cell

Attention: TypeAlias = AlongRowAttention | AlongColumnAttention


def build(emsize: int, nlayers: int, nhead: int) -> tuple[TabPFNV2, TabPFNV2Config]:
    """Return an untrained network and its configuration; the global generator is left as it was."""
    config = TabPFNV2Config(
        max_num_classes=MAX_CLASSES,
        num_buckets=0,
        emsize=emsize,
        nlayers=nlayers,
        nhead=nhead,
        features_per_group=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return get_architecture(config), config


def forward(net: TabPFNV2, x: Tensor, y: Tensor, groups: Tensor) -> Tensor:
    """Return the logits of the query rows.

    Parameters
    ----------
    x
        Columns (B, R, C); the first N rows are the context.
    y
        Context labels (B, N), float, dense: 0..K-1 with every class present.
    groups
        Random identities of the column groups (G, E // 4). The architecture draws them from a seed,
        and the values differ between devices; with fresh ones each step, the network works with
        any.

    Returns
    -------
    Tensor
        (B, R - N, MAX_CLASSES).
    """
    n = y.shape[1]
    tokens = torch.cat(
        [_embed_columns(net, x, n, groups), _embed_labels(net, y, x.shape[1])[:, :, None]], 2
    )
    for block in net.blocks[:-1]:
        tokens = _block(block, tokens, n)
    logits: Tensor = net.output_projection(_last_block(net.blocks[-1], tokens, n))
    return logits


def _embed_columns(net: TabPFNV2, x: Tensor, n: int, groups: Tensor) -> Tensor:
    """Impute and standardise by the context, flag missing cells, embed pairs of columns.

    (B, R, C) becomes (B, R, G, E).
    """
    b, r, c = x.shape
    f = net.features_per_group
    x = F.pad(x, (0, -c % f))
    missing = x.isnan()
    mean = x[:, :n].nansum(1, keepdim=True) / (~missing[:, :n]).sum(1, keepdim=True).clamp(min=1)
    x = torch.where(missing, mean, x)
    std, mean = torch.std_mean(x[:, :n], 1, keepdim=True)
    x = ((x - mean) / (torch.where(std == 0, 1.0, std) + torch.finfo(torch.float32).eps)).clamp(
        -100, 100
    )
    used = (x != x[:, :1]).any(1).view(b, 1, -1, f)
    x = x.view(b, r, -1, f) * used * torch.sqrt(f / used.sum(-1, keepdim=True).clamp(min=1))
    cells: Tensor = net.feature_group_embedder(
        torch.cat([x, MISSING * missing.view(b, r, -1, f)], -1)
    )
    identity: Tensor = net.feature_positional_embedding_embeddings(groups)
    return cells + identity


def _embed_labels(net: TabPFNV2, y: Tensor, rows: int) -> Tensor:
    """Embed the context's labels, and missing labels for query rows: (B, N) becomes (B, R, E)."""
    b, n = y.shape
    known = torch.stack([y, torch.zeros_like(y)], -1)
    # the architecture's imputation: the rank of the mean among dense labels
    mean = y.mean(1, keepdim=True).ceil().expand(b, rows - n)
    asked = torch.stack([mean, torch.full_like(mean, MISSING)], -1)
    embedded: Tensor = net.target_embedder(torch.cat([known, asked], 1))
    return embedded


def _project(attention: Attention, x: Tensor, names: str) -> tuple[Tensor, ...]:
    """Return projections (..., S, H, D) of (..., S, E), fused, one per letter of `names`."""
    weight = torch.cat([getattr(attention, f"{name}_projection").weight for name in names])
    heads = F.linear(x, weight).view(
        *x.shape[:-1], len(names), attention.num_heads, attention.head_dim
    )
    return heads.unbind(-3)


def _attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return softmax attention over the second axis of (S, T, H, D) tensors, heads joined."""
    if len(q) > MAX_SEQUENCES:
        parts = zip(*(t.chunk(-(-len(q) // MAX_SEQUENCES)) for t in (q, k, v)), strict=True)
        return torch.cat([_attend(*part) for part in parts])
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    if q.device.type == "cpu" and q.dtype == torch.bfloat16:
        # 3 times the speed of torch's fused kernel here (9 to 256 tokens of 24 dimensions)
        weights = (q / math.sqrt(q.shape[-1])) @ k.transpose(-1, -2)
        out = weights.softmax(-1, dtype=weights.dtype) @ v
    else:
        out = F.scaled_dot_product_attention(q, k, v)
    return out.transpose(1, 2).flatten(2)


def _first_head(k: Tensor) -> Tensor:
    return k[:, :, :1].expand_as(k)


def _block(block: TabPFNBlock, x: Tensor, n: int) -> Tensor:
    """Apply attention along rows, attention along columns and MLP to tokens (B, R, G + 1, E)."""
    b, r, _, e = x.shape
    attention = block.per_sample_attention_between_features
    h = x.flatten(0, 1)
    h = block.layernorm_mha1(h + attention.out_projection(_attend(*_project(attention, h, "qkv"))))
    h = h.view(b, r, -1, e).transpose(1, 2).flatten(0, 1)
    columns = block.per_column_attention_between_cells
    (q,), (k, v) = _project(columns, h, "q"), _project(columns, h[:, :n], "kv")
    mixed = torch.cat(
        [_attend(q[:, :n], k, v), _attend(q[:, n:], _first_head(k), _first_head(v))], 1
    )
    return _mlp(block, h + columns.out_projection(mixed)).view(b, -1, r, e).transpose(1, 2)


def _last_block(block: TabPFNBlock, x: Tensor, n: int) -> Tensor:
    """Apply the block and return only the label tokens of the query rows, (B, R - N, E)."""
    b, r, _, e = x.shape
    attention = block.per_sample_attention_between_features
    h = x.flatten(0, 1)
    (q,), (k, v) = _project(attention, h[:, -1:], "q"), _project(attention, h, "kv")
    h = block.layernorm_mha1(h[:, -1:] + attention.out_projection(_attend(q, k, v))).view(b, r, e)
    columns = block.per_column_attention_between_cells
    (q,), (k, v) = _project(columns, h[:, n:], "q"), _project(columns, h[:, :n], "kv")
    return _mlp(
        block, h[:, n:] + columns.out_projection(_attend(q, _first_head(k), _first_head(v)))
    )


def _mlp(block: TabPFNBlock, h: Tensor) -> Tensor:
    h = block.layernorm_mha2(h)
    out: Tensor = block.layernorm_mlp(h + block.mlp(h))
    return out
