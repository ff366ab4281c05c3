"""``causalmix augment``."""

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autogluon_causalmix.cli import options
from autogluon_causalmix.cli.progress import followed
from autogluon_causalmix.cli.terminal import console, errors, notes_of_the_log, print_notes

if TYPE_CHECKING:
    import pandas as pd

    from autogluon_causalmix.files.training import TrainingFile


def augment(
    train: options.Train,
    target: options.Target,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="File of the synthetic rows, .csv, .tsv or .parquet; - is the standard output.",
        ),
    ],
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="How many rows to draw.")] = 1000,
    dtypes: options.Dtypes = None,
    generator: options.Generator = "scm",
    seed: options.Seed = 0,
    time_limit: Annotated[float, options.Seconds] = 600.0,
    balance: options.Balance = False,
    where: options.Where = None,
    do: options.Do = None,
    knowledge: options.KnowledgeFile = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Draw synthetic rows like those of a file, in its types and its spelling."""
    from autogluon_causalmix.files.dtypes import read_dtypes
    from autogluon_causalmix.files.training import TrainingFile, check_suffix
    from autogluon_causalmix.generation import augment as draw

    options.hush(quiet)
    to_stream = str(out) == "-"
    # On a stream of rows nothing else may stand; the console is the one that --quiet silences.
    said = errors if to_stream and not quiet else console
    if not to_stream:
        options.claim(out, force, [train, options.file_in(dtypes), knowledge])
        check_suffix(out, train)
    made_by = options.generator(generator, knowledge)
    file = TrainingFile.read(train, target, read_dtypes(dtypes))
    print_notes(file.schema.notes, said)
    given = options.assignments("--where", where or [], file.table, file.schema)
    set_to = options.assignments("--do", do or [], file.table, file.schema)
    with followed(), notes_of_the_log(said):
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
    if to_stream:
        _write_stream(file, synthetic)
    else:
        file.write(synthetic, out)
        console.print(f"{len(synthetic)} rows of generator {generator!r} in {out}", soft_wrap=True)


def _write_stream(file: "TrainingFile", synthetic: "pd.DataFrame") -> None:
    """Write rows to the standard output, as text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        file.write(synthetic, path)
        sys.stdout.buffer.write(path.read_bytes())
        sys.stdout.buffer.flush()
