"""`Derived`: features that AutoGluon has made from others, which are no columns of the data."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Indices
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class Derived:
    """Features that a generator does not see, and how synthetic rows come by them.

    Attributes
    ----------
    dates : mapping of Hashable to (Hashable, str)
        Parts of dates: the column of nanoseconds, and the part, as pandas calls it. They are
        computed from the drawn dates.
    text : tuple of Hashable
        Made from text that is gone. Each synthetic row has those of a real row of its class.

    Examples
    --------
    >>> frame = pd.DataFrame({"day": [0, 86_400 * 10**9], "day.day": [1, 2], "ill": ["no", "yes"]})
    >>> table, made = Table.from_frame(frame, "ill"), Derived({"day.day": ("day", "day")})
    >>> rows = made.without(table)
    >>> list(rows.frame), made.complete(rows, table, np.random.default_rng(0)).frame.equals(frame)
    (['day', 'ill'], True)
    """

    dates: Mapping[Hashable, tuple[Hashable, str]] = field(default_factory=dict)
    text: tuple[Hashable, ...] = ()

    @classmethod
    def by_autogluon(cls, metadata: Any) -> "Derived":
        """Return the features that AutoGluon has made, by its metadata of them."""
        dates = metadata.get_features(required_special_types=["datetime_as_int"])
        split = {name: name.rpartition(".")[::2] for name in dates}
        parts = {name: made for name, made in split.items() if made[0] in dates}
        text = [
            name
            for kind in ("text_ngram", "text_special", "text_as_category")
            for name in metadata.get_features(required_special_types=[kind])
        ]
        return cls(parts, tuple(text))

    def of(self, table: Table) -> "Derived":
        """Return those that a table has; a part without its date is data like any other."""
        there = {column.name for column in table.feature_columns}
        return Derived(
            {part: made for part, made in self.dates.items() if {part, made[0]} <= there},
            tuple(name for name in self.text if name in there),
        )

    def __bool__(self) -> bool:
        return bool(self.dates or self.text)

    def without(self, table: Table) -> Table:
        """Return a table without these columns."""
        kept = tuple(
            column
            for column in table.columns
            if column.name not in self.dates and column.name not in self.text
        )
        return replace(table, frame=table.frame[[column.name for column in kept]], columns=kept)

    def complete(self, rows: Table, real: Table, rng: np.random.Generator) -> Table:
        """Return drawn rows with all columns of the real ones."""
        frame = rows.frame.copy()
        for name, (date, part) in self.dates.items():
            frame[name] = getattr(pd.to_datetime(frame[date], utc=True).dt, part)
        if self.text:
            like = _like(rows.targets, real.targets, rng)
            for name in self.text:
                frame[name] = real.frame[name].array.take(like)
        frame = frame[list(real.frame.columns)].astype(real.frame.dtypes)
        return replace(real, frame=frame, soft_labels=rows.soft_labels)


def _like(drawn: np.ndarray, real: np.ndarray, rng: np.random.Generator) -> Indices:
    """Return for each drawn row the position of a real row of its class."""
    like = np.empty(len(drawn), dtype="int64")
    for label in np.unique(drawn):
        mine = drawn == label
        like[mine] = rng.choice(np.flatnonzero(real == label), int(mine.sum()))
    return like
