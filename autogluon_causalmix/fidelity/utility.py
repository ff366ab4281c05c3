"""Utility: how well models trained on synthetic rows predict unseen real rows, and vice versa."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.errors import NotApplicable
from autogluon_causalmix.fidelity.forests import (
    LARGEST,
    codes,
    features,
    predictions,
    probabilities,
)
from autogluon_causalmix.fidelity.protocol import Better, Samples
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.task import one_vs_rest_auc

Trees = Annotated[int, Field(ge=1)]
ESTEBAN = "Esteban, Hyland & Rätsch, 2017, arXiv 1706.02633"
MOST_TARGET_LEVELS = 20
"""Of a category that is predicted as a column in turn; with more, each has too few rows."""


@dataclass(frozen=True)
class TrainSyntheticTestReal:
    """TSTR: ROC-AUC on unseen real rows of a random forest trained on synthetic rows.

    One against the rest, mean over classes. A class that no synthetic row has is never predicted.

    Parameters
    ----------
    trees : int
        Of the forest.
    """

    family: ClassVar[str] = "utility"
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = ESTEBAN

    trees: Trees = 50

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the AUC."""
        return _transferred(rows.synthetic, rows.holdout, "unseen real", self.trees, rng)


@dataclass(frozen=True)
class TrainRealTestSynthetic:
    """TRTS: ROC-AUC on synthetic rows of a random forest trained on unseen real rows.

    High for rows that are typical, also where they are all alike: see it beside TSTR.

    Parameters
    ----------
    trees : int
        Of the forest.
    """

    family: ClassVar[str] = "utility"
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    reference: ClassVar[str] = ESTEBAN

    trees: Trees = 50

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the AUC."""
        return _transferred(rows.holdout, rows.synthetic, "synthetic", self.trees, rng)


@dataclass(frozen=True)
class GlobalUtility:
    """Every column as target in turn: skill of a forest trained on synthetic over one on real rows.

    The skill is balanced accuracy for categories and 1 / RMSE for numbers, on unseen real rows; the
    value is the mean ratio. Left out are constant columns and categories of more than 20 levels.
    The paper trains an ensemble of tuned models; this is one random forest.

    Parameters
    ----------
    trees : int
        Of each forest.
    """

    family: ClassVar[str] = "utility"
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, math.inf)
    reference: ClassVar[str] = "Jiang, Simidjievski & Jamnik, 2026, TabStruct, arXiv 2509.11950"

    trees: Trees = 10

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the mean ratio of skills."""
        size = min(len(rows.synthetic), len(rows.real))
        training, synthetic = (
            table.take(rng.choice(len(table), size, replace=False))
            for table in (rows.real, rows.synthetic)
        )
        ratios = []
        for position in range(len(rows.real.columns)):
            if not _is_predicted(rows, position):
                continue
            seed = int(rng.integers(2**31))  # both forests draw alike
            drawn, wanted = (
                _skill(table, rows.holdout, position, self.trees, np.random.default_rng(seed))
                for table in (synthetic, training)
            )
            if wanted > 0:
                ratios.append(drawn / wanted)
        if not ratios:
            raise NotApplicable("no column can be predicted from the others")
        return float(np.mean(ratios))


def _transferred(
    training: Table, test: Table, label: str, trees: int, rng: np.random.Generator
) -> float:
    """Return the one-vs-rest AUC on `test` of a forest trained on `training`."""
    known = codes(test)
    present = np.unique(known)
    if len(present) < 2:
        raise NotApplicable(f"the {label} rows hold a single class")
    predicted = probabilities(
        features(training), codes(training), features(test), len(test.levels), trees, rng
    )
    return one_vs_rest_auc(predicted[:, present], known)


def _is_predicted(rows: Samples, position: int) -> bool:
    """Whether a column varies, has few levels, and enough values in all tables."""
    columns = [table.encode()[:, position] for table in (rows.real, rows.synthetic, rows.holdout)]
    present = [values[~np.isnan(values)] for values in columns]
    if min(len(values) for values in present) < 2:
        return False
    different = min(len(np.unique(values)) for values in (present[0], present[2]))
    is_category = rows.real.columns[position].is_categorical
    levels = len(np.unique(np.concatenate(present)))
    return different > 1 and not (is_category and levels > MOST_TARGET_LEVELS)


def _skill(
    training: Table, test: Table, position: int, trees: int, rng: np.random.Generator
) -> float:
    """Return how well a forest trained on one table predicts a column of another."""
    (known, inputs), (wanted, rows) = (_present(table, position) for table in (training, test))
    column = test.columns[position]
    if column.levels is None:
        error = predictions(inputs, known, rows, trees, rng) - wanted
        return 1 / max(float(np.sqrt(np.mean(error**2))), np.finfo("float64").tiny)
    predicted = probabilities(
        inputs, known.astype("int64"), rows, len(column.levels), trees, rng
    ).argmax(axis=1)
    return _balanced_accuracy(predicted, wanted.astype("int64"))


def _present(table: Table, position: int) -> tuple[Matrix, Matrix]:
    """Return the values of a column, and the other columns, of the rows that have a value."""
    values = np.clip(table.encode()[:, position], -LARGEST, LARGEST)
    present = ~np.isnan(values)
    return values[present], features(table, position)[present]


def _balanced_accuracy(predicted: Indices, wanted: Indices) -> float:
    """Return the mean over classes of the share of their rows that are predicted."""
    return float(np.mean([(predicted[wanted == own] == own).mean() for own in np.unique(wanted)]))


@hookimpl
def causalmix_register_metrics(register: Register) -> None:
    """Register the built-in metrics of utility."""
    register("tstr", TrainSyntheticTestReal)
    register("trts", TrainRealTestSynthetic)
    register("global-utility", GlobalUtility)
