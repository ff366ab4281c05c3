"""The course of a run of fine-tuning that nobody judged: kept as text, and read again."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def pack(arrays: Mapping[str, Array]) -> str:
    """Return arrays as text; `unpack` gives them back."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return base64.b85encode(buffer.getvalue()).decode()


def unpack(text: str) -> dict[str, Array]:
    """Return the arrays that `pack` made a text of.

    Examples
    --------
    >>> unpack(pack({"a": np.arange(3)}))
    {'a': array([0, 1, 2])}
    """
    with np.load(io.BytesIO(base64.b85decode(text))) as arrays:
        return dict(arrays)


@dataclass(frozen=True)
class Run:
    """One run: log-probabilities by rows and candidate, see `benchmarks.selection.course`."""

    table: str
    split: int
    arm: str
    arrays: Mapping[str, Array]

    def losses(self, rows: str, candidate: str) -> Array:
        """Return the losses of the rows under a candidate, shape (rows,)."""
        labels = self.arrays[f"{rows} labels"]
        known = labels >= 0
        return -self.arrays[f"{rows} {candidate}"][known, labels[known]].astype(float)

    def gains(self, candidate: str, *rows: str) -> Array:
        """Return the losses that a candidate saves over the pretrained weights, row by row."""
        return np.concatenate([self.losses(r, "0") - self.losses(r, candidate) for r in rows])

    def candidates(self, most: int, *, means: bool) -> list[str]:
        """Return the candidates up to a step: means of weights, or weights themselves."""
        names = [name.removeprefix("test ") for name in self.arrays if name.startswith("test ")]
        names = [name for name in names if name not in {"0", "labels"}]
        steps = [n for n in names if (n.startswith("mean") if means else n.isdigit())]
        return [name for name in steps if int(name.split()[-1]) <= most]


def runs_in(folder: Path, study: str) -> Iterator[Run]:
    """Read finished cells.

    Raises
    ------
    ValueError
        A run stands there twice, as of two versions of the code.
    """
    seen: dict[tuple[str, int, str], Path] = {}
    for path in sorted((folder / study).glob("*/*.json")):
        cell = json.loads(path.read_text())
        values = cell["outcome"]["values"]
        if values is not None:
            key = (cell["table"], cell["split"], cell["arm"])
            if seen.setdefault(key, path) != path:
                raise ValueError(f"{path} and {seen[key]} are the same run: remove one of them")
            yield Run(*key, unpack(values["arrays"]))
