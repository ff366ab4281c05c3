"""SMOTE and its kin for categories as a generator of synthetic rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from autogluon_causalmix.plugin import Register, Resources, Table, hookimpl

Matrix = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SMOTENC:
    """Rows between a real row and one of its neighbours in its class (Chawla et al., JAIR 2002).

    Numbers are ``x + u (x' − x)``, with u uniform in (0, 1) and x' one of the `neighbors` nearest
    rows of the class; a category is the most frequent one of these neighbours. All classes are
    drawn, each as often as in the real rows. The library imbalanced-learn has three methods, and
    the features decide: SMOTE for numbers, SMOTE-N for categories, SMOTE-NC for both. Numbers are
    scaled to standard deviation 1 before distances are computed.

    The library takes no missing cells. They are filled for it: numbers with the median of the
    class, categories with its most frequent one. Each drawn row then gets the gaps of a real row
    of its class, drawn at random, so that each class keeps its gaps.

    Parameters
    ----------
    neighbors : int
        How many nearest rows count as neighbours; a small class has fewer.
    """

    neighbors: Annotated[int, Field(ge=1, le=1000)] = 5

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "FittedSMOTENC":
        """Fill missing cells and scale numbers; the rest is done when rows are drawn."""
        values = table.encode()
        category = np.array([column.is_categorical for column in table.columns])
        filled = _filled(values, table.targets, category)
        unit = np.where(category, 1.0, filled.std(axis=0))
        return FittedSMOTENC(
            template=table.take(np.arange(0)),
            filled=filled,
            gaps=np.isnan(values),
            unit=np.where(unit > 0, unit, 1.0),
            category=category,
            neighbors=self.neighbors,
            notes=_notes(table, self.neighbors),
        )


@dataclass(frozen=True)
class FittedSMOTENC:
    """The filled rows.

    Attributes
    ----------
    template : Table
        The columns without rows, to decode drawn rows.
    filled : array, shape (N, columns)
        The encoded real rows without missing cells.
    gaps : array of bool, shape (N, columns)
        Which cells were missing.
    unit : array, shape (columns,)
        What a distance of 1 is; 1 for categories.
    category : array of bool, shape (columns,)
        Which columns hold categories.
    neighbors : int
        How many nearest rows count as neighbours.
    notes : list of str
        Warnings for the log and the report.
    """

    template: Table
    filled: Matrix
    gaps: Mask
    unit: Matrix
    category: Mask
    neighbors: int
    notes: list[str]

    @property
    def method(self) -> str:
        """The name of the library's class."""
        features = np.delete(self.category, self.template.target_position)
        return "SMOTEN" if features.all() else "SMOTENC" if features.any() else "SMOTE"

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw classes as often as they occur, then rows of each class and their gaps."""
        target = self.template.target_position
        labels = self.filled[rng.integers(len(self.filled), size=n_rows), target]
        drawn = np.empty((n_rows, self.filled.shape[1]))
        for label in np.unique(labels):
            place, real = labels == label, np.flatnonzero(self.filled[:, target] == label)
            rows = self._between(label, int(place.sum()), real, rng)
            gaps = self.gaps[rng.choice(real, size=len(rows))]
            drawn[place] = np.where(gaps, np.nan, rows)
        return self.template.decode(drawn)

    def _between(
        self, label: float, n_rows: int, real: npt.NDArray[np.int64], rng: np.random.Generator
    ) -> Matrix:
        """Draw rows of a class, shape (n_rows, columns); `real` are the positions of its rows."""
        if len(real) == 1:
            return np.repeat(self.filled[real], n_rows, axis=0)
        target = self.template.target_position
        features = np.delete(self.filled / self.unit, target, axis=1)
        labels = self.filled[:, target]
        if (labels == label).all():  # the library wants a second class; this one is not drawn
            features, labels = np.vstack([features, features[:1]]), np.append(labels, -1.0)
        sampler = self._sampler(
            sampling_strategy={label: len(real) + n_rows},
            k_neighbors=min(self.neighbors, len(real) - 1),
            random_state=int(rng.integers(2**31)),
        )
        rows = sampler.fit_resample(features, labels)[0][len(features) :]
        complete: Matrix = np.insert(rows.astype("float64"), target, label, axis=1) * self.unit
        return complete

    def _sampler(self, **options: Any) -> Any:
        from imblearn import over_sampling  # type: ignore[import-untyped]

        if self.method == "SMOTENC":
            features = np.delete(self.category, self.template.target_position)
            options["categorical_features"] = np.flatnonzero(features).tolist()
        return getattr(over_sampling, self.method)(**options)

    def describe(self) -> Mapping[str, object]:
        """Return the method that suits the columns, and the notes."""
        return {"method": self.method, "notes": self.notes}


def _filled(values: Matrix, targets: Matrix, category: Mask) -> Matrix:
    """Fill missing cells with the median of the class, or its most frequent category.

    Where a whole class misses a column, that of all rows, else 0: such cells are gaps in every row.
    """
    filled = values.copy()
    for position in np.flatnonzero(np.isnan(values).any(axis=0)):
        middle = _mode if category[position] else np.median
        column = values[:, position]
        for label in np.unique(targets):
            own = targets == label
            known = [column[rows & ~np.isnan(column)] for rows in (own, np.ones_like(own))]
            present = next((cells for cells in known if len(cells)), np.zeros(1))
            filled[own & np.isnan(column), position] = middle(present)
    return filled


def _mode(codes: Matrix) -> float:
    levels, counts = np.unique(codes, return_counts=True)
    return float(levels[counts.argmax()])


def _notes(table: Table, neighbors: int) -> list[str]:
    """Return what was done to missing cells, and which classes have few rows."""
    incomplete = [column for column in table.frame.columns if table.frame[column].isna().any()]
    notes = [
        f"missing cells of {name!r} were filled to find neighbours; rows drawn have the gaps of "
        "real rows of their class"
        for name in incomplete
    ]
    for label, n_rows in table.labels.value_counts(sort=False).items():
        if n_rows == 1:
            notes.append(f"class {label!r} has one row: all rows drawn of it are copies")
        elif 1 < n_rows <= neighbors:
            notes.append(f"class {label!r} has {n_rows} rows: neighbors={n_rows - 1} there")
    return notes


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register SMOTE-NC under its name."""
    register("smotenc", SMOTENC)
