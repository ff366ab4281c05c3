"""Tables of OpenML and of TabArena, by number or by name, fetched by scikit-learn and cached.

``openml-61`` is the data set 61 of https://www.openml.org with its default target, and
``tabarena-credit-g`` the one that TabArena (arXiv 2506.16791) calls credit-g. TabArena's names and
numbers stand in ``tabarena.csv``, its 38 classification tables.
"""

from __future__ import annotations

import csv
import hashlib
import re
from functools import cache
from pathlib import Path
from urllib.error import URLError

import pandas as pd
from sklearn.datasets import fetch_openml

OPENML, TABARENA = "openml-", "tabarena-"
LIST = Path(__file__).parent / "tabarena.csv"


class NotFetched(RuntimeError):
    """A table cannot be fetched; the message says why and what to do instead."""


@cache
def tabarena_numbers() -> dict[str, int]:
    """Return the OpenML number of each classification table of TabArena, by its name there.

    Examples
    --------
    >>> tabarena_numbers()["credit-g"]
    46918
    """
    with LIST.open(encoding="utf-8") as file:
        return {row["dataset"]: int(row["openml"]) for row in csv.DictReader(file)}


def number_of(name: str) -> int | None:
    """Return the OpenML number that a table's name stands for, None if it stands for none.

    Examples
    --------
    >>> number_of("openml-61"), number_of("tabarena-churn"), number_of("churn")
    (61, 46915, None)
    """
    if re.fullmatch(OPENML + r"\d+", name):
        return int(name.removeprefix(OPENML))
    return tabarena_numbers().get(name.removeprefix(TABARENA)) if TABARENA in name else None


def fetch(name: str, number: int, target: str) -> tuple[pd.DataFrame, str]:
    """Return a table with the column `target`, as text, last; and the hash of its content.

    Raises
    ------
    NotFetched
        OpenML cannot be reached or has no such table, or the table has not one default target.
    """
    try:
        # What a number stands for never changes, so scikit-learn's cache is never stale.
        bunch = fetch_openml(data_id=number, as_frame=True, parser="auto")
    except (OSError, URLError, ValueError) as error:
        raise NotFetched(
            f"OpenML does not give {name!r}, number {number} ({error}): write the table as "
            f"{name}.csv with a column {target!r} into the folder of --data"
        ) from error
    if not isinstance(bunch.target, pd.Series):
        raise NotFetched(f"{name!r} has no single default target: give it as a CSV file")
    features = bunch.data.rename(columns={target: f"{target} (feature)"})
    labels = bunch.target.astype("string").astype(object).rename(target)
    frame = pd.concat([features, labels], axis=1).dropna(subset=[target])
    content = pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()
    return frame, hashlib.sha256(content + repr(list(frame)).encode()).hexdigest()
