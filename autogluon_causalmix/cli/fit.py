"""``causalmix fit``."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer
from rich.table import Table as Grid

from autogluon_causalmix.cli import options
from autogluon_causalmix.cli.terminal import console, print_notes
from autogluon_causalmix.errors import CausalMixError, TableError

WRITTEN = ("predictor", "leaderboard.csv", "fit_report.json", "report.html")

if TYPE_CHECKING:  # loads AutoGluon
    from autogluon_causalmix.comparison import Comparison


def fit(
    train: options.Train,
    target: options.Target,
    test: Annotated[Path | None, typer.Option(help="CSV or Parquet file to score on.")] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of report, leaderboard and predictor.")
    ] = Path("out"),
    dtypes: options.Dtypes = None,
    generator: options.Generator = "scm",
    backbone: options.Backbone = "auto",
    seed: options.Seed = 0,
    time_limit: Annotated[float | None, options.Seconds] = None,
    force: options.Force = False,
    verbose: options.Verbose = False,
) -> None:
    """Fit zero-shot, fine-tuned and CausalMix; leave a leaderboard, a report and a predictor."""
    from autogluon_causalmix.comparison import check_table, compare
    from autogluon_causalmix.files.dtypes import read_dtypes
    from autogluon_causalmix.files.training import TrainingFile
    from autogluon_causalmix.model import CausalMixModel

    chosen = {
        "generator": options.named("--generator", generator),
        "backbone": options.named("--backbone", backbone),
        "random_state": seed,
    }
    options.claim(out, force, [train, test, options.file_in(dtypes)], WRITTEN)
    CausalMixModel.check(chosen)
    file = TrainingFile.read(train, target, read_dtypes(dtypes))
    print_notes(file.schema.notes)
    try:
        check_table(file.table)
    except TableError as error:
        raise TableError(f"{train}: {error}") from None
    rows, differences = (None, []) if test is None else file.read_test(test)
    print_notes(differences)
    if test is not None and test.read_bytes() == train.read_bytes():
        print_notes([f"{test} is the training file: its scores say nothing of new rows"])
    console.print(
        f"{len(file.table)} rows, {len(file.table.columns) - 1} features, "
        f"{len(file.table.classes)} classes of {target!r}"
    )
    shutil.rmtree(out / "predictor", ignore_errors=True)
    try:
        with console.status("fitting zero-shot, fine-tuned and CausalMix …"):
            comparison = compare(
                file.frame,
                rows,
                target,
                chosen,
                out / "predictor",
                time_limit=time_limit,
                verbosity=2 if verbose else 0,
            )
    except CausalMixError:
        shutil.rmtree(out / "predictor", ignore_errors=True)  # half of a predictor is of no use
        raise
    _leave(comparison, out, f"{train.name}: {target}")
    _print(comparison, out, "validation" if test is None else "test")


def _leave(comparison: "Comparison", out: Path, title: str) -> None:
    from autogluon_causalmix.report.page import write_page

    comparison.scores.to_csv(out / "leaderboard.csv", index=False)
    comparison.reports["CausalMix"].write(out / "fit_report.json")
    write_page(out / "report.html", comparison.reports, title=title, leaderboard=comparison.scores)


def _print(comparison: "Comparison", out: Path, rows: str) -> None:
    console.print(_leaderboard(comparison.scores, rows))
    report = comparison.reports["CausalMix"]
    console.print(f"CausalMix kept the {report.kept} weights: {report.reason}", soft_wrap=True)
    print_notes([*comparison.notes, *report.notes])
    console.print(f"report: {out / 'report.html'}", soft_wrap=True)


def _leaderboard(scores: pd.DataFrame, rows: str) -> Grid:
    grid = Grid("arm", f"log-loss ({rows} rows)", "ROC-AUC", "kept weights", "fit seconds")
    for row in scores.to_dict("records"):
        numbers = [
            f"{row[name]:.4f}" if row.get(name) is not None else "–"
            for name in ("log_loss", "roc_auc")
        ]
        grid.add_row(row["arm"], *numbers, row["kept"], f"{row['fit seconds']:.1f}")
    return grid
