"""The corruption ladder: every fault of the causal generator, on the runs that have all of them."""

from __future__ import annotations

import pandas as pd

from benchmarks.founding.gains import OUTCOME, RUN, finished, over_tables

SOUND = "scm"
NOT_CAUSAL = ("real rows", "unseen real rows", "bootstrap", "marginals", "perturb")
"""Arms of the study that are no causal generator, with a fault or without."""


def whole_ladders(cells: pd.DataFrame, faults: pd.DataFrame) -> pd.DataFrame:
    """Return the finished cells of runs that have every fault.

    Parameters
    ----------
    cells, faults : pandas.DataFrame
        Those of the study, and those of faults that were planted on some of its runs.
    """
    if faults.empty:
        return faults
    causal = cells[~cells["arm"].isin(NOT_CAUSAL)]
    both = finished(pd.concat([causal, faults]))
    counts = both.groupby(RUN)["arm"].transform("nunique")
    return both[counts == both["arm"].nunique()]


def by_fault(ladder: pd.DataFrame) -> list[str]:
    """Return what each fault leaves of the gain, the least harmful first."""
    gains = ladder.pivot_table(index="table", columns="arm", values=OUTCOME)
    lines = ["| arm | gain | less than without a fault | on tables |", "|---|---:|---:|---:|"]
    for arm in gains.mean().sort_values(ascending=False).index:
        gain, lost = gains[arm].to_numpy(), (gains[SOUND] - gains[arm]).to_numpy()
        less = f"{over_tables(lost)} | {(lost > 0).sum()} of {len(lost)}"
        lines.append(f"| {arm} | {over_tables(gain)} | {'– | –' if arm == SOUND else less} |")
    runs = len(ladder[RUN].drop_duplicates())
    return [
        f"Log-loss over the pretrained model, {runs} runs on {len(gains)} tables; ± over tables.",
        "\n".join(lines),
    ]
