"""`SCMGenerator`: rows from structural causal models fitted to the table."""

import time
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from autogluon_causalmix.backbones.protocol import Backbone
from autogluon_causalmix.config import Named
from autogluon_causalmix.discovery.contract import discover
from autogluon_causalmix.discovery.knowledge import Edge, Knowledge, Tier
from autogluon_causalmix.discovery.protocol import Discoverer
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.generators.conditional import code_of
from autogluon_causalmix.generators.intervention import intervene
from autogluon_causalmix.generators.protocol import Counterfactuals, Intervened
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

if TYPE_CHECKING:
    from autogluon_causalmix.scm.fitting import Settings
    from autogluon_causalmix.scm.label_fallback import Candidate

DISCOVERY_SHARE = 0.5
"""Of the generator's time; the rest is for mechanisms on up to three kinds of graph."""

MOST_ROWS = 10_000
"""Learned from. With more, beliefs in weak edges of a simulator do not change, and where columns
are cut into categories, which no score here models, each further row adds edges that do not exist:
skeletons have F1 .95 with 10,000 rows, .84 with 100,000."""


@dataclass(frozen=True)
class SCMGenerator:
    """Structural causal models: discover graphs, fit mechanisms, draw rows.

    After Bühler, Purucker and Hutter (2026).

    Parameters
    ----------
    discoverer : str or dict
        A discoverer's name, or a dict with ``"name"`` and its options.
    graphs : int
        How many graphs are drawn from the discovered edges; rows come from each.
    label : {"node", "sink", "teacher"}
        ``"node"``: the target is a column like any other. ``"sink"``: it causes nothing.
        ``"teacher"``: it causes nothing, and a foundation model labels the drawn rows; its
        probabilities enter the fine-tuning loss (distillation: Hinton, Vinyals and Dean, 2015).
    mechanism : {"auto", "linear", "pairwise", "smooth", "trees", "pfn"}
        ``"auto"`` chooses a learner per column by held-out likelihood; ``"pfn"`` is a foundation
        model in context; another name is that learner for all columns.
    roots : {"empirical", "smoothed"}
        Whether numeric columns without parents draw observed values only, or values between them
        too. Columns whose values mostly repeat always draw observed values.
    weighting : {"equal", "likelihood"}
        Whether all graphs give equally many rows, or as many as held-out likelihood says.
    directions : {"discovered", "likelihood"}
        Whether edges point as discovery found them, or are turned to where held-out rows are
        likelier: then fewer point the wrong way, and the fit takes several times as long. Choose
        it to ask about causes; rows like the real ones do not need it.
    backbone : str or dict
        The foundation model of ``label="teacher"`` and ``mechanism="pfn"``, named as in the
        hyperparameter of that name.
    required, forbidden : tuple of (cause, effect)
        Edges that every graph has, and edges that none has.
    tiers : tuple of tuples of columns
        Columns in the order of time: none causes a column of an earlier tier.

    Raises
    ------
    ConfigError
        An option is out of range or malformed, or options contradict each other.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> dose = rng.normal(size=200)
    >>> ill = np.where(dose + rng.normal(size=200) > 0, "no", "yes")
    >>> table = Table.from_frame(pd.DataFrame({"dose": dose, "ill": ill}), "ill")
    >>> rows = SCMGenerator(graphs=2).fit(table, rng, Resources(30.0)).sample(1000, rng).frame
    >>> bool(rows.groupby("ill")["dose"].mean()["no"] > 0.3)
    True
    """

    discoverer: str | dict[str, object] = "boss"
    graphs: int = 5
    label: Literal["node", "sink", "teacher"] = "node"
    mechanism: Literal["auto", "linear", "pairwise", "smooth", "trees", "pfn"] = "auto"
    roots: Literal["empirical", "smoothed"] = "empirical"
    weighting: Literal["equal", "likelihood"] = "equal"
    directions: Literal["discovered", "likelihood"] = "discovered"
    backbone: str | dict[str, object] = "auto"
    required: tuple[Edge, ...] = ()
    forbidden: tuple[Edge, ...] = ()
    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        if self.graphs < 1:
            raise ConfigError(f"'graphs' must be at least 1, got {self.graphs}")
        for option, given in (("weighting", self.weighting), ("directions", self.directions)):
            if self.mechanism == "pfn" and given == "likelihood":
                raise ConfigError(
                    f"{option!r} by likelihood needs held-out rows, which the mechanism 'pfn' has "
                    f"none of: leave {option!r} out, or choose another mechanism"
                )
        plugin_registry().of(Backbone).create(Named.parse(self.backbone))
        plugin_registry().of(Discoverer).create(Named.parse(self.discoverer))
        # Edges that contradict each other do so on any table that has the columns they name.
        edges = (*self.required, *self.forbidden, *self.tiers)
        self._knowledge().constraints(list(dict.fromkeys(chain(*edges))), target=None)

    def fit(
        self, table: Table, rng: np.random.Generator, resources: Resources
    ) -> "FittedSCMGenerator":
        """Discover, draw graphs and fit their mechanisms.

        Raises
        ------
        ConfigError
            An edge or a tier names a column that does not exist, or a required edge starts at a
            target that may cause nothing.
        OutOfTime
            Not even straight lines on the target's own edges could be fitted in time.
        """
        knowledge = self._knowledge("node" if self.label == "node" else "sink")
        constraints = knowledge.constraints([column.name for column in table.columns], table.target)
        table, left_out = _some_rows(table, rng)
        started = time.monotonic()
        named = Named.parse(self.discoverer)
        entry = plugin_registry().of(Discoverer).get(named.name)
        found = discover(
            entry.create(named.options),
            table,
            constraints,
            rng,
            resources.share(DISCOVERY_SHARE),
            owner=entry.owner,
        )
        seconds = {"discovery": time.monotonic() - started}
        # Imported here because it imports dowhy, which takes seconds.
        from autogluon_causalmix.scm.label_fallback import fit_with_label_check

        fitting = time.monotonic()
        settings, warnings = self._settings(table, rng, resources.device)
        # The matrices are small: a second thread waits more than it works.
        with threadpool_limits(1):
            chosen, fallbacks = fit_with_label_check(
                found, table, self.graphs, rng, resources.share(1.0), settings
            )
        seconds["mechanisms"] = time.monotonic() - fitting
        notes = (*left_out, *found.notes, *warnings, *fallbacks)
        return FittedSCMGenerator(chosen, seconds, notes)

    def _settings(
        self, table: Table, rng: np.random.Generator, device: str
    ) -> "tuple[Settings, tuple[str, ...]]":
        """Return how the models are fitted, and warnings about the foundation model."""
        from autogluon_causalmix.scm.fitting import DEFAULT_LEARNERS, Settings
        from autogluon_causalmix.scm.in_context import Conditioner, Teacher, limits_of_context

        automatic = self.mechanism in ("auto", "pfn")
        settings = Settings(
            learners=DEFAULT_LEARNERS if automatic else (self.mechanism,),
            smoothed_roots=self.roots == "smoothed",
            weighted=self.weighting == "likelihood",
            turned=self.directions == "likelihood",
        )
        if self.mechanism != "pfn" and self.label != "teacher":
            return settings, ()
        seed = int(rng.integers(2**31))
        conditioner = Conditioner(Named.parse(self.backbone), seed, device)
        teacher = Teacher.of(table, conditioner)  # made for "pfn" too: it has the warnings
        notes = teacher.notes
        if self.label == "teacher":
            settings = replace(settings, teacher=teacher)
        if self.mechanism == "pfn":
            settings = replace(settings, conditioner=conditioner)
            notes += limits_of_context(table)
        return settings, notes

    def _knowledge(self, label: Literal["node", "sink"] = "node") -> Knowledge:
        return Knowledge(self.required, self.forbidden, self.tiers, label)


@dataclass(frozen=True)
class FittedSCMGenerator:
    """Fitted structural causal models.

    Attributes
    ----------
    chosen : Candidate
        The models that rows are drawn from, with their graph and label check.
    seconds : mapping of str to float
        Wall-clock time of each stage.
    notes : tuple of str
        Every fallback and warning, one sentence each.
    """

    chosen: "Candidate"
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw `n_rows` rows."""
        with threadpool_limits(1):
            return self.chosen.model.sample(n_rows, rng)

    def can_condition(self, where: Mapping[Hashable, object]) -> bool:
        """Return whether the columns are causes only, so that to see a value is to set it."""
        return self.chosen.model.conditions_by_setting(self._codes(where))

    def sample_where(
        self, n_rows: int, rng: np.random.Generator, where: Mapping[Hashable, object]
    ) -> Table:
        """Draw rows with these values of columns that have no cause."""
        with threadpool_limits(1):
            return self.chosen.model.sample(n_rows, rng, self._codes(where))

    def intervene(
        self, n_rows: int, rng: np.random.Generator, do: Mapping[Hashable, object]
    ) -> Intervened:
        """Draw rows where columns are set, see `autogluon_causalmix.generators.intervention`."""
        with threadpool_limits(1):
            return intervene(self.chosen.model, self._codes(do), n_rows, rng, self.chosen.added)

    def counterfactual(
        self, rows: Table, rng: np.random.Generator, do: Mapping[Hashable, object]
    ) -> Counterfactuals:
        """Change given rows, see `autogluon_causalmix.generators.counterfactual`."""
        from autogluon_causalmix.generators.counterfactual import counterfactuals

        with threadpool_limits(1):
            added = tuple(self.chosen.added)
            return counterfactuals(self.chosen.model, rows, self._codes(do), rng, added)

    def _codes(self, values: Mapping[Hashable, object]) -> dict[int, float]:
        columns = enumerate(self.chosen.model.table.columns)
        return {i: code_of(own, values[own.name]) for i, own in columns if own.name in values}

    def describe(self) -> Mapping[str, object]:
        """Return the graph, the mechanisms, the label check, seconds and notes, for the report."""
        model = self.chosen.model
        names = [str(column.name) for column in model.table.columns]
        learners: dict[str, Counter[str]] = {name: Counter() for name in names}
        for (node, _), mechanism in model.mechanisms.items():
            learners[names[node]][mechanism.learner] += 1
        return {
            "graph": {
                "nodes": names,
                "probability": self.chosen.beliefs.probability.round(3).tolist(),
                "added": self.chosen.added,
                "note": f"Label check: {self.chosen.check}.",
            },
            "mechanisms": {name: dict(counts) for name, counts in learners.items()},
            "graph_weights": model.weights.round(3).tolist(),
            "label": {
                "teacher": model.teacher is not None,
                "graph": self.chosen.graph,
                "auc_real": round(self.chosen.real_auc, 3),
                "auc_synthetic": round(self.chosen.synthetic_auc, 3),
            },
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            "notes": list(self.notes),
        }


def _some_rows(table: Table, rng: np.random.Generator) -> tuple[Table, tuple[str, ...]]:
    """Return `MOST_ROWS` random rows, or all, and a note if rows are left out.

    The first row of each class is always among them, so that none is lost.
    """
    if len(table) <= MOST_ROWS:
        return table, ()
    firsts = np.unique(table.targets, return_index=True)[1]
    chosen = np.union1d(rng.choice(len(table), MOST_ROWS, replace=False), firsts)
    note = (
        f"the causal models are learned from {len(chosen)} of {len(table)} rows, drawn at random: "
        "more hardly change them"
    )
    return table.take(chosen), (note,)


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register the built-in generator ``"scm"``."""
    register("scm", SCMGenerator)
