"""TabPFN and everything of its architecture: published versions, checkpoint files, and `mini`.

All weights are loaded by ``TabPFNClassifier(model_path=…)``.
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import ClassVar

from autogluon_causalmix.backbones.protocol import MOST_VALUES, Limits
from autogluon_causalmix.backbones.tabpfn_context import TabPFNContext, condition
from autogluon_causalmix.backbones.weights import (
    NON_COMMERCIAL,
    PERMISSIVE,
    Weights,
    fetch_weights,
)
from autogluon_causalmix.errors import CheckpointError
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.table import Table

LEARNING_RATE = 3e-5
"""The best rates of 49 fine-tuning runs of TabPFN v2 cluster here (Rubachev et al., 2025, arXiv
2506.08982)."""

MINI_LEARNING_RATE = 3e-4
"""The best of 1e-5 … 1e-3 on eight tables: see benchmarks/LOG.md."""

LIMITS_SINCE_V2_5 = Limits(rows=50_000, features=2_000)

COLUMNS_PER_VIEW = 3
"""TabPFN adds quantiles and singular vectors to the columns."""


class _Family:
    """What all weights share; memory is measured by ``benchmarks/memory.py``."""

    predicting: ClassVar[float] = 12e3
    """Bytes per value of a view in a prediction."""
    tuning: ClassVar[float] = 165e3
    """Bytes per value of a view in a step of fine-tuning."""

    def weights(self) -> Weights:
        """Return the file of weights, fetched first if need be."""
        raise NotImplementedError

    def condition(
        self, table: Table, *, n_estimators: int, device: str, seed: int
    ) -> TabPFNContext:
        """Load the weights and give them the rows of `table` as context."""
        return condition(self.weights(), table, n_estimators, device, seed)

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        """Return an upper estimate of the bytes of a pass over a table of this shape."""
        values = rows * columns * COLUMNS_PER_VIEW
        return min(values, MOST_VALUES) * self.tuning if tuning else values * self.predicting


@dataclass(frozen=True)
class Checkpoint(_Family):
    """Any classifier checkpoint that `tabpfn` reads, by its path.

    Parameters
    ----------
    path : str
        A ``.safetensors`` or ``.ckpt`` file. Pickles are read with ``weights_only=True`` alone.
    """

    path: str

    def __post_init__(self) -> None:
        if not Path(self.path).is_file():
            raise CheckpointError(f"there is no file of weights at {self.path}")

    def weights(self) -> Weights:
        """Return the file."""
        return Weights(Path(self.path), Path(self.path).name, "unknown", LEARNING_RATE)


@dataclass(frozen=True)
class Mini(_Family):
    """The small network of TabPFN v2's architecture that ships with this package."""

    predicting: ClassVar[float] = 0.7e3
    tuning: ClassVar[float] = 11e3

    def weights(self) -> Weights:
        """Return the embedded file."""
        path = Path(str(resources.files("autogluon_causalmix"))) / "weights" / "mini.safetensors"
        return Weights(path, "mini", "Apache-2.0", MINI_LEARNING_RATE)


@dataclass(frozen=True)
class TabPFN(_Family):
    """A published TabPFN, fetched by `tabpfn` itself on first use.

    Parameters
    ----------
    version : str
        ``"v2"`` (weights that may be used commercially) or any later version that `tabpfn` knows
        (whose weights may not).
    """

    version: str = "v2"

    @property
    def limits(self) -> Limits:
        """The largest table, as published."""
        return Limits() if self.version == "v2" else LIMITS_SINCE_V2_5

    def weights(self) -> Weights:
        """Return the file, fetched first if it is not cached."""
        name = f"tabpfn-{self.version}"
        license_name = PERMISSIVE.get(self.version, NON_COMMERCIAL)
        is_free = license_name != NON_COMMERCIAL
        notes = () if is_free else (f"the weights {name} may not be used commercially",)
        return Weights(fetch_weights(self.version), name, license_name, LEARNING_RATE, notes)


@dataclass(frozen=True)
class TabPFNv2(_Family):
    """TabPFN v2, the published version whose weights may be used commercially."""

    def weights(self) -> Weights:
        """Return the file, fetched first if it is not cached."""
        return TabPFN("v2").weights()


@hookimpl
def causalmix_register_backbones(register: Register) -> None:
    """Register the built-in backbones."""
    register("mini", Mini)
    register("tabpfn", TabPFN)
    register("tabpfn-v2", TabPFNv2)
    register("tabpfn-checkpoint", Checkpoint)
