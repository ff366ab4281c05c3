"""``causalmix augment``."""

from pathlib import Path
from typing import Annotated

import typer

from autogluon_causalmix.cli import options
from autogluon_causalmix.cli.terminal import console, notes_of_the_log, print_notes


def augment(
    train: options.Train,
    target: options.Target,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="CSV or Parquet file of the synthetic rows.")
    ],
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="How many rows to draw.")] = 1000,
    dtypes: options.Dtypes = None,
    generator: options.Generator = "scm",
    seed: options.Seed = 0,
    time_limit: Annotated[float, options.Seconds] = 600.0,
    balance: Annotated[
        bool, typer.Option("--balance", help="Draw equally many rows of each class.")
    ] = False,
    where: Annotated[
        list[str] | None, typer.Option(help="COLUMN=VALUE that all rows have; repeatable.")
    ] = None,
    do: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=VALUE that an intervention sets, with scm; repeatable."),
    ] = None,
    force: options.Force = False,
) -> None:
    """Draw synthetic rows like those of a file, in its types and its spelling."""
    from autogluon_causalmix.files.dtypes import read_dtypes
    from autogluon_causalmix.files.training import TrainingFile, check_suffix
    from autogluon_causalmix.generation import augment as draw

    options.claim(out, force, [train, options.file_in(dtypes)])
    check_suffix(out, train)
    made_by = options.named("--generator", generator)
    file = TrainingFile.read(train, target, read_dtypes(dtypes))
    print_notes(file.schema.notes)
    given = options.assignments("--where", where or [], file.table)
    set_to = options.assignments("--do", do or [], file.table)
    with console.status("fitting the generator and drawing …"), notes_of_the_log():
        synthetic = draw(
            file.frame,
            target,
            rows,
            made_by,
            seed,
            time_limit,
            balance=balance,
            where=given,
            do=set_to,
        )
    file.write(synthetic, out)
    console.print(f"{len(synthetic)} rows of generator {generator!r} in {out}", soft_wrap=True)
