"""The arms of every comparison, and the space that a search of hyperparameters draws from."""

from typing import Any

from autogluon.common.space import Categorical, Int, Space

from autogluon_causalmix.config import Hyperparameters

ARMS: dict[str, dict[str, Any]] = {
    "zero-shot": {"finetune": False},
    "fine-tuned": {"generator": None},
    "bootstrap": {"generator": "bootstrap"},
    "CausalMix": {},
}
"""Hyperparameters by arm: the pretrained weights, real rows alone, real rows drawn again (the null)
and rows of causal models."""

TUNING = ("finetune_steps", "learning_rate", "mixing")
"""Hyperparameters that mean nothing where nothing is fine-tuned."""


def search_space(arm: str = "CausalMix") -> dict[str, Space]:
    """Return the hyperparameters of an arm that are worth a search, defaults first.

    The arm itself and the backbone stay as they are: a search that may change them compares other
    things than it says.

    Examples
    --------
    >>> sorted(search_space())
    ['finetune_steps', 'learning_rate', 'mixing', 'n_estimators']
    >>> sorted(search_space("zero-shot"))
    ['n_estimators']
    """
    whole = {
        "finetune_steps": Int(60, 480, default=Hyperparameters().finetune_steps),
        "learning_rate": Categorical(None, 1e-5, 3e-5, 1e-4, 3e-4),
        "mixing": Categorical(*({"real_fraction": share} for share in (0.9, 0.5, 0.75))),
        "n_estimators": Categorical(4, 8, 16),
    }
    if "finetune" in ARMS[arm]:
        return {name: space for name, space in whole.items() if name not in TUNING}
    if ARMS[arm].get("generator", "") is None:
        del whole["mixing"]
    return whole
