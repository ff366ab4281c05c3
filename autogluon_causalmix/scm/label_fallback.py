"""`fit_with_label_check`: causal models whose rows still predict the label.

1. Fit models on the discovered graphs.
2. Check that a classifier trained on their rows predicts the label of real rows nearly as well as
   one trained on real rows (`LabelCheck`).
3. If it does not, add edges at the label and try again, twice.
4. Keep the first candidate that passes, else the one with the highest ROC-AUC.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.resources import Resources, cut_off
from autogluon_causalmix.scm.directions import fit_directed
from autogluon_causalmix.scm.fitted import FittedSCM, Key
from autogluon_causalmix.scm.fitting import DEFAULTS, Settings, fit_scm
from autogluon_causalmix.scm.label_check import LabelCheck
from autogluon_causalmix.scm.label_edges import connect_label
from autogluon_causalmix.scm.protocol import FittedMechanism
from autogluon_causalmix.table import Table

PASSING_SHARE = 0.9
"""Of the real rows' ROC-AUC above ½. Chance alone takes less among 200 rows, missing edges more."""

CHECKED_ROWS = 1000
"""Synthetic rows in a check: drawing and scoring take 0.1 s, and their ROC-AUC varies by .01."""

LEAST_SECONDS = 5.0
"""Granted to straight lines when time is up: they take milliseconds on most tables."""

DISCOVERED = "discovered"
WITH_LABEL_EDGES = "discovered, with edges at the label"
ONLY_LABEL_EDGES = "edges at the label only"


@dataclass(frozen=True)
class Candidate:
    """Models fitted on one kind of graph, and the result of their label check.

    Attributes
    ----------
    graph : str
        `DISCOVERED`, `WITH_LABEL_EDGES` or `ONLY_LABEL_EDGES`.
    beliefs : EdgeBeliefs
        What the graphs were drawn from.
    discovered : EdgeBeliefs
        What discovery found.
    model : FittedSCM
        The models.
    real_auc, synthetic_auc : float
        ROC-AUC on the real rows of a classifier trained on real rows (each left out once) and of
        one trained on rows of the models.
    notes : tuple of str
        What the fit left undone.
    """

    graph: str
    beliefs: EdgeBeliefs
    discovered: EdgeBeliefs
    model: FittedSCM
    real_auc: float
    synthetic_auc: float
    notes: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether synthetic rows predict the label nearly as well as real ones."""
        return self.synthetic_auc - 0.5 >= PASSING_SHARE * (self.real_auc - 0.5)

    @property
    def check(self) -> str:
        """The result of the label check, as a clause."""
        return (
            f"trained on rows from the graph {self.graph!r}, a classifier has a ROC-AUC of "
            f"{self.synthetic_auc:.3f} on the real rows; trained on real rows, {self.real_auc:.3f}"
        )

    @property
    def added(self) -> list[list[int]]:
        """Pairs [cause, effect] with an edge that discovery found in neither direction."""
        found = self.discovered.probability
        return np.argwhere((self.beliefs.probability > 0) & (found + found.T == 0)).tolist()


def fit_with_label_check(
    found: EdgeBeliefs,
    table: Table,
    n_graphs: int,
    rng: np.random.Generator,
    resources: Resources,
    settings: Settings = DEFAULTS,
) -> tuple[Candidate, tuple[str, ...]]:
    """Fit models on the discovered graphs, and on graphs with more edges at the label if they fail.

    The candidate graphs, in this order: as discovered; the same with an edge between the target and
    every column that depends on it; these edges alone. When time is up before the first candidate
    is fitted, linear mechanisms on the last graph stand in.

    Parameters
    ----------
    found : EdgeBeliefs
        What discovery found.
    table : Table
        The real rows.
    n_graphs : int
        How many graphs are drawn for each candidate.
    rng : numpy.random.Generator
        Source of all randomness.
    resources : Resources
        What may be spent.
    settings : Settings
        How the models are fitted.

    Returns
    -------
    candidate : Candidate
        The first that passes the label check, else the one with the highest ROC-AUC.
    notes : tuple of str
        Every failed check and every fallback, one sentence each.

    Raises
    ------
    OutOfTime
        Not even straight lines on the simplest graph could be fitted in time.
    """
    trial = _Trial(table, found, LabelCheck.of(table, rng), rng)
    tried: list[Candidate] = []
    notes: list[str] = []
    try:
        for graph, beliefs in _candidate_graphs(found, table):
            known = tried[-1].model.mechanisms if tried else {}
            tried.append(trial.fit(graph, beliefs, n_graphs, resources.share(0.8), settings, known))
            if tried[-1].passes:
                break
            notes.append(f"{tried[-1].check}: these rows lose the label")
    except OutOfTime as error:
        if tried:
            notes.append(f"{error}; no graph with more edges was tried")
        else:
            tried.append(_straight_lines(trial, resources, settings))
            notes.append(f"{error}; straight lines stand in, on one graph")
    best = max(tried, key=lambda candidate: (candidate.passes, candidate.synthetic_auc))
    if notes:
        notes.append(f"rows are drawn from the graph: {best.graph}")
    return best, (*notes, *best.notes)


@dataclass(frozen=True)
class _Trial:
    """What all candidates of one table share."""

    table: Table
    discovered: EdgeBeliefs
    check: LabelCheck
    rng: np.random.Generator

    def fit(
        self,
        graph: str,
        beliefs: EdgeBeliefs,
        n_graphs: int,
        resources: Resources,
        settings: Settings,
        known: Mapping[Key, FittedMechanism],
    ) -> Candidate:
        """Draw graphs, fit models on them, and check the label on their rows."""
        dags = [beliefs.sample_dag(self.rng) for _ in range(n_graphs)]
        notes: tuple[str, ...] = ()
        if settings.turned:
            model, beliefs, notes = fit_directed(
                self.table, beliefs, dags, self.rng, resources, settings, known
            )
        else:
            model = fit_scm(self.table, dags, self.rng, resources, settings, known)
        sample = partial(model.sample, CHECKED_ROWS, self.rng)
        if settings.conditioner is None:
            drawn = sample()
        else:  # a foundation model draws slowly
            drawn = cut_off(resources.remaining(), "drawing rows for the label check", sample)
        auc = self.check.auc(drawn, self.rng)
        return Candidate(graph, beliefs, self.discovered, model, self.check.real_auc, auc, notes)


def _candidate_graphs(found: EdgeBeliefs, table: Table) -> Iterator[tuple[str, EdgeBeliefs]]:
    """Yield each kind of graph with its name; one that is not reached is not computed."""
    yield DISCOVERED, found
    yield WITH_LABEL_EDGES, connect_label(found, table)
    yield ONLY_LABEL_EDGES, connect_label(_required_edges(found), table)


def _required_edges(found: EdgeBeliefs) -> EdgeBeliefs:
    """Return the graph that has the user's required edges and no others."""
    return replace(found, graphs=found.constraints.required.astype("float64")[None])


def _straight_lines(trial: _Trial, resources: Resources, settings: Settings) -> Candidate:
    """Return linear mechanisms on one graph, of the edges at the label only."""
    beliefs = connect_label(_required_edges(trial.discovered), trial.table)
    seconds = max(resources.remaining(), LEAST_SECONDS)
    granted = Resources(seconds, resources.num_cpus, resources.device)
    linear = replace(settings, learners=("linear",), conditioner=None, turned=False)
    return trial.fit(ONLY_LABEL_EDGES, beliefs, 1, granted, linear, {})
