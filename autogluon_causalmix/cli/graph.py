"""``causalmix graph``."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.table import Table as Grid

from autogluon_causalmix.cli import options
from autogluon_causalmix.cli.progress import followed
from autogluon_causalmix.cli.terminal import console, print_notes
from autogluon_causalmix.errors import ConfigError

if TYPE_CHECKING:  # loads pandas
    from autogluon_causalmix.config import Named
    from autogluon_causalmix.table import Table

MOST_EDGES = 15


def graph(
    train: options.Train,
    target: options.Target,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Picture to write: .svg or .png.")
    ] = Path("graph.svg"),
    dtypes: options.Dtypes = None,
    seed: options.Seed = 0,
    time_limit: Annotated[float, options.Seconds] = 600.0,
    generator: options.Generator = options.BY_LIKELIHOOD,
    knowledge: options.KnowledgeFile = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Find causal edges in a file and draw how far each is believed."""
    from autogluon_causalmix.config import Named
    from autogluon_causalmix.files.dtypes import read_dtypes
    from autogluon_causalmix.files.training import TrainingFile
    from autogluon_causalmix.report.pictures import draw_described, save

    options.hush(quiet)
    if out.suffix not in {".svg", ".png"}:
        raise ConfigError(f"--out must end in .svg or .png, got {out}")
    chosen = Named.parse(options.generator(generator, knowledge))
    options.claim(out, force, [train, options.file_in(dtypes), knowledge])
    file = TrainingFile.read(train, target, read_dtypes(dtypes))
    print_notes(file.schema.notes)
    with followed():
        found, notes = _beliefs(chosen, file.table, seed, time_limit)
    save(draw_described(found, target), out)
    console.print(_strongest(found))
    print_notes(notes)
    console.print(f"picture: {out}", soft_wrap=True)


def _beliefs(
    chosen: "Named", table: "Table", seed: int, seconds: float
) -> tuple[Mapping[str, Any], list[str]]:
    """Fit a generator, and return the graph that it describes and its notes."""
    import numpy as np

    from autogluon_causalmix.fitlog import Log
    from autogluon_causalmix.generation import fit_source
    from autogluon_causalmix.generators.described import described_graph
    from autogluon_causalmix.resources import Resources

    log = Log(logging.DEBUG)  # notes are printed
    rng = np.random.default_rng(seed)
    source = fit_source(chosen, table, rng, Resources(seconds), log)
    found = source.facts.description.get("graph")
    if found is None:
        raise ConfigError(f"--generator: {chosen.name!r} has no causal graph; choose 'scm'")
    described_graph(found, repr(chosen.name))
    return cast("Mapping[str, Any]", found), log.notes


def _strongest(found: Mapping[str, Any]) -> Grid:
    import numpy as np

    from autogluon_causalmix.generators.described import described_graph

    nodes, beliefs = described_graph(found)
    grid = Grid("edge", "belief")
    grid.columns[0].overflow = "fold"  # a name is never shortened
    for flat in np.argsort(-beliefs, axis=None)[:MOST_EDGES]:
        i, j = np.unravel_index(flat, beliefs.shape)
        if beliefs[i, j] > 0:
            grid.add_row(f"{nodes[i]} → {nodes[j]}", f"{beliefs[i, j]:.2f}")
    return grid
