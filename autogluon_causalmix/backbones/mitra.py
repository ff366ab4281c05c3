"""Mitra (Zhang et al., NeurIPS 2025, arXiv 2510.21204): AutoGluon's network; an extra."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from autogluon_causalmix.backbones.mitra_context import MitraContext, condition
from autogluon_causalmix.backbones.mitra_weights import CONFIG, LICENSE, NAME, WEIGHTS, fetch
from autogluon_causalmix.backbones.protocol import MOST_VALUES
from autogluon_causalmix.backbones.weights import Weights
from autogluon_causalmix.errors import CheckpointError, ConfigError
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.table import Table

LEARNING_RATE = 5e-6
"""Which AutoGluon's own fine-tuning reaches: 50 steps of a warm-up that leads to 1e-4 in 1,000."""

# Bytes; of a network of AutoGluon's default size with random weights, on a CPU.
NETWORK = 0.7e9  # the file is read beside it
PREDICTING_VALUE = 20e3
TUNING_NETWORK = 1.8e9  # with gradients, the moments of AdamW and three candidates
TUNING_VALUE = 300e3


@dataclass(frozen=True)
class Mitra:
    """Mitra, fetched from its hub on first use.

    Parameters
    ----------
    path : str, optional
        A folder of a Mitra classifier in place of the published one.
    """

    path: str | None = None

    def __post_init__(self) -> None:
        if importlib.util.find_spec("einx") is None:
            raise ConfigError("it needs a package: pip install 'autogluon-causalmix[mitra]'")
        for name in (CONFIG, WEIGHTS) if self.path is not None else ():
            if not (Path(self.path or "") / name).is_file():
                raise CheckpointError(f"there is no file {name} in {self.path}")

    def weights(self) -> Weights:
        """Return the file, fetched first if it is not cached."""
        if self.path is not None:
            folder = Path(self.path)
            return Weights(folder / WEIGHTS, folder.name, "unknown", LEARNING_RATE)
        return Weights(fetch(), NAME, LICENSE, LEARNING_RATE)

    def condition(self, table: Table, *, n_estimators: int, device: str, seed: int) -> MitraContext:
        """Load the weights and give them the rows of `table` as context."""
        return condition(self.weights(), table, n_estimators, device, seed)

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        """Return an upper estimate of the bytes of a pass over a table of this shape."""
        values = rows * (columns + 1)  # the label has a column of its own
        if tuning:
            return TUNING_NETWORK + TUNING_VALUE * min(values, MOST_VALUES)
        return NETWORK + PREDICTING_VALUE * values


@hookimpl
def causalmix_register_backbones(register: Register) -> None:
    """Register the backbone."""
    register(NAME, Mitra)
