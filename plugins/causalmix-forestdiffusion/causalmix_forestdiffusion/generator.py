"""`ForestDiffusion`: flow matching with boosted trees as a generator of synthetic rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from autogluon_causalmix.plugin import Matrix, Register, Resources, Table, hookimpl


@dataclass(frozen=True)
class ForestDiffusion:
    """Flow matching with boosted trees (Jolicoeur-Martineau, Fatras and Kachman, AISTATS 2024).

    Rows of a class are noise that has moved along the vector field of the class, which XGBoost has
    learned at some levels of noise: one model for each class, level and column. Numbers keep to
    the observed range. Categories are 0/1 columns, missing ones a category of their own. Missing
    numbers are filled with the mean, and a 0/1 column beside them says where they were.

    Parameters
    ----------
    levels : int
        Levels of noise, the library's `n_t`, and steps from noise to rows.
    copies : int
        Draws of noise for each real row, the library's `duplicate_K`.
    trees, depth : int
        Trees of a model and their depth, the library's `n_estimators` and `max_depth`.
    """

    levels: Annotated[int, Field(ge=2, le=1000)] = 20
    copies: Annotated[int, Field(ge=1, le=1000)] = 10
    trees: Annotated[int, Field(ge=1, le=10_000)] = 30
    depth: Annotated[int, Field(ge=1, le=20)] = 4

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "FittedFlow":
        """Train the trees.

        Raises
        ------
        OutOfTime
            The seconds are over; the library cannot end a training early and keep it.
        """
        from causalmix_forestdiffusion.library import Timed, seeded

        values = np.delete(table.encode(), table.target_position, axis=1)
        features = [
            Feature.of(cells, column.is_categorical)
            for cells, column in zip(values.T, table.feature_columns, strict=True)
        ]
        shown = np.hstack([one.show(cells) for one, cells in zip(features, values.T, strict=True)])
        classes, labels = np.unique(table.targets, return_inverse=True)
        with seeded(rng) as seed:
            model = Timed(
                resources,
                shown if shown.shape[1] else np.zeros((len(table), 1)),  # it wants a column
                label_y=labels.astype("float64"),
                n_t=self.levels,
                duplicate_K=self.copies,
                n_estimators=self.trees,
                max_depth=self.depth,
                n_batch=0,
                p_in_one=shown.shape[1] > 1,  # its model of all columns breaks on one
                n_jobs=1,
                seed=seed,
                nthread=1,  # two threads of a tree of some hundred rows wait for each other
            )
        return FittedFlow(table.take(np.arange(0)), classes, features, model)


@dataclass(frozen=True)
class Feature:
    """How the library sees a feature: as 0/1 columns of its codes, or as numbers.

    Attributes
    ----------
    codes : array or None
        The different cells, NaN among them; the first has no column. None for numbers.
    fill : float
        What stands for a missing number.
    has_gaps : bool
        Whether a 0/1 column says where numbers are missing.
    """

    codes: Matrix | None
    fill: float = 0.0
    has_gaps: bool = False

    @classmethod
    def of(cls, cells: Matrix, is_categorical: bool) -> "Feature":
        """Describe a feature; numbers with two different cells or fewer are codes, too."""
        codes = np.unique(cells)
        if is_categorical or len(codes) <= 2:
            return cls(codes)
        gaps = np.isnan(cells)
        return cls(None, float(cells[~gaps].mean()), bool(gaps.any()))

    @property
    def width(self) -> int:
        """The number of columns that the library sees."""
        return len(self.codes) - 1 if self.codes is not None else 1 + self.has_gaps

    def show(self, cells: Matrix) -> Matrix:
        """Return cells as the library sees them, shape (rows, width)."""
        if self.codes is not None:
            return np.eye(len(self.codes))[np.searchsorted(self.codes, cells), 1:]
        gaps = np.isnan(cells)
        return np.column_stack([np.where(gaps, self.fill, cells), gaps])[:, : self.width]

    def read(self, drawn: Matrix) -> Matrix:
        """Return the cells, shape (rows,), that drawn columns stand for."""
        if self.codes is not None:
            first = np.full((len(drawn), 1), 0.5)  # the first code, where no other has more
            cells: Matrix = self.codes[np.hstack([first, drawn]).argmax(axis=1)]
            return cells
        gaps = drawn[:, 1:].sum(axis=1) > 0.5
        return np.where(gaps, np.nan, drawn[:, 0])


@dataclass(frozen=True)
class FittedFlow:
    """The trained trees.

    Attributes
    ----------
    template : Table
        The columns without rows.
    classes : array, shape (classes,)
        The code of each class.
    features : list of Feature
        How the library sees the features.
    model : causalmix_forestdiffusion.library.Timed
        The library's model.
    """

    template: Table
    classes: Matrix
    features: list[Feature]
    model: Any

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw classes as often as they occur, noise, and where the trees move it."""
        from causalmix_forestdiffusion.library import seeded

        with seeded(rng):
            drawn = self.model.generate(n_rows)
        ends = np.cumsum([one.width for one in self.features])
        shown = np.split(drawn[:, : ends[-1]], ends[:-1], axis=1)
        cells = [one.read(columns) for one, columns in zip(self.features, shown, strict=True)]
        labels = self.classes[drawn[:, -1].astype(int)]
        return self.template.decode(
            np.insert(np.column_stack(cells), self.template.target_position, labels, axis=1)
        )

    def describe(self) -> Mapping[str, object]:
        """Return the number of trees."""
        model = self.model
        return {"trees": model.n_t * len(self.classes) * model.c * model.n_estimators}


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register the generator under its name."""
    register("forestdiffusion", ForestDiffusion)
