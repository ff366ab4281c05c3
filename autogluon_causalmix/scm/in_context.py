"""Foundation models inside causal models: as the mechanism of a node, and as teacher of the label.

Both predict in context, without training, with a backbone that the plugin registry knows by name.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Indices, Mask, Matrix
from autogluon_causalmix.backbones.contract import condition
from autogluon_causalmix.backbones.protocol import Backbone, InContextModel
from autogluon_causalmix.config import Named
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.scm.mechanisms import Mechanism, chosen_levels
from autogluon_causalmix.table import Table

MOST_PREDICTED_LEVELS = 10
"""Of a category: as many classes as the foundation models predict."""

FEWEST_IN_HALF = 25
"""Rows on each side of a split: about as few as a foundation model learns a threshold from."""

MECHANISM_VIEWS = 2
"""Averaged in a mechanism: with one view it is overconfident, and each costs as much again."""

TEACHER_VIEWS = 4
"""As many as the fine-tuned model has by default."""


@dataclass(frozen=True)
class Conditioner:
    """How to show rows to a foundation model.

    Attributes
    ----------
    named : Named
        The backbone and its options.
    seed : int
        Of its views.
    device : str
        The torch device it runs on.
    """

    named: Named
    seed: int
    device: str = "cpu"

    def condition(self, table: Table, n_estimators: int) -> InContextModel:
        """Return the backbone with the rows of `table` as its context."""
        entry = plugin_registry().of(Backbone).get(self.named.name)
        return condition(
            entry.create(self.named.options),
            table,
            n_estimators=n_estimators,
            device=self.device,
            seed=self.seed,
            owner=entry.owner,
        )


@dataclass(frozen=True)
class Teacher:
    """Labels rows with the probabilities that a foundation model predicts for them.

    Attributes
    ----------
    model : InContextModel
        With the real rows as its context.
    """

    model: InContextModel

    @classmethod
    def of(cls, table: Table, conditioner: Conditioner) -> "Teacher":
        """Show the real rows to the backbone."""
        return cls(conditioner.condition(table, TEACHER_VIEWS))

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings of the backbone."""
        return tuple(self.model.notes)

    def label(self, rows: Table, rng: np.random.Generator) -> Table:
        """Return the rows with soft labels, and with labels drawn from them."""
        soft = np.zeros((len(rows), len(rows.levels)))
        place = rows.levels.astype("object").get_indexer(pd.Index(self.model.classes))
        soft[:, place] = self.model.predict_proba(rows.features)
        soft /= soft.sum(axis=1, keepdims=True)
        codes = chosen_levels(soft, rng.random(len(rows))).astype("float64")
        frame = rows.frame.copy()
        frame[rows.target] = rows.columns[rows.target_position].decode(codes)
        return replace(rows, frame=frame, soft_labels=soft)


class InContext(Mechanism):
    """A child of any kind: X := Q(U | parents), Q a quantile function by a foundation model.

    The model predicts the level of a category directly. A number is found by halving: is X above
    the median of the rows, above the median of those on its side, and so on until few rows are
    left, one of which gives its value (nested dichotomies: Frank and Kramer, 2004). Each question
    has two answers, which these models predict best.

    No row is held out of the context, so `held_out` stays None.

    Parameters
    ----------
    categorical : sequence of bool
        Which of the parents are categories, in their order.
    conditioner : Conditioner
        The backbone. It is loaded whenever rows are drawn and not kept, as its weights are large.
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
        """Keep parents (rows, parents) and values (rows, 1), without rows that miss the value."""
        values = Y.reshape(-1).astype("float64")
        present = ~np.isnan(values)
        self.values, self.parents = values[present], X[present].astype("float64")

    def evaluate(self, parent_samples: Matrix, noise_samples: Matrix) -> Matrix:
        """Return values (rows, 1) for parents (rows, parents) and uniform noise (rows, 1)."""
        parents, noise = parent_samples.astype("float64"), noise_samples.reshape(-1)
        if self.is_category:
            levels, member = np.unique(self.values, return_inverse=True)
            chosen = chosen_levels(self._probabilities(self.parents, member, parents), noise)
            return np.asarray(levels[chosen])[:, None]
        return self._halve(self.parents, self.values, parents, noise)[:, None]

    def counterfactual(
        self, values: Matrix, before: Matrix, after: Matrix, rng: np.random.Generator
    ) -> Matrix:
        """Refuse: the noise that gave a value is not kept."""
        raise ConfigError(
            "the mechanism 'pfn' does not say by what noise a value came about: for counterfactual "
            "rows choose another, as mechanism='auto'"
        )

    def _halve(self, parents: Matrix, values: Matrix, query: Matrix, noise: Matrix) -> Matrix:
        """Return the value of each row of `query`, shape (rows,)."""
        upper = _upper_half(values)
        if len(values) < 2 * FEWEST_IN_HALF or not upper.any() or len(query) == 0:
            place = np.minimum((noise * len(values)).astype("int64"), len(values) - 1)
            return np.asarray(np.sort(values)[place])
        probability = self._probabilities(parents, upper.astype("int64"), query)
        below = np.clip(probability[:, 0], 1e-6, 1 - 1e-6)
        low = noise < below
        drawn = np.empty(len(query))
        # Given the side, the rest of the noise is uniform again.
        within = noise[low] / below[low]
        drawn[low] = self._halve(parents[~upper], values[~upper], query[low], within)
        within = (noise[~low] - below[~low]) / (1 - below[~low])
        drawn[~low] = self._halve(parents[upper], values[upper], query[~low], within)
        return drawn

    def _probabilities(self, parents: Matrix, member: Indices, query: Matrix) -> Matrix:
        """Return P(member | parents) for the rows of `query`, shape (rows, members)."""
        filled = np.nan_to_num(parents, nan=np.inf)
        if (filled == filled[:1]).all():  # parents without variation predict nothing
            return np.tile(np.bincount(member) / len(member), (len(query), 1))
        context = Table.from_frame(
            self._frame(parents).assign(member=pd.Categorical(member)), "member"
        )
        model = self.conditioner.condition(context, MECHANISM_VIEWS)
        placed = np.zeros((len(query), member.max() + 1))
        placed[:, model.classes.astype("int64")] = model.predict_proba(self._frame(query))
        return placed  # a backbone has an order of its own

    def _frame(self, parents: Matrix) -> pd.DataFrame:
        """Return parents as a frame, codes as categories."""
        return pd.DataFrame(
            {
                f"parent {i}": pd.Categorical(column) if is_code else column
                for i, (column, is_code) in enumerate(zip(parents.T, self.categorical, strict=True))
            }
        )


def limits_of_context(table: Table) -> tuple[str, ...]:
    """Return notes on the columns for which something simpler replaces the foundation model."""
    levels = {column.name: table.frame[column.name].nunique() for column in table.columns}
    values = {column.name: int(table.frame[column.name].count()) for column in table.columns}
    wide = [
        str(column.name)
        for column in table.columns
        if column.is_categorical and levels[column.name] > MOST_PREDICTED_LEVELS
    ]
    short = [
        str(column.name)
        for column in table.columns
        if not column.is_categorical
        and levels[column.name] > 1
        and values[column.name] < 2 * FEWEST_IN_HALF
    ]
    notes = []
    if wide:
        notes.append(
            f"the categories {wide} have more than {MOST_PREDICTED_LEVELS} levels: learners stand "
            "in for the foundation model"
        )
    if short:
        notes.append(
            f"the numbers {short} have fewer than {2 * FEWEST_IN_HALF} values, too few for the "
            "foundation model: they are drawn as if they had no causes"
        )
    return tuple(notes)


def _upper_half(values: Matrix) -> Mask:
    """Return which values are above the median, or above the least if none is above the median."""
    upper = values > np.median(values)
    return upper if upper.any() else np.asarray(values > values.min(initial=np.inf))
