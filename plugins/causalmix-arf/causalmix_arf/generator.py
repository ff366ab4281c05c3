"""`ARF`: an adversarial random forest as a generator of synthetic rows."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field
from scipy.special import ndtr, ndtri

from autogluon_causalmix.plugin import Register, Resources, Table, hookimpl
from causalmix_arf.leaves import Indices, Leaves, Matrix

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

CONVERGED = "the last forest cannot tell"


@dataclass(frozen=True)
class ARF:
    """An adversarial random forest (Watson, Blesch, Kapar and Wright, AISTATS 2023).

    A forest learns to tell real rows from drawn ones, at first from rows of independent columns.
    Rows are then drawn from the leaves of the forest, and a new forest learns to tell those from
    real ones, until it cannot. In the leaves of the forest before, columns are then independent::

        p(x) = 1/T Σ_t Σ_l π(t, l) ∏_j p(x_j | t, l),

    with π(t, l) the share of the real rows in leaf l of tree t. Numbers are normal with the leaf's
    mean and standard deviation, truncated to the leaf and to the observed range; categories have
    the leaf's frequencies. As in the authors' program, leaves with fewer than `min_leaf` real rows
    are pruned; here, in each round.

    A cell is missing as often as in its leaf. Trees split categories by the order of their codes,
    and numbers by their ranks.

    Parameters
    ----------
    trees : int
        T, the trees of a forest.
    min_leaf : int
        Fewest rows in a leaf while a tree grows, and fewest real rows in one that is drawn from.
    rounds : int
        How many forests follow the first at most.
    delta : float
        A forest that is right about less than ½ + `delta` of the rows (out of bag) cannot tell.
    """

    trees: Annotated[int, Field(ge=10, le=1000)] = 30
    min_leaf: Annotated[int, Field(ge=1)] = 5
    rounds: Annotated[int, Field(ge=0)] = 10
    delta: Annotated[float, Field(ge=0, le=0.5)] = 0.0

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "FittedARF":
        """Grow forests until one cannot tell real from drawn rows."""
        values = table.encode()
        ranks, columns = _ranks(values), np.arange(values.shape[1])
        drawn = ranks[rng.integers(len(ranks), size=ranks.shape), columns]
        leaves, accuracy, stopped = None, [], ""
        while not stopped:
            forest = self._forest(ranks, drawn, rng, resources)
            accuracy.append(round(float(forest.oob_score_), 4))
            stopped = self._reason_to_stop(accuracy, resources)
            if leaves is None or not stopped:
                leaves = Leaves.of([tree.tree_ for tree in forest], ranks, self.min_leaf)
                drawn = ranks[
                    leaves.cells(leaves.draw(len(ranks), rng), len(columns), rng), columns
                ]
        assert leaves is not None
        return FittedARF(table.take(np.arange(0)), values, leaves, tuple(accuracy), stopped)

    def _forest(
        self, real: Matrix, drawn: Matrix, rng: np.random.Generator, resources: Resources
    ) -> "RandomForestClassifier":
        """Fit a forest to tell real from drawn rows, both of shape (rows, columns)."""
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            self.trees,
            min_samples_leaf=self.min_leaf,
            oob_score=True,
            n_jobs=resources.num_cpus,
            random_state=int(rng.integers(2**31)),
        )
        with warnings.catch_warnings():
            # The vote on a row that every tree has seen counts as "real": one in 10⁶ for 30 trees.
            warnings.filterwarnings("ignore", "Some inputs do not have OOB scores")
            return forest.fit(np.vstack([real, drawn]), np.repeat([0, 1], len(real)))

    def _reason_to_stop(self, accuracy: list[float], resources: Resources) -> str:
        """Return why no other forest follows, empty if one does."""
        if accuracy[-1] <= 0.5 + self.delta:
            return CONVERGED
        if len(accuracy) > self.rounds:
            return f"{self.rounds} rounds are over"
        if len(accuracy) > 1 and accuracy[-1] > accuracy[-2]:
            return "the accuracy fell no further"
        spent = resources.seconds - resources.remaining()
        return "time is nearly up" if resources.remaining() < 2 * spent / len(accuracy) else ""


@dataclass(frozen=True)
class FittedARF:
    """The leaves of a forest and the rows in them.

    Attributes
    ----------
    template : Table
        The columns without rows, to decode drawn rows.
    values : array, shape (N, columns)
        The encoded real rows.
    leaves : Leaves
        Where columns are independent.
    accuracy : tuple of float
        Of each forest, out of bag.
    stopped : str
        Why no other forest followed.
    """

    template: Table
    values: Matrix
    leaves: Leaves
    accuracy: tuple[float, ...]
    stopped: str

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw leaves, then each column of each row by its distribution in the leaf."""
        leaves = self.leaves.draw(n_rows, rng)
        columns = np.arange(self.values.shape[1])
        drawn = self.values[self.leaves.cells(leaves, len(columns), rng), columns]
        number = np.array([not column.is_categorical for column in self.template.columns])
        normal = self._truncated_normal(leaves, rng)
        return self.template.decode(np.where(number & ~np.isnan(drawn), normal, drawn))

    def _truncated_normal(self, leaves: Indices, rng: np.random.Generator) -> Matrix:
        """Draw all columns as numbers, shape (leaves, columns)."""
        different, row = np.unique(leaves, return_inverse=True)
        unit = np.abs(self.values).max(axis=0, initial=0.0, where=~np.isnan(self.values))
        unit[unit == 0] = 1.0  # in units of the largest value, no square overflows
        moments = self.leaves.moments(different, self.values / unit)
        mean, deviation = (each[row] for each in moments)
        low, high = ((each / unit)[row] for each in self._bounds(different))
        scale = np.where(deviation > 0, deviation, 1.0)
        least, most = ndtr((low - mean) / scale), ndtr((high - mean) / scale)
        normal = mean + deviation * ndtri(least + rng.random(mean.shape) * (most - least))
        # The mean is inside of the bounds: what leaves them is a rounding error of the tails.
        drawn: Matrix = unit * np.where(deviation > 0, normal.clip(low, high), mean)
        return drawn

    def _bounds(self, leaves: Indices) -> tuple[Matrix, Matrix]:
        """Return the bounds of leaves as values; thresholds are between ranks."""
        grids = [np.unique(column[~np.isnan(column)]) for column in self.values.T]
        widest = np.array([[0.0] * len(grids), [max(len(grid) - 1.0, 0.0) for grid in grids]])
        low, high = self.leaves.bounds(leaves, widest)
        for position, grid in enumerate(grids):
            for bound in (low, high):
                if len(grid):
                    bound[:, position] = np.interp(bound[:, position], np.arange(len(grid)), grid)
        return low, high

    def describe(self) -> Mapping[str, object]:
        """Return the accuracy of the forests, the number of leaves and why it stopped."""
        note = (
            f"adversarial rounds ended because {self.stopped}: the last forest was right about "
            f"{self.accuracy[-1]:.0%} of real and drawn rows, 50% is the aim"
        )
        return {
            "accuracy": list(self.accuracy),
            "leaves": len(np.unique(self.leaves.reached)),
            "notes": [] if self.stopped == CONVERGED else [note],
        }


def _ranks(values: Matrix) -> Matrix:
    """Return the rank of each value among the different ones of its column, NaN where missing.

    scikit-learn's trees compute in 32 bits, which hold ranks exactly, but not all values.
    """
    ranks = np.full(values.shape, np.nan)
    for position, column in enumerate(values.T):
        present = ~np.isnan(column)
        ranks[present, position] = np.unique(column[present], return_inverse=True)[1]
    return ranks


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register the forest under its name."""
    register("arf", ARF)
