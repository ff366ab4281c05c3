"""`PFN`: each column in turn from a foundation model."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.generators.scm import FittedSCMGenerator, SCMGenerator
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class PFN:
    """Each column in turn from a foundation model that has its parents in the real rows as context.

    ``x_j ~ P(x_j | parents of j)``, causes first, along a discovered graph (Swelam et al., 2026,
    arXiv 2603.10254) or with all columns before it in a random order as parents, which is the chain
    rule and needs no graph (Hollmann et al., 2025, draw so).

    It is the generator ``"scm"`` with ``mechanism="pfn"``, under a name of its own and with few
    graphs, as each column of each graph costs a prediction. The classifiers that this package knows
    take ten classes: a number is found by halving, is it above the median, above that of its half,
    and so on until fewer than 50 rows are left, of which it takes a value; categories with more
    than ten levels get a fitted mechanism, and the report says so.

    Parameters
    ----------
    order : {"graph", "random"}
        Whether the parents come from discovery or from a random order.
    graphs : int
        How many graphs or orders give rows.
    discoverer : str or dict
        What finds the graphs of ``order="graph"``.
    backbone : str or dict
        The foundation model, named as in the hyperparameter of that name.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> ill = np.repeat(["no", "yes"], 40)
    >>> dose = rng.normal(size=80) + 5 * (ill == "yes")
    >>> table = Table.from_frame(pd.DataFrame({"dose": dose, "ill": ill}), "ill")
    >>> fitted = PFN(order="random", backbone="mini").fit(table, rng, Resources(60.0))
    >>> rows = fitted.sample(100, rng).frame.groupby("ill")["dose"].mean()
    >>> bool(rows["yes"] - rows["no"] > 3)
    True
    """

    order: Literal["graph", "random"] = "graph"
    graphs: Annotated[int, Field(ge=1, le=1000)] = 1
    discoverer: str | dict[str, object] = "boss"
    backbone: str | dict[str, object] = "auto"

    def __post_init__(self) -> None:
        if self.order == "random" and self.discoverer != "boss":
            raise ConfigError("'discoverer' finds graphs, which order='random' needs none of")
        self._scm()

    def fit(
        self, table: Table, rng: np.random.Generator, resources: Resources
    ) -> FittedSCMGenerator:
        """Find the parents of each column and keep the rows as context."""
        return self._scm().fit(table, rng, resources)

    def _scm(self) -> SCMGenerator:
        return SCMGenerator(
            discoverer="random-order" if self.order == "random" else self.discoverer,
            graphs=self.graphs,
            mechanism="pfn",
            backbone=self.backbone,
        )


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register the built-in generator ``"pfn"``."""
    register("pfn", PFN)
