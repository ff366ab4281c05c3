"""`counterfactual`: given rows as they would have been, had columns been set."""

import logging
from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from autogluon_causalmix.config import Counterfactual
from autogluon_causalmix.errors import ConfigError, TableError
from autogluon_causalmix.fitlog import Log, without_widget_warnings
from autogluon_causalmix.generation import fit_source
from autogluon_causalmix.generators.conditional import values_of
from autogluon_causalmix.generators.contract import checked
from autogluon_causalmix.generators.counterfactual import facts, sentences
from autogluon_causalmix.generators.protocol import Counterfactuals, Retrospective
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

BY_LIKELIHOOD: dict[str, object] = {"name": "scm", "directions": "likelihood"}
"""Of questions about causes, which depend on the directions of edges more than rows do."""


@without_widget_warnings
def counterfactual(
    frame: pd.DataFrame,
    target: Hashable,
    rows: pd.DataFrame,
    do: Mapping[Hashable, object],
    generator: str | dict[str, object] | None = None,
    seed: int = 0,
    time_limit: float = 600.0,
    num_cpus: int = 1,
) -> pd.DataFrame:
    """Return given rows as they would have been, had columns been set to values.

    By abduction, action and prediction in each causal model of the table (Pearl, 2009, Causality).
    What the answer rests on is a warning in the log ``autogluon.causalmix``.

    Parameters
    ----------
    frame : pandas.DataFrame
        The real rows, from which causes are learned.
    target : Hashable
        Name of the target column, whose values are classes.
    rows : pandas.DataFrame
        The rows asked about, with the same columns, target included; they need not be in `frame`.
    do : mapping
        Column to the value that it would have had.
    generator : str or dict, optional
        A generator that knows causes: its name, or a dict with ``"name"`` and its options. By
        default `BY_LIKELIHOOD`: ``"scm"``, which takes its time over the directions of edges.
    seed : int
        From 0 to 2³² − 1; the same seed gives the same rows.
    time_limit : float
        Seconds for fitting and drawing.
    num_cpus : int
        Cores it may use.

    Returns
    -------
    pandas.DataFrame
        `rows` with other values where a cause of theirs would have been another: one draw of what
        their values leave open. ``attrs["counterfactual"]`` has the probability of each class for
        each row (``"probability"``), lowest and highest over the sampled graphs (``"lowest"``,
        ``"highest"``), each of shape (rows, classes), and what must hold for this to mean anything.

    Raises
    ------
    TableError
        The table cannot be used, or a column of it is not among `rows`.
    ConfigError, UnknownPlugin
        An argument is out of range or names no column or value of the table, the target is set, a
        row has a category that no real row has, or the generator knows no causes.
    GeneratorError
        The generator failed.
    OutOfTime
        It took longer than `time_limit`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dose = rng.normal(size=200)
    >>> cured = np.where(dose + 0.3 * rng.normal(size=200) > 0, "yes", "no")
    >>> frame = pd.DataFrame({"dose": dose, "cured": cured})
    >>> known = {"name": "scm", "required": [["dose", "cured"]], "graphs": 2}
    >>> lost = frame[frame["cured"] == "no"].head(3)
    >>> counterfactual(frame, "cured", lost, {"dose": 2.0}, known)["cured"].tolist()
    ['yes', 'yes', 'yes']
    """
    options = Counterfactual.parse(
        {
            "generator": BY_LIKELIHOOD if generator is None else generator,
            "seed": seed,
            "time_limit": time_limit,
            "num_cpus": num_cpus,
            "do": do,
        }
    )
    table = Table.from_frame(frame, target)
    given = _given(table, rows)
    set_to = values_of(table, options.do, "do")
    if not set_to or not len(given):
        raise ConfigError("counterfactual needs at least one row, and one column in 'do'")
    rng = np.random.default_rng(options.seed)
    resources, log = Resources(options.time_limit, options.num_cpus), Log(level=logging.WARNING)
    source = fit_source(options.generator, table, rng, resources, log)
    fitted, found = source.fitted, list[Counterfactuals]()
    if not isinstance(fitted, Retrospective):
        raise ConfigError(
            f"a counterfactual needs a generator that knows causes, like 'scm'; that of "
            f"{source.owner} does not"
        )

    def changed() -> Table:
        found.append(fitted.counterfactual(given, rng, set_to))
        return found[0].rows

    label = f"{type(fitted).__name__}.counterfactual ({source.owner})"
    seen = table.with_frame(pd.concat([table.frame, given.frame]))  # what may stand in the rows
    answer = checked(changed, seen, len(given), label, resources).frame.set_axis(rows.index)
    for sentence in (*found[0].notes, *sentences(found[0], given, table)):
        log.note(sentence)
    answer.attrs["counterfactual"] = facts(found[0], table, set_to)
    return answer


def _given(table: Table, rows: pd.DataFrame) -> Table:
    """Return the rows asked about in the dtypes of the table."""
    missing = [column.name for column in table.columns if column.name not in rows]
    if missing:
        raise TableError(f"the rows have no column {missing[0]!r}")
    frame = rows[list(table.frame.columns)]
    try:
        read = frame.astype(table.frame.dtypes.to_dict())
    except (TypeError, ValueError) as error:
        raise TableError(f"the rows are not of the table's dtypes: {error}") from None
    places = np.argwhere((read.isna() & frame.notna()).to_numpy())
    if len(places):
        row, column = places[0]
        raise ConfigError(
            f"row {frame.index[row]} has {frame.columns[column]!r} = "
            f"{frame.iloc[row, column]!r}, which no real row has"
        )
    for column in table.columns:
        if column.is_whole and not column.is_time:
            asked = frame[column.name]
            cut = np.flatnonzero((read[column.name] != asked) & asked.notna())
            if len(cut):
                raise ConfigError(
                    f"row {frame.index[cut[0]]} has {column.name!r} = {asked.iloc[cut[0]]}: all "
                    "real rows have whole numbers there; round it, or make the column one of floats"
                )
    return table.with_frame(read)
