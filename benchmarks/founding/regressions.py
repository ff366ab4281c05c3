"""Regressions over all cells: mixed effects, a test for a U-shape, gain against dose."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats
from scipy.optimize import curve_fit

from autogluon_causalmix.arrays import Matrix

COVARIATES = {
    "rows": "log_rows",
    "columns": "log_columns",
    "categorical_share": "categorical_share",
    "base_auc": "base_auc",
    "dose": "log_dose",
}
"""Columns of the cells, and what enters the model in their place."""


@dataclass(frozen=True)
class MixedEffect:
    """The slope of a metric in the mixed-effects model.

    Attributes
    ----------
    slope, error : float
        Change of the outcome per standard deviation of the metric within a table, with its
        standard error.
    p : float
        Two-sided.
    domains, tables, arms : float
        Standard deviations of the intercepts of domains, of their tables, and of arms.
    left_out : tuple of str
        Covariates that never vary in these cells.
    warning : str
        What the optimiser says against its result; empty where it is content.
    """

    slope: float
    error: float
    p: float
    domains: float
    tables: float
    arms: float
    left_out: tuple[str, ...]
    warning: str


def mixed_effect(cells: pd.DataFrame, metric: str, outcome: str) -> MixedEffect:
    """Fit outcome ~ metric + covariates, with random intercepts of domains, their tables, and arms.

    The metric is standardised within each table: what differs between tables is what covariates and
    intercepts are for. Splits and seeds are averaged first: runs of one arm on one table are no
    observations of their own.
    """
    data = cells.dropna(subset=[metric, outcome, *COVARIATES]).copy()
    data["metric"] = standardized(data, metric)
    # statsmodels calls any variance below .01 a boundary, whatever the outcome's unit is.
    unit = data[outcome].std()
    data["outcome"] = data[outcome] / unit
    for name, used in COVARIATES.items():
        data[used] = np.log(data[name]) if used.startswith("log_") else data[name]
    data = data.dropna(subset=["metric"])
    data = data.groupby(["domain", "table", "arm", "rows", "dose"], as_index=False)[
        ["metric", "outcome", *COVARIATES.values()]
    ].mean()
    varying = [used for used in COVARIATES.values() if data[used].nunique() > 1]
    for used in varying:
        data[used] = (data[used] - data[used].mean()) / data[used].std()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", message="The MLE may be on the boundary")  # a spread of 0
        fitted = smf.mixedlm(
            " + ".join(["outcome ~ metric", *varying]),
            data,
            groups=np.zeros(len(data)),  # one, so that arms and domains can be crossed
            vc_formula={name: f"0 + C({name})" for name in ("domain", "table", "arm")},
        ).fit(reml=True, method="powell")  # gradients fail where a variance is 0
    spread = dict(zip(fitted.model.exog_vc.names, np.sqrt(fitted.vcomp) * unit, strict=True))
    return MixedEffect(
        float(fitted.params["metric"] * unit),
        float(fitted.bse["metric"] * unit),
        float(fitted.pvalues["metric"]),
        float(spread["domain"]),
        float(spread["table"]),
        float(spread["arm"]),
        tuple(sorted(set(COVARIATES.values()) - set(varying))),
        "; ".join(sorted({str(each.message).split("\n")[0] for each in said})),
    )


def standardized(cells: pd.DataFrame, column: str) -> pd.Series:
    """Return a column with mean 0 and variance 1 within each table; NaN where it never varies."""
    groups = cells.groupby("table")[column]
    spread = groups.transform("std")
    return (cells[column] - groups.transform("mean")) / spread.where(spread > 1e-12)


@dataclass(frozen=True)
class UShape:
    """The test of Lind and Mehlum (2010).

    Attributes
    ----------
    at_least, at_most : float
        The slope of the parabola at the lowest and at the highest value of the metric.
    p : float
        Of the hypothesis that the two do not have opposite signs: monotone, or flat.
    inverted : bool
        Whether the outcome rises first and falls then.
    """

    at_least: float
    at_most: float
    p: float
    inverted: bool


def u_shape(cells: pd.DataFrame, metric: str, outcome: str) -> UShape | None:
    """Test whether the outcome turns within the range of the metric; errors clustered by table.

    Both are standardised within tables. None where there are fewer than three tables.
    """
    x, y = standardized(cells, metric), standardized(cells, outcome)
    there = x.notna() & y.notna()
    x, y, tables = x[there], y[there], pd.factorize(cells["table"][there])[0]
    if len(np.unique(tables)) < 3:
        return None
    fitted = sm.OLS(y.to_numpy(), np.column_stack([np.ones(len(x)), x, x**2])).fit(
        cov_type="cluster", cov_kwds={"groups": tables}
    )
    slopes, ps = [], []
    inverted = bool(fitted.params[2] < 0)
    for place, end in ((x.min(), "low"), (x.max(), "high")):
        gradient = np.array([0.0, 1.0, 2.0 * place])
        slope = float(gradient @ fitted.params)
        error = float(np.sqrt(gradient @ fitted.cov_params() @ gradient))
        wanted = 1.0 if (end == "low") == inverted else -1.0
        slopes.append(slope)
        ps.append(float(stats.norm.sf(wanted * slope / error)))
    return UShape(slopes[0], slopes[1], max(ps), inverted)


@dataclass(frozen=True)
class LogLaw:
    """score(D) = (log(A · D^α))^β, the law of Isik et al. (2024, arXiv 2402.04177).

    D is the number of synthetic rows. Where synthetic rows are aligned with the task, α > 0: more
    of them help, ever more slowly.
    """

    a: float
    alpha: float
    beta: float
    explained: float

    def __call__(self, rows: Matrix) -> Matrix:
        """Return the score at numbers of rows."""
        return np.asarray(_law(rows, np.log(self.a), self.alpha, self.beta))


def _law(rows: Matrix, log_a: float, alpha: float, beta: float) -> Matrix:
    return np.asarray(np.maximum(log_a + alpha * np.log(rows), 1e-9) ** beta)


def log_law(rows: Matrix, scores: Matrix) -> LogLaw:
    """Fit the law to positive scores at numbers of rows, shape (n,) each.

    Raises
    ------
    ValueError
        There are fewer than four different numbers of rows, or a score is not positive.
    """
    if len(np.unique(rows)) < 4:
        raise ValueError(f"the law has three parameters; there are {len(np.unique(rows))} doses")
    if (scores <= 0).any():
        raise ValueError(f"the law is one of positive scores, got {scores.min():.3g}")
    # β = 1 is a straight line in log D, where least squares has one answer.
    alpha, log_a = np.polyfit(np.log(rows), scores, 1)
    found, _ = curve_fit(
        _law, rows, scores, p0=(max(log_a, 0.1), alpha, 1.0), maxfev=20_000,
        bounds=([-20.0, -5.0, 0.05], [20.0, 5.0, 5.0]),
    )  # fmt: skip
    left = ((scores - _law(rows, *found)) ** 2).sum()
    explained = 1 - left / ((scores - scores.mean()) ** 2).sum()
    return LogLaw(float(np.exp(found[0])), float(found[1]), float(found[2]), float(explained))


def dose_curves(cells: pd.DataFrame, metric: str, outcome: str, groups: int = 2) -> pd.DataFrame:
    """Return the mean outcome by alignment and dose: what the law is fitted to.

    Alignment is the metric standardised within tables, cut into `groups` of equally many arms.
    """
    data = cells.dropna(subset=[metric, outcome]).copy()
    data["alignment"] = pd.qcut(
        standardized(data, metric).rank(method="first"), groups, labels=False
    )
    return data.groupby(["alignment", "dose"])[outcome].mean().reset_index()
