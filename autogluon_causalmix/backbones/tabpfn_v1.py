"""TabPFN v1 (Hollmann et al., ICLR 2023): published weights that a package index carries."""

from dataclasses import dataclass

from autogluon_causalmix.backbones.protocol import MOST_VALUES
from autogluon_causalmix.backbones.tabpfn_v1_context import TabPFNv1Context, condition
from autogluon_causalmix.backbones.tabpfn_v1_weights import (
    ARCHIVE,
    LICENSE,
    NAME,
    fetch,
    weights_path,
)
from autogluon_causalmix.backbones.weights import Weights
from autogluon_causalmix.errors import BackboneError
from autogluon_causalmix.fitlog import logger
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.table import Table

LEARNING_RATE = 3e-5
"""1e-5 and 3e-5 gave equal means on six tables."""

MOST_CLASSES = 10

COLUMNS_SHOWN = 100
"""Of every row, however many columns it has."""

# Bytes, see `python -m benchmarks.memory --backbones tabpfn-v1 --passes`.
WEIGHTS = 0.11e9
PREDICTING_ROW = 30e3
TUNING_WEIGHTS = 0.5e9  # with their gradients and the two moments of AdamW
TUNING_ROW = 250e3


@dataclass(frozen=True)
class TabPFNv1:
    """TabPFN v1, fetched from the package index on first use."""

    def weights(self) -> Weights:
        """Return the file, fetched first if it is not cached."""
        if not weights_path().is_file():
            megabytes = ARCHIVE.size // 10**6
            logger.info("\tFetching the weights of %s (%d MB)", NAME, megabytes)
        return Weights(fetch(), NAME, LICENSE, LEARNING_RATE)

    def condition(
        self, table: Table, *, n_estimators: int, device: str, seed: int
    ) -> TabPFNv1Context:
        """Load the weights and give them the rows of `table` as context.

        Raises
        ------
        BackboneError
            The table has more than ten classes.
        CheckpointError
            The weights are out of reach, or the cached file is broken.
        """
        if len(table.classes) > MOST_CLASSES:
            raise BackboneError(
                f"{NAME} predicts at most {MOST_CLASSES} classes, and the target "
                f"{table.target!r} has {len(table.classes)}; choose another model"
            )
        return condition(self.weights(), table, n_estimators, device, seed)

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        """Return an upper estimate of the bytes of a pass over a table of this shape."""
        if tuning:
            return TUNING_WEIGHTS + TUNING_ROW * min(rows, MOST_VALUES // COLUMNS_SHOWN)
        return WEIGHTS + PREDICTING_ROW * rows


@hookimpl
def causalmix_register_backbones(register: Register) -> None:
    """Register the backbone."""
    register(NAME, TabPFNv1)
