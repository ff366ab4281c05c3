"""TabICL (Qu et al., 2025, arXiv 2502.05564) by the package `tabicl`, an extra of this one."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from autogluon_causalmix.backbones.protocol import MOST_VALUES, Limits
from autogluon_causalmix.backbones.tabicl_context import TabICLContext, condition
from autogluon_causalmix.backbones.tabicl_weights import FILES, LICENSE, fetch
from autogluon_causalmix.backbones.weights import Weights
from autogluon_causalmix.errors import CheckpointError, ConfigError
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.table import Table

LEARNING_RATE = 1e-5
"""That of `tabicl`'s own fine-tuning."""

# Bytes; of a network of the published size with random weights, on a CPU.
WEIGHTS = 0.15e9
PREDICTING_VALUE = 15e3
TUNING_WEIGHTS = 0.7e9  # with gradients, the moments of AdamW and two candidates
TUNING_VALUE = 90e3


@dataclass(frozen=True)
class TabICL:
    """TabICL, fetched from its hub on first use.

    Parameters
    ----------
    version : str
        ``"v2"``, ``"v1.1"`` or ``"v1"``.
    path : str, optional
        A ``.ckpt`` file of a TabICL classifier in place of a published one.
    """

    version: str = "v2"
    path: str | None = None

    def __post_init__(self) -> None:
        if importlib.util.find_spec("tabicl") is None:
            raise ConfigError("it needs a package: pip install 'autogluon-causalmix[tabicl]'")
        if self.version not in FILES:
            raise ConfigError(f"there is no version {self.version!r}; choose from {list(FILES)}")
        if self.path is not None and not Path(self.path).is_file():
            raise CheckpointError(f"there is no file of weights at {self.path}")

    @property
    def limits(self) -> Limits:
        """The largest table, as AutoGluon has it for TabICL, with fewer rows for fine-tuning."""
        return Limits(rows=50_000, features=2_000)

    def weights(self) -> Weights:
        """Return the file, fetched first if it is not cached."""
        if self.path is not None:
            return Weights(Path(self.path), Path(self.path).name, "unknown", LEARNING_RATE)
        return Weights(fetch(self.version), f"tabicl-{self.version}", LICENSE, LEARNING_RATE)

    def condition(
        self, table: Table, *, n_estimators: int, device: str, seed: int
    ) -> TabICLContext:
        """Load the weights and give them the rows of `table` as context."""
        return condition(self.weights(), table, n_estimators, device, seed)

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        """Return an upper estimate of the bytes of a pass over a table of this shape."""
        if tuning:
            return TUNING_WEIGHTS + TUNING_VALUE * min(rows * columns, MOST_VALUES)
        return WEIGHTS + PREDICTING_VALUE * rows * columns


@hookimpl
def causalmix_register_backbones(register: Register) -> None:
    """Register the backbone."""
    register("tabicl", TabICL)
