"""Judge rules that choose weights on the runs that `benchmarks.selection` kept.

::

    python -m benchmarks.selection_rules --out benchmarks/results

Per rule and arm: the mean gain in test log-loss and AUC over the pretrained weights with its
standard error over tables, how many runs end worse by more than .005 AUC or .01 log-loss, the worst
run, and the regret: test loss of what was kept minus that of the best candidate of the run.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from autogluon_causalmix.finetuning.selection import beats, has_turned
from benchmarks.selection import STUDY, unpack
from benchmarks.study.metrics import log_loss, roc_auc

Array = NDArray[Any]
LARGEST_AUC_LOSS, LARGEST_LOSS = 0.005, 0.01


@dataclass(frozen=True)
class Run:
    """One run: log-probabilities by rows and candidate, see `benchmarks.selection.course`."""

    table: str
    split: int
    arm: str
    arrays: Mapping[str, Array]

    def losses(self, rows: str, candidate: str) -> Array:
        """Return the losses of the rows under a candidate, shape (rows,)."""
        labels = self.arrays[f"{rows} labels"]
        known = labels >= 0
        return -self.arrays[f"{rows} {candidate}"][known, labels[known]].astype(float)

    def gains(self, candidate: str, *rows: str) -> Array:
        """Return the losses that a candidate saves over the pretrained weights, row by row."""
        return np.concatenate([self.losses(r, "0") - self.losses(r, candidate) for r in rows])

    def candidates(self, most: int, *, means: bool) -> list[str]:
        """Return the candidates up to a step: means of weights, or weights themselves."""
        names = [name.removeprefix("test ") for name in self.arrays if name.startswith("test ")]
        names = [name for name in names if name not in {"0", "labels"}]
        steps = [n for n in names if (n.startswith("mean") if means else n.isdigit())]
        return [name for name in steps if int(name.split()[-1]) <= most]


Rule = Callable[[Run], str]
"""Returns the candidate that is kept; ``"0"`` is the pretrained weights."""


def best(most: int, *rows: str, means: bool, errors: float) -> Rule:
    """Return the rule: the best candidate up to a step by its gain on rows, if beyond noise."""

    def rule(run: Run) -> str:
        found = run.candidates(most, means=means)
        chosen = max(found, key=lambda name: float(run.gains(name, *rows).mean()))
        return chosen if beats(run.gains(chosen, *rows), errors) else "0"

    return rule


def fixed(candidate: str) -> Rule:
    """One candidate, nothing judged."""
    return lambda _: candidate


def guarded(candidate: str, *rows: str, errors: float) -> Rule:
    """One candidate, kept if its gain on rows is beyond noise."""
    return lambda run: candidate if beats(run.gains(candidate, *rows), errors) else "0"


def early(most: int, *rows: str, errors: float) -> Rule:
    """Return the package's own rule, see `finetuning.selection`, with its number of errors."""

    def rule(run: Run) -> str:
        gains, best_step = {0: 0.0}, 0
        for name in run.candidates(most, means=True):
            step = int(name.split()[-1])
            gains[step] = float(run.gains(name, *rows).mean())
            best_step = max(gains, key=lambda step: gains[step])
            if has_turned(step, best_step):
                break
        kept = f"mean {best_step}" if best_step else "0"
        return kept if beats(run.gains(kept, *rows), errors) else "0"

    return rule


VALIDATION, ALL = ("validation",), ("fold", "validation")
RULES: dict[str, Rule] = {
    "pretrained": fixed("0"),
    "best of ten weights, 1 SE": best(60, *VALIDATION, means=False, errors=1),
    "best of ten weights": best(60, *VALIDATION, means=False, errors=0),
    "last of 60": fixed("60"),
    "last of 240": fixed("240"),
    "mean of 60": fixed("mean 60"),
    "mean of 120": fixed("mean 120"),
    "mean of 240": fixed("mean 240"),
    "second half of 120": fixed("tail 120"),
    "mean of 60 if it gains": guarded("mean 60", *VALIDATION, errors=0),
    "mean of 120 if it gains": guarded("mean 120", *VALIDATION, errors=0),
    "mean of 240 if it gains": guarded("mean 240", *VALIDATION, errors=0),
    "mean of 240 if by .5 SE": guarded("mean 240", *VALIDATION, errors=0.5),
    "best mean of 240": best(240, *VALIDATION, means=True, errors=0),
    "best mean, early end": early(240, *VALIDATION, errors=0),
    "best mean, early end, .5 SE": early(240, *VALIDATION, errors=0.5),
    "best mean, early end, 1 SE": early(240, *VALIDATION, errors=1),
    "folds: best weights of 60": best(60, *ALL, means=False, errors=0),
    "folds: best mean of 120": best(120, *ALL, means=True, errors=0),
    "folds: best mean of 120, .5 SE": best(120, *ALL, means=True, errors=0.5),
    "best of ten weights by test": best(60, "test", means=False, errors=0),
}


def runs_in(folder: Path) -> Iterator[Run]:
    """Read finished cells."""
    for path in sorted((folder / STUDY.name).glob("*/*.json")):
        cell = json.loads(path.read_text())
        values = cell["outcome"]["values"]
        if values is not None:
            yield Run(cell["table"], cell["split"], cell["arm"], unpack(values["arrays"]))


def judge(run: Run) -> Iterator[dict[str, object]]:
    """Yield what each rule that the run allows would have given."""
    labels = run.arrays["test labels"]
    limit = -run.gains(RULES["best of ten weights by test"](run), "test").mean()
    loss, auc = (metric(np.exp(run.arrays["test 0"]), labels) for metric in (log_loss, roc_auc))
    for name, rule in RULES.items():
        try:
            kept = rule(run)
            chances = np.exp(run.arrays[f"test {kept}"].astype(float))
        except (KeyError, ValueError):  # no folds, or a shorter run
            continue
        difference = log_loss(chances, labels) - loss
        yield {
            "rule": name,
            "table": run.table,
            "arm": run.arm,
            "split": run.split,
            "log_loss": difference,
            "auc": roc_auc(chances, labels) - auc,
            "tuned": float(kept != "0"),
            "regret": difference - limit,
        }


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
    parser.add_argument("--tables", nargs="+")
    parser.add_argument("--rows", type=Path, help="file for what each rule gave on each run")
    given = parser.parse_args()
    runs = [run for run in runs_in(given.out) if not given.tables or run.table in given.tables]
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
