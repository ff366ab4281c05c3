"""CausalMix for TabArena: an entry for each arm on each backbone.

Needs the extra ``tabarena``::

    from autogluon_causalmix import tabarena

    tabarena.register()  # now bundles know ("CausalMix (mini)", 0) by name

TabArena takes several configurations of one model for steps of a search, and shows the best; so an
arm is an entry of its own. The backbone is pinned: with ``"auto"``, two machines may compare
different weights.
"""

from functools import partial
from typing import Any

from autogluon.core.searcher.exceptions import ExhaustedSearchSpaceError

from autogluon_causalmix.arms import ARMS, search_space
from autogluon_causalmix.backbones.published import prefetch_weights
from autogluon_causalmix.model import CausalMixModel

try:
    from tabarena.benchmark.experiment.model_constraints import ModelConstraints
    from tabarena.models import get_model_registry, register_model_info
    from tabarena.models._method_metadata import ModelDescriptor
    from tabarena.models._model_info import ModelInfo
    from tabarena.utils.config_utils import AGConfigGenerator, get_random_searcher
except ImportError as error:
    raise ImportError(
        f"TabArena cannot be imported ({error}): pip install 'autogluon-causalmix[tabarena]'"
    ) from error

BACKBONES = ("tabpfn-v2", "tabpfn-v1", "mini")
EMBEDDED = "mini"  # nothing to fetch
PAPER = "https://arxiv.org/abs/2601.04110"
SUITE = "causalmix"

LIMITS = CausalMixModel._default_auxiliary_params_extra
CONSTRAINTS = ModelConstraints(
    max_n_samples_train_per_fold=LIMITS["max_rows"],
    max_n_features=LIMITS["max_features"],
    max_n_classes=LIMITS["max_classes"],
    regression_support=False,
)
"""The tables that the model takes, for a bundle's ``custom_model_constraints``."""


def label(arm: str, backbone: str) -> str:
    """Return what a leaderboard calls an arm.

    Examples
    --------
    >>> label("CausalMix", "mini"), label("bootstrap", "tabpfn-v1")
    ('CausalMix (mini)', 'CausalMix bootstrap (tabpfn-v1)')
    """
    name = CausalMixModel.ag_name
    return f"{name} ({backbone})" if arm == name else f"{name} {arm} ({backbone})"


class ArmGenerator(AGConfigGenerator):
    """Makes the configurations of an arm: the default one, then random ones.

    Their names hold arm and backbone. TabArena would name those of all arms by the class alone,
    and take the results of one arm for those of the next.

    Parameters
    ----------
    arm : str
        A key of `ARMS`.
    backbone : str
        The backbone of all configurations.
    """

    def __init__(self, arm: str, backbone: str) -> None:
        self.arm, self.backbone = arm, backbone
        self.pinned: dict[str, Any] = {**ARMS[arm], "backbone": backbone}
        super().__init__(CausalMixModel, manual_configs=[self.pinned])

    def get_searcher_configs(self, num_configs: int) -> list[dict[str, Any]]:
        """Return random configurations.

        Raises
        ------
        ValueError
            The arm has fewer.
        """
        searcher = get_random_searcher(search_space(self.arm), num_configs=num_configs)
        try:
            return [{**searcher.get_config(), **self.pinned} for _ in range(num_configs)]
        except ExhaustedSearchSpaceError as error:
            raise ValueError(
                f"the arm {self.arm!r} has less than {num_configs} random configurations: ask for "
                "fewer"
            ) from error

    def generate_all_configs_lst(
        self, num_random_configs: int, name_id_suffix: str = ""
    ) -> list[dict[str, Any]]:
        """Return all configurations, with names of their own."""
        suffix = f"_{self.arm}_{self.backbone}{name_id_suffix}"
        configs: list[dict[str, Any]] = super().generate_all_configs_lst(num_random_configs, suffix)
        return configs


def model_info(arm: str, backbone: str) -> ModelInfo:
    """Return all that TabArena asks of an entry: class, configurations, facts, weights to fetch."""
    name = label(arm, backbone)
    descriptor = ModelDescriptor(
        display_name=name,
        compute="gpu",
        is_bag=False,  # refitted on all rows after the folds
        reference_url=PAPER,
        date_introduced="2026-01",
    )
    return ModelInfo(
        model_cls=CausalMixModel,
        search_space=ArmGenerator(arm, backbone),
        method_metadata=descriptor.method_metadata(
            method=name, suite=SUITE, ag_key=CausalMixModel.ag_key, model_key=name
        ),
        pip_extra=("autogluon-causalmix",),
        prefetch_weights=None if backbone == EMBEDDED else partial(prefetch_weights, backbone),
    )


def register() -> None:
    """Make every arm on every backbone known to TabArena by name; a second call does nothing."""
    for backbone in BACKBONES:
        for arm in ARMS:
            if label(arm, backbone) not in get_model_registry():
                register_model_info(model_info(arm, backbone))
