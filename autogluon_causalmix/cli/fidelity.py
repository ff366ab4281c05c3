"""``causalmix fidelity``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid

from autogluon_causalmix.cli import options
from autogluon_causalmix.cli.terminal import console, print_notes
from autogluon_causalmix.errors import ConfigError

if TYPE_CHECKING:
    from autogluon_causalmix.fidelity.records import FidelityReport

File = typer.Argument(help="CSV or Parquet file of the synthetic rows.")


def fidelity(
    train: options.Train,
    synthetic: Annotated[Path, File],
    target: options.Target,
    holdout: Annotated[
        Path | None,
        typer.Option(help="CSV or Parquet file of real rows that the generator has not seen."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="HTML page; its numbers go into a .json beside it.")
    ] = Path("fidelity.html"),
    metric: Annotated[
        list[str] | None,
        typer.Option(help="A metric of `causalmix plugins`, or JSON; may be repeated."),
    ] = None,
    dtypes: options.Dtypes = None,
    seed: options.Seed = 0,
    time_limit: Annotated[float, options.Seconds] = 600.0,
    force: options.Force = False,
) -> None:
    """Measure how near synthetic rows are to real ones that their generator has not seen."""
    from autogluon_causalmix.fidelity.battery import measure_fidelity
    from autogluon_causalmix.files.dtypes import read_dtypes
    from autogluon_causalmix.files.training import TrainingFile
    from autogluon_causalmix.report.fidelity import write_fidelity_page

    numbers = out.with_suffix(".json")
    if out == numbers:
        raise ConfigError(f"--out is a page, its numbers go into {numbers}: choose another --out")
    for path in (out, numbers):
        options.claim(path, force, [train, synthetic, holdout, options.file_in(dtypes)])
    chosen = [options.named("--metric", each) for each in metric] if metric else None
    file = TrainingFile.read(train, target, read_dtypes(dtypes))
    drawn, notes = file.read_test(synthetic)
    unseen, more = (None, []) if holdout is None else file.read_test(holdout)
    print_notes([*file.schema.notes, *notes, *more])
    with console.status("measuring …"):
        report = measure_fidelity(
            file.frame, drawn, target, unseen, chosen, seed=seed, time_limit=time_limit
        )
    report.write(numbers)
    write_fidelity_page(out, report, title=f"{synthetic.name} against {train.name}: {target}")
    console.print(_grid(report))
    console.print(report.verdict, soft_wrap=True)
    print_notes([*report.notes, *_reasons(report)])
    console.print(f"report: {out}, {numbers}", soft_wrap=True)


def _grid(report: "FidelityReport") -> Grid:
    grid = Grid("metric", "better", "synthetic", "real", "drawn again", "standing", box=SIMPLE_HEAD)
    for each in report.measurements:
        values = (each.synthetic, each.real, each.null)
        grid.add_row(
            each.name,
            str(each.better),
            *("–" if value is None else f"{value:.4f}" for value in values),
            each.standing or "–",
        )
    return grid


def _reasons(report: "FidelityReport") -> list[str]:
    return [f"{each.name}: {each.reason}" for each in report.measurements if each.reason]
