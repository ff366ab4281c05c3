"""`FittedSCM`: structural causal models of a table, and rows drawn from them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import networkx as nx
import numpy as np
from dowhy import gcm

from autogluon_causalmix.arrays import Mask, Matrix
from autogluon_causalmix.discovery.beliefs import causes_first
from autogluon_causalmix.scm.in_context import InContext, Teacher
from autogluon_causalmix.scm.missingness import MissingPattern
from autogluon_causalmix.scm.protocol import FittedMechanism
from autogluon_causalmix.table import Table

Key = tuple[int, tuple[int, ...]]
"""A node and its parents, by position: graphs that share them share the mechanism."""

MOST_PASSES = 30
"""To draw rows with the gaps and the targets of real ones: of 19 classes, all rows have theirs."""

UNTOUCHED: Mapping[int, float] = MappingProxyType({})
"""No intervention."""


@dataclass(frozen=True)
class FittedSCM:
    """Structural causal models of one table, one per graph.

    Attributes
    ----------
    table : Table
        The rows they were fitted to.
    dags : tuple of numpy.ndarray of bool
        Acyclic graphs over the columns, entry [i, j] for i → j.
    mechanisms : dict
        The fitted mechanism of every node and its parents.
    missing : MissingPattern
        Which cells of synthetic rows are missing.
    weights : numpy.ndarray
        Shape (graphs,): the share of rows from each graph.
    teacher : Teacher or None
        Labels the rows.
    """

    table: Table
    dags: tuple[Mask, ...]
    mechanisms: dict[Key, FittedMechanism]
    missing: MissingPattern
    weights: Matrix
    teacher: Teacher | None = None

    def causal_model(self, graph: int = 0) -> gcm.StructuralCausalModel:
        """Return one of the models as DoWhy's own, for its interventions and diagnostics.

        Its nodes are the positions of the columns, its values the encoding of `Table.encode`. Note
        that DoWhy draws from NumPy's global generator.
        """
        model = gcm.StructuralCausalModel(nx.DiGraph())
        model.graph.add_nodes_from(range(len(self.table.columns)))
        model.graph.add_edges_from((int(i), int(j)) for i, j in np.argwhere(self.dags[graph]))
        for node, parents in keys_of(self.dags[graph]):
            model.set_causal_mechanism(node, self.mechanisms[node, parents])
            model.graph.nodes[node]["parents_during_fit"] = list(parents)
        return model

    def sample(
        self, n_rows: int, rng: np.random.Generator, do: Mapping[int, float] = UNTOUCHED
    ) -> Table:
        """Draw rows by ancestral sampling, from each graph by its weight, in random order.

        For each graph, the functions that the data leave uncertain are drawn anew. The columns in
        `do`, by position, have these codes whatever their causes are (Pearl, 2009).
        """
        shares = np.diff(np.rint(n_rows * np.concatenate([[0.0], np.cumsum(self.weights)])))
        counted = zip(self.dags, shares.astype("int64").tolist(), strict=True)
        if do or self._is_in_context:
            parts = [self._as_drawn(dag, share, rng, do) for dag, share in counted]
        else:
            parts = [self._in_shares(dag, share, rng) for dag, share in counted]
        rows = self.table.decode(np.concatenate(parts)[rng.permutation(n_rows)])
        return rows if self.teacher is None else self.teacher.label(rows, rng)

    def class_shares(
        self, n_rows: int, rng: np.random.Generator, do: Mapping[int, float] = UNTOUCHED
    ) -> Matrix:
        """Return the share of each class as the mechanisms give it, (graphs, classes)."""
        place, classes = self.table.target_position, np.unique(self.table.targets)
        drawn = [self._as_drawn(dag, n_rows, rng, do)[:, [place]] for dag in self.dags]
        return np.stack([(labels == classes).mean(axis=0) for labels in drawn])

    def conditions_by_setting(self, nodes: Collection[int]) -> bool:
        """Return whether to condition on these columns is to set them, as nothing causes them.

        Where rows take their gaps from real rows, or labels from a teacher, it is not.
        """
        alone = not any(dag[:, list(nodes)].any() for dag in self.dags)
        return alone and not self.missing.has_gaps and self.teacher is None

    @property
    def _is_in_context(self) -> bool:
        """Whether a foundation model draws, and nothing is missing: it is slow, and calibrated."""
        used = any(isinstance(mechanism, InContext) for mechanism in self.mechanisms.values())
        return used and not self.missing.has_gaps

    def _as_drawn(
        self, dag: Mask, n_rows: int, rng: np.random.Generator, do: Mapping[int, float] = UNTOUCHED
    ) -> Matrix:
        """Return rows of one graph, each with the gaps of a real row."""
        gaps, functions = self.missing.masks[self.missing.donors(n_rows, rng)], _seed(rng)
        return self._ancestral(keys_of(dag), _empty(gaps), gaps, rng, functions, do=do)

    def _in_shares(self, dag: Mask, n_rows: int, rng: np.random.Generator) -> Matrix:
        """Return rows of one graph, each with the gaps and the target of a real row.

        So classes keep their shares, and each misses what its rows miss. Where the target has
        causes, in which errors of graph and mechanisms add up, the target and all that leads to it
        are drawn again until rows have their targets. Each pass draws as many rows as are wanted,
        several for each that is left.
        """
        donors, functions = self.missing.donors(n_rows, rng), _seed(rng)
        gaps, targets = self.missing.masks[donors], self.missing.targets[donors]
        keys, place = keys_of(dag), self.table.target_position
        if not dag[:, place].any():
            return self._ancestral(keys, _empty(gaps), gaps, rng, functions, targets)
        upstream, downstream = _parted(keys, place)
        values, pending = _empty(gaps), np.arange(n_rows)
        for _ in range(MOST_PASSES):
            if not len(pending):
                break
            tried = np.repeat(pending, n_rows // len(pending))
            own = gaps[tried]
            drawn = self._ancestral(upstream, _empty(own), own, rng, functions)
            found = drawn[:, place] == targets[tried]
            values[tried] = drawn
            values[tried[found]] = drawn[found]
            pending = np.setdiff1d(pending, tried[found])
        return self._ancestral(downstream, values, gaps, rng, _seed(rng))

    def _ancestral(
        self,
        keys: Sequence[Key],
        values: Matrix,
        gaps: Mask,
        rng: np.random.Generator,
        functions: int,
        targets: Matrix | None = None,
        do: Mapping[int, float] = UNTOUCHED,
    ) -> Matrix:
        """Draw nodes into rows (rows, columns), causes first; effects see what is missing.

        `functions` seeds what the data leave uncertain of them. With `targets` (rows,), the target
        is given and not drawn, as are the columns in `do`.
        """
        if len(gaps) == 0:
            return values
        function_rng = np.random.default_rng(functions)
        for node, parents in keys:
            noise = rng.random((len(gaps), 1))
            mechanism = self.mechanisms[node, parents]
            values[:, node] = mechanism.draw(values[:, parents], noise, function_rng)
            values[gaps[:, node], node] = np.nan
            if targets is not None and node == self.table.target_position:
                values[:, node] = targets
            if node in do:
                values[:, node] = do[node]
        return values


def keys_of(dag: Mask) -> list[Key]:
    """Return every node with its parents, causes first."""
    return [(node, tuple(np.flatnonzero(dag[:, node]).tolist())) for node in causes_first(dag)]


def _parted(keys: Sequence[Key], node: int) -> tuple[list[Key], list[Key]]:
    """Return the node with all that leads to it, and all others; causes first in both."""
    upstream = {node}
    for effect, causes in reversed(keys):
        if effect in upstream:
            upstream.update(causes)
    leading = [key for key in keys if key[0] in upstream]
    return leading, [key for key in keys if key[0] not in upstream]


def _empty(gaps: Mask) -> Matrix:
    return np.full(gaps.shape, np.nan)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**63))
