"""One JSON file per cell: ``<folder>/<study>/<table>/<identity>.json``, replaced atomically."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.files import write_text
from benchmarks.study.cells import Cell, Outcome, digest

logger = logging.getLogger(__name__)


class Store:
    """Finished and failed cells in a folder.

    Parameters
    ----------
    folder : Path
        Made with the first cell. Several studies, and several settings of one, can share it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, cell: Cell) -> Path:
        """Return where a cell's file is, or will be."""
        return self.folder / cell.study.name / cell.table.name / f"{cell.identity}.json"

    def load(self, cell: Cell) -> Outcome | None:
        """Return a cell's outcome; None, with a warning, where its file cannot be trusted."""
        path = self.path(cell)
        if not path.exists():
            return None
        try:
            return _outcome(json.loads(path.read_text(encoding="utf-8")), cell)
        except (ValueError, TypeError, KeyError) as error:
            logger.warning("%s is measured again: %s cannot be used (%s)", cell, path, error)
            return None

    def save(self, cell: Cell, outcome: Outcome) -> None:
        """Write a cell's outcome."""
        content = {
            "table": cell.table.name,
            "split": cell.split.seed,
            "arm": cell.arm,
            "factors": dict(cell.factors),
            "ingredients": cell.ingredients,
            "outcome": asdict(outcome),
            "checksum": digest(asdict(outcome)),
        }
        write_text(self.path(cell), json.dumps(content, indent=1))


def _outcome(content: Any, cell: Cell) -> Outcome:
    if content["ingredients"] != cell.ingredients:
        raise ValueError("its ingredients are those of another cell")
    if content["checksum"] != digest(content["outcome"]):
        raise ValueError("its checksum is wrong")
    return Outcome(**content["outcome"])
