"""What a fit report says of a network and the file of its weights."""

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from autogluon_causalmix.backbones.weights import Weights
from autogluon_causalmix.records import BackboneFacts

if TYPE_CHECKING:
    import torch


def facts_of(weights: Weights, network: "torch.nn.Module") -> BackboneFacts:
    """Return name, file, checksum and licence of weights, and the size of their network."""
    return BackboneFacts(
        name=weights.name,
        weights=weights.path.name,
        sha256=_sha256(weights.path, weights.path.stat().st_mtime_ns),
        license=weights.license,
        parameters=sum(weight.numel() for weight in network.parameters()),
    )


@functools.cache
def _sha256(path: Path, changed: int) -> str:  # noqa: ARG001 - another file if changed
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
