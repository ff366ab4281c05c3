"""`SCMGenerator`: rows from structural causal models that were fitted to the table."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from autogluon_causalmix.config import Named
from autogluon_causalmix.discovery.protocol import Discoverer, Knowledge
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

if TYPE_CHECKING:
    from autogluon_causalmix.scm.fitting import Settings
    from autogluon_causalmix.scm.label_fallback import Rung

Edge = tuple[str | int, str | int]

DISCOVERY_SHARE = 0.5
"""Of the generator's time; the rest is for mechanisms, of which there is a fallback for each graph."""


@dataclass(frozen=True)
class SCMGenerator:
    """Structural causal models: discover graphs, fit mechanisms, draw rows (Bühler, Purucker and Hutter, 2026).

    Parameters
    ----------
    discoverer : str or dict
        A discoverer's name, or a dict with ``"name"`` and its options.
    graphs : int
        How many graphs are drawn from the beliefs; rows come from each in equal numbers.
    label : {"node", "sink", "teacher"}
        Whether the target is a node like any other; causes nothing; or causes nothing and is what a foundation
        model believes of the drawn features, as probabilities into the fine-tuning loss (distillation: Hinton,
        Vinyals and Dean, 2015).
    mechanism : {"auto", "linear", "pairwise", "smooth", "trees", "pfn"}
        ``"auto"`` chooses a learner per column by held-out likelihood; a name takes that one; ``"pfn"`` asks a
        foundation model in context.
    roots : {"empirical", "smoothed"}
        Whether columns without parents draw observed values, or values between them, too.
    weighting : {"equal", "likelihood"}
        Whether graphs give equally many rows, or as many as held-out likelihood says.
    backbone : str or dict
        The foundation model of ``label="teacher"`` and ``mechanism="pfn"``, named as the model's own.
    required, forbidden : tuple of (cause, effect)
        Edges that every graph has, and edges that none has.
    tiers : tuple of tuples of columns
        Columns in the order of time: none causes a column of an earlier tier.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> dose = rng.normal(size=200)
    >>> frame = pd.DataFrame({"dose": dose, "ill": np.where(dose + rng.normal(size=200) > 0, "no", "yes")})
    >>> fitted = SCMGenerator(graphs=2).fit(Table.from_frame(frame, "ill"), rng, Resources(30.0))
    >>> rows = fitted.sample(1000, rng).frame
    >>> bool(rows.groupby("ill")["dose"].mean()["no"] > 0.3)
    True
    """

    discoverer: str | dict[str, object] = "auto"
    graphs: int = 5
    label: Literal["node", "sink", "teacher"] = "node"
    mechanism: Literal["auto", "linear", "pairwise", "smooth", "trees", "pfn"] = "auto"
    roots: Literal["empirical", "smoothed"] = "empirical"
    weighting: Literal["equal", "likelihood"] = "equal"
    backbone: str | dict[str, object] = "auto"
    required: tuple[Edge, ...] = ()
    forbidden: tuple[Edge, ...] = ()
    tiers: tuple[tuple[str | int, ...], ...] = ()

    def __post_init__(self) -> None:
        if self.graphs < 1:
            raise ConfigError(f"'graphs' must be at least 1, got {self.graphs}")
        if self.mechanism == "pfn" and self.weighting == "likelihood":
            raise ConfigError(
                "'weighting' by likelihood needs held-out rows, which the mechanism 'pfn' has none of"
            )

    def fit(
        self, table: Table, rng: np.random.Generator, resources: Resources
    ) -> "FittedSCMGenerator":
        """Discover, draw graphs and fit their mechanisms.

        Raises
        ------
        ConfigError
            The knowledge contradicts itself or names a column that does not exist.
        OutOfTime
            Not even a star around the target could be fitted in time.
        """
        label: Literal["node", "sink"] = "node" if self.label == "node" else "sink"
        knowledge = Knowledge(self.required, self.forbidden, self.tiers, label)
        constraints = knowledge.constraints([column.name for column in table.columns], table.target)
        started = time.monotonic()
        found = self._discoverer().discover(
            table, constraints, rng, resources.share(DISCOVERY_SHARE)
        )
        seconds = {"discovery": time.monotonic() - started}
        from autogluon_causalmix.scm.label_fallback import (
            fit_knowing_the_label,  # imports dowhy, which takes seconds
        )

        fitting = time.monotonic()
        settings, said = self._settings(table, rng)
        with threadpool_limits(
            1
        ):  # its matrices are small: a second thread waits more than it works
            rung, notes = fit_knowing_the_label(
                found, table, self.graphs, rng, resources.share(1.0), settings
            )
        seconds["mechanisms"] = time.monotonic() - fitting
        return FittedSCMGenerator(rung, seconds, (*found.notes, *said, *notes))

    def _settings(
        self, table: Table, rng: np.random.Generator
    ) -> "tuple[Settings, tuple[str, ...]]":
        """Return how the models are fitted, and what is to be said of that."""
        from autogluon_causalmix.scm.fitting import DEFAULT_LEARNERS, Settings
        from autogluon_causalmix.scm.in_context import Conditioner, Teacher, too_many_levels

        asked = self.mechanism == "pfn"
        settings = Settings(
            learners=DEFAULT_LEARNERS if asked or self.mechanism == "auto" else (self.mechanism,),
            smoothed_roots=self.roots == "smoothed",
            weighted=self.weighting == "likelihood",
        )
        if not asked and self.label != "teacher":
            return settings, ()
        named = Named.parse(self.backbone)
        conditioner = Conditioner(named.name, named.options, seed=int(rng.integers(2**31)))
        teacher = Teacher.of(table, conditioner)
        if self.label == "teacher":
            settings = replace(settings, teacher=teacher)
        if not asked:
            return settings, teacher.notes
        return replace(settings, conditioner=conditioner), (*teacher.notes, *too_many_levels(table))

    def _discoverer(self) -> Discoverer:
        options = (
            {"name": self.discoverer} if isinstance(self.discoverer, str) else dict(self.discoverer)
        )
        name = options.pop("name", "auto")
        if not isinstance(name, str):
            raise ConfigError(f"the name of a discoverer is a string, got {name!r}")
        return plugin_registry().of(Discoverer).get(name).create(options)


@dataclass(frozen=True)
class FittedSCMGenerator:
    """Fitted structural causal models, and what is known of them."""

    rung: "Rung"
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw `n_rows` rows."""
        with threadpool_limits(1):
            return self.rung.model.sample(n_rows, rng)

    def describe(self) -> Mapping[str, object]:
        """Return the edge beliefs, the mechanisms chosen, what the rows tell of the label, seconds and notes."""
        model = self.rung.model
        names = [str(column.name) for column in model.table.columns]
        chosen: dict[str, Counter[str]] = {name: Counter() for name in names}
        for (node, _), mechanism in model.mechanisms.items():
            chosen[names[node]][mechanism.learner] += 1
        return {
            "graph": {
                "nodes": names,
                "probability": self.rung.beliefs.probability.round(3).tolist(),
                "added": self.rung.added,
                "note": f"Label check: {self.rung.check}.",
            },
            "mechanisms": {name: dict(counts) for name, counts in chosen.items()},
            "graph_weights": model.weights.round(3).tolist(),
            "label": {
                "teacher": model.teacher is not None,
                "graph": self.rung.graph,
                "auc_real": round(self.rung.real, 3),
                "auc_synthetic": round(self.rung.synthetic, 3),
            },
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            "notes": list(self.notes),
        }


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register what this module knows."""
    register("scm", SCMGenerator)
