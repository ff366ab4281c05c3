"""A forecast before fine-tuning, of whether causal rows will help, and its skill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.founding.cells import METRIC

ARM, OTHER, FLOOR = "scm", "real rows", "bootstrap"
LOGS = ("rows", "columns")
FACTS = (*LOGS, "categorical_share", "base_log_loss", "base_auc")
CHEAP = ("ks", "tvd", "correlation", "contingency", "detection-logistic")
"""Metrics that take a moment; each enters as its distance from real rows drawn again, 0 where the
table has no columns for it."""

FEWEST_TABLES = 8
STRENGTH = 0.1  # of the coefficients, inverse: few tables allow a few directions at most


@dataclass(frozen=True)
class Forecast:
    """How well a forecast does on tables that it has not seen.

    Attributes
    ----------
    skill, low, high : float
        1 − Brier score over that of the share of the other tables, and its 95 % interval over
        tables; 0 knows nothing about a table, 1 everything.
    share : float
        Of the runs in which causal rows gain more than real rows alone.
    tables, runs : int
        Compared.
    """

    skill: float
    low: float
    high: float
    share: float
    tables: int
    runs: int


def forecast(cells: pd.DataFrame, outcome: str, draws: int = 2000) -> Forecast | None:
    """Leave each table out, learn on the others when causal rows help, and judge the forecast.

    A logistic regression on facts of the table, the scores of the pretrained model and the fidelity
    of the causal rows beside that of real rows drawn again. None on fewer than `FEWEST_TABLES`.
    """
    pairs = _pairs(cells, outcome)
    if pairs["table"].nunique() < FEWEST_TABLES or pairs["helped"].nunique() < 2:
        return None
    features = pairs.drop(columns=["table", "helped"]).to_numpy(dtype=float)
    helped, tables = pairs["helped"].to_numpy(dtype=float), pairs["table"].to_numpy()
    said, share = np.empty(len(pairs)), np.empty(len(pairs))
    for table in np.unique(tables):
        out = tables == table
        share[out] = helped[~out].mean()
        said[out] = _learned(features[~out], helped[~out], features[out])
    errors = pd.DataFrame({"said": (said - helped) ** 2, "share": (share - helped) ** 2})
    sums = errors.groupby(tables).sum().to_numpy()
    rng = np.random.default_rng(0)
    drawn = sums[rng.integers(len(sums), size=(draws, len(sums)))].sum(axis=1)
    low, high = np.quantile(1 - drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    whole = sums.sum(axis=0)
    return Forecast(
        float(1 - whole[0] / whole[1]),
        float(low),
        float(high),
        float(helped.mean()),
        len(sums),
        len(pairs),
    )


def _learned(
    features: NDArray[np.float64], helped: NDArray[np.float64], asked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the probability that causal rows help, at rows of features."""
    if len(np.unique(helped)) < 2:
        return np.full(len(asked), helped.mean())
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH))
    return np.asarray(model.fit(features, helped).predict_proba(asked)[:, 1])


def _pairs(cells: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Return one row per run of the causal arm that has its counterparts; no gaps."""
    run = ["table", "split", "seed", "rows", "dose"]
    finished = cells[cells["error"] == ""]
    metrics = [f"{METRIC}{name}" for name in CHEAP if f"{METRIC}{name}" in finished]
    arms = {
        arm: finished[finished["arm"] == arm].drop_duplicates(run).set_index(run)
        for arm in (ARM, OTHER, FLOOR)
    }
    shared = arms[ARM].index.intersection(arms[OTHER].index).intersection(arms[FLOOR].index)
    own, other, floor = (arms[arm].loc[shared].reset_index() for arm in (ARM, OTHER, FLOOR))
    pairs = own[["table", *FACTS]].copy()
    pairs[list(LOGS)] = np.log(pairs[list(LOGS)])
    pairs[metrics] = (own[metrics] - floor[metrics]).fillna(0.0)
    pairs["helped"] = own[outcome] > other[outcome]
    return pairs.dropna()
