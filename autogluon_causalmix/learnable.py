"""`check_table`: whether there is anything to learn from a table, and whether it is too large."""

from typing import Any

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.model import CausalMixModel
from autogluon_causalmix.table import Table, identifiers

FEWEST_ROWS_OF_A_CLASS = 2  # of a class: one to learn from and one to validate on


def check_table(table: Table) -> None:
    """Refuse a table that no arm can be fitted to, before the work starts.

    Raises
    ------
    TableError
        It has too few or too many classes, too many rows or features, or nothing to learn from.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"dose": [1, 1, 1, 1], "cured": ["no", "no", "yes", "yes"]})
    >>> check_table(Table.from_frame(frame, target="cured"))
    Traceback (most recent call last):
        ...
    autogluon_causalmix.errors.TableError: there is nothing to learn from: every feature is empty, \
has a single value, or another word in every row
    """
    limits: dict[str, Any] = CausalMixModel._default_auxiliary_params_extra
    counted = table.labels.value_counts()
    counted = counted[counted > 0]
    target = repr(table.target)
    if len(counted) < 2:
        raise TableError(
            f"the target {target} has a single class, {counted.index[0]!r}: nothing to predict"
        )
    for what, found in (
        ("classes", len(counted)),
        ("rows", len(table)),
        ("features", len(table.columns) - 1),
    ):
        if found > limits[f"max_{what}"]:
            raise TableError(
                f"the table has {found} {what}, the model takes at most {limits[f'max_{what}']}"
            )
    if counted.iloc[1] < FEWEST_ROWS_OF_A_CLASS:
        raise TableError(
            f"the target {target} has less than two classes with {FEWEST_ROWS_OF_A_CLASS} rows or "
            "more: too few to learn from and to validate on"
        )
    copies = identifiers(table)
    named = [column.name for column in table.feature_columns if column.name not in copies]
    if not any(table.frame[name].nunique() > 1 for name in named):
        raise TableError(
            "there is nothing to learn from: every feature is empty, has a single value, "
            "or another word in every row"
        )
