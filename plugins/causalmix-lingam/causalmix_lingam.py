"""DirectLiNGAM as a discoverer: directions from noise that is not Gaussian."""

import time
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.sparse.csgraph import connected_components

from autogluon_causalmix.plugin import (
    Constraints,
    EdgeBeliefs,
    Register,
    Resources,
    Table,
    hookimpl,
)

Matrix = npt.NDArray[np.float64]

FEWEST_ROWS = 20
"""As the built-in discoverers: a bootstrap of fewer rows tells nothing."""

REDUNDANT = 1e-6
"""Standard deviation, of a column scaled to 1, below which others determine it."""


@dataclass(frozen=True)
class DirectLiNGAM:
    """Linear models with noise that is not Gaussian (Shimizu et al., JMLR 2011).

    ``x_i = Σ_j b_ij x_j + e_i`` over an acyclic graph, the ``e_i`` independent and at most one of
    them Gaussian. Then the data alone tell all directions: the first column of the causal order is
    independent of what regression on it leaves of the others. The adaptive lasso, with its penalty
    chosen by BIC, removes edges. It is done anew on bootstraps of the rows, each of which gives one
    graph.

    Knowledge orders the columns: one that may cause another, and not the reverse, stands before it.
    Forbidden edges are no candidates, and required ones are in every graph.

    Categories are numbers here, their codes, which is no linear model: the notes name those with
    more than two levels and no order. A missing cell is the mean of its column, noted as well.

    Parameters
    ----------
    bootstraps : int
        How many times the rows are resampled.
    """

    bootstraps: Annotated[int, Field(ge=1, le=1000)] = 10

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        """Return one graph for each bootstrap; without enough rows, the required edges alone."""
        started = time.monotonic()
        values, notes = _numbers(table)
        graphs: list[Matrix] = []
        if len(table) < max(FEWEST_ROWS, 2 * values.shape[1]):
            graphs.append(constraints.required.astype("float64"))
            notes.append(f"{len(table)} rows are too few for LiNGAM: no edges but required ones")
        else:
            for seed in rng.integers(2**63, size=self.bootstraps).tolist():
                if graphs and resources.remaining() < (time.monotonic() - started) / len(graphs):
                    done = f"{len(graphs)} of {self.bootstraps} bootstraps"
                    notes.append(f"time is nearly up: LiNGAM was run on {done}")
                    break
                rows = np.random.default_rng(seed).integers(len(values), size=len(values))
                graphs.append(_graph(values[rows], constraints))
        nodes = tuple(column.name for column in table.columns)
        seconds = time.monotonic() - started
        return EdgeBeliefs(nodes, np.array(graphs), constraints, seconds, tuple(notes))


def _numbers(table: Table) -> tuple[Matrix, list[str]]:
    """Return the table as numbers without gaps, shape (rows, columns), and notes on them."""
    values, notes = table.encode(), []
    for position, column in enumerate(table.columns):
        gaps = np.isnan(values[:, position])
        if gaps.any():
            values[gaps, position] = 0.0 if gaps.all() else values[~gaps, position].mean()
            notes.append(f"LiNGAM takes the mean of column {column.name!r} for its missing cells")
        if column.levels is not None and len(column.levels) > 2 and not column.is_ordered:
            notes.append(f"LiNGAM takes the codes of the categories of {column.name!r} for numbers")
    redundant = np.setdiff1d(np.arange(values.shape[1]), _informative(values))
    notes += [
        f"column {table.columns[position].name!r} is constant or a linear function of columns "
        "before it: LiNGAM finds no edges of it"
        for position in redundant
    ]
    return values, notes


def _graph(values: Matrix, constraints: Constraints) -> Matrix:
    """Return the graph of some rows, shape (columns, columns): 1 where i → j, else 0."""
    from lingam import DirectLiNGAM as Model  # type: ignore[import-untyped]

    kept = _informative(values)
    block = np.ix_(kept, kept)
    graph = np.zeros((values.shape[1], values.shape[1]))
    if len(kept) > 1:
        model = Model(prior_knowledge=_paths(constraints)[block])
        model.fit(_scaled(values[:, kept]))
        graph[block] = (model.adjacency_matrix_ != 0).T  # the library's rows are effects
    graph[~constraints.allowed | constraints.required.T] = 0.0
    graph[constraints.required] = 1.0
    return graph


def _paths(constraints: Constraints) -> npt.NDArray[np.int64]:
    """Return the knowledge as the library takes it, [effect, cause]: 1 must, 0 cannot, −1 may be.

    One column stands before another where an edge is allowed in this direction alone, unless such
    edges form a cycle; of a cycle, only required edges count.
    """
    one_way = constraints.allowed & ~constraints.allowed.T
    cycle = connected_components(one_way, directed=True, connection="strong")[1]
    paths = np.where(constraints.allowed | (cycle[:, None] == cycle), -1, 0)
    paths[constraints.required] = 1
    return paths.T


def _informative(values: Matrix) -> npt.NDArray[np.int64]:
    """Return the columns that vary and are no linear function of those before them."""
    kept: list[int] = []
    basis = np.empty((len(values), 0))
    for position, column in enumerate(_scaled(values).T):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)  # once more, for what rounding left
        length = float(np.linalg.norm(rest))
        if length > REDUNDANT * np.sqrt(len(values)):
            kept.append(position)
            basis = np.column_stack([basis, rest / length])
    return np.array(kept, dtype="int64")


def _scaled(values: Matrix) -> Matrix:
    """Return columns with mean 0 and standard deviation 1, constant ones 0."""
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    constant = spread <= 1e-12 * np.abs(values).max(axis=0)
    return np.asarray(np.where(constant, 0.0, centred / np.where(constant, 1.0, spread)))


@hookimpl
def causalmix_register_discoverers(register: Register) -> None:
    """Register LiNGAM under its name."""
    register("lingam", DirectLiNGAM)
