"""How many edges point the wrong way: as discovery finds them, and turned by likelihood.

::

    python -m benchmarks.directions --causal DIR --samples 4

Simulators have ten columns, 500 rows and a label; published graphs 1,000 rows of each sample, and
Sachs all rows. Edges of the five graphs that rows are drawn from are counted where the true graph
has the same two neighbours. `DIR` holds the published graphs, see `benchmarks.causal_graphs`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table as Grid
from scipy.special import expit

from autogluon_causalmix.arrays import Mask, Matrix
from autogluon_causalmix.generators.scm import SCMGenerator
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from benchmarks.causal_graphs import true_edges

COLUMNS, ROWS = 10, 500
BENDS = (lambda x: x, lambda x: np.sin(2 * x), np.abs, lambda x: np.tanh(2 * x))
NETWORKS = {"asia": "dysp", "child": "Disease", "insurance": "Accident", "alarm": "BP"}
FIRST_SAMPLE = 600
"""Seeds below were used while the method was chosen."""

Kind = Literal["bent", "lines", "lines, Laplace", "lines, uniform", "lines, half cut"]
Case = tuple[Table, Mask]


def world(seed: int, kind: Kind = "bent", rows: int = ROWS) -> Case:
    """Return rows of a random additive model, and its graph; two columns cause the label."""
    rng = np.random.default_rng(seed)
    order = np.triu(rng.random((COLUMNS, COLUMNS)) < 2 / (COLUMNS - 1), 1)
    x = np.zeros((rows, COLUMNS))
    for node in range(COLUMNS):
        causes = np.flatnonzero(order[:, node])
        signal = np.zeros(rows)
        for cause in causes:
            bend = BENDS[rng.integers(4) if kind == "bent" else 0]
            signal += rng.choice([-1, 1]) * rng.uniform(0.7, 1.5) * bend(x[:, cause])
        x[:, node] = noise(kind, rows, rng) + (1.2 * signal / signal.std() if len(causes) else 0)
        x[:, node] /= x[:, node].std()
    place = rng.permutation(COLUMNS)
    label = np.where(rng.random(rows) < expit(1.5 * x[:, place[0]] + x[:, place[1]]), "a", "b")
    frame = pd.DataFrame(x[:, place], columns=[f"x{i}" for i in range(COLUMNS)])
    if kind == "lines, half cut":
        for name in [*frame][::2]:
            levels = [*"abcd"][: rng.integers(2, 5)]
            frame[name] = pd.qcut(frame[name], len(levels), labels=levels).astype(object)
    true = np.zeros((COLUMNS + 1, COLUMNS + 1), dtype=bool)
    true[:COLUMNS, :COLUMNS] = order[np.ix_(place, place)]
    true[:2, COLUMNS] = True
    return Table.from_frame(frame.assign(label=label), "label"), true


def noise(kind: Kind, rows: int, rng: np.random.Generator) -> Matrix:
    """Return noise of variance 1."""
    if kind == "lines, Laplace":
        return rng.laplace(scale=np.sqrt(0.5), size=rows)
    if kind == "lines, uniform":
        return rng.uniform(-np.sqrt(3), np.sqrt(3), size=rows)
    return rng.normal(size=rows)


def published(folder: Path, samples: int) -> Iterator[tuple[str, list[Case]]]:
    """Yield published graphs with rows; the label is a column of them."""
    for name, label in NETWORKS.items():
        frame = pd.read_csv(folder / f"{name}_sample5000.csv", dtype=str, keep_default_na=False)
        target = next(column for column in frame if str(column).lower() == label.lower())
        drawn = [
            frame.sample(1000, random_state=FIRST_SAMPLE + sample).reset_index(drop=True)
            for sample in range(samples)
        ]
        true = true_edges(folder, name, frame)
        yield name, [(Table.from_frame(one, target), true) for one in drawn]
    frame = pd.read_csv(folder / "sachs_observational.csv").apply(np.log)
    last = frame.columns[-1]
    thirds = pd.qcut(frame[last], 3, labels=["low", "middle", "high"]).astype(object)
    table = Table.from_frame(frame.assign(**{last: thirds}), last)
    for name in ("sachs", "sachs_bnlearn"):
        yield name, [(table, true_edges(folder, name, frame))]


def wrong(cases: list[Case], directions: str) -> tuple[float, float]:
    """Return the share of edges that point the wrong way, and the seconds of a fit."""
    counted, seconds = np.zeros(2), []
    for seed, (table, true) in enumerate(cases):
        started = time.perf_counter()
        generator = SCMGenerator(directions=directions)  # type: ignore[arg-type]
        fitted = generator.fit(table, np.random.default_rng(seed), Resources(600.0))
        seconds.append(time.perf_counter() - started)
        for dag in fitted.chosen.model.dags:
            counted += (dag & true).sum(), (dag & true.T).sum()
    return counted[1] / counted.sum(), float(np.median(seconds))


def main() -> None:
    """Print one row per simulator and published graph."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--causal", type=Path, help="folder of the published graphs")
    parser.add_argument("--samples", type=int, default=4)
    given = parser.parse_args()
    seeds = range(FIRST_SAMPLE, FIRST_SAMPLE + 8 * given.samples)
    all_cases = [(str(kind), [world(seed, kind) for seed in seeds]) for kind in get_args(Kind)]
    if given.causal:
        all_cases += published(given.causal, given.samples)
    grid = Grid("truth", "wrong, as discovered", "by likelihood", "seconds", "seconds")
    for name, cases in all_cases:
        found, turned = (wrong(cases, directions) for directions in ("discovered", "likelihood"))
        row = f"{found[0]:.3f}", f"{turned[0]:.3f}", f"{found[1]:.2f}", f"{turned[1]:.2f}"
        grid.add_row(name, *row)
        print(name, *row, flush=True)
    Console().print(grid)


if __name__ == "__main__":
    main()
