"""TabPFN v1 beside `mini` zero-shot, and what a step of it costs.

::

    python -m benchmarks.tabpfn_v1 tables --data DIR --out FILE.json
    python -m benchmarks.tabpfn_v1 cost

``tables`` takes every `<name>.csv` of a folder as `benchmarks.zero_shot` does, with up to 300 test
rows; cells that stand in the output file are not run again. ``cost`` prints the time of one forward
and backward pass of 150 + 150 rows beside that of its matrix products alone, and peak memory per
row. Both need the weights: `causalmix weights fetch tabpfn-v1`.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedShuffleSplit

from autogluon_causalmix.backbones.protocol import Backbone
from autogluon_causalmix.backbones.tabpfn_v1 import TabPFNv1
from autogluon_causalmix.backbones.tabpfn_v1_context import TabPFNv1Context
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.table import Table
from benchmarks.zero_shot import calibration_error, mean_auc, read_tables

NAMES, VIEWS, ROWS = ("mini", "tabpfn-v1"), 4, 300
SMALLEST = 1e-9  # probability; a zero would make the log-loss infinite


def split(y: NDArray[np.int64], seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return up to 300 training and 300 test rows."""
    n = min(ROWS, int(0.6 * len(y)))
    splitter = StratifiedShuffleSplit(
        1, train_size=n, test_size=min(ROWS, len(y) - n), random_state=seed
    )
    train, test = next(splitter.split(y, y))
    return train, test


def scores(name: str, x: pd.DataFrame, y: NDArray[np.int64], seed: int) -> dict[str, float]:
    """Predict the test rows of a split with one backbone, the training rows as context."""
    train, test = split(y, seed)
    table = Table.from_frame(x.assign(target=y).iloc[train], "target")
    backbone = plugin_registry().of(Backbone).get(name).create({})
    begin = time.perf_counter()
    model = backbone.condition(table, n_estimators=VIEWS, device="cpu", seed=seed)
    p = np.full((len(test), y.max() + 1), SMALLEST)
    p[:, model.classes.astype("int64")] += model.predict_proba(x.iloc[test])
    p /= p.sum(axis=1, keepdims=True)
    return {
        "auc": mean_auc(y[test], p),
        "log_loss": float(log_loss(y[test], p, labels=range(p.shape[1]))),
        "ece": calibration_error(y[test], p),
        "seconds": time.perf_counter() - begin,
    }


def compare(data: Path, out: Path, seeds: int) -> None:
    """Score the backbones on every table and split, and print their means."""
    done: dict[str, dict[str, float]] = json.loads(out.read_text()) if out.is_file() else {}
    for table, x, y in read_tables(data):
        for seed in range(seeds):
            for name in NAMES:
                key = f"{table}/{seed}/{name}"
                if key not in done:
                    done[key] = scores(name, x, y, seed)
                    out.write_text(json.dumps(done, indent=1))
    frame = pd.DataFrame.from_dict(done, orient="index")
    frame[["table", "split", "model"]] = [key.split("/") for key in frame.index]
    print(frame.pivot_table(index="table", columns="model", values=["auc", "log_loss"]).round(4))
    print(frame.groupby("model")[["auc", "log_loss", "ece", "seconds"]].mean().round(4))


def fastest(work: Callable[[], object], repeats: int = 7) -> float:
    """Return the shortest time of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


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


def time_of_products(n_context: int, n_query: int) -> float:
    """Return the seconds of all products, forward and the two backward ones of each."""
    pairs = [(torch.randn(a), torch.randn(b)) for a, b in products(n_context, n_query)]
    backward = [torch.randn(*a.shape[:-1], b.shape[-1]) for a, b in pairs]

    def work() -> None:
        for (a, b), out in zip(pairs, backward, strict=True):
            _ = a @ b
            _ = out @ b.transpose(-1, -2)
            _ = a.transpose(-1, -2) @ out

    return fastest(work)


def conditioned(rows: int) -> TabPFNv1Context:
    """Return the model with rows of noise as context."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, 20))).assign(y=np.arange(rows) % 2)
    table = Table.from_frame(frame, "y")
    return TabPFNv1().condition(table, n_estimators=1, device="cpu", seed=0)


def cost() -> None:
    """Print the time and the memory of a step."""
    model = conditioned(300)
    rows, labels = model.encode_context()[0], torch.arange(300) % 2
    context, query = rows[None, :150], rows[None, 150:]

    def step() -> None:
        out = model.logits(0, context, labels[None, :150], query)
        torch.autograd.backward(out.logsumexp(-1).sum())

    own, plain = fastest(step), time_of_products(150, 150)
    print(f"forward + backward, 150 + 150 rows: {own:.3f} s; its products alone: {plain:.3f} s")
    print(f"ratio {own / plain:.2f}")


def peak(rows: int, tuning: bool) -> None:
    """Print the megabytes that a pass over so many rows adds; run in a process of its own."""
    model = conditioned(rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if tuning:
        shown, labels = model.encode_context()[0], torch.arange(rows) % 2
        half = rows // 2
        optimizer = torch.optim.AdamW(model.network.parameters(), lr=1e-5)
        for _ in range(2):
            optimizer.zero_grad()
            out = model.logits(0, shown[None, :half], labels[None, :half], shown[None, half:])
            torch.autograd.backward(out.logsumexp(-1).sum())
            optimizer.step()
    else:
        model.predict_proba(pd.DataFrame(np.random.default_rng(1).normal(size=(rows, 20))))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{rows} rows, tuning {tuning}: {(after - before) / 1024:.0f} MB")


def main(arguments: list[str]) -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["tables", "cost", "peak"])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--tuning", action="store_true")
    given = parser.parse_args(arguments)
    if given.what == "tables":
        compare(given.data, given.out, given.splits)
    elif given.what == "cost":
        cost()
    else:
        peak(given.rows, given.tuning)


if __name__ == "__main__":
    main(sys.argv[1:])
