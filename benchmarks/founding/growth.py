"""What more synthetic rows change, and more real ones: the gain by dose and by training rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.founding import regressions
from benchmarks.founding.cells import METRIC
from benchmarks.founding.gains import OUTCOME, RUN, finished, over_tables

ALIGNMENT = f"{METRIC}nearest-neighbour"
"""The metric that goes with the gain most tells which rows are aligned with the task."""

FEWEST_DOSES = 4
"""The law has three parameters."""

DOSED, SIZED = ("scm", "bootstrap"), ("scm", "real rows", "bootstrap")
"""Arms that are compared by dose, and by training rows."""


def is_varied(cells: pd.DataFrame, rows: Sequence[int], doses: Sequence[float]) -> pd.Series:
    """Return which cells have other training rows or another dose than the plan of the study."""
    return ~(cells["rows"].isin([*rows]) & cells["dose"].isin([*doses]))


def by_dose_and_rows(cells: pd.DataFrame, varied: pd.DataFrame) -> list[str]:
    """Return the sections, none where nothing was varied.

    Parameters
    ----------
    cells, varied : pandas.DataFrame
        Those of the study, and those with other rows or doses.
    """
    done = finished(pd.concat([cells, varied]))
    dosed = whole_runs(done[done["rows"].isin(cells["rows"].unique())], "dose", DOSED)
    sized = whole_runs(done[done["dose"].isin(cells["dose"].unique())], "rows", SIZED)
    return [
        *_section(dosed, "dose", DOSED, "## More synthetic rows", "synthetic rows per real row"),
        *_law(dosed),
        *_section(sized, "rows", SIZED, "## More real rows", "training and validation rows"),
    ]


def whole_runs(cells: pd.DataFrame, factor: str, arms: Sequence[str]) -> pd.DataFrame:
    """Return the cells of runs that have all arms at all values of the factor.

    Else values would be compared on different tables.
    """
    own = cells[cells["arm"].isin(arms)]
    counts = own.groupby(RUN)["arm"].transform("count")
    return own[counts == own[factor].nunique() * len(arms)]


def _section(
    cells: pd.DataFrame, factor: str, arms: Sequence[str], title: str, named: str
) -> list[str]:
    """Return the gains of arms at each value of a factor."""
    if cells["table"].nunique() < 2 or cells[factor].nunique() < 2:
        return []
    first, *others = arms
    headings = [named, *arms, *(f"{first} − {other}" for other in others)]
    lines = [f"| {' | '.join(headings)} |", "|" + "---:|" * len(headings)]
    for value, own in cells.groupby(factor):
        gains = own.pivot_table(index="table", columns="arm", values=OUTCOME)
        shown = [*(gains[arm] for arm in arms), *(gains[first] - gains[other] for other in others)]
        each = (over_tables(gain.to_numpy()) for gain in shown)
        lines.append(f"| {value:g} | {' | '.join(each)} |")
    tables = cells["table"].nunique()
    about = f"Log-loss over the pretrained model, on {tables} tables; ± over tables."
    return [title, about, "\n".join(lines)]


def _law(cells: pd.DataFrame) -> list[str]:
    """Return what the law of Isik et al. says of rows that are aligned with the task or not."""
    if cells["dose"].nunique() < FEWEST_DOSES:
        return []
    # An arm is as aligned as on average over doses: else a dose would decide which half it is in.
    alignment = cells.groupby(["table", "arm"])[ALIGNMENT].transform("mean")
    scored = cells.assign(auc=cells["base_auc"] + cells["auc_gain"], **{ALIGNMENT: alignment})
    curves = regressions.dose_curves(scored, ALIGNMENT, "auc")
    said = []
    for which, curve in curves.groupby("alignment"):
        law = regressions.log_law(curve["dose"].to_numpy(), curve["auc"].to_numpy())
        half = "better" if which else "worse"
        said.append(f"α = {law.alpha:+.4f} (R² {law.explained:.2f}) for the {half} half")
    about = (
        "The law of Isik et al. (2024, arXiv 2402.04177), ROC-AUC = (log(A · D^α))^β at D "
        f"synthetic rows per real row, has {' and '.join(said)} of the arms by "
        "`nearest-neighbour`. Where α is above 0, more rows help."
    )
    return [about]


def levels_of(cells: pd.DataFrame, factor: str) -> str:
    """Return the values of a factor, as text."""
    return ", ".join(f"{value:g}" for value in np.sort(cells[factor].dropna().unique()))
