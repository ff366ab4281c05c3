"""Skeletons and graphs, compared with causal-learn's.

::

    python -m benchmarks.causal_graphs skeleton    # and: growth, graphs --data DIR

skeleton  seconds of PC skeletons and of FCI, ours and causal-learn's with the same test; the graphs
          must be equal
growth    seconds of skeletons of mixed columns by the size of the table, drawn to a file
graphs    F1 of skeletons and directions on networks with a known graph: ours, causal-learn's PC
          with χ² (Fisher-Z on the logs of Sachs' data), and edges to which the default discoverer,
          `auto`, gives a probability of at least ½

For ``graphs``, ``DIR`` holds ``<name>_sample5000.csv`` (all columns categorical) and
``<name>_graph.json`` with a list ``edges`` of [cause, effect] for asia, child, insurance and alarm;
``sachs_observational.csv``, ``sachs_graph.json`` and ``sachs_bnlearn_graph.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import warnings
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from causallearn.graph.GraphNode import GraphNode
from causallearn.utils.DepthChoiceGenerator import DepthChoiceGenerator
from numpy.typing import NDArray

from autogluon_causalmix.arrays import Marks, Matrix
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.constraint.orientation import fci_marks, pc_marks
from autogluon_causalmix.discovery.constraint.skeleton import pc_stable
from autogluon_causalmix.discovery.independence.degenerate_gaussian import DegenerateGaussian
from autogluon_causalmix.discovery.independence.mixed import MixedTest
from autogluon_causalmix.discovery.protocol import Constraints
from autogluon_causalmix.discovery.score.boss import BOSS
from autogluon_causalmix.discovery.score.search import score_of
from autogluon_causalmix.report.style import BLUE
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from benchmarks.causal_learn_reference import FisherZ, register, united
from benchmarks.causal_stage import measured, random_columns

NETWORKS = ("asia", "child", "insurance", "alarm")


def main() -> None:
    """Read the command line and run one benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["skeleton", "growth", "graphs"])
    parser.add_argument("--data", type=Path, help="folder of networks, for `graphs`")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--columns", type=int, nargs="+", default=[50, 100])
    parser.add_argument("--samples", type=int, default=3, help="samples of rows from each network")
    parser.add_argument("--no-stock", action="store_true", help="leave causal-learn out")
    parser.add_argument("--picture", type=Path, default=Path("docs/images/skeleton-growth.png"))
    arguments = parser.parse_args()
    if arguments.what == "graphs" and arguments.data is None:
        parser.error("graphs needs --data, a folder of networks")
    warnings.simplefilter("ignore")
    steps = {"skeleton": time_skeletons, "growth": draw_growth, "graphs": score_graphs}
    steps[arguments.what](arguments)


def our_skeleton(values: Matrix, codes: list[int], kind: str) -> Marks:
    """Return which columns are adjacent; computes the correlations, too."""
    if kind == "fisherz":
        test = FisherZ(np.asarray(np.corrcoef(values.T)), len(values))
        return pc_stable(test, 0.05).adjacent.astype("int64")
    return pc_stable(DegenerateGaussian.of(values, codes), 0.05).adjacent.astype("int64")


def their_skeleton(values: Matrix, codes: list[int], kind: str) -> Marks:
    """Return which columns are adjacent in causal-learn's graph given the same test."""
    from causallearn.utils.cit import CIT
    from causallearn.utils.PCUtils.SkeletonDiscovery import skeleton_discovery

    options = {} if kind == "fisherz" else {"categorical": codes}
    found = skeleton_discovery(values, 0.05, CIT(values, kind, **options), show_progress=False)
    return np.asarray(found.G.graph != 0).astype("int64")


def our_pag(values: Matrix, codes: list[int]) -> Marks:
    """Return FCI's marks, separating sets united as causal-learn unites them."""
    test = DegenerateGaussian.of(values, codes)
    skeleton = united(pc_stable(test, 0.05), test, 0.05)
    return fci_marks(skeleton, test, 0.05, Constraints.none(test.n_columns))


class EverySubset(DepthChoiceGenerator):  # type: ignore[misc]  # causal-learn has no types
    """Yields subsets as copies: causal-learn changes a subset while FCI uses it, and skips some."""

    def next(self) -> list[int] | None:
        """Return a copy of the next subset, or None after the last."""
        subset: list[int] | None = super().next()
        return copy.copy(subset)


def their_pag(values: Matrix, codes: list[int]) -> Marks:
    """Return the marks of causal-learn's FCI with the same test, without two of its faults.

    It leaves out subsets of possible-d-separation sets, and it visits neighbours in the order of
    the hashes of their names, which differ between processes.
    """
    from causallearn.search.ConstraintBased.FCI import fci

    every_subset = patch("causallearn.search.ConstraintBased.FCI.DepthChoiceGenerator", EverySubset)
    one_order = patch.object(GraphNode, "__hash__", lambda node: int(node.name[1:]))
    with every_subset, one_order, contextlib.redirect_stdout(io.StringIO()):
        return np.asarray(
            fci(values, register(), 0.05, categorical=codes, show_progress=False)[0].graph
        )


def time_skeletons(arguments: argparse.Namespace) -> None:
    """Print processor seconds of skeletons and of FCI, ours and causal-learn's, and their ratio."""
    for columns, kind in product(arguments.columns, ("fisherz", register())):
        values, codes = random_columns(columns, arguments.rows, 0, categorical=kind != "fisherz")
        what = f"skeleton, {columns} columns, {kind}"
        beside(what, our_skeleton, their_skeleton, values, codes, kind, arguments)
    for columns, seed in product((20, 40), range(5)):
        values, codes = random_columns(columns, 500, seed, categorical=True)
        what = f"FCI, {columns} mixed columns × 500 rows, table {seed}"
        beside(what, our_pag, their_pag, values, codes, None, arguments)


def beside(
    what: str,
    ours: Callable[..., Marks],
    theirs: Callable[..., Marks],
    values: Matrix,
    codes: list[int],
    kind: str | None,
    arguments: argparse.Namespace,
) -> None:
    """Time two ways to compute a graph in turn; print medians and whether the graphs are equal."""
    given = (values, codes) if kind is None else (values, codes, kind)
    measured(ours, values[:, :5], [code for code in codes if code < 5], *given[2:])
    seconds = []
    for _ in range(arguments.runs):
        mine = measured(ours, *given)
        if arguments.no_stock:
            seconds.append((mine[1], np.nan))
        else:
            stock = measured(theirs, *given)
            seconds.append((mine[1], stock[1]))
            assert (mine[2] == stock[2]).all(), f"{what}: another graph than causal-learn's"
    fast, slow = np.median(seconds, axis=0)
    compared = f", causal-learn {slow:.2f} s: {slow / fast:.0f} times ours, graphs equal"
    line = f"{what}: ours {fast:.3f} s{'' if arguments.no_stock else compared}"
    print(f"{line} (processor, median of {arguments.runs} in turn)", flush=True)


def draw_growth(arguments: argparse.Namespace) -> None:
    """Print and draw seconds of a mixed skeleton by columns and by rows."""
    measured(our_skeleton, *random_columns(5, 100, 0, categorical=True), register())
    figure, panels = plt.subplots(1, 2, figsize=(7.5, 3.0), layout="constrained", sharey=True)
    by_columns = [(columns, 1000) for columns in (50, 100, 150, 200, 250, 300)]
    by_rows = [(50, rows) for rows in (500, 1000, 2000, 5000, 10_000, 20_000, 50_000)]
    for panel, sizes, varies in zip(panels, (by_columns, by_rows), (0, 1), strict=True):
        medians = []
        for columns, rows in sizes:
            table = random_columns(columns, rows, 0, categorical=True)
            medians.append(
                np.median(
                    [measured(our_skeleton, *table, register())[1] for _ in range(arguments.runs)]
                )
            )
            print(f"{columns} columns × {rows} rows: {medians[-1]:.2f} s", flush=True)
        panel.plot([size[varies] for size in sizes], medians, "o-", color=BLUE)
        held = ("1,000 rows", "50 columns")[varies]
        panel.set(xscale="log", yscale="log", xlabel=f"{('columns', 'rows')[varies]} ({held})")
        panel.set_xticks(
            [size[varies] for size in sizes], [f"{size[varies]:,}" for size in sizes], fontsize=7
        )
        panel.minorticks_off()
    panels[0].set_ylabel("processor seconds")
    figure.savefig(arguments.picture, dpi=150)


def score_graphs(arguments: argparse.Namespace) -> None:
    """Print F1 of skeletons and of directions, ours and causal-learn's PC on the same rows."""
    folder = arguments.data
    for name, rows in product(NETWORKS, (500, 2000)):
        samples, true = samples_of(folder, name, rows, arguments.samples)
        score(f"{name}, {rows} rows", samples, True, true)
    frame = pd.read_csv(folder / "sachs_observational.csv")
    for name in ("sachs", "sachs_bnlearn"):
        score(f"{name}, logs", [np.log(frame.to_numpy())], False, true_edges(folder, name, frame))


def samples_of(
    folder: Path, name: str, rows: int, count: int
) -> tuple[list[Matrix], NDArray[np.bool_]]:
    """Return samples of rows of a network, as codes, and its edges."""
    frame = pd.read_csv(folder / f"{name}_sample5000.csv", dtype=str, keep_default_na=False)
    samples = [
        frame.sample(rows, random_state=seed)
        .apply(lambda column: pd.Categorical(column).codes)
        .to_numpy(dtype="float64")
        for seed in range(count)
    ]
    return samples, true_edges(folder, name, frame)


def true_edges(folder: Path, name: str, frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return the edges of a published graph, entry [i, j] for i → j."""
    place = {node.lower(): position for position, node in enumerate(frame.columns)}
    true = np.zeros((len(place), len(place)), dtype=bool)
    for cause, effect in json.loads((folder / f"{name}_graph.json").read_text())["edges"]:
        # the two graphs spell one protein differently
        ends = [node.lower().replace("plcg", "plc") for node in (cause, effect)]
        true[place[ends[0]], place[ends[1]]] = True
    return true


def score(
    what: str, samples: Sequence[NDArray[Any]], categories: bool, true: NDArray[np.bool_]
) -> None:
    """Print F1 of PC, of BOSS, of the default discoverer's beliefs, and of causal-learn's PC."""
    codes = range(len(true)) if categories else []
    for name, step in (
        ("pc", our_cpdag),
        ("boss", our_best_order),
        ("default", our_default),
        ("stock pc", their_cpdag),
    ):
        found = [measured(step, values.astype("float64"), codes) for values in samples]
        scores = np.array([f1(marks, true) for _, _, marks in found])
        each = " ".join(f"{skeleton:.3f}" for skeleton in scores[:, 0])
        seconds = np.mean([second for _, second, _ in found])
        skeleton, directions = scores.mean(axis=0)
        said = f"skeleton F1 {skeleton:.3f} ({each}), directions {directions:.3f}; {seconds:.2f} s"
        print(f"{what}, {name}: {said}", flush=True)


def our_cpdag(values: Matrix, codes: Sequence[int]) -> Marks:
    """Return PC's marks."""
    return pc_marks(pc_stable(MixedTest.of(values, codes), 0.05), Constraints.none(values.shape[1]))


def their_cpdag(values: Matrix, codes: Sequence[int]) -> Marks:
    """Return the marks of causal-learn's PC, with χ² where all columns hold codes."""
    from causallearn.search.ConstraintBased.PC import pc

    test = "chisq" if len(codes) == values.shape[1] else "fisherz"
    return np.asarray(pc(values, 0.05, test, show_progress=False).G.graph)


def our_best_order(values: Matrix, codes: Sequence[int]) -> Marks:
    """Return the marks of the best order."""
    score = score_of(Blocks.of(values, codes), np.ones(len(values)), penalty=1.0)
    return BOSS().cpdag(score, Constraints.none(values.shape[1]).allowed, np.random.default_rng(0))


def our_default(values: Matrix, codes: Sequence[int]) -> Marks:
    """Return edges to which the default gives at least ½; the target is a coin."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {f"x{i}": column.astype(str) if i in codes else column for i, column in enumerate(values.T)}
    )
    table = Table.from_frame(
        frame.assign(coin=rng.choice(["heads", "tails"], size=len(values))), "coin"
    )
    found = BOSS().discover(table, Constraints.none(len(table.columns)), rng, Resources(600.0))
    belief = found.probability[:-1, :-1]
    directed, adjacent = belief >= 0.5, belief + belief.T >= 0.5
    return np.asarray(np.where(adjacent, np.where(directed.T & ~directed, 1, -1), 0))


def f1(marks: object, true: NDArray[np.bool_]) -> tuple[float, float]:
    """Return F1 of a graph's adjacencies, and of its directed edges."""
    found = np.asarray(marks)
    adjacent, pairs = np.triu(found != 0), np.triu(true | true.T)
    directed = (found == -1) & (found.T == 1)
    return (
        2 * float((adjacent & pairs).sum()) / max(float(adjacent.sum() + pairs.sum()), 1.0),
        2 * float((directed & true).sum()) / max(float(directed.sum() + true.sum()), 1.0),
    )


if __name__ == "__main__":
    main()
