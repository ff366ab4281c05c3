"""The paired comparison of arms on planted differences."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from benchmarks.paired_arms import compared


def runs(lead: float) -> pd.DataFrame:
    """Return runs of 12 tables × 2 splits where causal rows lead by `lead`, some by twice that."""
    rng = np.random.default_rng(0)
    rows = []
    for table, split in product(range(12), range(2)):
        base = rng.normal()
        own = base - lead * (1 + (table % 2))
        losses = {"causalmix": own, "real rows": base, "bootstrap null": base}
        rows += [
            {"rule": "r", "table": table, "split": split, "arm": arm, "log_loss": x, "auc": -x}
            for arm, x in losses.items()
        ]
    return pd.DataFrame(rows)


def test_compared__planted_lead__mean_over_tables_and_a_small_p() -> None:
    loss, _, auc, _ = compared(runs(0.01), ["r"])
    assert (loss["pairs"], loss["tables"]) == (24, 12)
    assert loss["difference"] == pytest.approx(-0.015)
    assert auc["difference"] == pytest.approx(0.015)
    assert loss["error"] == pytest.approx(np.std([0.01, 0.02] * 6, ddof=1) / np.sqrt(12))
    assert loss["p, tables"] == pytest.approx(2.0 / 2**12), "all signs are equal"
    assert (loss["lower"], loss["higher"]) == (24, 0)


def test_compared__no_lead__p_is_1() -> None:
    for row in compared(runs(0.0), ["r"]):
        assert (row["p, tables"], row["p, pairs"], row["lower"], row["higher"]) == (1.0, 1.0, 0, 0)


def test_compared__run_in_two_files__the_first_counts_and_counts_once() -> None:
    once, twice = runs(0.01), pd.concat([runs(0.01), runs(0.5)])
    assert list(compared(once, ["r"])) == list(compared(twice, ["r"]))
