"""The files of Mitra's weights: their licence and where they come from."""

from pathlib import Path

from autogluon_causalmix.backbones.weights import fetch_from_hub

NAME = "mitra"
REPOSITORY = "autogluon/mitra-classifier"
LICENSE = "Apache-2.0"

CONFIG, WEIGHTS = "config.json", "model.safetensors"
"""What a folder of weights holds, as `Tab2D.save_pretrained` writes it."""


def fetch() -> Path:
    """Return the published weights, fetched from their hub first if they are not cached.

    Raises
    ------
    CheckpointError
        They are out of reach.
    """
    fetch_from_hub(REPOSITORY, CONFIG)  # lands beside the weights
    return fetch_from_hub(REPOSITORY, WEIGHTS)
