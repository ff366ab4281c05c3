"""BOSS beside causal-learn's, and how long its first search takes.

::

    python -m benchmarks.boss_search beside --columns 10 20 40 --limit 480
    python -m benchmarks.boss_search first

beside  processor seconds of the search for an order, ours and causal-learn's with the same score,
        the same first order and the same turns, on tables of 500 rows whose columns are half
        categories; beside the time, the score of the graph
first   seconds of the first search of a process and of the second, with nothing compiled before and
        with what an earlier process has compiled
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import warnings
from functools import partial

import numpy as np

from autogluon_causalmix.arrays import Adjacency
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.causal_learn import data_for, marks_of, search_module
from autogluon_causalmix.discovery.score.backward_search import member_of
from autogluon_causalmix.discovery.score.best_order import BestOrder
from autogluon_causalmix.discovery.score.degenerate_gaussian import DegenerateGaussianBIC
from autogluon_causalmix.discovery.score.protocol import total_score
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.resources import cut_off
from benchmarks.causal_stage import measured, random_columns


def main() -> None:
    """Read the command line and run one benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["beside", "first"])
    parser.add_argument("--columns", type=int, nargs="+", default=[10, 20, 40])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=480.0, help="seconds for causal-learn's")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    {"beside": time_beside, "first": time_first}[arguments.what](arguments)


def score_of_table(columns: int) -> DegenerateGaussianBIC:
    """Return the score on a table, with nothing computed yet."""
    return DegenerateGaussianBIC(Blocks.of(*random_columns(columns, 500, 0, True)).correlations())


def ours(columns: int) -> Adjacency:
    """Return our graph."""
    allowed = ~np.eye(columns, dtype=bool)
    return BestOrder(score_of_table(columns), allowed).search(
        list(range(columns)), random.Random(int(np.random.default_rng(0).integers(2**63)))
    )


def theirs(columns: int) -> Adjacency:
    """Return a graph of the class that causal-learn's BOSS finds with our score."""
    score = score_of_table(columns)
    module = search_module("PermutationBased.BOSS", score, np.random.default_rng(0))
    return member_of(marks_of(module.boss(data_for(score), verbose=False)))


def time_beside(arguments: argparse.Namespace) -> None:
    """Print processor seconds of both searches in turn, and the scores of their graphs."""
    measured(ours, 5)
    for columns in arguments.columns:
        mine, stock = [], []
        for _ in range(arguments.runs):
            mine.append(measured(ours, columns))
            try:
                cut = partial(cut_off, arguments.limit, "causal-learn", partial(theirs, columns))
                stock.append(measured(cut))
            except OutOfTime as error:
                print(error)
                break
        fast = float(np.median([seconds for _, seconds, _ in mine]))
        line = f"{columns} columns: ours {fast:.4f} s, score {score_with(columns, mine[0][2]):.2f}"
        if stock:
            slow = float(np.median([seconds for _, seconds, _ in stock]))
            reached = score_with(columns, stock[0][2])
            line += f"; causal-learn {slow:.2f} s, score {reached:.2f}: {slow / fast:.0f} times"
        print(line, flush=True)


def score_with(columns: int, dag: Adjacency) -> float:
    """Return the score of a graph."""
    return total_score(score_of_table(columns), dag)


FIRST = """
import time
from benchmarks.boss_search import ours
for _ in range(2):
    started = time.perf_counter(), time.process_time()
    ours(10)
    print(*(round(f() - t, 2) for f, t in zip((time.perf_counter, time.process_time), started)))
"""


def time_first(arguments: argparse.Namespace) -> None:
    """Print wall and processor seconds of two searches in a row, in fresh processes."""
    for _ in range(arguments.runs):
        with tempfile.TemporaryDirectory() as folder:
            for state in ("nothing compiled before", "compiled by an earlier process"):
                done = subprocess.run(  # noqa: S603 - our own program
                    [sys.executable, "-c", FIRST],
                    env={**os.environ, "NUMBA_CACHE_DIR": folder},
                    capture_output=True,
                    text=True,
                    check=True,
                )
                first, second = done.stdout.splitlines()
                print(f"{state}: first {first} s, second {second} s (wall, processor)", flush=True)


if __name__ == "__main__":
    main()
