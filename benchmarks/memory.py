"""Compare the peak memory of a fit with what `CausalMixModel` estimates for AutoGluon.

::

    python -m benchmarks.memory

Each size runs in a process of its own, with `mini` and as many synthetic as real rows.
"""

import resource
import subprocess
import sys

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table as Grid

SIZES = [(100, 10), (400, 10), (400, 40), (1000, 20), (2000, 60)]
OPTIONS = {
    "backbone": "mini",
    "finetune_steps": 5,
    "generator": "bootstrap",
    "mixing": {"ratio": 1.0},
}


def table(rows: int, columns: int) -> pd.DataFrame:
    """Return a table of noise."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(rows, columns)), columns=[f"x{i}" for i in range(columns)])


def peak(rows: int, columns: int) -> float:
    """Fit in this process and return its peak memory in GB."""
    from autogluon_causalmix import CausalMixModel

    model = CausalMixModel(hyperparameters=OPTIONS, path="", name="memory", problem_type="binary")
    model.fit(X=table(rows, columns), y=pd.Series(np.arange(rows) % 2), verbosity=0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Print measured and estimated memory for every size."""
    if len(sys.argv) == 3:
        print(peak(int(sys.argv[1]), int(sys.argv[2])))
        return
    from autogluon_causalmix import CausalMixModel

    grid = Grid("rows", "columns", "measured GB", "estimated GB")
    for rows, columns in SIZES:
        command = [sys.executable, "-m", "benchmarks.memory", str(rows), str(columns)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        measured = done.stdout.split()[-1]
        estimated = CausalMixModel._estimate_memory_usage_static(
            X=table(rows, columns), hyperparameters=OPTIONS
        )
        grid.add_row(str(rows), str(columns), f"{float(measured):.2f}", f"{estimated / 1e9:.2f}")
    Console().print(grid)


if __name__ == "__main__":
    main()
