"""`fit_scm` and `FittedSCM`: structural causal models of a table, fitted and sampled."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

import networkx as nx
import numpy as np
from dowhy import gcm

from autogluon_causalmix.arrays import Mask, Matrix
from autogluon_causalmix.discovery.beliefs import causes_first
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.scm.in_context import (
    MOST_PREDICTED_LEVELS,
    Conditioner,
    InContext,
    Teacher,
)
from autogluon_causalmix.scm.mechanisms import (
    AdditiveNoise,
    CalibratedClassifier,
    Constant,
    Mechanism,
)
from autogluon_causalmix.scm.missingness import MissingPattern
from autogluon_causalmix.scm.protocol import FittedMechanism
from autogluon_causalmix.scm.roots import Empirical, Smoothed
from autogluon_causalmix.scm.weighting import likelihood_weights, row_likelihoods
from autogluon_causalmix.table import Table

Key = tuple[int, tuple[int, ...]]
"""A node and its parents, by position: graphs that share them share the mechanism."""

DEFAULT_LEARNERS = ("linear", "pairwise", "smooth")
"""Without trees: on seven tables they won 5 % of the nodes, by .02 nats on average, in six times
the time."""


@dataclass(frozen=True)
class Settings:
    """How models are fitted and drawn from.

    Attributes
    ----------
    learners : tuple of str
        Candidates for every mechanism.
    smoothed_roots : bool
        Whether numeric roots also draw values between the observed ones.
    weighted : bool
        Whether the likelihood of held-out rows weighs the graphs; otherwise all weigh the same.
    conditioner : Conditioner or None
        The foundation model of every mechanism; None fits learners.
    teacher : Teacher or None
        The foundation model that labels the rows, in place of the mechanism of the label.
    """

    learners: tuple[str, ...] = DEFAULT_LEARNERS
    smoothed_roots: bool = False
    weighted: bool = False
    conditioner: Conditioner | None = None
    teacher: Teacher | None = None


MOST_TRIES = 30
"""To draw a row with the gaps and the target of a real one: of 19 classes, few rows need more."""

DEFAULTS = Settings()
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
        for node, parents in _keys(self.dags[graph]):
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
        parts = [
            self._rows(dag, int(share), rng, do)
            for dag, share in zip(self.dags, shares, strict=True)
        ]
        rows = self.table.decode(np.concatenate(parts)[rng.permutation(n_rows)])
        return rows if self.teacher is None else self.teacher.label(rows, rng)

    def class_shares(
        self, n_rows: int, rng: np.random.Generator, do: Mapping[int, float] = UNTOUCHED
    ) -> Matrix:
        """Return the share of each class in `n_rows` rows of each graph, (graphs, classes)."""
        place, classes = self.table.target_position, np.unique(self.table.targets)
        drawn = [self._rows(dag, n_rows, rng, do)[:, [place]] for dag in self.dags]
        return np.stack([(labels == classes).mean(axis=0) for labels in drawn])

    def conditions_by_setting(self, nodes: Collection[int]) -> bool:
        """Return whether to condition on these columns is to set them, as nothing causes them.

        Where rows take their gaps from real rows, or labels from a teacher, it is not.
        """
        alone = not any(dag[:, list(nodes)].any() for dag in self.dags)
        return alone and not self.missing.has_gaps and self.teacher is None

    def _rows(
        self, dag: Mask, n_rows: int, rng: np.random.Generator, do: Mapping[int, float]
    ) -> Matrix:
        """Return rows of one graph; where real rows have gaps, each has those of a real row.

        It has the target of that row, too, so that a class keeps its share and misses what its rows
        miss: where the target has causes, it is drawn again until it has, `MOST_TRIES` times at
        most. Under an intervention the share of a class may change, and rows keep their targets.
        """
        if not self.missing.has_gaps:
            gaps = np.zeros((n_rows, len(dag)), dtype=bool)
            return self._ancestral(dag, gaps, rng, rng, do=do)
        donors, functions = self.missing.donors(n_rows, rng), int(rng.integers(2**63))
        gaps, targets = self.missing.masks[donors], self.missing.targets[donors]
        place = self.table.target_position
        if do:
            return self._ancestral(dag, gaps, rng, np.random.default_rng(functions), do=do)
        if not dag[:, place].any():
            return self._ancestral(dag, gaps, rng, np.random.default_rng(functions), targets)
        values, pending = np.full(gaps.shape, np.nan), np.arange(n_rows)
        for _ in range(MOST_TRIES):
            drawn = self._ancestral(dag, gaps[pending], rng, np.random.default_rng(functions))
            values[pending] = drawn
            pending = pending[drawn[:, place] != targets[pending]]
        return values

    def _ancestral(
        self,
        dag: Mask,
        gaps: Mask,
        rng: np.random.Generator,
        function_rng: np.random.Generator,
        targets: Matrix | None = None,
        do: Mapping[int, float] = UNTOUCHED,
    ) -> Matrix:
        """Return rows (rows, columns) of one graph, causes first; effects see what is missing.

        With `targets` (rows,), the target is given and not drawn, as are the columns in `do`.
        """
        values = np.full(gaps.shape, np.nan)
        if len(gaps) == 0:
            return values
        for node, parents in _keys(dag):
            noise = rng.random((len(gaps), 1))
            mechanism = self.mechanisms[node, parents]
            values[:, node] = mechanism.draw(values[:, parents], noise, function_rng)
            values[gaps[:, node], node] = np.nan
            if targets is not None and node == self.table.target_position:
                values[:, node] = targets
            if node in do:
                values[:, node] = do[node]
        return values


def fit_scm(
    table: Table,
    dags: Sequence[Mask],
    rng: np.random.Generator,
    resources: Resources,
    settings: Settings = DEFAULTS,
    known: Mapping[Key, FittedMechanism] | None = None,
) -> FittedSCM:
    """Fit the mechanism of every node in every graph.

    Parameters
    ----------
    table : Table
        The real rows.
    dags : sequence of numpy.ndarray of bool
        Acyclic graphs, shape (columns, columns) each.
    rng : numpy.random.Generator
        Seeds each mechanism by its node and parents: threads and other graphs do not change it.
    resources : Resources
        `num_cpus` threads; the fit stops between two mechanisms when time is up.
    settings : Settings
        Candidates for the mechanisms, weights of the graphs, and who labels the rows.
    known : mapping, optional
        Mechanisms that were already fitted to this table with these settings.

    Raises
    ------
    OutOfTime
        Some mechanism could not be fitted in time.
    ConfigError
        Graphs are to be weighted, and a mechanism has no held-out likelihoods.
    """
    values = table.encode()
    known = known or {}
    wanted = list(dict.fromkeys(key for dag in dags for key in _keys(dag)))
    keys = [key for key in wanted if key not in known]
    base = int(rng.integers(2**31))

    def fit(key: Key) -> FittedMechanism:
        if resources.remaining() <= 0:
            raise OutOfTime(f"fitting the mechanisms took longer than {resources.seconds:.1f} s")
        return _mechanism(table, values, key, settings, base)

    with ThreadPoolExecutor(max(resources.num_cpus, 1)) as pool:
        fitted = dict(zip(keys, pool.map(fit, keys), strict=True))
    mechanisms = {key: known[key] if key in known else fitted[key] for key in wanted}
    weights = np.full(len(dags), 1.0 / len(dags))
    if settings.weighted:
        weights = _weights(values, dags, mechanisms, rng)
    missing = MissingPattern(np.isnan(values), values[:, table.target_position])
    return FittedSCM(table, tuple(dags), mechanisms, missing, weights, settings.teacher)


def _weights(
    values: Matrix,
    dags: Sequence[Mask],
    mechanisms: Mapping[Key, FittedMechanism],
    rng: np.random.Generator,
) -> Matrix:
    """Return the weight of each graph, by the likelihood of held-out rows."""
    of_key = {
        key: row_likelihoods(~np.isnan(values[:, key[0]]), mechanism)
        for key, mechanism in mechanisms.items()
    }
    return likelihood_weights(
        [np.sum([of_key[key] for key in _keys(dag)], axis=0) for dag in dags], rng
    )


def _mechanism(
    table: Table, values: Matrix, key: Key, settings: Settings, base: int
) -> FittedMechanism:
    """Return the fitted mechanism of a node given its parents."""
    node, parents = key
    column, is_category = values[:, node], table.columns[node].is_categorical
    n_levels = np.unique(column[~np.isnan(column)]).size
    if not parents:
        # Where values repeat, numbers between them are not values of the column.
        between = settings.smoothed_roots and not is_category and n_levels > 0.5 * len(column)
        root = Smoothed() if between else Empirical(is_category)
        root.fit(column)
        return root
    categorical = tuple(table.columns[parent].is_categorical for parent in parents)
    seed = int(np.random.SeedSequence([base, node, *parents]).generate_state(1)[0])
    mechanism: Mechanism
    if n_levels < 2:
        mechanism = Constant()
    elif settings.conditioner and not (is_category and n_levels > MOST_PREDICTED_LEVELS):
        mechanism = InContext(categorical, settings.conditioner, is_category)
    else:
        kind = CalibratedClassifier if is_category else AdditiveNoise
        mechanism = kind(categorical, settings.learners, seed)
    mechanism.fit(values[:, parents], column[:, None])
    return mechanism


def _keys(dag: Mask) -> list[Key]:
    """Return every node with its parents, causes first."""
    return [(node, tuple(np.flatnonzero(dag[:, node]).tolist())) for node in causes_first(dag)]
