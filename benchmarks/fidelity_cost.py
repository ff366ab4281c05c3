"""Time and memory of all built-in metrics on 1,000 rows and 20 columns, on one core.

::

    python -m benchmarks.fidelity_cost
"""

import resource
import time

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table as Grid

from autogluon_causalmix import measure_fidelity

ROWS, NUMBERS, CATEGORIES = 1000, 14, 5


def rows(rng: np.random.Generator) -> pd.DataFrame:
    """Return rows of numbers with three common causes, categories cut from them, and a label."""
    causes = rng.normal(size=(ROWS, 3))
    numbers = causes[:, np.arange(NUMBERS) % 3] + 0.7 * rng.normal(size=(ROWS, NUMBERS))
    frame = pd.DataFrame(numbers, columns=[f"x{i}" for i in range(NUMBERS)])
    for i in range(CATEGORIES):
        codes = np.clip((1.2 * numbers[:, i] + 2).astype("int64"), 0, 4)
        frame[f"c{i}"] = np.array(list("abcde"))[codes]
    score = numbers[:, 0] + numbers[:, 1] ** 2 + rng.normal(size=ROWS)
    return frame.assign(label=np.where(score > 1, "yes", "no"))


def main() -> None:
    """Print the seconds of each metric, and of all, and the peak memory of the process."""
    rng = np.random.default_rng(0)
    started, used = time.monotonic(), time.process_time()
    report = measure_fidelity(rows(rng), rows(rng), "label", rows(rng))
    wall, cpu = time.monotonic() - started, time.process_time() - used
    grid = Grid("metric", "seconds")
    for each in sorted(report.measurements, key=lambda each: -each.seconds):
        grid.add_row(each.name, f"{each.seconds:.2f}")
    Console().print(grid)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"all: {wall:.1f} s wall, {cpu:.1f} s of one core, peak {peak:.2f} GB")


if __name__ == "__main__":
    main()
