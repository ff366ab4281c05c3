"""Files of a pretraining run: state, weights and learning curve; all replaced atomically."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from tabpfn.architectures.tabpfn_v2 import TabPFNV2Config
from tabpfn.checkpoint import save_as_safetensors
from torch import Tensor

from benchmarks.files import write_atomically

STATE, WEIGHTS, COOLED, CURVE = (
    "state.pt",
    "mini.safetensors",
    "mini-cooled.safetensors",
    "curve.csv",
)
DEFAULT_TEMPERATURE = 0.9  # every release of `tabpfn` divides the logits by this by default
# Chosen on held-out tables of the prior by `benchmarks.pretraining.inference`: log-loss .018 ± .007
# below the architecture's default (ranks with originals, SVD and fingerprints), the same AUC, and
# half the columns.
INFERENCE: dict[str, Any] = {
    "PREPROCESS_TRANSFORMS": [
        {"name": name, "categorical_name": "ordinal_very_common_categories_shuffled"}
        for name in ("quantile_uni_coarse", "none")
    ],
    "FINGERPRINT_FEATURE": False,
}
_OUTPUT_LAYER = ("output_projection.2.weight", "output_projection.2.bias")


def save_state(state: dict[str, Any], folder: Path) -> None:
    """Write everything a resumed run needs: tensors and plain values only."""
    write_atomically(folder / STATE, lambda path: torch.save(state, path))


def load_state(folder: Path) -> dict[str, Any] | None:
    """Read the state to the CPU; None where there is none. Code in the file is never executed."""
    path = folder / STATE
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def save_curve(rows: list[dict[str, float]], folder: Path) -> None:
    """Write the learning curve as CSV, one row per held-out evaluation."""

    def write(path: Path) -> None:
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
            table.writeheader()
            table.writerows(rows)

    if rows:
        write_atomically(folder / CURVE, write)


def export(
    weights: dict[str, Tensor], config: TabPFNV2Config, path: Path, *, temperature: float = 1.0
) -> None:
    """Write a checkpoint for `TabPFNClassifier(model_path=...)`.

    The temperature is folded into the output layer, as not every version of `tabpfn` reads one
    from a checkpoint. All versions divide the logits by the same default, which is folded in, too.
    """
    factor = DEFAULT_TEMPERATURE / temperature
    scaled = {
        name: (w * factor if name in _OUTPUT_LAYER else w).contiguous()
        for name, w in weights.items()
    }
    content = {
        "state_dict": scaled,
        "config": dataclasses.asdict(config),
        "architecture_name": "tabpfn_v2",
        "inference_config": INFERENCE,
    }

    def write(temporary: Path) -> None:
        save_as_safetensors(content, temporary)
        _sort_header(temporary)

    write_atomically(path, write)


def _sort_header(path: Path) -> None:
    """Sort the header of a safetensors file, whose order is random: equal weights, equal bytes."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors stay aligned
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[end:])
