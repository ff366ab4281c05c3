"""Who takes part: arms of CausalMix on pinned backbones, and models of AutoGluon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tabarena.benchmark.experiment import AGModelBagExperiment
from tabarena.models.utils import get_configs_generator_from_name
from tabarena.utils.config_utils import AGConfigGenerator

from autogluon_causalmix.arms import ARMS
from autogluon_causalmix.tabarena import CONSTRAINTS, ArmGenerator, label

RIVALS = ("LightGBM", "CatBoost", "RandomForest", "ExtraTrees", "Linear", "TorchMLP")


@dataclass(frozen=True)
class Entrant:
    """One row of the leaderboard, and how it is fitted."""

    name: str
    experiment: AGModelBagExperiment


def entrants(
    arms: list[str], backbones: list[str], rivals: list[str], **settings: Any
) -> list[Entrant]:
    """Return the arms on each backbone, and the rivals; all at their defaults.

    Parameters
    ----------
    arms : list of str
        Keys of `ARMS`.
    backbones : list of str
        On which each arm runs.
    rivals : list of str
        Names of models that TabArena knows.
    **settings
        See `bagged`.
    """
    unknown = [arm for arm in arms if arm not in ARMS]
    if unknown:
        raise ValueError(f"there is no arm {unknown[0]!r}; choose from {list(ARMS)}")
    ours = [
        Entrant(label(arm, backbone), bagged(ArmGenerator(arm, backbone), **settings))
        for backbone in backbones
        for arm in arms
    ]
    for entrant in ours:
        entrant.experiment.set_model_constraints(CONSTRAINTS)
    return ours + [
        Entrant(name, bagged(get_configs_generator_from_name(name), **settings)) for name in rivals
    ]


def bagged(
    generator: AGConfigGenerator, *, folds: int, time_limit: float, num_cpus: int
) -> AGModelBagExperiment:
    """Return the experiment of a default configuration, its folds fitted one after another.

    The seed is the same for all: an arm that differs in a hyperparameter must not differ in its
    seed, too.
    """
    (experiment,) = generator.generate_all_bag_experiments(
        num_random_configs=0,
        num_bag_folds=folds,
        time_limit=time_limit,
        add_seed="static",
        fold_fitting_strategy="sequential_local",
        method_kwargs={
            "fit_kwargs": {"num_cpus": num_cpus},
            "init_kwargs": {"verbosity": 1, "default_base_path": "/tmp"},  # noqa: S108  as TabArena
        },
    )
    return experiment
