"""`fit_directed`: models of graphs whose edges are turned to where held-out rows are likelier.

A score of lines and Gaussian noise does not tell graphs of one equivalence class apart, and each
graph is found on a bootstrap, which is worth half of the rows. Mechanisms that bend, or noise that
is not Gaussian, make rows likelier in the true direction (Hoyer et al., 2009; Shimizu et al.,
2006), and all rows judge.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import networkx as nx
import numpy as np

from autogluon_causalmix.arrays import Mask, Matrix
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.scm.fitted import FittedSCM, Key
from autogluon_causalmix.scm.fitting import Settings, fit_mechanism, fit_scm
from autogluon_causalmix.scm.protocol import FittedMechanism
from autogluon_causalmix.table import Table

Likelihoods = Callable[[int, Sequence[int]], Matrix]
"""Of a node and its parents: the held-out log-likelihood of each row, shape (rows,)."""

Edge = tuple[int, int]

CLEARLY = 2.0
"""Standard errors by which held-out rows have to be likelier, for an edge to be reversed."""

MOST_JUDGES = 2000
"""Rows that judge: 400 get fewer directions right than all, and each fit's time grows with them."""


def fit_directed(
    table: Table,
    beliefs: EdgeBeliefs,
    dags: Sequence[Mask],
    rng: np.random.Generator,
    resources: Resources,
    settings: Settings,
    known: Mapping[Key, FittedMechanism],
) -> tuple[FittedSCM, EdgeBeliefs, tuple[str, ...]]:
    """Turn the edges of graphs, and fit models to them.

    Parameters
    ----------
    table, dags, rng, resources, settings, known
        As for `autogluon_causalmix.scm.fitting.fit_scm`.
    beliefs : EdgeBeliefs
        What the graphs were drawn from.

    Returns
    -------
    model : FittedSCM
        Models of the turned graphs.
    beliefs : EdgeBeliefs
        The same edges, each as often in a direction as in the turned graphs.
    notes : tuple of str
        What was not turned for want of time.

    Raises
    ------
    OutOfTime
        Some mechanism could not be fitted in time.
    """
    chosen = rng.permutation(len(table))[:MOST_JUDGES]
    judges, base = table.take(np.sort(chosen)), int(rng.integers(2**31))
    values, seconds = judges.encode(), resources.share(0.5)
    rows: dict[Key, Matrix] = {}

    def likelihoods(node: int, parents: Sequence[int]) -> Matrix:
        key = node, tuple(sorted(parents))
        if key not in rows:
            if seconds.remaining() <= 0:
                raise OutOfTime("judging directions was cut off")
            mechanism = fit_mechanism(judges, values, key, settings, base)
            rows[key] = np.zeros(len(values))
            rows[key][~np.isnan(values[:, node])] = mechanism.likelihoods()
        return rows[key]

    turned, notes = list(dags), []
    try:
        for place, dag in enumerate(dags):
            turned[place] = directed(dag, beliefs.constraints, likelihoods)
    except OutOfTime as error:
        notes.append(f"{error}: {len(dags) - place} of {len(dags)} graphs are as they were found")
    model = fit_scm(table, turned, rng, resources, settings, known)
    return model, settled(beliefs, turned), tuple(notes)


def directed(dag: Mask, constraints: Constraints, likelihoods: Likelihoods) -> Mask:
    """Reverse edges as long as held-out rows become clearly likelier, the surest one first.

    Parameters
    ----------
    dag : numpy.ndarray of bool
        Acyclic, shape (nodes, nodes), entry [i, j] for i → j.
    constraints : Constraints
        Edges that are forbidden do not come.
    likelihoods : callable
        Of a node and its parents.

    Returns
    -------
    numpy.ndarray of bool
        An acyclic graph with the same pairs of neighbours.
    """
    dag = dag.copy()
    while True:
        gains = {edge: _gain(dag, edge, likelihoods) for edge in _reversible(dag, constraints)}
        surest = max(gains, key=gains.__getitem__, default=None)
        if surest is None or gains[surest] <= CLEARLY:
            return dag
        dag[surest], dag[surest[::-1]] = False, True


def _reversible(dag: Mask, constraints: Constraints) -> Iterator[Edge]:
    """Yield the edges whose reverse is allowed and closes no cycle."""
    graph = nx.from_numpy_array(dag, create_using=nx.DiGraph)
    for cause, effect in np.argwhere(dag & constraints.allowed.T).tolist():
        graph.remove_edge(cause, effect)
        if not nx.has_path(graph, cause, effect):
            yield cause, effect
        graph.add_edge(cause, effect)


def _gain(dag: Mask, edge: Edge, likelihoods: Likelihoods) -> float:
    """Return by how many standard errors rows are likelier with an edge reversed."""
    cause, effect = edge
    causes, others = ({*np.flatnonzero(dag[:, node]).tolist()} for node in edge)
    before = likelihoods(cause, [*causes]) + likelihoods(effect, [*others])
    after = likelihoods(cause, [*causes, effect]) + likelihoods(effect, [*(others - {cause})])
    gains = after - before
    error = float(gains.std()) * np.sqrt(len(gains))
    return float(gains.sum()) / error if error > 0 else 0.0


def settled(beliefs: EdgeBeliefs, dags: Sequence[Mask]) -> EdgeBeliefs:
    """Return beliefs in the same edges, each as often in a direction as in these graphs.

    Examples
    --------
    >>> open_edge = EdgeBeliefs(("a", "b"), np.array([[[0, 0.5], [0.5, 0]]]), Constraints.none(2))
    >>> settled(open_edge, [np.array([[False, True], [False, False]])]).probability[0, 1]
    np.float64(1.0)
    """
    forward = np.sum(dags, axis=0, dtype="float64")
    either = forward + forward.T
    adjacent = beliefs.graphs + beliefs.graphs.transpose(0, 2, 1)
    share = forward / np.maximum(either, 1)
    return replace(beliefs, graphs=np.where(either > 0, adjacent * share, beliefs.graphs))
