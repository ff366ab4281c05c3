"""Presets: dictionaries for ``TabularPredictor.fit(presets=…)``."""

from typing import Any

from autogluon.tabular.configs.hyperparameter_configs import get_hyperparameter_config

from autogluon_causalmix.arms import ARMS
from autogluon_causalmix.model import CausalMixModel

PRESETS: dict[str, dict[str, Any]] = {
    "causalmix": {"hyperparameters": {CausalMixModel: {}}},
    "causalmix_and_default": {
        "hyperparameters": {**get_hyperparameter_config("default"), CausalMixModel: {}}
    },
    "causalmix_arms": {
        "hyperparameters": {
            CausalMixModel: [
                {**options, "ag_args": {"name_suffix": f" {arm}"}} for arm, options in ARMS.items()
            ]
        },
        "fit_weighted_ensemble": False,
    },
}
"""CausalMix alone, CausalMix beside AutoGluon's default models, and its arms side by side.

Arguments of ``fit`` win over those of a preset, and of several presets the last one wins::

    predictor.fit(train, presets=["good_quality", PRESETS["causalmix_and_default"]])
"""
