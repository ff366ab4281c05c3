"""Which rows of a table train, validate and test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from benchmarks.study.tables import Dataset

Positions = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Split:
    """Positions of rows in a table's frame; no row stands in two parts.

    Attributes
    ----------
    seed : int
        The split's number, which seeds the draw of rows and whatever a measurement draws.
    train, validation, test : numpy.ndarray
        Positions in the order they were drawn; `validation` may be empty.
    """

    seed: int
    train: Positions
    validation: Positions
    test: Positions


@dataclass(frozen=True)
class SplitRule:
    """How rows are drawn: training rows are stratified by class.

    Attributes
    ----------
    train_rows : int
        Training and validation rows together.
    train_share : float
        Their largest share of the table, which decides for small tables.
    test_rows : int
        Most rows of the rest that are tested on.
    validation_share : float
        Share of the training rows that validates, stratified where every class has two rows there.
    stratified_test : bool
        Whether test rows are stratified, too, where not all of the rest is tested on.

    Examples
    --------
    >>> from benchmarks.study.tables import load
    >>> rule = SplitRule(train_rows=100, train_share=0.6, test_rows=30, validation_share=0.25)
    >>> split = rule.draw(load(None, ["iris"])[0], seed=0)
    >>> len(split.train), len(split.validation), len(split.test)
    (67, 23, 30)
    """

    train_rows: int
    train_share: float
    test_rows: int
    validation_share: float = 0.0
    stratified_test: bool = False

    def draw(self, table: Dataset, seed: int) -> Split:
        """Return one split; the same table and seed give the same rows."""
        labels = table.labels
        size = min(self.train_rows, int(self.train_share * len(labels)))
        n_test = min(self.test_rows, len(labels) - size)
        train, rest = train_test_split(
            labels,
            train_size=size,
            test_size=n_test if self.stratified_test else None,
            stratify=labels,
            random_state=seed,
        )
        test = rest if self.stratified_test else rest.sample(n_test, random_state=seed)
        train, validation = self._hold_out(train, seed)
        return Split(seed, *(part.index.to_numpy() for part in (train, validation, test)))

    def _hold_out(self, train: pd.Series, seed: int) -> tuple[pd.Series, pd.Series]:
        if not self.validation_share:
            return train, train.iloc[:0]
        strata = train if train.value_counts().min() > 1 else None
        kept, held_out = train_test_split(
            train, test_size=self.validation_share, stratify=strata, random_state=seed
        )
        return kept, held_out
