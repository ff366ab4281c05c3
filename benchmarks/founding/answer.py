"""The analysis of the founding question: cells of the study, and what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.founding import ranks, within
from benchmarks.founding.cells import METRIC, metrics_of
from benchmarks.founding.gains import OUTCOME, finished
from benchmarks.founding.ladder import whole_ladders

UNSEEN = "unseen real rows"
NOVELTY = f"{METRIC}authenticity"


@dataclass(frozen=True)
class Answer:
    """Everything that the page shows.

    Attributes
    ----------
    cells : pandas.DataFrame
        All cells, failed ones included.
    planned : int
        Cells of the whole study.
    found : list of Pooled
        Correlations, the strongest first.
    ceiling : float or None
        What noise leaves.
    order : Ranks or None
        Of arms; None where there are too few tables.
    others : pandas.DataFrame
        Cells of other arms and other weights, which take no part in the correlations.
    varied : pandas.DataFrame
        Cells with other training rows or doses, which take no part in them either.
    ladder : pandas.DataFrame
        Cells of the causal generator and of every fault of it, on the runs that have all.
    among_faults : list of Pooled
        Correlations over the ladder alone.
    generators : dict of str to float
        The correlation of each metric over generators alone, without the unseen real rows.
    """

    cells: pd.DataFrame
    planned: int
    found: list[within.Pooled]
    ceiling: float | None
    order: ranks.Ranks | None
    others: pd.DataFrame
    varied: pd.DataFrame
    ladder: pd.DataFrame
    among_faults: list[within.Pooled]
    generators: dict[str, float]

    @classmethod
    def of(
        cls,
        cells: pd.DataFrame,
        planned: int,
        others: pd.DataFrame | None = None,
        varied: pd.DataFrame | None = None,
        faults: pd.DataFrame | None = None,
        draws: int = 2000,
    ) -> Answer:
        """Analyse finished cells; a metric without a value on two tables has no row."""
        done = finished(cells)
        ladder = whole_ladders(cells, cells[:0] if faults is None else faults)
        gains = done.pivot_table(index="table", columns="arm", values=OUTCOME)
        enough = gains.dropna().shape[0] >= 2 and gains.shape[1] >= 3
        return cls(
            cells,
            planned,
            strongest_first(done, draws),
            within.ceiling(done, OUTCOME),
            ranks.average_ranks(gains) if enough else None,
            cells[:0] if others is None else others,
            cells[:0] if varied is None else varied,
            ladder,
            strongest_first(ladder, draws),
            {
                own.metric: own.correlation
                for own in strongest_first(done[done["arm"] != UNSEEN], 1)
            },
        )

    @property
    def tables(self) -> int:
        """Tables on which arms were compared."""
        return max((own.tables for own in self.found), default=0)


def strongest_first(cells: pd.DataFrame, draws: int = 2000) -> list[within.Pooled]:
    """Return the correlations of finished cells, less those of metrics that never have a value."""
    rng = np.random.default_rng(0)
    found = within.pooled(cells, metrics_of(cells), OUTCOME, NOVELTY, rng, draws)
    there = [own for own in found if not np.isnan(own.correlation)]
    return sorted(there, key=lambda own: -abs(own.correlation))
