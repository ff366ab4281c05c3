"""The files of TabICL's weights: their licence and where they come from."""

from pathlib import Path

from autogluon_causalmix.backbones.weights import fetch_from_hub

REPOSITORY = "jingang/TabICL"
LICENSE = "BSD-3-Clause"

FILES = {
    "v1": "tabicl-classifier-v1-20250208.ckpt",
    "v1.1": "tabicl-classifier-v1.1-20250506.ckpt",
    "v2": "tabicl-classifier-v2-20260212.ckpt",
}
"""The published classifiers, by version."""


def fetch(version: str) -> Path:
    """Return the file of a published version, fetched from its hub first if it is not cached.

    Raises
    ------
    CheckpointError
        It is out of reach.
    """
    return fetch_from_hub(REPOSITORY, FILES[version])
