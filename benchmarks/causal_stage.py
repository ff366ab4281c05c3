"""The time of the causal stage, compared with stock parts.

::

    python -m benchmarks.causal_stage time --data DIR --tables diabetes wdbc
    python -m benchmarks.causal_stage sampling      # and: growth

time      seconds of the whole stage on `--rows` rows: ours with one graph and with its defaults,
          and the stock pipeline (causal-learn's PC and FCI with Fisher-Z on codes of categories,
          `pdag2dag`, DoWhy's automatic mechanisms)
growth    seconds and memory of the whole stage by columns and by rows, drawn to a file; hollow
          where the time was up, `--limit` seconds
sampling  seconds and memory of 100,000 rows from a 20-node model

Wall time and processor time are printed. On a shared machine only processor time can be compared
between days; it leaves out the child processes that the stock pipeline starts.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import resource
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.generators.scm import SCMGenerator
from autogluon_causalmix.report.style import BLUE, GREEN
from autogluon_causalmix.resources import CUT_OFF, Resources, cut_off
from autogluon_causalmix.table import Table
from benchmarks.study.tables import as_text, load


def main() -> None:
    """Read the command line and run one benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["time", "sampling", "growth"])
    parser.add_argument(
        "--data", type=Path, help="folder of <name>.csv; else scikit-learn's tables"
    )
    parser.add_argument("--rows", type=int, default=500, help="of a table, at most")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--tables", nargs="+", help="names; all where none is given")
    parser.add_argument(
        "--limit",
        type=float,
        default=300.0,
        help="seconds after which the stock pipeline is cut off",
    )
    parser.add_argument("--picture", type=Path, default=Path("docs/images/stage-growth.png"))
    parser.add_argument("--no-stock", action="store_true", help="leave the stock pipeline out")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    commands: dict[str, Callable[[argparse.Namespace], None]] = {
        "time": time_stage,
        "sampling": time_sampling,
        "growth": draw_growth,
    }
    commands[arguments.what](arguments)


def measured(step: Callable[..., Any], *arguments: object) -> tuple[float, float, Any]:
    """Return wall seconds, processor seconds and the result of ``step(*arguments)``."""
    wall, processor = time.perf_counter(), time.process_time()
    result = step(*arguments)
    return time.perf_counter() - wall, time.process_time() - processor, result


def stock(table: Table, n_rows: int, seed: int) -> pd.DataFrame:
    """Return rows of the stock pipeline, as codes; raises whatever the stock parts raise."""
    from dowhy import gcm
    from dowhy.gcm.auto import AssignmentQuality, assign_causal_mechanisms

    codes = pd.DataFrame(table.encode()).fillna(0.0)
    dag = stock_graph(
        codes.to_numpy() + 1e-6 * np.random.default_rng(seed).normal(size=codes.shape)
    )
    for position, column in enumerate(table.columns):
        if column.is_categorical:
            codes[position] = codes[position].astype(int).astype(str)
    gcm.config.disable_progress_bars()
    gcm.util.general.set_random_seed(seed)
    model = gcm.StructuralCausalModel(dag)
    assign_causal_mechanisms(model, codes, quality=AssignmentQuality.GOOD)
    gcm.fit(model, codes)
    return pd.DataFrame(gcm.draw_samples(model, n_rows)[list(range(len(dag)))].astype("float64"))


def stock_graph(values: Matrix) -> nx.DiGraph:
    """Return causal-learn's PC graph as a DAG; for some graphs its `pdag2dag` never ends."""
    from causallearn.search.ConstraintBased.PC import pc
    from causallearn.utils.PDAG2DAG import pdag2dag

    marks = pdag2dag(pc(values, 0.05, "fisherz", show_progress=False).G).graph
    dag = nx.DiGraph()
    dag.add_nodes_from(range(len(marks)))
    dag.add_edges_from((i, j) for i, j in np.argwhere((marks == -1) & (marks.T == 1)))
    return dag


def stock_stage(table: Table, seed: int) -> None:
    """Do with stock parts what a stage does: PC and FCI, models, as many rows as there are."""
    from causallearn.search.ConstraintBased.FCI import fci

    values = table.encode()
    with contextlib.redirect_stdout(io.StringIO()):
        noise = 1e-6 * np.random.default_rng(seed).normal(size=values.shape)
        fci(np.nan_to_num(values) + noise, "fisherz", 0.05, show_progress=False)
    stock(table, len(table), seed)


def stage(generator: SCMGenerator, table: Table, seed: int, cpus: int) -> Table:
    """Fit a generator and draw as many rows as it was fitted to."""
    rng = np.random.default_rng(seed)
    return generator.fit(table, rng, Resources(600.0, cpus)).sample(len(table), rng)


def time_stage(arguments: argparse.Namespace) -> None:
    """Print seconds of the whole stage, all arms in turn in every run."""
    ours = {
        "one graph": SCMGenerator(discoverer={"name": "pc+fci", "bootstraps": 1}, graphs=1),
        "defaults": SCMGenerator(),
    }
    tables = load(arguments.data, arguments.tables)
    small = Table.from_frame(as_text(tables[0].frame.sample(30, random_state=0)), "target")
    stage(SCMGenerator(graphs=1), small, 0, 1)  # imports are not timed
    for dataset in tables:
        frame = dataset.frame.sample(min(len(dataset.frame), arguments.rows), random_state=0)
        table = Table.from_frame(as_text(frame), "target")
        seconds: dict[str, list[tuple[float, float]]] = {}
        for run in range(arguments.runs):
            for arm, generator in ours.items():
                took = measured(stage, generator, table, run, arguments.cpus)[:2]
                seconds.setdefault(arm, []).append(took)
            if not arguments.no_stock:
                seconds.setdefault("stock", []).extend(time_stock(table, run, arguments.limit))
        for arm, pairs in seconds.items():
            if pairs:
                wall, processor = np.median(pairs, axis=0)
                line = f"wall {wall:7.2f} s  processor {processor:7.2f} s"
                print(f"{dataset.name:14s} {arm:10s} {line}  ({len(pairs)} runs)", flush=True)


def time_stock(table: Table, seed: int, limit: float) -> list[tuple[float, float]]:
    """Return wall and processor seconds of the stock stage; none, and a line, where it raises."""
    work = partial(cut_off, limit, "stock", partial(stock_stage, table, seed))
    try:
        return [measured(work)[:2]]
    except Exception as error:  # noqa: BLE001 - a border: stock parts may raise
        print(f"stock raises {type(error).__name__}: {str(error)[:80]}")
        return []


def random_columns(
    n_columns: int, rows: int, seed: int, categorical: bool
) -> tuple[Matrix, list[int]]:
    """Return rows of a sparse linear model, and which columns have 2 to 6 levels: none or half."""
    rng = np.random.default_rng(seed)
    weights = sparse_weights(n_columns, rng)
    values = rng.normal(size=(rows, n_columns))
    for column in range(n_columns):
        values[:, column] += values @ weights[:, column]
    codes = list(range(0, n_columns, 2)) if categorical else []
    for code in codes:
        cuts = np.quantile(values[:, code], np.arange(1, 2 + code % 5) / (2 + code % 5))
        values[:, code] = np.digitize(values[:, code], cuts)
    return values, codes


def sparse_weights(n_columns: int, rng: np.random.Generator) -> Matrix:
    """Return the weights of the model of `random_columns`, entry [i, j] for i → j."""
    weights = rng.uniform(0.3, 1.0, (n_columns, n_columns))
    present = rng.random((n_columns, n_columns)) < 3 / n_columns
    return np.asarray(np.triu(weights * present, 1))


def peak_memory() -> float:
    """Return the most memory that this process has had so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def draw_growth(arguments: argparse.Namespace) -> None:
    """Print and draw seconds of the whole stage on mixed columns, each size in its own process."""
    figure, panels = plt.subplots(1, 2, figsize=(7.5, 3.0), layout="constrained", sharey=True)
    by_columns = [(1000, columns) for columns in (10, 30, 100, 300, 1000)]
    by_rows = [(rows, 20) for rows in (1000, 10_000, 100_000, 1_000_000)]
    fresh = multiprocessing.get_context("spawn")
    for panel, sizes, varies in zip(panels, (by_columns, by_rows), (1, 0), strict=True):
        seconds, cut = [], []
        for rows, columns in sizes:
            with ProcessPoolExecutor(1, fresh) as pool:
                stages, memory, notes = pool.submit(grown, rows, columns, arguments.limit).result()
            seconds.append(stages)
            cut.append(any(CUT_OFF in note for note in notes))
            said = ", ".join(f"{stage} {took:.1f} s" for stage, took in stages.items())
            print(f"{rows} rows × {columns} columns: {said}, {memory:.1f} GB", *notes, sep="; ")
        ticks = [size[varies] for size in sizes]
        for stage, colour in {"mechanisms": GREEN, "discovery": BLUE}.items():
            panel.plot(ticks, [took[stage] for took in seconds], "o-", color=colour, label=stage)
        for tick, took in zip(np.array(ticks)[cut], np.array(seconds)[cut], strict=True):
            panel.plot(tick, took["discovery"], "o", color=BLUE, markerfacecolor="white")
        held = ("20 columns", "1,000 rows")[varies]
        panel.set(xscale="log", yscale="log", xlabel=f"{('rows', 'columns')[varies]} ({held})")
        panel.set_xticks(ticks, [f"{tick:,}" for tick in ticks], fontsize=7)
        panel.minorticks_off()
    panels[0].set_ylabel("seconds, one core")
    panels[0].legend(frameon=False)
    figure.savefig(arguments.picture, dpi=150)


def grown(
    rows: int, columns: int, limit: float
) -> tuple[Mapping[str, float], float, tuple[str, ...]]:
    """Fit one table; return seconds by stage, GB above those of a small table, and the notes."""
    warnings.simplefilter("ignore")
    frames = [
        pd.DataFrame(values).astype(dict.fromkeys(codes, "object")).add_prefix("x")
        for values, codes in (
            random_columns(min(columns, 20), 50, 0, categorical=True),
            random_columns(columns - 1, rows, 0, categorical=True),
        )
    ]
    small, table = (
        Table.from_frame(frame.assign(y=(frame["x1"] > 0).astype(int)), "y") for frame in frames
    )
    stage(SCMGenerator(), small, 0, 1)
    before = peak_memory()
    fitted = SCMGenerator().fit(table, np.random.default_rng(0), Resources(limit))
    after = peak_memory()
    return fitted.seconds, after - before, fitted.notes


def time_sampling(arguments: argparse.Namespace) -> None:
    """Print seconds and memory of many rows from 20 nodes, and of 100 columns × 5,000 rows."""
    for n_columns, rows, n_drawn in ((19, 1000, 100_000), (99, 5000, 1000)):
        values, _ = random_columns(n_columns, rows, 2, categorical=False)
        frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(n_columns)]).assign(
            y=(values[:, 7] > 0).astype(int)
        )
        SCMGenerator(graphs=1).fit(
            Table.from_frame(frame.head(30), "y"), np.random.default_rng(0), Resources(60.0)
        )
        before = peak_memory()
        rng = np.random.default_rng(0)
        table, resources = Table.from_frame(frame, "y"), Resources(600.0, arguments.cpus)
        wall, processor, fitted = measured(SCMGenerator().fit, table, rng, resources)
        drawing = measured(fitted.sample, n_drawn, rng)
        after = peak_memory()
        print(f"{n_columns + 1} columns × {rows} rows, {n_drawn} rows drawn")
        print(f"   fit: wall {wall:.1f} s, processor {processor:.1f} s")
        print(f"   draw: wall {drawing[0]:.2f} s, processor {drawing[1]:.2f} s")
        print(f"   peak memory {after - before:.2f} GB")


if __name__ == "__main__":
    main()
