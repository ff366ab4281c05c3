"""The published claims (Bühler, Purucker & Hutter, 2026, arXiv 2601.04110) beside the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Matrix
from benchmarks.founding.gains import RUN
from benchmarks.founding.ranks import average_ranks

PLAIN, CAUSAL, NULL = "real rows", "scm", "bootstrap"
CONTENDERS = (PLAIN, CAUSAL, NULL, "marginals", "perturb")
"""Arms that somebody would use: no planted fault, and no rows that nobody has."""

LEAST_GAIN = 0.005
"""ROC-AUC gained by the best arm of a table, below which gains are not scaled by it."""

RIVALS = (
    ("CTGAN's rows lose (median)", "−.01", "ctgan"),
    ("TabEBM's rows lose (median)", "−.04", "tabebm"),
    ("TableAugment's rows lose (median); here `perturb`", "−.09", "perturb"),
    ("pure synthetic rows lose (median)", "no number", "pure synthetic"),
)


@dataclass(frozen=True)
class Claim:
    """One claim, the paper's number, and what the cells say.

    Attributes
    ----------
    said : str
        The claim.
    paper : str
        Its number.
    ours : str
        The same from the cells, empty where they do not say.
    holds : str
        ``"yes"``, ``"no"``, ``"not shown"`` (the interval has both signs) or ``"not measured"``.
    """

    said: str
    paper: str
    ours: str
    holds: str


def claims(cells: pd.DataFrame, rivals: pd.DataFrame | None = None) -> list[Claim]:
    """Return all claims that the design of the cells could answer, answered or not.

    Parameters
    ----------
    cells : pandas.DataFrame
        Finished cells of the study.
    rivals : pandas.DataFrame, optional
        Those of other arms, which need not be run everywhere: they are in their own claims only.
    """
    everything = cells if rivals is None else pd.concat([cells, rivals])
    scaled = best_scaled(cells)
    return [
        _gain("CausalMix gains over the pretrained model (median)", "+.12 ± .63", scaled, CAUSAL),
        _gain("plain fine-tuning gains over it (median)", "+.10 ± .98", scaled, PLAIN),
        _pair("CausalMix gains more than plain fine-tuning", "+.02", scaled, CAUSAL, PLAIN),
        _spread("CausalMix varies less than plain fine-tuning", ".63 against .98", scaled),
        _pair(
            "CausalMix gains more than real rows drawn again", "not compared", scaled, CAUSAL, NULL
        ),
        _rank("CausalMix has the best average rank", "first", cells),
        _gap(
            "fine-tuning with causal rows narrows the gap of validation to test", ".67 → .30", cells
        ),
        *(_loss(said, paper, everything, arm) for said, paper, arm in RIVALS),
    ]


def best_scaled(cells: pd.DataFrame, *others: str) -> pd.DataFrame:
    """Return gains in ROC-AUC over zero-shot, 1 for the best arm of a table; (tables, arms).

    The paper does not define its normalised gain; this reading suits its size. A table on which no
    arm gains `LEAST_GAIN` is left out: what is divided by next to nothing says nothing.

    Parameters
    ----------
    cells : pandas.DataFrame
        Finished cells.
    *others : str
        Arms that take part beside the contenders.
    """
    own = cells[cells["arm"].isin([*CONTENDERS, *others])].dropna(subset=["auc_gain"])
    gains = own.pivot_table(index="table", columns="arm", values="auc_gain")
    best = gains.max(axis=1)
    return gains[best > LEAST_GAIN].div(best[best > LEAST_GAIN], axis=0)


def _gain(said: str, paper: str, scaled: pd.DataFrame, arm: str) -> Claim:
    if arm not in scaled or scaled[arm].notna().sum() < 3:
        return Claim(said, paper, "", "not measured")
    own = scaled[arm].dropna().to_numpy()
    low, high = interval(own, np.median)
    ours = f"{np.median(own):+.2f} ± {own.std(ddof=1):.2f} (median from {low:+.2f} to {high:+.2f})"
    return Claim(said, paper, ours, verdict(low, high))


def _loss(said: str, paper: str, cells: pd.DataFrame, arm: str) -> Claim:
    """Judge a loss on the splits and seeds on which an arm was run, which need not be all."""
    its_own = cells.loc[cells["arm"] == arm, RUN].drop_duplicates()
    gained = _gain(said, paper, best_scaled(cells.merge(its_own, on=RUN), arm), arm)
    on = f", {its_own['table'].nunique()} tables" if gained.ours else ""
    opposite = {"yes": "no", "no": "yes"}
    return replace(gained, ours=gained.ours + on, holds=opposite.get(gained.holds, gained.holds))


def _pair(said: str, paper: str, scaled: pd.DataFrame, first: str, second: str) -> Claim:
    if not {first, second} <= {*scaled} or len(scaled[[first, second]].dropna()) < 3:
        return Claim(said, paper, "", "not measured")
    own = (scaled[first] - scaled[second]).dropna().to_numpy()
    low, high = interval(own, np.median)
    ours = f"{np.median(own):+.2f}, from {low:+.2f} to {high:+.2f}"
    return Claim(said, paper, ours, verdict(low, high))


def _spread(said: str, paper: str, scaled: pd.DataFrame) -> Claim:
    if not {CAUSAL, PLAIN} <= {*scaled} or len(scaled[[CAUSAL, PLAIN]].dropna()) < 3:
        return Claim(said, paper, "", "not measured")
    own = scaled[[CAUSAL, PLAIN]].dropna().to_numpy()
    low, high = interval(own, lambda rows: float(np.diff(rows.std(axis=0))[0]))
    causal, plain = own.std(axis=0, ddof=1)
    return Claim(said, paper, f"{causal:.2f} against {plain:.2f}", verdict(low, high))


def _rank(said: str, paper: str, cells: pd.DataFrame) -> Claim:
    own = cells[cells["arm"].isin(CONTENDERS)]
    gains = own.pivot_table(index="table", columns="arm", values="auc_gain").dropna()
    if len(gains) < 3 or gains.shape[1] < 3 or CAUSAL not in gains:
        return Claim(said, paper, "", "not measured")
    found = average_ranks(gains)
    place = list(found.mean.index).index(CAUSAL) + 1
    ranks = ", ".join(f"{arm} {rank:.1f}" for arm, rank in found.mean.items())
    ours = f"place {place} of {len(found.mean)} ({ranks}; {found.difference:.1f} apart to differ)"
    ahead = found.mean.drop(CAUSAL).min() - found.mean[CAUSAL]
    return Claim(said, paper, ours, verdict(ahead - found.difference, ahead + found.difference))


def _gap(said: str, paper: str, cells: pd.DataFrame) -> Claim:
    """Return the gap, read as 1 − Spearman's correlation of both losses along a run."""
    own = cells[cells["arm"].isin((PLAIN, CAUSAL)) & (cells["error"] == "")]
    gaps = own.assign(gap=[correlation_gap(curve) for curve in own.get("curve", [])])
    wide = gaps.pivot_table(index="table", columns="arm", values="gap").dropna()
    if len(wide) < 3 or not {PLAIN, CAUSAL} <= {*wide}:
        return Claim(said, paper, "", "not measured")
    low, high = interval((wide[PLAIN] - wide[CAUSAL]).to_numpy(), np.median)
    plain, causal = wide.median()[[PLAIN, CAUSAL]]
    return Claim(said, paper, f"{plain:.2f} → {causal:.2f}", verdict(low, high))


def correlation_gap(curve: Iterable[dict[str, float]]) -> float:
    """Return 1 − Spearman's correlation of validation and test loss over the candidates of a run.

    Examples
    --------
    >>> steps = [(0.7, 0.8), (0.6, 0.7), (0.5, 0.6), (0.4, 0.5)]
    >>> correlation_gap({"validation_log_loss": v, "log_loss": t} for v, t in steps)
    0.0
    """
    frame = pd.DataFrame(list(curve))[["validation_log_loss", "log_loss"]]
    return round(1.0 - float(frame.corr(method="spearman").to_numpy()[0, 1]), 9)


def interval(values: Matrix, statistic: Callable[..., float]) -> tuple[float, float]:
    """Return 95 % of the bootstrap of a statistic over tables (rows)."""
    rng = np.random.default_rng(0)
    drawn = [statistic(values[rng.integers(len(values), size=len(values))]) for _ in range(1000)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def verdict(low: float, high: float) -> str:
    """Return whether an interval shows a positive number.

    Examples
    --------
    >>> verdict(0.1, 0.2), verdict(-0.1, 0.2), verdict(-0.2, -0.1)
    ('yes', 'not shown', 'no')
    """
    if low > 0:
        return "yes"
    return "no" if high < 0 else "not shown"
