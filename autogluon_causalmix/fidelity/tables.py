"""Real, synthetic and unseen real rows as tables of the same columns and codes."""

import itertools
from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from autogluon_causalmix.dtypes import kind_of, plain
from autogluon_causalmix.errors import TableError
from autogluon_causalmix.table import Table


def alike(
    frames: Mapping[str, pd.DataFrame], target: Hashable
) -> tuple[dict[str, Table], list[str]]:
    """Return frames as tables whose encodings agree, and notes.

    Columns that the first frame lacks are left out. A category or a class may be in some only.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        By what to call them in errors.
    target : Hashable
        Name of the target column.

    Raises
    ------
    TableError
        The first frame is no table, or another one lacks a column or a label, or holds another kind
        of values in a column.

    Examples
    --------
    >>> real = pd.DataFrame({"dose": [1, 2], "cured": ["no", "yes"]})
    >>> drawn = pd.DataFrame({"dose": [1.5, None], "cured": ["no", "maybe"]})
    >>> tables, notes = alike({"real": real, "synthetic": drawn}, "cured")
    >>> tables["synthetic"].encode()
    array([[1.5, 1. ],
           [nan, 0. ]])
    """
    first, *others = frames
    names: list[Hashable] = list(Table.from_frame(frames[first], target).frame.columns)
    notes = []
    for other in others:
        extra = _check(other, frames[other], names, target)
        if extra:
            notes.append(f"ignored in the {other} rows, as the {first} rows lack them: {extra}")
    joined = {
        name: _joined(name, {key: own[name] for key, own in frames.items()}) for name in names
    }
    whole = Table.from_frame(pd.DataFrame(joined, columns=names), target)
    starts = np.cumsum([0, *(len(own) for own in frames.values())])
    rows = [np.arange(start, stop) for start, stop in itertools.pairwise(starts)]
    return {key: whole.take(own) for key, own in zip(frames, rows, strict=True)}, notes


def _check(
    label: str, frame: pd.DataFrame, names: list[Hashable], target: Hashable
) -> list[Hashable]:
    """Refuse what has not all columns once, or no label in some row; return further columns."""
    if not isinstance(frame, pd.DataFrame):
        raise TableError(f"the {label} rows are {type(frame).__name__}, not a pandas.DataFrame")
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise TableError(f"the {label} rows lack the columns {missing} of the real rows")
    repeated = frame.columns[frame.columns.duplicated()].unique().tolist()
    if repeated:
        raise TableError(f"the {label} rows have columns of the same name: {repeated}")
    unlabelled = int(frame[target].isna().sum())
    if unlabelled:
        raise TableError(
            f"the target {target!r} is missing in {unlabelled} {label} rows; drop them first"
        )
    return [name for name in frame.columns if name not in names]


def _joined(name: Hashable, columns: Mapping[str, pd.Series]) -> pd.Series:
    """Return one column of all frames, one below the other, in a dtype that holds all values."""
    kinds = {key: kind_of(values.dtype) for key, values in columns.items() if values.notna().any()}
    found = set(kinds.values())
    if len({values.dtype for values in columns.values()}) == 1:
        return pd.Series(pd.concat(columns.values(), ignore_index=True))
    if found <= {"float", "whole"} and not any(map(_is_period, columns.values())):
        numbers = [values.to_numpy("float64", na_value=np.nan) for values in columns.values()]
        return pd.Series(np.concatenate(numbers))
    if found == {"category"}:
        words = [plain(values).astype(object).to_numpy() for values in columns.values()]
        return pd.Series(np.concatenate(words), dtype=object)
    raise TableError(
        f"column {name!r} does not hold the same kind of values in all rows: {kinds}; "
        "convert it to one dtype"
    )


def _is_period(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.PeriodDtype)
