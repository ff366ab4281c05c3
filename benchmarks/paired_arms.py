"""Causal rows beside the other arms, paired over tables and splits.

::

    python -m benchmarks.paired_arms
    python -m benchmarks.paired_arms --splits 3 4 5

Reads what `benchmarks.selection_rules` wrote of each run: `--files`, by default those of `mini`
with 150 rows to learn from and 50 to validate. Per rule: the mean difference to the other arm with
its standard error over tables (splits are averaged first), their median, on how many tables causal
rows are lower and higher, the p of Wilcoxon's signed-rank test over tables and over all pairs (ties
left out), and in how many pairs causal rows are lower and higher. Splits 0 to
2 chose the rule and the share of synthetic rows; later ones chose nothing. The rule is that of the
time when log-probabilities were averaged: of splits 0 to 5 no other is kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from scipy.stats import wilcoxon

RESULTS = Path("benchmarks/results")
FILES = [
    RESULTS / f"{name}.parquet"
    for name in (
        "selection_choice",
        "selection_report",
        "roles",
        "roles_gate_teacher",
        "roles_split_5",
        "selection_split_6",
    )
]
RULES = ["best mean, shrunk, log-probabilities", "last of 60"]
OURS, OTHERS = "causalmix", ("real rows", "bootstrap null")
SAME = 1e-6  # differences below are none


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=Path, nargs="+", default=FILES)
    parser.add_argument("--splits", type=int, nargs="+", help="all where none is given")
    parser.add_argument("--rules", nargs="+", default=RULES)
    given = parser.parse_args()
    runs = pd.concat([pd.read_parquet(file) for file in given.files])
    if given.splits is not None:
        runs = runs[runs["split"].isin(given.splits)]
    print(pd.DataFrame(compared(runs, given.rules)).round(4).to_string(index=False))


def compared(runs: pd.DataFrame, rules: list[str]) -> Iterator[dict[str, object]]:
    """Yield a row for each rule, metric and other arm.

    Parameters
    ----------
    runs : pandas.DataFrame
        Columns rule, table, split, arm, log_loss and auc, both as differences to the pretrained
        weights; of a run that stands in two files, the first counts.
    rules : list of str
        Which rules.
    """
    runs = runs.drop_duplicates(["rule", "table", "split", "arm"])
    for rule in rules:
        for metric in ("log_loss", "auc"):
            arms = runs[runs["rule"] == rule].pivot_table(
                index=["table", "split"], columns="arm", values=metric
            )
            for other in OTHERS:
                pairs = (arms[OURS] - arms[other]).dropna()
                tables = pairs.groupby("table").mean()
                yield {
                    "rule": rule,
                    "metric": metric,
                    "to": other,
                    "pairs": len(pairs),
                    "tables": len(tables),
                    "difference": tables.mean(),
                    "error": tables.sem(),
                    "median": tables.median(),
                    "tables lower": int((tables < -SAME).sum()),
                    "tables higher": int((tables > SAME).sum()),
                    "p, tables": _p(tables),
                    "p, pairs": _p(pairs),
                    "lower": int((pairs < -SAME).sum()),
                    "higher": int((pairs > SAME).sum()),
                }


def _p(differences: pd.Series) -> float:
    some = differences[differences.abs() > SAME]
    return float(wilcoxon(some).pvalue) if len(some) else 1.0


if __name__ == "__main__":
    main()
