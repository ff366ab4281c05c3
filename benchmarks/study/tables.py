"""Where tables come from: a folder of CSV files, scikit-learn, OpenML or TabArena.

A table is ``<name>.csv`` with a column ``target``. An empty field is a missing value, a column of
text is categorical. ``<name>.json`` may stand beside it; its ``categorical_columns`` lists columns
that are categorical although they look like numbers. Names of OpenML and TabArena, see
`benchmarks.study.openml`, are fetched where the folder has no such file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from benchmarks.study.openml import fetch, number_of

TARGET = "target"
BUNDLED: Mapping[str, Callable[..., Any]] = {
    "digits": load_digits,
    "iris": load_iris,
    "wdbc": load_breast_cancer,
    "wine": load_wine,
}


class NoSuchTable(LookupError):
    """There is no table of that name; the message lists those that exist."""


class Unsuitable(ValueError):
    """A study does not take this table; the message says why."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """One classification table.

    Attributes
    ----------
    name : str
        The file's name without ``.csv``.
    frame : pandas.DataFrame
        Features and the column ``target``, which is text; categorical features have category dtype.
    sha256 : str
        Hash of the bytes the table was read from, and of the list of categorical columns.
    rows : numpy.ndarray
        Positions in `frame` that a study uses, ascending; all unless `keep_classes` left some out.
    notes : tuple of str
        What was left out, in sentences.
    """

    name: str
    frame: pd.DataFrame
    sha256: str
    rows: NDArray[np.intp]
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> pd.Series:
        """The target of the rows in use; its index holds their positions in `frame`."""
        return self.frame[TARGET].set_axis(np.arange(len(self.frame))).iloc[self.rows]

    @property
    def n_classes(self) -> int:
        """How many classes the rows in use have."""
        return int(self.labels.nunique())

    def take(self, positions: NDArray[np.intp]) -> pd.DataFrame:
        """Return rows by their positions in `frame`."""
        return self.frame.iloc[positions]


def load(folder: Path | None, names: Sequence[str] | None = None) -> list[Dataset]:
    """Return tables of `folder`, scikit-learn, OpenML and TabArena, in the order of `names`.

    Parameters
    ----------
    folder : Path or None
        Where ``<name>.csv`` lie; None for scikit-learn's tables alone.
    names : sequence of str or None
        Which tables; a name is looked up in the folder first, then among scikit-learn's. Those of
        the forms ``openml-61`` and ``tabarena-credit-g`` are fetched. None takes all tables of the
        folder, or scikit-learn's where there is no folder.

    Raises
    ------
    NoSuchTable
        A name is found in no place, or the folder holds no table.
    NotFetched
        A table is not in scikit-learn's cache, and OpenML does not give it.

    Examples
    --------
    >>> [table.name for table in load(None)]
    ['digits', 'iris', 'wdbc', 'wine']
    >>> load(None, ["iris"])[0].frame.shape
    (150, 5)
    """
    files = {path.stem: path for path in sorted(folder.glob("*.csv"))} if folder else {}
    if folder and not files and names is None:
        raise NoSuchTable(f"{folder} holds no table: a table is a file <name>.csv")
    known = sorted({*files, *BUNDLED})
    chosen = list(names if names is not None else files or BUNDLED)
    unknown = [name for name in chosen if name not in known and number_of(name) is None]
    if unknown:
        raise NoSuchTable(
            f"there is no table {unknown[0]!r}; choose from {known}, or a name like openml-61 or "
            "tabarena-credit-g"
        )
    return [read(files[name]) if name in files else fetched(name) for name in chosen]


def fetched(name: str) -> Dataset:
    """Return a table of scikit-learn, OpenML or TabArena."""
    number = number_of(name)
    if number is None:
        return bundled(name)
    frame, sha256 = fetch(name, number, TARGET)
    return _dataset(name, frame, sha256)


def read(path: Path) -> Dataset:
    """Return the table of one CSV file.

    Raises
    ------
    ValueError
        The file has no column ``target``, a row has none, or its JSON lists a column that does not
        exist.
    """
    facts = path.with_suffix(".json")
    listed = json.loads(facts.read_text()).get("categorical_columns", []) if facts.exists() else []
    texts = dict.fromkeys((*listed, TARGET), str)
    frame = pd.read_csv(path, dtype=texts)
    lost = [name for name in texts if name not in frame]
    if lost:
        raise ValueError(f"{path} has no column {lost[0]!r}; its columns are {list(frame)}")
    if frame[TARGET].isna().any():
        raise ValueError(
            f"{path} has {frame[TARGET].isna().sum()} rows without a target: fill or remove"
        )
    content = path.read_bytes() + json.dumps(sorted(listed)).encode()
    return _dataset(path.stem, frame, hashlib.sha256(content).hexdigest())


def bundled(name: str) -> Dataset:
    """Return one of the tables that scikit-learn ships."""
    frame = pd.DataFrame(BUNDLED[name](as_frame=True)["frame"])
    frame = frame.astype({TARGET: str})
    content = frame.to_csv(index=False).encode()
    return _dataset(name, frame, hashlib.sha256(content).hexdigest())


def _dataset(name: str, frame: pd.DataFrame, sha256: str) -> Dataset:
    text = frame.select_dtypes(exclude="number").columns.drop(TARGET)
    frame = frame.astype(dict.fromkeys(text, "category"))
    return Dataset(name, frame, sha256, np.arange(len(frame)))


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows with categories as text, so that a `Table` of them has only levels that occur."""
    return frame.astype(dict.fromkeys(frame.select_dtypes("category"), object))


def keep_classes(table: Dataset, fewest: int, most: int | None = None) -> Dataset:
    """Return the table without rare classes, and a note of the rows that were left out.

    Parameters
    ----------
    table : Dataset
        The table.
    fewest : int
        Rows that a class needs.
    most : int or None
        How many classes are kept, the most frequent ones; None keeps all.

    Raises
    ------
    Unsuitable
        Fewer than two classes are left.

    Examples
    --------
    >>> keep_classes(load(None, ["wine"])[0], fewest=50).notes
    ("48 rows of the classes ['2'] left out: too rare",)
    """
    counts = table.labels.value_counts()
    kept = counts.index[:most][counts.iloc[:most] >= fewest]
    if len(kept) < 2:
        raise Unsuitable(f"{len(kept)} of its classes have {fewest} rows; at least two are needed")
    rows = table.rows[table.labels.isin(kept).to_numpy()]
    if len(rows) == len(table.rows):
        return table
    note = (
        f"{len(table.rows) - len(rows)} rows of the classes "
        f"{sorted(set(counts.index) - set(kept))} left out: too rare"
    )
    return replace(table, rows=rows, notes=(*table.notes, note))


def require_size(table: Dataset, most_classes: int, most_columns: int) -> Dataset:
    """Return the table as it is.

    Raises
    ------
    Unsuitable
        It has more classes or more features.
    """
    columns = table.frame.shape[1] - 1
    for count, most, what in (
        (table.n_classes, most_classes, "classes"),
        (columns, most_columns, "features"),
    ):
        if count > most:
            raise Unsuitable(f"{count} {what}; the study takes at most {most}")
    return table
