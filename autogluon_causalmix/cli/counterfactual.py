"""``causalmix counterfactual``."""

from pathlib import Path
from typing import Annotated

import typer

from autogluon_causalmix.cli import options
from autogluon_causalmix.cli.progress import followed
from autogluon_causalmix.cli.terminal import console, notes_of_the_log, print_notes


def counterfactual(
    train: options.Train,
    rows: Annotated[Path, typer.Argument(help="CSV or Parquet file of the rows asked about.")],
    target: options.Target,
    do: Annotated[
        list[str], typer.Option(help="COLUMN=VALUE that they would have had; repeatable.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File of the changed rows, .csv, .tsv or .parquet.")
    ],
    dtypes: options.Dtypes = None,
    generator: options.Generator = options.BY_LIKELIHOOD,
    seed: options.Seed = 0,
    time_limit: Annotated[float, options.Seconds] = 600.0,
    knowledge: options.KnowledgeFile = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Say what given rows would have been, had columns been set to values."""
    from autogluon_causalmix.counterfactuals import counterfactual as answer
    from autogluon_causalmix.files.dtypes import read_dtypes
    from autogluon_causalmix.files.training import TrainingFile, check_suffix

    options.hush(quiet)
    options.claim(out, force, [train, rows, options.file_in(dtypes), knowledge])
    check_suffix(out, train)
    made_by = options.generator(generator, knowledge)
    file = TrainingFile.read(train, target, read_dtypes(dtypes))
    asked, notes = file.read_test(rows)
    print_notes([*file.schema.notes, *notes], console)
    set_to = options.assignments("--do", do, file.table, file.schema)
    with followed(), notes_of_the_log(console):
        changed = answer(file.frame, target, asked, set_to, made_by, seed, time_limit)
    file.write(changed, out)
    console.print(f"{len(changed)} rows in {out}", soft_wrap=True)
