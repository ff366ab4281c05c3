"""The network of TabPFN v1 (Hollmann et al., ICLR 2023, arXiv 2207.01848).

A transformer encoder with one token per row. Context rows carry their label and attend to each
other; query rows attend to context rows alone, so that no query changes another's prediction.

Written from the paper and the shapes of the published checkpoint, whose names the modules keep.
Shapes: B episodes, N context rows, Q query rows, E width of a token.
"""

from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autogluon_causalmix.errors import CheckpointError

FEATURES = 100
"""Columns of a row; views pad with zeros."""

CLASSES = 10
"""Outputs; a table of fewer classes uses the first ones."""

HEADS = 4
"""The one size that the shapes of a checkpoint do not tell."""


class Attention(nn.Module):
    """Attention of rows to context rows, with the projections of `torch.nn.MultiheadAttention`.

    Parameters
    ----------
    width : int
        Of a token, E.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, rows: Tensor, context: Tensor) -> Tensor:
        """Return (B, rows, E) of rows (B, rows, E) and context (B, N, E)."""
        width = rows.shape[-1]
        weight, bias = self.in_proj_weight, self.in_proj_bias
        query = F.linear(rows, weight[:width], bias[:width])
        key, value = F.linear(context, weight[width:], bias[width:]).chunk(2, dim=-1)
        mixed = F.scaled_dot_product_attention(
            _split_heads(query), _split_heads(key), _split_heads(value)
        )
        out: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return out


class Layer(nn.Module):
    """Attention and two linear maps, each followed by a sum and a normalisation.

    Parameters
    ----------
    width, hidden : int
        Of a token, and between the linear maps.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = Attention(width)
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, rows: Tensor, context: Tensor) -> Tensor:
        """Return (B, rows, E) of rows (B, rows, E) that attend to context (B, N, E)."""
        rows = self.norm1(rows + self.self_attn(rows, context))
        out: Tensor = self.norm2(rows + self.linear2(F.gelu(self.linear1(rows))))
        return out


class Encoder(nn.Module):
    """The stack of layers.

    Parameters
    ----------
    width, hidden, depth : int
        Of a token, between the linear maps, and the number of layers.
    """

    def __init__(self, width: int, hidden: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(width, hidden) for _ in range(depth))

    def forward(self, rows: Tensor, n_context: int) -> Tensor:
        """Return the tokens (B, Q, E) of the query rows among `rows` (B, N + Q, E)."""
        *first, last = self.layers
        for layer in first:
            rows = layer(rows, rows[:, :n_context])
        # Nothing reads the context after the last layer.
        out: Tensor = last(rows[:, n_context:], rows[:, :n_context])
        return out


class TabPFNv1Network(nn.Module):
    """The network; the published one has width 512, hidden 1,024 and depth 12.

    Parameters
    ----------
    width, hidden, depth : int
        Of a token, between the linear maps of a layer, and the number of layers.

    Examples
    --------
    >>> network = TabPFNv1Network(width=8, hidden=16, depth=2)
    >>> context, labels, query = torch.zeros(1, 5, 100), torch.zeros(1, 5), torch.zeros(1, 3, 100)
    >>> network(context, labels, query).shape
    torch.Size([1, 3, 10])
    """

    def __init__(self, width: int = 512, hidden: int = 1024, depth: int = 12) -> None:
        super().__init__()
        self.encoder = nn.Linear(FEATURES, width)
        self.y_encoder = nn.Linear(1, width)
        self.transformer_encoder = Encoder(width, hidden, depth)
        self.decoder = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, CLASSES)
        )

    def forward(self, context: Tensor, labels: Tensor, query: Tensor) -> Tensor:
        """Return logits (B, Q, 10).

        Of context (B, N, 100) with labels (B, N), for query (B, Q, 100).
        """
        known = self.encoder(context) + self.y_encoder(labels[..., None].to(context.dtype))
        rows = torch.cat([known, self.encoder(query)], dim=1)
        out: Tensor = self.decoder(self.transformer_encoder(rows, context.shape[1]))
        return out


def network_of(weights: Mapping[str, Tensor]) -> TabPFNv1Network:
    """Return the network of these weights, which it takes over without a copy.

    Raises
    ------
    CheckpointError
        Names or shapes are not those of a TabPFN v1.
    """
    try:
        hidden, width = weights["transformer_encoder.layers.0.linear1.weight"].shape
        depth = sum(name.endswith("linear1.weight") for name in weights)
        with torch.device("meta"):
            network = TabPFNv1Network(width, hidden, depth)
        network.load_state_dict(weights, assign=True)
    except (KeyError, RuntimeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise CheckpointError(f"these are no weights of TabPFN v1: {first}") from error
    return network.eval().requires_grad_(requires_grad=True)


def published_names(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of the published state dict by the names of `TabPFNv1Network`.

    That dict has a prefix from training on several GPUs, and the loss function's class weights.
    """
    plain = OrderedDict((name.removeprefix("module."), w) for name, w in checkpoint.items())
    return {name: weight for name, weight in plain.items() if name != "criterion.weight"}


def _split_heads(tokens: Tensor) -> Tensor:
    """Return (B, heads, rows, E / heads) of (B, rows, E)."""
    return tokens.view(*tokens.shape[:-1], HEADS, -1).transpose(1, 2)
