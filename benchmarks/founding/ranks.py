"""Average ranks of arms over tables, and how far apart they must be to differ (Demšar, 2006)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats


@dataclass(frozen=True)
class Ranks:
    """Average ranks.

    Attributes
    ----------
    mean : pandas.Series
        The mean rank of each arm, the best first; 1 is best.
    difference : float
        The critical difference of the Nemenyi test: two arms that are nearer are not told apart.
    p : float
        Of the Friedman test, that all arms are alike.
    tables : int
        Those on which all arms finished.
    """

    mean: pd.Series
    difference: float
    p: float
    tables: int


def average_ranks(scores: pd.DataFrame, level: float = 0.05) -> Ranks:
    """Rank arms on each table; the higher the score the better.

    Parameters
    ----------
    scores : pandas.DataFrame
        Shape (tables, arms). A table on which an arm has no score takes no part.
    level : float
        Of the Nemenyi test.

    Examples
    --------
    >>> scores = pd.DataFrame({"a": [0.9, 0.8, 0.7], "b": [0.8, 0.7, 0.6], "c": [0.1, 0.2, 0.3]})
    >>> average_ranks(scores).mean.tolist()
    [1.0, 2.0, 3.0]
    """
    whole = scores.dropna()
    tables, arms = whole.shape
    if tables < 2 or arms < 3:
        raise ValueError(f"ranks need two tables and three arms; there are {tables} and {arms}")
    ranks = whole.rank(axis=1, ascending=False)
    studentized = stats.studentized_range.ppf(1 - level, arms, np.inf) / np.sqrt(2)
    difference = float(studentized * np.sqrt(arms * (arms + 1) / (6 * tables)))
    tied = (ranks.nunique(axis=1) == 1).all()  # nothing differs, and the statistic is 0 / 0
    p = 1.0 if tied else float(stats.friedmanchisquare(*whole.to_numpy().T).pvalue)
    return Ranks(ranks.mean().sort_values(), difference, p, tables)


def cliques(ranks: Ranks) -> list[tuple[str, str]]:
    """Return the longest runs of arms that are not told apart, first and last of each."""
    names, mean = list(ranks.mean.index), ranks.mean.to_numpy()
    ends = [int(np.flatnonzero(mean <= own + ranks.difference)[-1]) for own in mean]
    longest = [
        (start, end)
        for start, end in enumerate(ends)
        if end > start and (start == 0 or ends[start - 1] < end)
    ]
    return [(names[start], names[end]) for start, end in longest]
