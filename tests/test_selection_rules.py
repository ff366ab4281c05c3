"""The rules that choose weights, on runs that are made up."""

from typing import Any

import numpy as np
import pytest

from autogluon_causalmix.finetuning.selection import compare, share_of
from benchmarks.courses import Run
from benchmarks.selection_rules import LOGARITHMIC, advised, early, judge, shrunk

ROWS = 40


def run_of(gains: dict[int, float]) -> Run:
    """Return a run whose mean of weights gains so much at each step, with noise by row."""
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=ROWS)
    arrays: dict[str, Any] = {}
    for rows in ("validation", "test"):
        arrays[f"{rows} labels"] = labels
        for step, gain in {0: 0.0, **gains}.items():
            noise = rng.normal(scale=0.2, size=ROWS) if step else np.zeros(ROWS)
            right = np.exp(np.minimum(gain - 1.0 - noise, -0.01))
            both = np.where(labels[:, None] == [0, 1], right[:, None], 1 - right[:, None])
            arrays[f"{rows} {step}"] = arrays[f"{rows} mean {step}"] = np.log(both)
        del arrays[f"{rows} mean 0"]
    return Run("made up", 0, "causalmix", arrays)


def test_the_rule_of_the_package_is_that_of_its_fits() -> None:
    run = run_of({12: 0.1, 24: 0.3, 36: 0.2, 60: -0.2})
    kept, share = early(240, "validation", share=share_of)(run)
    verdict = compare(run.losses("validation", "0"), run.losses("validation", "mean 24"))
    assert (kept, share) == ("mean 24", verdict.share)
    assert 0 < share <= shrunk(2)(run.gains("mean 24", "validation"))


def test_a_run_that_only_loses_is_not_used() -> None:
    assert early(240, "validation", share=share_of)(run_of({12: -0.1, 60: -0.2})) == ("0", 0.0)


def test_what_a_rule_gives_is_the_loss_of_both_networks_together() -> None:
    run = run_of({12: 0.1, 24: 0.3, 36: 0.2, 60: -0.2})
    rules = {row["rule"]: row for row in judge(run)}
    _, share = early(240, "validation", share=share_of)(run)
    before, after = np.exp(run.arrays["test 0"]), np.exp(run.arrays["test mean 24"])
    labels = run.arrays["test labels"]
    losses = -np.log((1 - share) * before + share * after)[np.arange(ROWS), labels]
    wanted = losses.mean() - run.losses("test", "0").mean()
    assert rules["best mean, shrunk (the package)"]["log_loss"] == pytest.approx(wanted)
    logs = (1 - share) * np.log(before) + share * np.log(after)
    losses = np.logaddexp(*logs.T) - logs[np.arange(ROWS), labels]
    wanted = losses.mean() - run.losses("test", "0").mean()
    assert rules[LOGARITHMIC]["log_loss"] == pytest.approx(wanted)
    assert rules["pretrained"]["log_loss"] == pytest.approx(0, abs=1e-9)
    assert rules["best of ten weights by test"]["regret"] == pytest.approx(0, abs=1e-9)
    assert "last of 240" not in rules


def test_synthetic_rows_can_overrule_validation_rows() -> None:
    """Validation rows take step 24, which harms the others; step 12 gains on all."""
    run = run_of({12: 0.2, 24: 0.3, 60: -0.2})
    known = run_of({12: 0.2, 24: -0.3, 60: -0.2}).arrays
    wide = {name.replace("test", "synthetic"): a for name, a in known.items() if "test" in name}
    run = Run("made up", 0, "causalmix", {**run.arrays, **wide})
    assert advised(0, 0)(run) == early(240, "validation", share=share_of)(run)
    assert advised(0, 0)(run)[0] == "mean 24"
    assert advised(1, 1)(run)[0] == advised(0.5, 0)(run)[0] == "mean 12"
    assert advised(0, 1)(run) == ("mean 24", 0.0)
    gains = run.gains("mean 12", "validation"), run.gains("mean 12", "synthetic")
    assert advised(1, 0)(run)[1] == share_of(gains[0])
    assert advised(1, 1)(run)[1] == share_of(gains[1])
