"""Skeletons and marks beside causal-learn's: `python -m benchmarks.causal_graphs {skeleton,graphs}`.

skeleton  seconds of PC skeletons and FCI beside causal-learn given the same test, and whether edges and marks agree
graphs    F1 of skeletons and directions on networks with a known graph, beside PC with χ²
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import warnings
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autogluon_causalmix.discovery import Constraints
from autogluon_causalmix.discovery.independence import DegenerateGaussian, FisherZ, register
from autogluon_causalmix.discovery.mixed import MixedTest
from autogluon_causalmix.discovery.orientation import fci_marks, pc_marks
from autogluon_causalmix.discovery.skeleton import Skeleton, pc_stable
from benchmarks.causal_stage import Matrix, measured, random_columns


def main() -> None:
    """Read the command line and run one benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["skeleton", "graphs"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with causal/")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--columns", type=int, nargs="+", default=[50, 100])
    parser.add_argument("--no-stock", action="store_true", help="leave causal-learn out")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    (time_skeletons if arguments.what == "skeleton" else score_graphs)(arguments)


def our_skeleton(values: Matrix, codes: list[int], kind: str) -> Skeleton:
    """Return the skeleton, the correlations' time included."""
    if kind == "fisherz":
        return pc_stable(FisherZ(np.asarray(np.corrcoef(values.T)), len(values)), 0.05)
    return pc_stable(DegenerateGaussian.of(values, codes), 0.05)


def their_skeleton(values: Matrix, codes: list[int], kind: str) -> Any:
    """Return causal-learn's graph given the same test."""
    from causallearn.utils.cit import CIT
    from causallearn.utils.PCUtils.SkeletonDiscovery import skeleton_discovery

    options = {} if kind == "fisherz" else {"categorical": codes}
    return skeleton_discovery(values, 0.05, CIT(values, kind, **options), show_progress=False).G.graph


def our_pag(values: Matrix, codes: list[int]) -> Any:
    """Return FCI's marks, separating sets united as causal-learn unites them."""
    test = DegenerateGaussian.of(values, codes)
    return fci_marks(pc_stable(test, 0.05, unite=True), test, 0.05, Constraints.none(test.n_columns))


def their_pag(values: Matrix, codes: list[int]) -> Any:
    """Return the marks of causal-learn's FCI given the same test."""
    from causallearn.search.ConstraintBased.FCI import fci

    with contextlib.redirect_stdout(io.StringIO()):
        return fci(values, register(), 0.05, categorical=codes, show_progress=False)[0].graph


def time_skeletons(arguments: argparse.Namespace) -> None:
    """Print seconds of skeletons and of FCI beside causal-learn's."""
    for columns, kind in product(arguments.columns, ("fisherz", register())):
        values, codes = random_columns(columns, arguments.rows, 0, categorical=kind != "fisherz")
        our_skeleton(values[:, :5], [code for code in codes if code < 5], kind)
        runs = [measured(our_skeleton, values, codes, kind) for _ in range(arguments.runs)]
        wall, processor = np.median([run[:2] for run in runs], axis=0)
        print(f"{columns} columns, {kind}: ours wall {wall:.3f} s, processor {processor:.3f} s", flush=True)
        if not arguments.no_stock:
            theirs = measured(their_skeleton, values, codes, kind)
            equal = bool(((theirs[2] != 0) == runs[0][2].adjacent).all())
            ratio = theirs[1] / processor
            print(
                f"   causal-learn processor {theirs[1]:.2f} s: {ratio:.0f} times ours, edges equal: {equal}", flush=True
            )
    if not arguments.no_stock:
        values, codes = random_columns(20, 500, 1, categorical=True)
        mine, theirs = measured(our_pag, values, codes), measured(their_pag, values, codes)
        equal = bool((mine[2] == theirs[2]).all())
        print(f"FCI, 20 mixed columns: ours {mine[1]:.2f} s, causal-learn {theirs[1]:.2f} s, marks equal: {equal}")


def score_graphs(arguments: argparse.Namespace) -> None:
    """Print F1 of skeletons and of directions, ours beside PC with χ² on the same rows."""
    from causallearn.search.ConstraintBased.PC import pc

    for name in ("asia", "child", "insurance", "alarm"):
        frame = pd.read_csv(arguments.data / "causal" / f"{name}_sample5000.csv", dtype=str, keep_default_na=False)
        truth = json.loads((arguments.data / "causal" / f"{name}_graph.json").read_text())
        place = {node: position for position, node in enumerate(frame.columns)}
        true = np.zeros((len(place), len(place)), dtype=bool)
        for cause, effect in truth["edges"]:
            true[place[cause], place[effect]] = True
        for rows in (500, 2000):
            sample = frame.sample(rows, random_state=0)
            codes = np.column_stack([pd.Categorical(sample[node]).codes for node in frame.columns]).astype("float64")
            mine = measured(our_cpdag, codes)
            theirs = measured(partial(pc, show_progress=False), codes, 0.05, "chisq")
            scores = [f1(marks, true) for marks in (mine[2], theirs[2].G.graph)]
            print(
                f"{name:10s} {rows:5d} rows: skeleton F1 {scores[0][0]:.3f} (χ² {scores[1][0]:.3f}), directions "
                f"{scores[0][1]:.3f} (χ² {scores[1][1]:.3f}); {mine[1]:.2f} s (χ² {theirs[1]:.2f} s)", flush=True,
            )  # fmt: skip


def our_cpdag(codes: Matrix) -> Any:
    """Return PC's marks on a table of categories."""
    test = MixedTest.of(codes, range(codes.shape[1]))
    return pc_marks(pc_stable(test, 0.05), Constraints.none(codes.shape[1]))


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
