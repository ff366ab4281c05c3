"""`verdict`: what a comparison of arms shows, in one sentence, with intervals."""

import math
from dataclasses import dataclass

import pandas as pd
from scipy import stats

CONFIDENCE = 0.95
"""Of the intervals."""


@dataclass(frozen=True)
class Gain:
    """By how much one arm's log-loss is lower than another's, on the same rows or splits."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, losses: pd.DataFrame, arm: str, rival: str) -> "Gain":
        """Return the mean gain and its t interval; infinite for a single row or split."""
        gains = (losses[rival] - losses[arm]).dropna()
        error = gains.std(ddof=1) / math.sqrt(max(len(gains), 1))
        reach = (
            float(stats.t.ppf((1 + CONFIDENCE) / 2, len(gains) - 1)) * error
            if len(gains) > 1
            else math.inf
        )
        return cls(float(gains.mean()), float(gains.mean() - reach), float(gains.mean() + reach))

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        return f"{self.mean:+.4f}, {CONFIDENCE:.0%} interval {self.low:+.4f} to {self.high:+.4f}"


def verdict(losses: pd.DataFrame, what: str) -> str:
    """Say what the arms' losses show, and no more.

    Parameters
    ----------
    losses : pandas.DataFrame
        Log-loss of each row or split (rows) and arm (columns): ``"zero-shot"``, ``"CausalMix"``,
        and ``"bootstrap"``, the null. Without one of them there is no verdict.
    what : str
        What the rows of `losses` are, with their number.

    Examples
    --------
    >>> alike = pd.DataFrame({"zero-shot": [0.3, 0.4], "bootstrap": [0.4, 0.3]})
    >>> print(verdict(alike.assign(CausalMix=[0.35, 0.35]), "2 splits"))
    No clear difference on 2 splits: the log-loss that CausalMix gains over the pretrained model \
is +0.0000, 95% interval -0.6353 to +0.6353, and over real rows drawn again +0.0000, 95% interval \
-0.6353 to +0.6353. The pretrained model is the simpler choice.
    """
    if not {"zero-shot", "bootstrap", "CausalMix"} <= set(losses.columns) or not len(losses):
        return "No verdict: an arm is missing, see the notes."
    if (losses["CausalMix"] == losses["zero-shot"]).all():
        return (
            f"No difference on {what}: CausalMix predicts as the pretrained model does, because no "
            "fine-tuned weights were kept. The pretrained model is the simpler choice."
        )
    pretrained = Gain.of(losses, "CausalMix", "zero-shot")
    null = Gain.of(losses, "CausalMix", "bootstrap")
    numbers = (
        f"the log-loss that CausalMix gains over the pretrained model is {pretrained}, and over "
        f"real rows drawn again {null}"
    )
    if not pretrained.is_clear:
        return (
            f"No clear difference on {what}: {numbers}. The pretrained model is the simpler choice."
        )
    if pretrained.mean < 0:
        return f"CausalMix is worse than the pretrained model on {what}: {numbers}."
    if null.low > 0:
        return f"CausalMix is better than both on {what}: {numbers}."
    return (
        f"Fine-tuning helps on {what}, the causal rows add nothing clear to it: {numbers}. "
        "Real rows alone are the simpler choice."
    )
