"""Foundation models inside causal models: as the mechanism of a node, and as the teacher of the label.

Both predict in context, without training, and both name a backbone that the registry of plugins holds.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.protocol import Backbone
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.scm.mechanisms import Mechanism, chosen_levels
from autogluon_causalmix.table import Table

MOST_LEVELS = 10
"""Of a category: as many classes as the foundation models predict."""

FEWEST_IN_HALF = 25
"""Rows on each side: about as few as a foundation model learns a threshold from."""

VIEWS = 2
"""That a mechanism's predictions are averaged over: one is too certain, and each costs as much again."""

TEACHER_VIEWS = 4
"""As many as the model has that learns from it."""


@dataclass(frozen=True)
class Conditioner:
    """How to show rows to a foundation model.

    Attributes
    ----------
    name, options : str, dict
        The backbone.
    seed : int
        Of its views.
    """

    name: str
    options: dict[str, object]
    seed: int

    def condition(self, table: Table, n_estimators: int) -> Any:
        """Return the backbone's `InContextModel` of `table`, on the CPU."""
        backbone = plugin_registry().of(Backbone).get(self.name).create(self.options)
        return backbone.condition(table, n_estimators=n_estimators, device="cpu", seed=self.seed)


@dataclass(frozen=True)
class Teacher:
    """Labels rows with what a foundation model believes of them, all real rows as its context.

    Attributes
    ----------
    model : InContextModel
        Conditioned on the real rows.
    """

    model: Any

    @classmethod
    def of(cls, table: Table, conditioner: Conditioner) -> "Teacher":
        """Show the real rows to the backbone."""
        return cls(conditioner.condition(table, TEACHER_VIEWS))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the backbone."""
        return tuple(self.model.notes)

    def label(self, rows: Table, rng: np.random.Generator) -> Table:
        """Return the rows with soft labels, and with a draw from these as their label."""
        soft = np.zeros((len(rows), len(rows.levels)))
        place = rows.levels.astype("object").get_indexer(pd.Index(self.model.classes))
        soft[:, place] = self.model.predict_proba(rows.features)
        soft /= soft.sum(axis=1, keepdims=True)
        codes = chosen_levels(soft, rng.random(len(rows))).astype("float64")
        frame = rows.frame.copy()
        frame[rows.target] = rows.columns[rows.target_position].decode(codes)
        return replace(rows, frame=frame, soft_labels=soft)


class InContext(Mechanism):
    """A child of any kind: X := Q(U | parents), the quantile function that a foundation model believes in.

    A category's level is predicted as such. A number is found by halving: is X above the median of the rows, above
    the median of those on its side, and so on until few rows are left, one of which gives its value (nested
    dichotomies: Frank and Kramer, 2004). Every question has two answers, which is what the models are best at.

    Parameters
    ----------
    categorical : sequence of bool
        Which of the parents are categories, in their order.
    conditioner : Conditioner
        The backbone. It is conditioned whenever rows are drawn, and not kept: its weights are the larger part.
    is_category : bool
        Whether X is.
    """

    def __init__(
        self, categorical: tuple[bool, ...], conditioner: Conditioner, is_category: bool
    ) -> None:
        super().__init__(categorical, (), conditioner.seed)
        self.conditioner, self.is_category = conditioner, is_category
        self.learner = "pfn"

    def clone(self) -> "InContext":
        """Return an unfitted copy."""
        return InContext(self.categorical, self.conditioner, self.is_category)

    def fit(self, X: Matrix, Y: Matrix) -> None:
        """Keep parents of shape (rows, parents) and values of shape (rows, 1); rows without a value are left out."""
        values = Y.reshape(-1).astype("float64")
        present = ~np.isnan(values)
        self.values, self.parents = values[present], X[present].astype("float64")

    def evaluate(self, parent_samples: Matrix, noise_samples: Matrix) -> Matrix:
        """Return values for parents of shape (rows, parents) and uniform noise of shape (rows, 1)."""
        parents, noise = parent_samples.astype("float64"), noise_samples.reshape(-1)
        if self.is_category:
            levels, member = np.unique(self.values, return_inverse=True)
            chosen = chosen_levels(self._believed(self.parents, member, parents), noise)
            return np.asarray(levels[chosen])[:, None]
        return self._halve(self.parents, self.values, parents, noise)[:, None]

    def _halve(self, parents: Matrix, values: Matrix, asked: Matrix, noise: Matrix) -> Matrix:
        """Return the value of each row that is asked for."""
        upper = _upper_half(values)
        if len(values) < 2 * FEWEST_IN_HALF or not upper.any() or len(asked) == 0:
            place = np.minimum((noise * len(values)).astype("int64"), len(values) - 1)
            return np.asarray(np.sort(values)[place])
        below = np.clip(self._believed(parents, upper.astype("int64"), asked)[:, 0], 1e-6, 1 - 1e-6)
        low = noise < below
        drawn = np.empty(len(asked))
        # what is left of the noise is uniform again on either side
        drawn[low] = self._halve(
            parents[~upper], values[~upper], asked[low], noise[low] / below[low]
        )
        left = (noise[~low] - below[~low]) / (1 - below[~low])
        drawn[~low] = self._halve(parents[upper], values[upper], asked[~low], left)
        return drawn

    def _believed(self, parents: Matrix, member: npt.NDArray[np.int64], asked: Matrix) -> Matrix:
        """Return P(member | parents) for the rows that are asked for, shape (rows, members)."""
        filled = np.nan_to_num(parents, nan=np.inf)
        if (filled == filled[:1]).all():  # parents that are the same in all rows tell nothing
            return np.tile(np.bincount(member) / len(member), (len(asked), 1))
        context = Table.from_frame(
            self._frame(parents).assign(member=pd.Categorical(member)), "member"
        )
        return np.asarray(
            self.conditioner.condition(context, VIEWS).predict_proba(self._frame(asked))
        )

    def _frame(self, parents: Matrix) -> pd.DataFrame:
        """Return parents as a frame, codes as categories."""
        return pd.DataFrame(
            {
                f"parent {i}": pd.Categorical(column) if is_code else column
                for i, (column, is_code) in enumerate(zip(parents.T, self.categorical, strict=True))
            }
        )


def too_many_levels(table: Table) -> tuple[str, ...]:
    """Say which categories a foundation model cannot predict; their mechanisms are fitted."""
    wide = [
        str(column.name)
        for column in table.columns
        if table.frame[column.name].nunique() > MOST_LEVELS and column.is_categorical
    ]
    if not wide:
        return ()
    return (
        f"the categories {wide} have more than {MOST_LEVELS} levels: learners stand in for the foundation model",
    )


def _upper_half(values: Matrix) -> npt.NDArray[np.bool_]:
    """Return which values are above the median, or above the least where more than half of them are equal to that."""
    upper = values > np.median(values)
    return upper if upper.any() else np.asarray(values > values.min(initial=np.inf))
