"""The ``causalmix`` command."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Grid

from autogluon_causalmix.cli.weights import weights
from autogluon_causalmix.errors import CausalMixError, ConfigError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Fine-tune a tabular foundation model on your rows and on rows drawn from causal models of them.",
)
app.add_typer(weights, name="weights")
console = Console()

Target = Annotated[
    str, typer.Option("--target", "-t", help="The column to predict; its values are classes.")
]
Generator = Annotated[
    str, typer.Option(help="What makes the synthetic rows: see `causalmix plugins`.")
]
Backbone = Annotated[
    str,
    typer.Option(help="The foundation model: auto, mini, tabpfn-v2, or the path of a checkpoint."),
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same result.")]
Seconds = typer.Option(min=1.0, help="Seconds the whole may take.")
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show AutoGluon's log.")]


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the report.")] = Path(
        "causalmix-demo"
    ),
    force: Force = False,
    verbose: Verbose = False,
) -> None:
    """Compare zero-shot, plain fine-tuning and CausalMix on real tables that come with scikit-learn. Offline."""
    from autogluon_causalmix.cli.demo import run

    _claim(out, force, folder=True)
    run(out, console, verbosity=2 if verbose else 0)


@app.command()
def fit(
    train: Annotated[Path, typer.Argument(help="CSV of the training rows.")],
    target: Target,
    test: Annotated[Path | None, typer.Option(help="CSV of rows to score on.")] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of report, leaderboard and predictor.")
    ] = Path("out"),
    generator: Generator = "scm",
    backbone: Backbone = "auto",
    seed: Seed = 0,
    time_limit: Annotated[float | None, Seconds] = None,
    force: Force = False,
    verbose: Verbose = False,
) -> None:
    """Fit zero-shot, fine-tuned and CausalMix on a CSV; leave a leaderboard, a report and a predictor."""
    from autogluon_causalmix.cli.fit import run

    options = {"generator": generator, "backbone": backbone, "random_state": seed}
    _claim(out, force, folder=True)
    run(
        train,
        test,
        target,
        out,
        options,
        console,
        time_limit=time_limit,
        verbosity=2 if verbose else 0,
    )


@app.command()
def augment(
    train: Annotated[Path, typer.Argument(help="CSV of the real rows.")],
    target: Target,
    out: Annotated[Path, typer.Option("--out", "-o", help="CSV of the synthetic rows.")],
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="How many rows to draw.")] = 1000,
    generator: Generator = "scm",
    seed: Seed = 0,
    time_limit: Annotated[float, Seconds] = 600.0,
    force: Force = False,
) -> None:
    """Draw synthetic rows like those of a CSV."""
    from autogluon_causalmix.cli.csvfile import read_training
    from autogluon_causalmix.generation import augment as draw

    _claim(out, force)
    frame, _ = read_training(train, target)
    with console.status("fitting the generator and drawing …"):
        synthetic = draw(frame, target, rows, generator, seed, time_limit)
    synthetic.to_csv(out, index=False)
    console.print(f"{len(synthetic)} rows of generator {generator!r} in {out}")


@app.command()
def graph(
    train: Annotated[Path, typer.Argument(help="CSV of the real rows.")],
    target: Target,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Picture to write: .svg or .png.")
    ] = Path("graph.svg"),
    seed: Seed = 0,
    time_limit: Annotated[float, Seconds] = 600.0,
    force: Force = False,
) -> None:
    """Find causal edges in a CSV and draw how far each is believed."""
    from autogluon_causalmix.cli.fit import draw_beliefs

    if out.suffix not in {".svg", ".png"}:
        raise ConfigError(f"--out must end in .svg or .png, got {out}")
    _claim(out, force)
    draw_beliefs(train, target, out, seed, time_limit, console)


@app.command()
def plugins() -> None:
    """List every generator, discoverer and backbone: where it comes from, and what failed to load."""
    from autogluon_causalmix.plugins import plugin_registry

    registry = plugin_registry()
    grid = Grid("kind", "name", "options", "from")
    for entry in [entry for own in registry.registries for entry in own]:
        origin = f"{entry.owner.distribution} {entry.owner.version}"
        grid.add_row(entry.kind.name, entry.name, ", ".join(entry.options()) or "–", origin)
    console.print(grid)
    for failure in registry.failures:
        console.print(f"[red]not loaded:[/red] {_plain(failure)}", highlight=False)


def main() -> None:
    """Run the command; what this package raises, and a full or lost disk, become one line and exit code 2."""
    # Before torch loads: on a busy machine its threads would spin while they wait (20 times slower, measured).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except (CausalMixError, OSError) as error:
        Console(stderr=True).print(
            f"[red]error:[/red] {_plain(error)}", highlight=False, soft_wrap=True
        )
        sys.exit(2)


def _plain(error: Any) -> str:
    from rich.markup import escape

    return escape(str(error))


def _claim(out: Path, force: bool, *, folder: bool = False) -> None:
    """Refuse to overwrite, before the work starts."""
    taken = any(out.iterdir()) if out.is_dir() else out.exists()
    if taken and not force:
        raise ConfigError(f"{out} exists; choose another --out, or --force to overwrite it")
    if out.exists() and out.is_dir() != folder:
        raise ConfigError(f"{out} is {'no' if folder else 'a'} folder; choose another --out")
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"the folder of {out} does not exist")
    if not os.access(out if out.exists() else out.absolute().parent, os.W_OK):
        raise ConfigError(f"{out} cannot be written to; choose another --out")
