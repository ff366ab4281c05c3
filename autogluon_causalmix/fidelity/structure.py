"""Metrics of structure: causal graphs and independences of real and of synthetic rows."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from autogluon_causalmix.arrays import Indices, Marks, Mask
from autogluon_causalmix.discovery.blocks import Blocks
from autogluon_causalmix.discovery.independence.mixed import MixedTest
from autogluon_causalmix.discovery.score.boss import BOSS
from autogluon_causalmix.discovery.score.search import score_of
from autogluon_causalmix.errors import NotApplicable
from autogluon_causalmix.fidelity.protocol import Better, Samples
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

SIGNIFICANCE = 0.05
"""Of all tests of one table together (Holm, 1979)."""


@dataclass(frozen=True)
class StructuralHamming:
    """Share of pairs of columns whose edge differs between the graphs found on both tables.

    The structural Hamming distance of the two equivalence classes, over the number of pairs. An
    edge also differs if its direction is another, or is not settled in one of the two.
    """

    family: ClassVar[str] = "structure"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = (
        "Tsamardinos, Brown & Aliferis, 2006; graphs by BOSS (Andrews et al., 2023)"
    )

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the share of pairs that differ."""
        return hamming_share(*_graphs(rows, rng))


@dataclass(frozen=True)
class EdgeF1:
    """F1 of the edges found on synthetic rows against those on unseen real rows, directions apart.

    1 where neither table has an edge.
    """

    family: ClassVar[str] = "structure"
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = "Graphs by BOSS (Andrews et al., 2023)"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the F1 of the skeletons."""
        return skeleton_f1(*_graphs(rows, rng))


@dataclass(frozen=True)
class IndependencePreservation:
    """Share of tests X ⟂ Y | Z that come out alike on both tables, for the same triples.

    Parameters
    ----------
    triples : int
        Most triples of columns; drawn at random where there are more.
    """

    family: ClassVar[str] = "structure"
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = "Tests by χ² and degenerate Gaussians; levels after Holm, 1979"

    triples: Annotated[int, Field(ge=1)] = 500

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the share; a test that has too few rows finds no dependence."""
        if len(rows.holdout.columns) < 3:
            raise NotApplicable("there are fewer than three columns")
        chosen = _triples(len(rows.holdout.columns), self.triples, rng)
        wanted, drawn = (_dependent(table, chosen) for table in (rows.holdout, rows.synthetic))
        return float((wanted == drawn).mean())


def hamming_share(wanted: Marks, drawn: Marks) -> float:
    """Return the share of pairs whose marks differ, in matrices of shape (columns, columns).

    Examples
    --------
    >>> chain = np.array([[0, -1, 0], [1, 0, -1], [0, 1, 0]])
    >>> hamming_share(chain, np.where(np.eye(3)[0] + np.eye(3)[:, :1] > 0, 0, chain))
    0.3333333333333333
    """
    first, second = np.triu_indices(len(wanted), 1)
    same = (wanted == drawn)[first, second] & (wanted == drawn)[second, first]
    return float((~same).mean())


def skeleton_f1(wanted: Marks, drawn: Marks) -> float:
    """Return the F1 of the edges of one graph against those of another, whatever their marks.

    Examples
    --------
    >>> edge, none = np.array([[0, -1], [1, 0]]), np.zeros((2, 2), dtype="int64")
    >>> skeleton_f1(edge, edge.T), skeleton_f1(edge, none), skeleton_f1(none, none)
    (1.0, 0.0, 1.0)
    """
    pairs = np.triu_indices(len(wanted), 1)
    real, found = (wanted != 0)[pairs], (drawn != 0)[pairs]
    edges = int(real.sum() + found.sum())
    return 2 * int((real & found).sum()) / edges if edges else 1.0


def _graphs(rows: Samples, rng: np.random.Generator) -> tuple[Marks, Marks]:
    """Return the graph of the unseen real rows and that of the synthetic ones, from one order."""
    seed = int(rng.integers(2**31))
    wanted, drawn = (_graph(table, seed) for table in (rows.holdout, rows.synthetic))
    return wanted, drawn


def _graph(table: Table, seed: int) -> Marks:
    """Return the equivalence class that BOSS finds, on the rows as they are."""
    score = score_of(_blocks(table), np.ones(len(table)), 1.0)
    allowed = ~np.eye(len(table.columns), dtype=bool)
    return BOSS().cpdag(score, allowed, np.random.default_rng(seed))


def _blocks(table: Table) -> Blocks:
    categorical = [i for i, column in enumerate(table.columns) if column.is_categorical]
    return Blocks.of(table.encode(), categorical)


def _triples(n_columns: int, most: int, rng: np.random.Generator) -> Indices:
    """Return triples x, y, z with x < y, shape (triples, 3)."""
    first, second = np.triu_indices(n_columns, 1)
    others, size = n_columns - 2, len(first) * (n_columns - 2)
    chosen = np.arange(size) if size <= most else rng.choice(size, most, replace=False)
    x, y, z = first[chosen // others], second[chosen // others], chosen % others
    z += z >= x
    z += z >= y
    return np.column_stack([x, y, z])


def _dependent(table: Table, triples: Indices) -> Mask:
    """Return which triples are found dependent, shape (triples,), by Holm's procedure."""
    test = MixedTest.on(_blocks(table), np.ones(len(table)))
    x, y, given = triples[:, 0], triples[:, 1], triples[:, 2:]
    p = np.nan_to_num(test.p_values(x, y, given), nan=1.0)
    order = np.argsort(p, kind="stable")
    passed = p[order] <= SIGNIFICANCE / np.arange(len(p), 0, -1)
    dependent = np.zeros(len(p), dtype=bool)
    dependent[order] = np.minimum.accumulate(passed)
    return dependent


@hookimpl
def causalmix_register_metrics(register: Register) -> None:
    """Register the built-in metrics of structure."""
    register("shd", StructuralHamming)
    register("edge-f1", EdgeF1)
    register("independence", IndependencePreservation)
