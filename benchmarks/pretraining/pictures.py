"""Pictures for the model card: tables drawn from the prior, and the learning curve of a run.

::

    python -m benchmarks.pretraining.pictures --out docs/images/prior.png
    python -m benchmarks.pretraining.pictures --curve DIR/curve.csv --out docs/images/mini-curve.png

Each table is shown twice. On the left are all its cells, rows sorted by label: ranks within a
column from light to dark, missing cells white, categorical columns marked below. On the right are
its rows in the two columns that are most important to a small forest, coloured by label.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from benchmarks.pretraining.draws import Shape, generator
from benchmarks.pretraining.prior import MAX_CLASSES, sample_tables

SHAPES = [(120, 4, 0.0), (120, 3, 0.0), (150, 5, 0.5), (150, 8, 0.5)]
SHAPES += [(200, columns, 1.0) for columns in (5, 7, 9, 12, 16, 20, 28, 44)]
COLORS = ListedColormap(mpl.colormaps["tab10"].colors[:MAX_CLASSES])  # type: ignore[attr-defined]


def page(seed: int) -> Figure:
    """Return a figure of one table per shape."""
    figure = Figure(figsize=(16, 11), layout="constrained")
    axes = figure.subplots(4, 6, width_ratios=[1.5, 1] * 3)
    for i, ((rows, columns, difficulty), pair) in enumerate(
        zip(SHAPES, axes.reshape(-1, 2), strict=True)
    ):
        shape = Shape(tables=1, rows=rows, columns=columns, difficulty=difficulty)
        tables = sample_tables(shape, generator(seed + i))
        x, y = tables.x[0].numpy().astype(float), tables.y[0].numpy()
        _cells(pair[0], x, y, tables.categorical[0].numpy())
        _rows(pair[1], x, y, seed)
        missing = np.isnan(x).mean()
        size = f"{rows} × {columns}, {len(np.unique(y))} classes, {missing:.0%} missing"
        pair[0].set_title(f"difficulty {difficulty:g}: {size}", fontsize=9, loc="left")
    return figure


def _cells(
    axes: Axes, x: NDArray[np.float64], y: NDArray[np.int64], categorical: NDArray[np.bool_]
) -> None:
    """Draw the cells of a table (R, C), its labels on the right, marks at categorical columns."""
    ranks = pd.DataFrame(x).rank(pct=True).to_numpy()
    order = np.argsort(y, kind="stable")
    wide = x.shape[1] / 14
    axes.imshow(
        ranks[order],
        aspect="auto",
        cmap="Blues",
        extent=(0, x.shape[1], len(x), 0),
        interpolation="nearest",
    )
    strip = (x.shape[1] + 0.3 * wide, x.shape[1] + 1.3 * wide, len(x), 0)
    axes.imshow(
        y[order][:, None], aspect="auto", cmap=COLORS, vmin=0, vmax=MAX_CLASSES - 1, extent=strip
    )
    axes.set_xlim(0, strip[1])
    axes.scatter(
        np.flatnonzero(categorical) + 0.5,
        [len(x) * 1.03] * categorical.sum(),
        s=9,
        color="k",
        clip_on=False,
    )
    axes.set_xticks([])
    axes.set_yticks([])


def _rows(axes: Axes, x: NDArray[np.float64], y: NDArray[np.int64], seed: int) -> None:
    """Draw the rows of a table in its two most important columns; codes are spread a little."""
    filled = np.where(np.isnan(x), np.nanmedian(x, 0), x)
    forest = ExtraTreesClassifier(100, min_samples_leaf=3, random_state=seed).fit(filled, y)
    first, second = np.argsort(-forest.feature_importances_)[:2]
    jitter = np.random.default_rng(seed).uniform(-0.15, 0.15, (2, len(x)))
    spread = [len(np.unique(x[:, c])) < 15 for c in (first, second)]
    a, b = (x[:, c] + on * j for c, on, j in zip((first, second), spread, jitter, strict=True))
    axes.scatter(a, b, c=y, cmap=COLORS, vmin=0, vmax=MAX_CLASSES - 1, s=8)
    axes.set_xlabel(f"column {first + 1}", fontsize=8)
    axes.set_ylabel(f"column {second + 1}", fontsize=8)
    axes.tick_params(labelsize=7)


def curve(path: Path) -> Figure:
    """Return the held-out log-loss of a run against its millions of cells."""
    rows = pd.read_csv(path)
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(rows["cells"] / 1e6, rows["held_out_loss"], marker=".")
    axes.set(xlabel="cells seen (millions)", ylabel="log-loss")
    axes.set_title("66 held-out tables of the full prior", fontsize=10, loc="left")
    axes.grid(alpha=0.3)
    return figure


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--curve", type=Path, help="draw this learning curve instead of tables")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure = curve(options.curve) if options.curve else page(options.seed)
    figure.savefig(options.out, dpi=75)


if __name__ == "__main__":
    main()
