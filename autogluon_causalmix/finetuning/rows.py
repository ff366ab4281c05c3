"""Rows as the network sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.backbones.protocol import InContextModel
from autogluon_causalmix.table import Table

if TYPE_CHECKING:
    from torch import Tensor

Rows = TypeVar("Rows")


@dataclass(frozen=True)
class EncodedRows:
    """Rows as each of the V views sees them, (rows, C) each, and their classes.

    Attributes
    ----------
    views : sequence of torch.Tensor
        One per view of the model.
    labels : numpy.ndarray
        Positions among the model's classes, shape (rows,).
    soft : numpy.ndarray or None
        P(class), shape (rows, K), where the label is a prediction itself; the loss then takes it
        in place of the class.
    """

    views: "Sequence[Tensor]"
    labels: Indices
    soft: Matrix | None = None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class RowSets(Generic[Rows]):
    """The rows of one fit, as tables or as the network sees them.

    Attributes
    ----------
    training : Table or EncodedRows
        Real rows: context of every prediction, and queries.
    validation : Table, EncodedRows or None
        Real rows on which candidates are compared.
    synthetic : Table, EncodedRows or None
        Queries, or whole episodes.
    """

    training: Rows
    validation: Rows | None = None
    synthetic: Rows | None = None


def encode_sets(model: InContextModel, tables: RowSets[Table]) -> RowSets[EncodedRows]:
    """Encode tables for a model that was conditioned on the training rows."""
    return RowSets(
        EncodedRows(model.encode_context(), class_codes(model, tables.training)),
        None if tables.validation is None else encode_rows(model, tables.validation),
        None if tables.synthetic is None else encode_rows(model, tables.synthetic),
    )


def encode_rows(model: InContextModel, table: Table) -> EncodedRows:
    """Return rows of any table with the columns of the model's own."""
    soft = table.soft_labels
    if soft is not None:
        soft = soft[:, table.levels.astype("object").get_indexer(pd.Index(model.classes))]
    return EncodedRows(model.encode(table.features), class_codes(model, table), soft)


def class_codes(model: InContextModel, table: Table) -> Indices:
    """Return the labels of `table` as positions among the model's classes, shape (rows,)."""
    codes = pd.Index(model.classes).get_indexer(pd.Index(table.labels.astype("object")))
    return np.asarray(codes, dtype="int64")
