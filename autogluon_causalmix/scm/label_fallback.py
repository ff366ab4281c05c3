"""`fit_knowing_the_label`: models whose rows still tell the label, on graphs that are as discovered as can be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from autogluon_causalmix.discovery.protocol import EdgeBeliefs
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.scm.fitting import DEFAULTS, FittedSCM, Settings, fit_scm
from autogluon_causalmix.scm.label_check import held_out_skill, transferred_skill
from autogluon_causalmix.scm.label_edges import connect_label
from autogluon_causalmix.table import Table

ENOUGH = 0.9
"""Of the real rows' AUC above ½: less is lost to chance alone among 200 rows, more is lost where edges are missing."""

ROWS = 1000
"""Synthetic rows in a check: drawing and scoring them takes 0.1 s, and their AUC varies by about .01."""


@dataclass(frozen=True)
class Rung:
    """Fitted models, and what a cheap classifier learns of the label from their rows.

    Attributes
    ----------
    graph : str
        ``"discovered"``, ``"label connected"`` or ``"label alone connected"``.
    beliefs : EdgeBeliefs
        What the graphs were drawn from.
    discovered : EdgeBeliefs
        What discovery found.
    model : FittedSCM
        The models.
    real, synthetic : float
        ROC-AUC on real rows of the classifier trained on real rows (each left out once) and on synthetic ones.
    """

    graph: str
    beliefs: EdgeBeliefs
    discovered: EdgeBeliefs
    model: FittedSCM
    real: float
    synthetic: float

    @property
    def holds(self) -> bool:
        """Whether the rows tell nearly as much of the label as the real ones."""
        return self.synthetic - 0.5 >= ENOUGH * (self.real - 0.5)

    @property
    def check(self) -> str:
        """What the rows tell of the label, as part of a sentence."""
        return (
            f"rows from the graph {self.graph!r} teach a classifier a ROC-AUC of {self.synthetic:.3f} on the real "
            f"rows, real rows teach it {self.real:.3f}"
        )

    @property
    def added(self) -> list[list[int]]:
        """Pairs [cause, effect] with an edge that discovery found in neither direction."""
        found = self.discovered.probability
        return np.argwhere((self.beliefs.probability > 0) & (found + found.T == 0)).tolist()


def fit_knowing_the_label(
    found: EdgeBeliefs,
    table: Table,
    n_graphs: int,
    rng: np.random.Generator,
    resources: Resources,
    settings: Settings = DEFAULTS,
) -> tuple[Rung, tuple[str, ...]]:
    """Fit models to the discovered graphs; where their rows lose the label, to graphs with more edges at it.

    The rungs are the graphs as discovered; the same with an edge between the target and every column that depends
    on it; these edges alone. The first that holds is taken, else the one that tells most of the label.

    Returns
    -------
    rung : Rung
        The one that was taken.
    notes : tuple of str
        What was lost, and what was done about it.

    Raises
    ------
    OutOfTime
        Not even straight lines on the simplest graph could be fitted in time.
    """
    real = held_out_skill(table, rng)
    tried: list[Rung] = []
    notes: list[str] = []
    try:
        for name, beliefs in _graphs(found, table):
            known = tried[-1].model.mechanisms if tried else {}
            dags = [beliefs.sample_dag(rng) for _ in range(n_graphs)]
            model = fit_scm(table, dags, rng, resources.share(0.8), settings, known)
            skill = transferred_skill(model.sample(ROWS, rng), table, rng)
            tried.append(Rung(name, beliefs, found, model, real, skill))
            if tried[-1].holds:
                break
            notes.append(f"{tried[-1].check}: they lose the label")
    except OutOfTime as error:
        notes.append(
            f"{error}; no graph with more edges was tried"
            if tried
            else f"{error}; straight lines stand in"
        )
        if not tried:
            tried.append(_straight_lines(found, table, real, rng, resources, settings))
    best = max(tried, key=lambda rung: (rung.holds, rung.synthetic))
    if notes and best.graph != "discovered":
        notes.append(f"the graph in use is: {best.graph}")
    return best, tuple(notes)


def _graphs(found: EdgeBeliefs, table: Table) -> Iterator[tuple[str, EdgeBeliefs]]:
    """Yield the rungs' graphs, each computed when it is reached."""
    yield "discovered", found
    yield "label connected", connect_label(found, table)
    yield "label alone connected", connect_label(_without_edges(found), table)


def _without_edges(found: EdgeBeliefs) -> EdgeBeliefs:
    return replace(found, graphs=found.constraints.required.astype("float64")[None])


def _straight_lines(
    found: EdgeBeliefs,
    table: Table,
    real: float,
    rng: np.random.Generator,
    resources: Resources,
    settings: Settings,
) -> Rung:
    """Return linear mechanisms on the label's own edges; they take milliseconds, so they are granted them."""
    beliefs = connect_label(_without_edges(found), table)
    granted = Resources(max(resources.remaining(), 5.0), resources.num_cpus)
    model = fit_scm(
        table,
        [beliefs.sample_dag(rng)],
        rng,
        granted,
        replace(settings, learners=("linear",), conditioner=None),
    )
    skill = transferred_skill(model.sample(ROWS, rng), table, rng)
    return Rung("label alone connected", beliefs, found, model, real, skill)
