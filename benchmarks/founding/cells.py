"""Cells as a data frame, and all cells of a study in one file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from autogluon_causalmix.fidelity.protocol import Metric, shortfall
from autogluon_causalmix.plugins import plugin_registry
from benchmarks.files import write_atomically, write_text

METRIC = "fidelity: "
"""What the columns of metrics begin with."""

GAINS = ("average_gain", "last_gain", "guarded_gain", "auc_gain")


def pack(folder: Path, target: Path) -> int:
    """Write all cells of a study's folder into one Parquet file; return how many.

    The file holds the text of each cell's own file, so that `unpack` gives the same files again.
    """
    paths = sorted(folder.glob("*/*.json"))
    rows = [(path.parent.name, path.stem, path.read_text(encoding="utf-8")) for path in paths]
    frame = pd.DataFrame(rows, columns=["table", "identity", "content"])
    write_atomically(
        target, lambda path: frame.to_parquet(path, compression="zstd", compression_level=19)
    )
    return len(frame)


def unpack(source: Path, folder: Path) -> int:
    """Write each packed cell as the file that it was, unless it is there; return how many were."""
    written = 0
    for table, identity, content in pd.read_parquet(source).itertuples(index=False):
        path = folder / table / f"{identity}.json"
        if not path.exists():
            write_text(path, content)
            written += 1
    return written


def read(source: Path, domains: Mapping[str, Iterable[str]] | None = None) -> pd.DataFrame:
    """Return one row per cell of a folder or of a packed file.

    Parameters
    ----------
    source : Path
        The folder of a study's cells, or what `pack` wrote.
    domains : mapping, optional
        Tables by domain.

    Returns
    -------
    pandas.DataFrame
        Columns: table, domain, split, arm, seed, rows, dose and backbone; error, empty where the
        cell finished; the gains; the scores of the pretrained weights; facts of the table; and the
        metrics, the higher the better, named ``"fidelity: ks"``.
    """
    if source.is_dir():
        texts = [path.read_text(encoding="utf-8") for path in sorted(source.glob("*/*.json"))]
    else:
        texts = pd.read_parquet(source)["content"].tolist()
    domain = {table: name for name, own in (domains or {}).items() for table in own}
    metrics = plugin_registry().of(Metric)
    better = {entry.name: entry.create({}).better for entry in metrics}
    rows = [_row(json.loads(text), domain, better) for text in texts]
    return pd.DataFrame(rows).sort_values(["split", "seed", "table", "arm"], ignore_index=True)


def _row(cell: Any, domain: Mapping[str, str], better: Mapping[str, Any]) -> dict[str, Any]:
    whole = {
        "table": cell["table"],
        "domain": domain.get(cell["table"], "other"),
        "split": cell["split"],
        "arm": cell["arm"],
        **cell["factors"],
        "error": cell["outcome"]["error"],
        "code": cell["ingredients"]["versions"]["autogluon-causalmix"],
    }
    values = cell["outcome"]["values"]
    if values is None:
        return whole
    base = values["curve"][0]
    return {
        **whole,
        **{name: values[name] for name in GAINS},
        **values["table"],
        "base_log_loss": base["log_loss"],
        "base_auc": base["roc_auc"],
        "kept_step": values["kept_step"],
        "curve": values["curve"],
        "seconds": cell["outcome"]["seconds"],
        **{
            f"{METRIC}{name}": -shortfall(better[name], value)
            for name, value in values["fidelity"].items()
        },
    }


def metrics_of(cells: pd.DataFrame) -> list[str]:
    """Return the columns of metrics."""
    return [str(name) for name in cells if str(name).startswith(METRIC)]
