"""What the package asks of a generator of synthetic rows.

A generator is a small class whose fields are its options. It needs no base class::

    @dataclass(frozen=True)
    class Noisy:
        scale: float = 0.1

        def fit(
            self, table: Table, rng: np.random.Generator, resources: Resources
        ) -> FittedGenerator: ...
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@runtime_checkable
class FittedGenerator(Protocol):
    """What `Generator.fit` returns.

    A fitted generator may have a method ``describe() -> Mapping[str, object]``: JSON-able facts for
    the fit report. Of these, ``"graph"`` (``{"nodes": [...], "probability": [[...]]}``, entry
    ``[i][j]`` the belief in the edge i → j) is drawn, and ``"notes"`` (a list of sentences) is
    logged: every fallback belongs there.
    """

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw `n_rows` rows with the columns, dtypes and categories of the fitted table."""
        ...


@runtime_checkable
class Conditional(Protocol):
    """A fitted generator that draws rows with given values directly; it need not be one.

    For others, rows are drawn until enough have the values.
    """

    def can_condition(self, where: Mapping[Hashable, object]) -> bool:
        """Return whether rows with these values, column to value, are drawn directly."""
        ...

    def sample_where(
        self, n_rows: int, rng: np.random.Generator, where: Mapping[Hashable, object]
    ) -> Table:
        """Draw rows from the distribution given these values."""
        ...


@dataclass(frozen=True)
class Intervened:
    """Rows under an intervention, and how unsure their outcome is.

    Attributes
    ----------
    rows : Table
        The rows.
    shares, untouched : numpy.ndarray
        Shape (graphs, classes), in the order of `Table.classes`: the share of each class in the
        rows of each graph, with the intervention and without.
    weights : numpy.ndarray
        Shape (graphs,): the share of rows from each graph; they sum to 1.
    notes : tuple of str
        What must be known of these rows.
    """

    rows: Table
    shares: Matrix
    untouched: Matrix
    weights: Matrix
    notes: tuple[str, ...] = ()


@runtime_checkable
class Intervenable(Protocol):
    """A fitted generator that knows causes, and what happens where they are set."""

    def intervene(
        self, n_rows: int, rng: np.random.Generator, do: Mapping[Hashable, object]
    ) -> Intervened:
        """Draw rows where these columns are set to these values, whatever their causes are."""
        ...


@dataclass(frozen=True)
class Counterfactuals:
    """Given rows as they would have been, and how unsure that is.

    Attributes
    ----------
    rows : Table
        One draw of each given row, in their order.
    shares : numpy.ndarray
        Shape (graphs, rows, classes), in the order of `Table.classes` of the real rows: the share
        of each class in the draws of a row from each graph.
    weights : numpy.ndarray
        Shape (graphs,): the weight of each graph; they sum to 1.
    notes : tuple of str
        What must be known of these rows.
    """

    rows: Table
    shares: Matrix
    weights: Matrix
    notes: tuple[str, ...] = ()


@runtime_checkable
class Retrospective(Protocol):
    """A fitted generator that knows what would have become of a given row."""

    def counterfactual(
        self, rows: Table, rng: np.random.Generator, do: Mapping[Hashable, object]
    ) -> Counterfactuals:
        """Return these rows as they would have been, had these columns been set."""
        ...


@runtime_checkable
class Generator(Protocol):
    """A generator of synthetic rows; its fields are its options."""

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> FittedGenerator:
        """Learn from the real rows of `table`, all randomness from `rng`, within `resources`."""
        ...


def describe(fitted: FittedGenerator) -> Mapping[str, object]:
    """Return what `fitted` says of itself, an empty mapping where it says nothing."""
    method = getattr(fitted, "describe", None)
    return {} if method is None else method()
