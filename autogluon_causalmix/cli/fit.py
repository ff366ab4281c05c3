"""``causalmix fit`` and ``causalmix graph``."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table as Grid

from autogluon_causalmix.cli.csvfile import read_csv, read_training
from autogluon_causalmix.comparison import Comparison, compare
from autogluon_causalmix.config import Named
from autogluon_causalmix.errors import CausalMixError, TableError
from autogluon_causalmix.fitlog import Log
from autogluon_causalmix.generation import fit_source
from autogluon_causalmix.model import CausalMixModel
from autogluon_causalmix.resources import Resources


def run(
    train: Path,
    test: Path | None,
    target: str,
    out: Path,
    options: Mapping[str, Any],
    console: Console,
    *,
    time_limit: float | None,
    verbosity: int,
) -> None:
    """Fit the arms on a CSV and leave everything in `out`."""
    CausalMixModel.check(options)
    frame, table = read_training(train, target)
    if len(table.classes) < 2:
        raise TableError(
            f"{train}: the target {target!r} has a single class, {table.classes[0]!r}: nothing to predict"
        )
    rows = None if test is None else _test_rows(test, frame, target)
    console.print(
        f"{len(table)} rows, {len(table.columns) - 1} features, {len(table.classes)} classes of {target!r}"
    )
    shutil.rmtree(out / "predictor", ignore_errors=True)
    try:
        with console.status("fitting zero-shot, fine-tuned and CausalMix …"):
            comparison = compare(
                frame,
                rows,
                target,
                options,
                out / "predictor",
                time_limit=time_limit,
                verbosity=verbosity,
            )
    except CausalMixError:
        shutil.rmtree(out / "predictor", ignore_errors=True)  # half of a predictor is of no use
        raise
    _leave(comparison, out, f"{train.name}: {target}")
    console.print(_leaderboard(comparison.scores, "test" if test else "validation"))
    report = comparison.reports["CausalMix"]
    console.print(f"CausalMix kept the {report.kept} weights: {report.reason}", highlight=False)
    for note in report.notes:
        console.print(f"note: {note}", highlight=False)
    console.print(f"report: {out / 'report.html'}")


def draw_beliefs(
    train: Path, target: str, out: Path, seed: int, seconds: float, console: Console
) -> None:
    """Fit the SCM generator to a CSV and draw the edge beliefs it describes."""
    from autogluon_causalmix.report.pictures import draw_graph, save

    _, table = read_training(train, target)
    log = Log(logging.DEBUG)  # notes are printed below
    with console.status("looking for causal edges …"):
        rng = np.random.default_rng(seed)
        source = fit_source(Named(name="scm"), table, rng, Resources(seconds), log)
    graph = source.facts.description["graph"]
    assert isinstance(graph, dict)
    save(
        draw_graph(graph["nodes"], graph["probability"], target, graph["added"], graph["note"]), out
    )
    console.print(_strongest(graph))
    for note in log.notes:
        console.print(f"note: {note}", highlight=False)
    console.print(f"picture: {out}")


def _strongest(graph: Mapping[str, Any], most: int = 15) -> Grid:
    beliefs = np.array(graph["probability"])
    grid = Grid("edge", "belief")
    for flat in np.argsort(-beliefs, axis=None)[:most]:
        i, j = np.unravel_index(flat, beliefs.shape)
        if beliefs[i, j] > 0:
            grid.add_row(f"{graph['nodes'][i]} → {graph['nodes'][j]}", f"{beliefs[i, j]:.2f}")
    return grid


def _test_rows(path: Path, train: pd.DataFrame, target: str) -> pd.DataFrame:
    rows = read_csv(path)
    missing = [name for name in train.columns if name not in rows.columns]
    if missing:
        raise TableError(f"{path} lacks columns of the training table: {missing}")
    if rows[target].isna().any():
        raise TableError(
            f"{path}: the target {target!r} is missing in {int(rows[target].isna().sum())} rows"
        )
    unseen = sorted(set(map(str, rows[target])) - set(map(str, train[target])))
    if unseen:
        raise TableError(
            f"{path}: the target {target!r} has classes that no training row has: {unseen}"
        )
    return rows


def _leave(comparison: Comparison, out: Path, title: str) -> None:
    from autogluon_causalmix.report.page import write_page

    comparison.scores.to_csv(out / "leaderboard.csv", index=False)
    comparison.reports["CausalMix"].write(out / "fit_report.json")
    write_page(out / "report.html", comparison.reports, title=title, leaderboard=comparison.scores)


def _leaderboard(scores: pd.DataFrame, rows: str) -> Grid:
    grid = Grid("arm", f"log-loss ({rows} rows)", "ROC-AUC", "kept weights", "fit seconds")
    for row in scores.to_dict("records"):
        numbers = [
            f"{row[name]:.4f}" if row.get(name) is not None else "–"
            for name in ("log_loss", "roc_auc")
        ]
        grid.add_row(row["arm"], *numbers, row["kept"], f"{row['fit seconds']:.1f}")
    return grid
