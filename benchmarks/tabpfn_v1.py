"""How long a pass of TabPFN v1 takes; `benchmarks.memory --passes` has its memory.

::

    python -m benchmarks.tabpfn_v1

It prints the seconds of one forward and backward pass of 150 + 150 rows beside those of its matrix
products alone. It needs the weights: `causalmix weights fetch tabpfn-v1`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch

from autogluon_causalmix.backbones.tabpfn_v1 import TabPFNv1
from autogluon_causalmix.backbones.tabpfn_v1_context import TabPFNv1Context
from autogluon_causalmix.table import Table


def fastest(*works: Callable[[], object], rounds: int = 15) -> list[float]:
    """Return the shortest time of each in seconds; they take turns, as other load varies."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for own, work in zip(times, works, strict=True):
            begin = time.perf_counter()
            work()
            own.append(time.perf_counter() - begin)
    return [min(own) for own in times]


def products(n_context: int, n_query: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return the shapes of all matrix products of one forward pass."""
    width, hidden, heads, rows = 512, 1024, 4, n_context + n_query
    pairs: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((rows, 100), (100, width)),
        ((n_query, width), (width, hidden)),
        ((n_query, hidden), (hidden, 10)),
    ]
    for n in [rows] * 11 + [n_query]:  # the last layer is asked for the queries alone
        pairs += [
            ((n, width), (width, width)),
            ((n_context, width), (width, 2 * width)),
            ((heads, n, width // heads), (heads, width // heads, n_context)),
            ((heads, n, n_context), (heads, n_context, width // heads)),
            ((n, width), (width, width)),
            ((n, width), (width, hidden)),
            ((n, hidden), (hidden, width)),
        ]
    return pairs


def all_products(n_context: int, n_query: int) -> Callable[[], None]:
    """Return what computes all products, forward and the two backward ones of each."""
    pairs = [(torch.randn(a), torch.randn(b)) for a, b in products(n_context, n_query)]
    backward = [torch.randn(*a.shape[:-1], b.shape[-1]) for a, b in pairs]

    def work() -> None:
        for (a, b), out in zip(pairs, backward, strict=True):
            _ = a @ b
            _ = out @ b.transpose(-1, -2)
            _ = a.transpose(-1, -2) @ out

    return work


def conditioned(rows: int) -> TabPFNv1Context:
    """Return the model with rows of noise as context."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, 20))).assign(y=np.arange(rows) % 2)
    table = Table.from_frame(frame, "y")
    return TabPFNv1().condition(table, n_estimators=1, device="cpu", seed=0)


def main() -> None:
    """Print the time of a step and that of its matrix products."""
    model = conditioned(300)
    rows, labels = model.encode_context()[0], torch.arange(300) % 2
    context, query = rows[None, :150], rows[None, 150:]

    def step() -> None:
        model.network.zero_grad()
        out = model.logits(0, context, labels[None, :150], query)
        torch.autograd.backward(out.logsumexp(-1).sum())

    own, plain = fastest(step, all_products(150, 150))
    print(f"forward + backward, 150 + 150 rows: {own:.3f} s; its products alone: {plain:.3f} s")
    print(f"ratio {own / plain:.2f}")


if __name__ == "__main__":
    main()
