"""The verdict of a comparison: it claims no more than the losses show."""

import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix.verdict import Gain, verdict


def losses(pretrained: float, null: float, rows: int = 200) -> pd.DataFrame:
    """Return losses of rows by which CausalMix is better by so much, with noise."""
    rng = np.random.default_rng(0)
    ours = rng.exponential(0.4, rows)
    return pd.DataFrame(
        {
            "zero-shot": ours + rng.normal(pretrained, 0.1, rows),
            "bootstrap": ours + rng.normal(null, 0.1, rows),
            "CausalMix": ours,
        }
    )


@pytest.mark.parametrize(
    ("pretrained", "null", "said"),
    [
        (0.1, 0.1, "CausalMix is better than both on 200 rows"),
        (0.1, 0.0, "Fine-tuning helps on 200 rows, the causal rows add nothing clear"),
        (0.1, -0.1, "Fine-tuning helps on 200 rows, the causal rows add nothing clear"),
        (0.0, 0.1, "No clear difference on 200 rows"),
        (-0.1, 0.1, "CausalMix is worse than the pretrained model on 200 rows"),
    ],
)
def test_the_verdict_follows_the_planted_gains(pretrained: float, null: float, said: str) -> None:
    assert verdict(losses(pretrained, null), "200 rows").startswith(said)


def test_the_interval_covers_the_true_gain_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        drawn = pd.DataFrame({"a": np.zeros(12), "b": rng.normal(0.3, 1.0, 12)})
        gain = Gain.of(drawn, "a", "b")
        covered += gain.low <= 0.3 <= gain.high
    assert 0.92 <= covered / 400 <= 0.98


def test_one_split_shows_nothing() -> None:
    one = pd.DataFrame({"zero-shot": [0.9], "bootstrap": [0.8], "CausalMix": [0.1]})
    assert verdict(one, "1 split").startswith("No clear difference on 1 split")


def test_without_the_null_there_is_no_verdict() -> None:
    assert verdict(losses(1, 1)[["zero-shot", "CausalMix"]], "rows").startswith("No verdict")


def test_weights_that_were_not_kept_make_no_difference() -> None:
    same = losses(0.0, 0.1).assign(**{"zero-shot": lambda frame: frame["CausalMix"]})
    assert "predicts as the pretrained model does" in verdict(same, "200 rows")
