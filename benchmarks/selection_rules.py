"""Judge rules that choose weights on the runs that `benchmarks.selection` kept.

::

    python -m benchmarks.selection_rules --out benchmarks/results

Per rule and arm: the mean gain in test log-loss and AUC over the pretrained weights with its
standard error over tables, how many runs end worse by more than .005 AUC or .01 log-loss, the worst
run, and the regret: test loss of what was kept minus that of the best candidate of the run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.table import Table

from autogluon_causalmix.backbones.ensemble_context import pool
from autogluon_causalmix.finetuning.mixture import mixed
from autogluon_causalmix.finetuning.selection import (
    bound_of,
    has_turned,
    share_by,
    share_of,
    standard_error,
)
from benchmarks.courses import Array, Run, runs_in
from benchmarks.selection import STUDY
from benchmarks.study.metrics import log_loss, roc_auc

LARGEST_AUC_LOSS, LARGEST_LOSS = 0.005, 0.01


Rule = Callable[[Run], tuple[str, float]]
"""Returns the candidate that is kept, and its share in a prediction; the rest is that of ``"0"``,
the pretrained weights."""

Share = Callable[[Array], float]
"""Returns a candidate's share by its gains, row by row."""

NOTHING = "0", 0.0


def if_beyond(errors: float) -> Share:
    """Return the rule: all, if the mean gain is above so many of its standard errors."""
    return lambda gains: float(gains.mean() > max(errors * standard_error(gains), 0))


def shrunk(half_way: float) -> Share:
    """Return the package's rule by the noise seen alone, with its number of standard errors."""
    return lambda gains: share_by(float(gains.mean()), half_way * standard_error(gains))


def best(most: int, *rows: str, means: bool, share: Share) -> Rule:
    """Return the rule: the best candidate up to a step by its gain on rows."""

    def rule(run: Run) -> tuple[str, float]:
        found = run.candidates(most, means=means)
        chosen = max(found, key=lambda name: float(run.gains(name, *rows).mean()))
        return chosen, share(run.gains(chosen, *rows))

    return rule


def fixed(candidate: str) -> Rule:
    """One candidate, nothing judged."""
    return lambda _: (candidate, 1.0)


def guarded(candidate: str, *rows: str, share: Share) -> Rule:
    """One candidate, judged by its gain on rows."""
    return lambda run: (candidate, share(run.gains(candidate, *rows)))


def early(most: int, *rows: str, share: Share) -> Rule:
    """Return the package's own rule with another share, see `finetuning.selection`."""

    def rule(run: Run) -> tuple[str, float]:
        chosen = _best_early(run, most, lambda name: float(run.gains(name, *rows).mean()))
        return (chosen, share(run.gains(chosen, *rows))) if chosen else NOTHING

    return rule


def advised(choice: float, trust: float) -> Rule:
    """Return the package's rule with synthetic rows that judge beside the validation rows.

    Their mean gain has the weight `choice` where a candidate is chosen, and `trust` where its share
    is found; so ``advised(0, 0)`` is the package's own rule.
    """

    def rule(run: Run) -> tuple[str, float]:
        def blended(weight: float, name: str, of: Callable[[Array], float]) -> float:
            real, synthetic = (of(run.gains(name, rows)) for rows in ("validation", "synthetic"))
            return float((1 - weight) * real + weight * synthetic)

        chosen = _best_early(run, 240, lambda name: blended(choice, name, np.mean))
        if not chosen:
            return NOTHING
        return chosen, share_by(*(blended(trust, chosen, of) for of in (np.mean, bound_of)))

    return rule


def _best_early(run: Run, most: int, gain: Callable[[str], float]) -> str:
    """Return the best mean of weights up to where a run ends of itself; empty where none gains."""
    gains, best_step = {0: 0.0}, 0
    for name in run.candidates(most, means=True):
        step = int(name.split()[-1])
        gains[step] = gain(name)
        best_step = max(gains, key=lambda step: gains[step])
        if has_turned(step, best_step):
            break
    return f"mean {best_step}" if best_step else ""


LOGARITHMIC = "best mean, shrunk, log-probabilities"
"""The package's rule until 2026-11-30: both networks' log-probabilities are averaged."""

VALIDATION, ALL = ("validation",), ("fold", "validation")
GAINS, HALF, ONE = (if_beyond(errors) for errors in (0, 0.5, 1))
RULES: dict[str, Rule] = {
    "pretrained": lambda _: NOTHING,
    "best of ten weights, 1 SE": best(60, *VALIDATION, means=False, share=ONE),
    "best of ten weights": best(60, *VALIDATION, means=False, share=GAINS),
    "last of 60": fixed("60"),
    "last of 240": fixed("240"),
    "mean of 60": fixed("mean 60"),
    "mean of 120": fixed("mean 120"),
    "mean of 240": fixed("mean 240"),
    "second half of 120": fixed("tail 120"),
    "mean of 60 if it gains": guarded("mean 60", *VALIDATION, share=GAINS),
    "mean of 120 if it gains": guarded("mean 120", *VALIDATION, share=GAINS),
    "mean of 240 if it gains": guarded("mean 240", *VALIDATION, share=GAINS),
    "mean of 240 if by .5 SE": guarded("mean 240", *VALIDATION, share=HALF),
    "best mean of 240": best(240, *VALIDATION, means=True, share=GAINS),
    "best mean, early end": early(240, *VALIDATION, share=GAINS),
    "best mean, early end, .5 SE": early(240, *VALIDATION, share=HALF),
    "best mean, early end, 1 SE": early(240, *VALIDATION, share=ONE),
    "best of ten, shrunk by 2 SE": best(60, *VALIDATION, means=False, share=shrunk(2)),
    "mean of 60, shrunk by 2 SE": guarded("mean 60", *VALIDATION, share=shrunk(2)),
    "best mean, half of it": early(240, *VALIDATION, share=lambda gains: HALF(gains) / 2),
    "best mean, shrunk by 1 SE": early(240, *VALIDATION, share=shrunk(1)),
    "best mean, shrunk by 1.4 SE": early(240, *VALIDATION, share=shrunk(2**0.5)),
    "best mean, shrunk by 2 SE": early(240, *VALIDATION, share=shrunk(2)),
    "best mean, shrunk (the package)": early(240, *VALIDATION, share=share_of),
    LOGARITHMIC: early(240, *VALIDATION, share=share_of),
    "best mean, shrunk by 2.8 SE": early(240, *VALIDATION, share=shrunk(8**0.5)),
    "synthetic rows choose": advised(1, 0),
    "synthetic rows share with validation rows": advised(0, 0.5),
    "synthetic rows judge, half": advised(0.5, 0.5),
    "synthetic rows judge alone": advised(1, 1),
    "folds: best weights of 60": best(60, *ALL, means=False, share=GAINS),
    "folds: best mean of 120": best(120, *ALL, means=True, share=GAINS),
    "folds: best mean of 120, .5 SE": best(120, *ALL, means=True, share=HALF),
    "folds: mean of 120, shrunk by 2 SE": best(120, *ALL, means=True, share=shrunk(2)),
    "best of ten weights by test": best(60, "test", means=False, share=GAINS),
}


def judge(run: Run) -> Iterator[dict[str, object]]:
    """Yield what each rule that the run allows would have given."""
    labels = run.arrays["test labels"]
    limit = -run.gains(RULES["best of ten weights by test"](run)[0], "test").mean()
    loss, auc = (metric(np.exp(run.arrays["test 0"]), labels) for metric in (log_loss, roc_auc))
    for name, rule in RULES.items():
        try:
            kept, share = rule(run)
            before, after = (
                np.exp(run.arrays[f"test {name}"].astype(float)) for name in ("0", kept)
            )
        except (KeyError, ValueError):  # no folds, or a shorter run
            continue
        together = logarithmic if name == LOGARITHMIC else mixed
        chances = together(before, after, share)
        difference = log_loss(chances, labels) - loss
        yield {
            "rule": name,
            "table": run.table,
            "arm": run.arm,
            "split": run.split,
            "log_loss": difference,
            "auc": roc_auc(chances, labels) - auc,
            "share": share,
            "tuned": float(share > 0),
            "regret": difference - limit,
        }


def logarithmic(pretrained: Array, tuned: Array, share: float) -> Array:
    """Return the logarithmic pool of the probabilities (rows, K) of both networks."""
    parts = torch.from_numpy(np.stack([pretrained, tuned]))
    return pool(parts, (1 - share, share)).numpy()


def summary(judged: pd.DataFrame) -> pd.DataFrame:
    """Return one row per rule and arm, in the order of the rules."""
    rows = []
    for (rule, arm), part in judged.groupby(["rule", "arm"], sort=False):
        tables = part.groupby("table")["log_loss"].mean()
        rows.append(
            {
                "rule": rule,
                "arm": arm,
                "runs": len(part),
                "log_loss": part["log_loss"].mean(),
                "error": tables.sem(),
                "auc": part["auc"].mean(),
                "tuned": part["tuned"].mean(),
                "worse_auc": (part["auc"] < -LARGEST_AUC_LOSS).mean(),
                "worse_loss": (part["log_loss"] > LARGEST_LOSS).mean(),
                "worst": part["log_loss"].max(),
                "regret": part["regret"].mean(),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Print the table of rules."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--study", default=STUDY.name, help="whose cells: selection or roles")
    parser.add_argument("--tables", nargs="+")
    parser.add_argument("--rows", type=Path, help="file for what each rule gave on each run")
    given = parser.parse_args()
    runs = [
        run
        for run in runs_in(given.out, given.study)
        if not given.tables or run.table in given.tables
    ]
    judged = pd.DataFrame([row for run in runs for row in judge(run)])
    if given.rows:
        judged.round(5).to_parquet(given.rows, index=False)
    for arm, part in summary(judged).groupby("arm", sort=False):
        grid = Table("rule", "runs", "Δ log-loss", "Δ AUC", "tuned", "worse", "worst", "regret")
        for row in part.itertuples():
            grid.add_row(
                str(row.rule),
                str(row.runs),
                f"{row.log_loss:+.4f} ± {row.error:.4f}",
                f"{row.auc:+.4f}",
                f"{row.tuned:.0%}",
                f"{row.worse_auc:.0%}/{row.worse_loss:.0%}",
                f"{row.worst:+.3f}",
                f"{row.regret:.4f}",
            )
        Console(width=120).print(f"[bold]{arm}[/]", grid)


if __name__ == "__main__":
    main()
