"""``causalmix fit``."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table as Grid

from autogluon_causalmix.cli import options
from autogluon_causalmix.cli.progress import followed
from autogluon_causalmix.cli.terminal import console, errors, print_notes
from autogluon_causalmix.errors import ConfigError, TableError

WRITTEN = ("predictor", "leaderboard.csv", "fit_report.json", "report.html")
UNFINISHED = ".unfinished"  # folder in which all of these are made, and `PROCESS` stands
PROCESS = "process"  # holds the number of the process that fits

if TYPE_CHECKING:  # loads pandas and AutoGluon
    import pandas as pd

    from autogluon_causalmix.comparison import Comparison
    from autogluon_causalmix.files.training import TrainingFile
    from autogluon_causalmix.records import FitReport


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
    knowledge: options.KnowledgeFile = None,
    force: options.Force = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
) -> None:
    """Fit four arms on the same rows; leave a verdict, a report and a predictor.

    Zero-shot, fine-tuned on real rows, on real rows drawn again, and CausalMix.
    """
    from autogluon_causalmix.model import CausalMixModel

    options.hush(quiet)
    chosen = {
        "generator": options.generator(generator, knowledge),
        "backbone": options.named("--backbone", backbone),
        "random_state": seed,
    }
    _refuse_while_fitting(out)
    if (out / UNFINISHED).exists():  # of a fit that was killed: nothing in it is of use
        print_notes([f"{out} holds a fit that did not end: it begins anew"])
        _remove_unfinished(out)
    options.claim(out, force, [train, test, options.file_in(dtypes), knowledge], WRITTEN)
    CausalMixModel.check(chosen)
    file, rows = _read(train, target, test, dtypes)
    console.print(
        f"{len(file.table)} rows, {len(file.table.columns) - 1} features, "
        f"{len(file.table.classes)} classes of {target!r}"
    )
    if time_limit is None:
        print_notes([f"up to {options.MINUTES} minutes per arm; --time-limit sets a limit"])
    limits = {"time_limit": time_limit, "verbosity": 2 if verbose else 0}
    comparison = _compare(file.frame, rows, target, chosen, out, limits)
    scored_on = f"{'validation' if test is None else 'test'} rows"
    _leave(comparison, out / UNFINISHED, f"{train.name}: {target}", scored_on)
    _replace(out)
    _print(comparison, out, scored_on)


def _read(
    train: Path, target: str, test: Path | None, dtypes: str | None
) -> "tuple[TrainingFile, pd.DataFrame | None]":
    """Read both files, say what should be known of them, and refuse what teaches nothing."""
    from autogluon_causalmix.files.dtypes import read_dtypes
    from autogluon_causalmix.files.training import TrainingFile
    from autogluon_causalmix.learnable import check_table

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
    return file, rows


def _compare(
    train: "pd.DataFrame",
    test: "pd.DataFrame | None",
    target: str,
    chosen: dict[str, Any],
    out: Path,
    limits: dict[str, Any],
) -> "Comparison":
    """Fit the arms; what does not end leaves nothing behind, and an earlier fit as it was."""
    from autogluon_causalmix.comparison import compare

    _refuse_while_fitting(out)  # one that began since
    part = out / UNFINISHED
    part.mkdir(parents=True)
    (part / PROCESS).write_text(str(os.getpid()))
    try:
        with followed() as progress:
            return compare(
                train, test, target, chosen, part / "predictor", say=progress.say, **limits
            )
    except BaseException as error:
        _remove_unfinished(out)  # half of a predictor is of no use
        if isinstance(error, KeyboardInterrupt):
            errors.print(f"stopped at {progress.part!r}: nothing of this fit is kept in {out}")
        raise


def _refuse_while_fitting(out: Path) -> None:
    """Refuse the folder of a fit that another process has not ended yet, whatever is forced.

    Raises
    ------
    ConfigError
        That process still runs.
    """
    import psutil

    try:
        process = int((out / UNFINISHED / PROCESS).read_text())
    except (OSError, ValueError):  # nothing unfinished, or a fit that was killed as it began
        return
    if process != os.getpid() and psutil.pid_exists(process):
        raise ConfigError(
            f"a fit still runs in {out} (process {process}); choose another --out, or remove "
            f"{out / UNFINISHED} if that process is no fit"
        )


def _remove_unfinished(out: Path) -> None:
    """Remove what a fit has left that did not end, and the folder if nothing else is in it."""
    shutil.rmtree(out / UNFINISHED)
    if not any(out.iterdir()):
        out.rmdir()


def _replace(out: Path) -> None:
    """Put a fit that has ended in the place of an earlier one."""
    shutil.rmtree(out / "predictor", ignore_errors=True)
    for name in WRITTEN:
        (out / UNFINISHED / name).replace(out / name)
    shutil.rmtree(out / UNFINISHED)


def _leave(comparison: "Comparison", out: Path, title: str, scored_on: str) -> None:
    from autogluon_causalmix.report.page import write_page

    comparison.scores.to_csv(out / "leaderboard.csv", index=False)
    _, report = _main(comparison)
    report.write(out / "fit_report.json")
    write_page(
        out / "report.html",
        comparison.reports,
        title=title,
        verdict=comparison.verdict,
        leaderboard=comparison.scores,
        scored_on=scored_on,
        notes=comparison.notes,
    )


def _main(comparison: "Comparison") -> "tuple[str, FitReport]":
    """Return the last arm that was fitted, CausalMix if nothing is left out, and its report."""
    return list(comparison.reports.items())[-1]


def _print(comparison: "Comparison", out: Path, rows: str) -> None:
    console.print(_leaderboard(comparison.scores, rows))
    console.print(comparison.verdict, soft_wrap=True)
    arm, report = _main(comparison)
    console.print(f"{arm} kept the {report.kept} weights: {report.reason}", soft_wrap=True)
    print_notes([*comparison.notes, *report.notes])
    console.print(f"report: {out / 'report.html'}", soft_wrap=True)


def _leaderboard(scores: "pd.DataFrame", rows: str) -> Grid:
    grid = Grid("arm", f"log-loss ({rows})", "ROC-AUC", "share of tuned", "steps", "fit seconds")
    for row in scores.to_dict("records"):
        numbers = [
            f"{row[name]:.4f}" if row.get(name) is not None else "–"
            for name in ("log_loss", "roc_auc")
        ]
        seconds = f"{row['fit seconds']:.1f}"
        grid.add_row(row["arm"], *numbers, f"{row['share']:.0%}", str(row["steps"]), seconds)
    return grid
