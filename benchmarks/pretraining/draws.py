"""Random numbers of the prior: seeded generators and the draws of one batch of tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What the tables of one batch share.

    Attributes
    ----------
    tables, rows, columns
        Sizes of the batch: B, R and C.
    difficulty
        0 draws numeric binary tables of one layer without label noise, 1 the full prior; values
        between mix the two.
    """

    tables: int
    rows: int
    columns: int
    difficulty: float = 1.0


def generator(seed: int, device: torch.device | str = "cpu", *, stream: int = 0) -> torch.Generator:
    """Return the generator of one seed; different streams draw different numbers."""
    # torch's CPU generator reads only the low 32 bits of a seed, so stream and seed are hashed
    return torch.Generator(device=device).manual_seed(
        int(np.random.SeedSequence([stream, seed]).generate_state(1)[0])
    )


class Draw:
    """Random numbers of one batch, all from one generator."""

    def __init__(self, shape: Shape, rng: torch.Generator) -> None:
        self.shape, self.rng, self.device = shape, rng, rng.device

    def uniform(self, *size: int) -> Tensor:
        return torch.rand(size, generator=self.rng, device=self.device)

    def normal(self, *size: int) -> Tensor:
        return torch.randn(size, generator=self.rng, device=self.device)

    def integers(self, low: int, high: int, *size: int) -> Tensor:
        return torch.randint(low, high, size, generator=self.rng, device=self.device)

    def integer(self, low: int, high: int) -> int:
        """One integer of [low, high) that all tables of the batch share."""
        return int(self.integers(low, high, 1).item())

    def exponential(self, *size: int) -> Tensor:
        return torch.empty(size, device=self.device).exponential_(generator=self.rng)

    def table_uniform(self) -> Tensor:
        """One number of [0, 1) per table, (B, 1)."""
        return self.uniform(self.shape.tables, 1)

    def table_switch(self, probability: float) -> Tensor:
        """1 with the given probability else 0, per table, (B, 1)."""
        return (self.table_uniform() < probability).float()


def pick(choices: list[Tensor], index: Tensor) -> Tensor:
    """Choose elementwise among equally shaped tensors; `index` broadcasts against them."""
    out = choices[0]
    for i, choice in enumerate(choices[1:], 1):
        out = torch.where(index == i, choice, out)
    return out


def standardise(v: Tensor) -> Tensor:
    """Give values (B, R, …) mean 0 and, unless they are nearly constant, spread 1 over the rows."""
    std, mean = torch.std_mean(v, 1, keepdim=True)
    return (v - mean) / (std + 1e-3)
