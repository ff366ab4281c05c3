"""Graphs beside those of other libraries: seconds, score, and F1 against the true graph.

::

    python -m benchmarks.causal_peers --networks DIR --rows 500 2000
    python -m benchmarks.causal_peers --columns 20 50 100 200

Each peer gets the same rows of networks with a known graph (``DIR`` as in
`benchmarks.causal_graphs`), and of sparse linear models, half of whose columns are cut into levels.
It finds one graph from all rows with its own defaults. The score is ours, of a graph of the class
that it found, nan where its marks are those of none. Peers that are not installed are left out:

causal-learn  BOSS and GES with their own BIC of codes, PC with χ² or Fisher-Z
pgmpy         hill climbing with the BIC of categories, or that of mixed columns
lingam        DirectLiNGAM on codes
gcastle       NOTEARS on codes
tetrad        BOSS with the degenerate-Gaussian BIC, in Java. ``--tetrad`` takes a class path with
              Tetrad 7.6 and what it needs. Its time is the least of six runs in one process.

For each peer a line has the median of its seconds of the processor, and as means over samples F1 of
adjacencies and of directions, and its score minus that of our graph.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, product
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from sklearn.preprocessing import scale

from autogluon_causalmix.arrays import Adjacency, Marks, Matrix
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.causal_learn import directed, marks_of
from autogluon_causalmix.discovery.score.backward_search import member_of
from autogluon_causalmix.discovery.score.protocol import Score, total_score
from autogluon_causalmix.discovery.score.search import score_of
from autogluon_causalmix.resources import cut_off
from benchmarks.causal_graphs import NETWORKS, f1, our_best_order, samples_of, their_cpdag
from benchmarks.causal_stage import measured, random_columns, sparse_weights

Found = tuple[float, Marks]
"""Seconds, and marks as causal-learn has them."""

Peer = Callable[[Matrix, Sequence[int]], Found]
"""Takes rows (rows, columns), and which columns hold codes."""

JAVA_RUNS = 6
"""In one process: the first ones also load and compile."""

LEAST_WEIGHT = 0.1
"""Of an edge of DirectLiNGAM and NOTEARS, whose weights are seldom 0, on standardised columns."""


@dataclass(frozen=True)
class Sample:
    """Rows of a table, the columns that hold codes, and the true graph."""

    table: str
    values: Matrix
    codes: Sequence[int]
    true: Adjacency


def main() -> None:
    """Read the command line and print a line for each table and peer."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", type=Path, help="folder of networks with a known graph")
    parser.add_argument("--rows", type=int, nargs="+", default=[500], help="of networks")
    parser.add_argument("--columns", type=int, nargs="+", default=[], help="of simulated tables")
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for each graph")
    parser.add_argument("--peers", nargs="+", help="names; all where none is given")
    parser.add_argument("--tetrad", help="class path of Tetrad")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    peers = dict(PEERS)
    if arguments.tetrad is not None:
        peers["tetrad boss"] = partial(tetrad_boss, arguments.tetrad)
    peers = {name: peers[name] for name in arguments.peers or peers}
    small = random_columns(6, 100, 0, categorical=True)
    for name, peer in list(peers.items()):  # what is imported and compiled is not timed
        try:
            peer(*small)
        except ImportError as error:
            print(f"{name} is left out: {error}")
            del peers[name]
    for samples in chain(networks(arguments), simulated(arguments)):
        compare(samples, peers, arguments.limit)


def networks(arguments: argparse.Namespace) -> Iterator[list[Sample]]:
    """Yield samples of rows of the networks."""
    for rows, name in product(arguments.rows, NETWORKS if arguments.networks else ()):
        samples, true = samples_of(arguments.networks, name, rows, arguments.samples)
        yield [Sample(f"{name}, {rows} rows", values, range(len(true)), true) for values in samples]


def simulated(arguments: argparse.Namespace) -> Iterator[list[Sample]]:
    """Yield tables of sparse linear models."""
    for columns in arguments.columns:
        yield [
            Sample(
                f"{columns} mixed columns, 1,000 rows",
                *random_columns(columns, 1000, seed, categorical=True),
                sparse_weights(columns, np.random.default_rng(seed)) > 0,
            )
            for seed in range(arguments.samples)
        ]


def compare(samples: Sequence[Sample], peers: Mapping[str, Peer], limit: float) -> None:
    """Print a line for each peer, all on the same samples."""
    scores = [
        score_of(Blocks.of(sample.values, sample.codes), np.ones(len(sample.values)), penalty=1.0)
        for sample in samples
    ]
    reached = [
        class_score(score, our_best_order(sample.values, sample.codes))
        for sample, score in zip(samples, scores, strict=True)
    ]
    for name, peer in peers.items():
        try:
            found = [
                cut_off(limit, name, partial(peer, sample.values, sample.codes))
                for sample in samples
            ]
        except Exception as error:  # noqa: BLE001 - a border: peers may raise anything
            said = f"{type(error).__name__}: {' '.join(str(error).split())[:90]}"
            print(f"{samples[0].table}, {name}: {said}", flush=True)
            continue
        graphs = [marks for _, marks in found]
        skeleton, directions = np.mean(
            [f1(marks, sample.true) for marks, sample in zip(graphs, samples, strict=True)], axis=0
        )
        gaps = [
            class_score(score, marks) - best
            for score, marks, best in zip(scores, graphs, reached, strict=True)
        ]
        print(
            f"{samples[0].table}, {name}: {np.median([took for took, _ in found]):.3f} s, "
            f"F1 {skeleton:.2f}, {directions:.2f}, score {np.mean(gaps):+.1f}",
            flush=True,
        )


def class_score(score: Score, marks: Marks) -> float:
    """Return the score of a graph of a class, NaN where the marks are those of no class."""
    try:
        dag = member_of(marks)
    except ValueError:  # of PC, as it may contradict itself
        return float("nan")
    is_class = (
        nx.is_directed_acyclic_graph(nx.DiGraph(dag)) and ((dag | dag.T) == (marks != 0)).all()
    )
    return total_score(score, dag) if is_class else float("nan")


def timed(step: Callable[[Matrix, Sequence[int]], Marks]) -> Peer:
    """Return a peer that is measured by the seconds of the processor, without its output."""

    def peer(values: Matrix, codes: Sequence[int]) -> Found:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            _, seconds, marks = measured(step, values, codes)
        return seconds, marks

    return peer


def causal_learn_boss(values: Matrix, _: Sequence[int]) -> Marks:
    """Return the marks of causal-learn's BOSS."""
    from causallearn.search.PermutationBased.BOSS import boss

    return marks_of(boss(values, "local_score_BIC_from_cov", verbose=False))


def causal_learn_ges(values: Matrix, _: Sequence[int]) -> Marks:
    """Return the marks of causal-learn's GES."""
    from causallearn.search.ScoreBased.GES import ges

    return marks_of(ges(values, "local_score_BIC_from_cov")["G"])


def pgmpy_hill_climb(values: Matrix, codes: Sequence[int]) -> Marks:
    """Return the marks of the graph that pgmpy climbs to."""
    from pgmpy.causal_discovery import HillClimbSearch

    frame = pd.DataFrame(values).add_prefix("x")
    for code in codes:
        frame[f"x{code}"] = pd.Categorical(frame[f"x{code}"].astype("int64").astype(str))
    score = "bic-d" if len(codes) == values.shape[1] else "bic-cg"
    found = HillClimbSearch(score, return_type="dag", show_progress=False).fit(frame)
    parents = found.adjacency_matrix_.loc[frame.columns, frame.columns].to_numpy() != 0
    return marks_of(directed(parents))


def lingam_direct(values: Matrix, _: Sequence[int]) -> Marks:
    """Return the marks of DirectLiNGAM's graph."""
    from lingam import DirectLiNGAM  # type: ignore[import-not-found]

    found = DirectLiNGAM(random_state=0).fit(scale(values))
    return marks_of(directed(np.abs(found.adjacency_matrix_.T) >= LEAST_WEIGHT))


def gcastle_notears(values: Matrix, _: Sequence[int]) -> Marks:
    """Return the marks of the graph of NOTEARS."""
    from castle.algorithms import Notears

    found = Notears(w_threshold=LEAST_WEIGHT)
    found.learn(scale(values))
    return marks_of(directed(np.asarray(found.causal_matrix) != 0))


def tetrad_boss(class_path: str, values: Matrix, codes: Sequence[int]) -> Found:
    """Return the marks of Tetrad's BOSS with the degenerate-Gaussian score."""
    levels = [int(values[:, i].max()) + 1 if i in set(codes) else 0 for i in range(values.shape[1])]
    program = Path(__file__).parent / "tetrad" / "Search.java"
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        pd.DataFrame(values, columns=levels).to_csv(file.name, index=False)
        java = ["java", "--enable-preview", "--source", "17", "-cp", class_path]
        done = subprocess.run(  # noqa: S603 - our own program
            [*java, str(program), file.name, str(JAVA_RUNS)],
            capture_output=True,
            text=True,
            check=True,
        )
    lines, marks = done.stdout.splitlines(), np.zeros((len(levels), len(levels)), dtype=np.int64)
    for cause, effect, is_directed in (line.split() for line in lines[JAVA_RUNS:]):
        marks[int(cause), int(effect)] = -1
        marks[int(effect), int(cause)] = 1 if is_directed == "true" else -1
    return min(float(line) for line in lines[:JAVA_RUNS]), marks


PEERS: dict[str, Peer] = {
    "ours": timed(our_best_order),
    "causal-learn boss": timed(causal_learn_boss),
    "causal-learn ges": timed(causal_learn_ges),
    "causal-learn pc": timed(their_cpdag),
    "pgmpy hill climb": timed(pgmpy_hill_climb),
    "lingam direct": timed(lingam_direct),
    "gcastle notears": timed(gcastle_notears),
}


if __name__ == "__main__":
    main()
