"""Compare the peak memory of a fit with what `CausalMixModel` estimates for AutoGluon.

::

    python -m benchmarks.memory --backbones mini tabpfn-v1 ensemble
    python -m benchmarks.memory --backbones mini tabpfn-v1 --passes

Each backbone and size runs in a process of its own, with as many synthetic as real rows. A step's
time is that of the fine-tuning, evaluations included, divided by its steps. With `--passes` the
memory is that of a backbone alone, beyond the libraries.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table as Grid

SIZES = [(100, 10), (400, 10), (400, 40), (1000, 20), (2000, 60)]
STEPS = 5


def options(backbone: str) -> dict[str, Any]:
    """Return the hyperparameters of a fit."""
    quick = {"finetune_steps": STEPS, "generator": "bootstrap", "mixing": {"ratio": 1.0}}
    return {"backbone": backbone, **quick}


def table(rows: int, columns: int) -> pd.DataFrame:
    """Return a table of noise."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(rows, columns)), columns=[f"x{i}" for i in range(columns)])


def measure(backbone: str, rows: int, columns: int) -> Mapping[str, float]:
    """Fit in this process; return its peak memory in GB and the seconds of a step."""
    from autogluon_causalmix import CausalMixModel

    model = CausalMixModel(
        hyperparameters=options(backbone), path="", name="memory", problem_type="binary"
    )
    labels = pd.Series(np.arange(rows) % 2)
    model.fit(X=table(rows, columns), y=labels, num_cpus=1, num_gpus=0, verbosity=0)
    seconds = model.fit_report.seconds["fine-tuning"] / STEPS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"peak": peak, "step": seconds}


def measured(backbone: str, rows: int, columns: int) -> Mapping[str, float]:
    """Measure in a new process."""
    size = ["--size", str(rows), str(columns)]
    command = [sys.executable, "-m", "benchmarks.memory", "--backbones", backbone, *size]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    found: Mapping[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def passes(backbones: list[str]) -> Grid:
    """Return what a prediction and a step of each backbone take, and what it says of them."""
    from autogluon_causalmix.backbones.protocol import Backbone
    from autogluon_causalmix.config import Named
    from autogluon_causalmix.plugins import plugin_registry
    from autogluon_causalmix.testing.memory import memory_used

    grid = Grid("backbone", "rows", "columns", "prediction: used, said MB", "step: used, said MB")
    for backbone in backbones:
        model = plugin_registry().of(Backbone).create(Named.parse(backbone))
        for rows, columns in SIZES[:-1]:
            said = [model.memory(rows, columns, tuning=tuning) for tuning in (False, True)]
            pairs = zip(memory_used(model, rows, columns), said, strict=True)
            cells = (f"{used / 1e6:.0f}, {estimated / 1e6:.0f}" for used, estimated in pairs)
            grid.add_row(backbone, str(rows), str(columns), *cells)
    return grid


def fits(backbones: list[str]) -> Grid:
    """Return measured and estimated memory of fits for every backbone and size."""
    from autogluon_causalmix import CausalMixModel

    grid = Grid("backbone", "rows", "columns", "measured GB", "estimated GB", "seconds of a step")
    for backbone in backbones:
        for rows, columns in SIZES:
            found = measured(backbone, rows, columns)
            estimated = CausalMixModel._estimate_memory_usage_static(
                X=table(rows, columns), hyperparameters=options(backbone)
            )
            numbers = (found["peak"], estimated / 1e9, found["step"])
            grid.add_row(backbone, str(rows), str(columns), *(f"{each:.2f}" for each in numbers))
    return grid


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbones", nargs="+", default=["mini"])
    parser.add_argument("--size", type=int, nargs=2, metavar=("ROWS", "COLUMNS"))
    parser.add_argument("--passes", action="store_true")
    given = parser.parse_args()
    if given.size:
        print(json.dumps(measure(given.backbones[0], *given.size)))
    else:
        Console().print((passes if given.passes else fits)(given.backbones))


if __name__ == "__main__":
    main()
