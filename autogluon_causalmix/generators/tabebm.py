"""`TabEBM`: Langevin steps down the energy that a foundation model gives each class."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from autogluon_causalmix.arrays import Indices, Mask, Matrix
from autogluon_causalmix.backbones.protocol import MOST_VALUES, Backbone
from autogluon_causalmix.config import Named
from autogluon_causalmix.generators.cells import ClassByClass, notes_on_single_rows, rows_by_class
from autogluon_causalmix.generators.energy import MOST_CONTEXT_ROWS, Energy
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class TabEBM:
    """Rows that move from real ones to where a foundation model sees more of their class.

    After Margeloiu et al. (NeurIPS 2024). For each class, the model gets its rows x, and four
    corners of a cube far away, as the two classes of a context. Its logits f(x) are an energy
    ``E(x) = −log Σ_k exp f_k(x)``, low where there are rows of the class. Drawn rows begin at real
    ones, ``x_0 = x + σ_0 ε``, and take Langevin steps ``x_{t+1} = x_t − α ∇E(x_t) + σ ε``, with
    ``ε ~ N(0, I)``.

    All of this happens on standardised columns; codes of categories are numbers there, as they are
    to the published method, and come back as the nearest level that occurs. Missing cells are means
    there, and a drawn row has the gaps of the real row that it began at. What a backbone does to
    rows before its network sees them cannot be differentiated; the affine map nearest to it takes
    its place.

    The published program takes 200 steps, with σ = .01 and α = .1 divided by the number of rows
    drawn at once. The defaults go as far in a quarter of the steps, for 200 rows. A longer step
    follows the energy more closely, which pays with a strong backbone only: with `mini` and α = .1,
    rows were easier to tell from real ones.

    Parameters
    ----------
    steps : int
        How many Langevin steps.
    step : float
        α, the length of a step.
    noise : float
        σ, in standard deviations of a column.
    start : float
        σ_0, in standard deviations of a column.
    distance : float
        Of the corners from the centre along each column, in standard deviations.
    backbone : str or dict
        The foundation model, named as in the hyperparameter of that name.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> ill = np.repeat(["no", "yes"], 20)
    >>> dose = rng.normal(size=40) + 5 * (ill == "yes")
    >>> table = Table.from_frame(pd.DataFrame({"dose": dose, "ill": ill}), "ill")
    >>> fitted = TabEBM(steps=5, backbone="mini").fit(table, rng, Resources(60.0))
    >>> rows = fitted.sample(100, rng).frame.groupby("ill")["dose"].mean()
    >>> bool(rows["yes"] - rows["no"] > 4)
    True
    """

    steps: Annotated[int, Field(ge=1, le=10_000)] = 50
    step: Annotated[float, Field(ge=0, le=10)] = 0.001
    noise: Annotated[float, Field(ge=0, le=10)] = 0.02
    start: Annotated[float, Field(ge=0, le=10)] = 0.01
    distance: Annotated[float, Field(gt=0, le=100)] = 5.0
    backbone: str | dict[str, object] = "auto"

    def __post_init__(self) -> None:
        plugin_registry().of(Backbone).create(Named.parse(self.backbone))

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "FittedTabEBM":
        """Standardise the rows, and load the backbone once to see that it can be had."""
        space, seed = _Space.of(table), int(rng.integers(2**31))
        fitted = FittedTabEBM(table, space, self, seed, resources.device)
        model = fitted.energy(rows_by_class(table)[0]).model
        crowded = [
            f"class {label!r} has {len(own)} rows: its energy is that of {MOST_CONTEXT_ROWS} of "
            "them, drawn at random"
            for label, own in zip(table.classes.tolist(), rows_by_class(table), strict=True)
            if len(own) > MOST_CONTEXT_ROWS
        ]
        notes = (*model.notes, *crowded, *notes_on_single_rows(table))
        return replace(fitted, weights=model.facts.name, notes=notes)


@dataclass(frozen=True)
class FittedTabEBM(ClassByClass):
    """The real rows and how they are moved; the backbone is loaded when they are, and not kept."""

    space: "_Space"
    options: TabEBM
    seed: int
    device: str
    weights: str = ""
    notes: tuple[str, ...] = ()

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw `n_rows` real rows and move those of each class."""
        rows = rng.integers(len(self.table), size=n_rows)
        values = np.empty((n_rows, len(self.table.columns)))
        for own in rows_by_class(self.table):
            place = np.isin(rows, own)
            if place.any():
                begun = self.table.take(rows[place])
                moved = self.descend(self.energy(own), self.space.forward(begun), rng)
                values[place] = self.space.back(moved, begun)
        return self.table.decode(values)

    def energy(self, own: Indices) -> Energy:
        """Return the energy of the class that has these rows."""
        rows = self.space.forward(self.table.take(own))
        rng = np.random.default_rng([self.seed, int(own[0])])
        named = Named.parse(self.options.backbone)
        return Energy.of(rows, named, self.options.distance, rng, self.device)

    def descend(self, energy: Energy, rows: Matrix, rng: np.random.Generator) -> Matrix:
        """Move rows, shape (rows, features), by noise and Langevin steps."""
        options = self.options
        moved = rows + options.start * rng.normal(size=rows.shape)
        size = max(MOST_VALUES // energy.slope.shape[1] - len(energy.context), 50)
        for first in range(0, len(rows), size):
            part = slice(first, first + size)
            for _ in range(options.steps):
                noise = options.noise * rng.normal(size=moved[part].shape)
                moved[part] += noise - options.step * energy.gradient(moved[part])
        return moved

    def describe(self) -> Mapping[str, object]:
        """Return the name of the weights, and notes."""
        return {"weights": self.weights, "notes": list(self.notes)}


@dataclass(frozen=True)
class _Space:
    """Features, standardised by all real rows; missing ones at 0.

    Attributes
    ----------
    mean, spread : numpy.ndarray
        Shape (features,).
    levels : tuple of numpy.ndarray or None
        The codes that occur of each category; None for a number.
    features : numpy.ndarray of bool
        Which columns are features, shape (columns,).
    """

    mean: Matrix
    spread: Matrix
    levels: tuple[Indices | None, ...]
    features: Mask

    @classmethod
    def of(cls, table: Table) -> "_Space":
        """Learn the scales of a table."""
        features = np.arange(len(table.columns)) != table.target_position
        values = table.encode()[:, features]
        there = ~np.isnan(values)
        count = np.maximum(there.sum(axis=0), 1)
        mean = np.where(there, values, 0.0).sum(axis=0) / count
        spread = np.sqrt((np.where(there, values - mean, 0.0) ** 2).sum(axis=0) / count)
        levels = tuple(
            np.unique(column[~np.isnan(column)]).astype("int64")
            if described.is_categorical
            else None
            for column, described in zip(values.T, table.feature_columns, strict=True)
        )
        return cls(mean, np.where(spread > 0, spread, 1.0), levels, features)

    def forward(self, table: Table) -> Matrix:
        """Return the features of a table, shape (rows, features)."""
        values = table.encode()[:, self.features]
        return np.nan_to_num((values - self.mean) / self.spread)

    def back(self, moved: Matrix, begun: Table) -> Matrix:
        """Return the encoding (rows, columns) of features that began at the rows of `begun`."""
        values = begun.encode()
        gaps = np.isnan(values[:, self.features])
        plain = moved * self.spread + self.mean
        for position, levels in enumerate(self.levels):
            if levels is not None and len(levels):
                nearest = np.abs(plain[:, [position]] - levels).argmin(axis=1)
                plain[:, position] = levels[nearest]
        values[:, self.features] = np.where(gaps, np.nan, plain)
        return values


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register the built-in generator ``"tabebm"``."""
    register("tabebm", TabEBM)
