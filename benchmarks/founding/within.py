"""Correlation of a metric with the gain within tables, pooled over tables.

Tables differ in how much can be gained and in how hard they are to imitate, so a correlation over
all cells mixes two questions. Here arms are ranked within a table, and only ranks within one table
are compared (Simpson's paradox is the reason).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from autogluon_causalmix.arrays import Matrix

FEWEST_ARMS = 4
"""Of a table: with fewer, a rank correlation takes four values at most."""

PERMUTATIONS = 50
"""Per draw of the bootstrap: a p that Holm multiplies by the number of metrics needs many."""

PER_BLOCK = 5_000

CLIP = 0.999  # ranks of few arms agree by chance, and Fisher's z of 1 is infinite


@dataclass(frozen=True)
class Pooled:
    """A correlation within tables.

    Attributes
    ----------
    metric : str
        Its column.
    correlation : float
        Mean over tables of Fisher's z, turned back.
    low, high : float
        95 % of the cluster bootstrap over tables.
    p : float
        Of the permutation null, two-sided, not corrected.
    p_holm : float
        Corrected for all metrics (Holm, 1979).
    partial : float
        The same correlation with the ranks of novelty taken out; NaN for novelty itself.
    tables, arms : int
        How many took part.
    """

    metric: str
    correlation: float
    low: float
    high: float
    p: float
    p_holm: float
    partial: float
    tables: int
    arms: int


def by_arm(cells: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the mean of each table's arms over splits and seeds; index (table, arm).

    Only blocks, that is splits and seeds of a table, in which all of its arms finished take part:
    no arm has an easier sample than another.
    """
    own = cells.dropna(subset=list(columns))
    block = ["table", *(name for name in ("split", "seed", "rows", "dose") if name in own)]
    arms = own.groupby("table")["arm"].nunique()
    whole = own.groupby(block, dropna=False)["arm"].transform("nunique") == own["table"].map(arms)
    return own[whole].groupby(["table", "arm"])[list(columns)].mean()


def pooled(
    cells: pd.DataFrame,
    metrics: Sequence[str],
    outcome: str,
    novelty: str | None,
    rng: np.random.Generator,
    draws: int = 2000,
) -> list[Pooled]:
    """Return the pooled correlation of each metric with an outcome.

    The null permutes the arms, in all tables alike: arms, not cells, are what a claim about another
    generator is drawn from, and an arm that is bad on every table is one observation.

    Parameters
    ----------
    cells : pandas.DataFrame
        One row per cell, with table, arm, split and seed.
    metrics : sequence of str
        Columns, the higher the better.
    outcome : str
        The column of gains.
    novelty : str or None
        The metric whose ranks are taken out of the partial correlation.
    rng : numpy.random.Generator
        Of bootstrap and permutations.
    draws : int
        Of the bootstrap; there are `PERMUTATIONS` times as many permutations.
    """
    found = [
        _one(cells, metric, outcome, None if novelty == metric else novelty, rng, draws)
        for metric in metrics
    ]
    corrected = holm([each.p for each in found])
    return [Pooled(**{**vars(each), "p_holm": p}) for each, p in zip(found, corrected, strict=True)]


def _one(
    cells: pd.DataFrame,
    metric: str,
    outcome: str,
    novelty: str | None,
    rng: np.random.Generator,
    draws: int,
) -> Pooled:
    columns = list(dict.fromkeys([metric, outcome, *([novelty] if novelty else [])]))
    values = complete(by_arm(cells, columns))
    tables, arms = values.shape[:2]
    nan = float("nan")
    if tables < 2 or arms < FEWEST_ARMS:
        return Pooled(metric, nan, nan, nan, nan, nan, nan, tables, arms)
    ranks = _ranks(values)
    z = _z(ranks[..., 0], ranks[..., 1])
    boot = z[rng.integers(tables, size=(draws, tables))].mean(axis=1)
    p = (1 + _as_far(ranks, abs(z.mean()) - 1e-12, rng, PERMUTATIONS * draws)) / (
        PERMUTATIONS * draws + 1
    )
    partial = nan if novelty is None else float(np.tanh(_partial(ranks).mean()))
    low, high = np.tanh(np.quantile(boot, [0.025, 0.975]))
    return Pooled(
        metric, float(np.tanh(z.mean())), float(low), float(high), float(p), nan, partial,
        tables, arms,
    )  # fmt: skip


def _as_far(ranks: Matrix, mean: float, rng: np.random.Generator, draws: int) -> int:
    """Return how many of so many orders of the arms give a mean z as far from 0."""
    count, arms = 0, ranks.shape[1]
    for start in range(0, draws, PER_BLOCK):
        size = min(PER_BLOCK, draws - start)
        orders = rng.permuted(np.tile(np.arange(arms), (size, 1)), axis=1)
        null = _z(ranks[:, None, :, 0], ranks[:, orders, 1]).mean(axis=0)
        count += int((np.abs(null) >= mean).sum())
    return count


def complete(means: pd.DataFrame) -> Matrix:
    """Return values of shape (tables, arms, columns) without gaps.

    Tables on which some column has no value, or never varies, are left out (a metric of numbers has
    none on a table of categories), then arms that lack a value on any of the others.
    """
    wide = {name: means[name].unstack("arm") for name in means}
    whole = np.stack([own.to_numpy() for own in wide.values()], axis=2)
    varies = [all(len(np.unique(own[~np.isnan(own)])) > 1 for own in table.T) for table in whole]
    whole = whole[np.array(varies, dtype=bool)]
    return np.asarray(whole[:, ~np.isnan(whole).any(axis=(0, 2))])


def _ranks(values: Matrix) -> Matrix:
    """Return the ranks over arms (axis 1), centred, with length 1; 0 where nothing varies."""
    ranks = rankdata(values, axis=1)
    return _unit(ranks - ranks.mean(axis=1, keepdims=True))


def _unit(centred: Matrix) -> Matrix:
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return np.where(length > 1e-9, centred / np.maximum(length, 1e-9), 0.0)


def _z(first: Matrix, second: Matrix) -> Matrix:
    """Return Fisher's z of correlations over the last axis, of centred ranks of length 1."""
    return np.asarray(np.arctanh(np.clip((first * second).sum(axis=-1), -CLIP, CLIP)))


def _partial(ranks: Matrix) -> Matrix:
    """Return each table's z of what is left of the ranks beside those of novelty, the last ones."""
    third = ranks[..., 2:]
    along = (ranks[..., :2] * third).sum(axis=1, keepdims=True)
    left = _unit(ranks[..., :2] - along * third)
    return _z(left[..., 0], left[..., 1])


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected for their number (Holm, 1979); NaN stays NaN and does not count.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, float("nan")])
    [0.03, 0.06, 0.06, nan]
    """
    given = np.asarray(p, dtype="float64")
    there = np.flatnonzero(~np.isnan(given))
    order = there[np.argsort(given[there])]
    stepped = given[order] * np.arange(len(order), 0, -1)
    corrected = np.full(len(given), np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return [float(value) for value in corrected]


def ceiling(cells: pd.DataFrame, outcome: str) -> float | None:
    """Return the highest correlation that the noise of the outcome leaves; None without repeats.

    The correlation of the arms' outcomes between two seeds (or, with one seed, two splits), within
    tables, is the reliability of one of them. Spearman (1910) and Brown (1910) give that of a mean
    of n; its square root bounds what any metric can reach.
    """
    for name in ("seed", "split"):
        runs = cells.dropna(subset=[outcome])
        repeats = runs[name].nunique()
        if repeats > 1:
            return _ceiling(runs, outcome, name)
    return None


def _ceiling(runs: pd.DataFrame, outcome: str, name: str) -> float | None:
    keys = ["table", *({"split", "seed"} - {name})]
    zs: list[float] = []
    counts = []
    for _, own in runs.groupby(keys):
        wide = own.pivot_table(index=name, columns="arm", values=outcome).dropna(axis=1).to_numpy()
        if min(wide.shape) < 2 or wide.shape[1] < FEWEST_ARMS:
            continue
        ranks = _ranks(wide)
        zs += [float(_z(ranks[a], ranks[b])) for a in range(len(wide)) for b in range(a)]
        counts.append(len(wide))
    if not zs:
        return None
    single, n = max(float(np.tanh(np.mean(zs))), 0.0), float(np.mean(counts))
    return float(np.sqrt(n * single / (1 + (n - 1) * single)))
