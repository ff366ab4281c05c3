"""The ``causalmix`` command."""

import os
import sys
from typing import Annotated, Any

import typer

from autogluon_causalmix.cli.augment import augment
from autogluon_causalmix.cli.counterfactual import counterfactual
from autogluon_causalmix.cli.demo import demo
from autogluon_causalmix.cli.fidelity import fidelity
from autogluon_causalmix.cli.fit import fit
from autogluon_causalmix.cli.graph import graph
from autogluon_causalmix.cli.plugins import plugins
from autogluon_causalmix.cli.terminal import console, errors, tolerate_any_terminal
from autogluon_causalmix.cli.weights import weights
from autogluon_causalmix.errors import CausalMixError

app = typer.Typer(add_completion=False)
for command in (demo, fit, augment, counterfactual, graph, fidelity, plugins):
    app.command()(command)
app.add_typer(weights, name="weights")


def _print_version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        console.print(f"causalmix {importlib.metadata.version('autogluon-causalmix')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", is_eager=True, callback=_print_version, help="Print the version and leave."
    ),
]


@app.callback()
def causalmix(version: Version = False) -> None:
    """Fine-tune a tabular foundation model on your rows and on rows of causal models of them."""


INTERRUPTED = 130  # of a shell: 128 and the number of the signal

# Unknown options and bad values; typer has no public name for the class.
UsageError: Any = typer.BadParameter.__bases__[0]


def main() -> None:
    """Run the command.

    What this package raises, a wrong option, and a full or lost disk become one line and exit
    code 2; so does an interrupt, with the shell's own exit code.
    """
    # Before torch loads: on a busy machine its threads would spin while they wait (20 times slower,
    # measured).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    tolerate_any_terminal()
    try:
        code = app(args=sys.argv[1:] or ["--help"], standalone_mode=False)
        if code == INTERRUPTED:
            errors.print("error: interrupted")
        sys.exit(code)
    except UsageError as error:
        message = " ".join(error.format_message().split()).removesuffix(".")
        errors.print(f"error: {message}; see --help")
    except (CausalMixError, OSError) as error:
        errors.print(" ".join(f"error: {error}".splitlines()))
    except MemoryError as error:
        errors.print(f"error: out of memory ({error}); ask for fewer rows")
    sys.exit(2)
