"""Rows of a known distribution, and rows with one planted fault each."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from autogluon_causalmix.fidelity.protocol import Samples
from autogluon_causalmix.table import Table

ROWS = 300


def clusters(n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return three clusters in six columns that all depend on each other, and on a label."""
    kind = rng.integers(3, size=n_rows)
    size = np.array([-3.0, 0.0, 3.0])[kind] + 0.6 * rng.normal(size=n_rows)
    weight = 0.9 * size + 0.4 * rng.normal(size=n_rows)
    speed = -0.8 * weight + 0.5 * rng.normal(size=n_rows)
    colour = np.where(rng.random(n_rows) < 0.9, kind, rng.integers(3, size=n_rows))
    return pd.DataFrame(
        {
            "size": size,
            "weight": weight,
            "speed": speed,
            "age": rng.exponential(size=n_rows),
            "colour": np.array(["red", "green", "blue"])[colour],
            "label": np.where(speed + 0.5 * rng.normal(size=n_rows) > 0, "fast", "slow"),
        }
    )


def oddities(n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows with every kind of column, each with a difficulty, and a rare class."""
    x = rng.normal(size=n_rows)
    days = pd.to_timedelta(rng.integers(0, 900, n_rows), unit="D")
    return pd.DataFrame(
        {
            "key": [f"p{number}" for number in rng.integers(10**6, size=n_rows)],
            "constant": 1.0,
            "empty": np.nan,
            "gaps": np.where(rng.random(n_rows) < 0.3, np.nan, x),
            "day": pd.Timestamp("2024-01-01") + days,
            "large": rng.integers(0, 9, n_rows) + 2**53,
            "huge": x * 1e300,
            "flag": x > 0,
            "category": pd.Categorical(rng.choice(list("abc"), n_rows)),
            "count": pd.array(rng.integers(0, 5, n_rows), dtype="Int64"),
            "label": np.where(rng.random(n_rows) < 0.05, "rare", np.where(x > 0, "u", "v")),
        }
    )


def independent(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return every column in an order of its own."""
    return pd.DataFrame({name: rng.permutation(values) for name, values in frame.items()})


def mode_drop(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return as many rows of two clusters alone."""
    kept = np.flatnonzero(frame["size"] < 1.5)
    return frame.iloc[rng.choice(kept, len(frame))].reset_index(drop=True)


def mode_collapse(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return six rows over and over, with a little noise."""
    drawn = frame.iloc[rng.choice(rng.permutation(len(frame))[:6], len(frame))]
    drawn = drawn.reset_index(drop=True)
    numbers = ["size", "weight", "speed", "age"]
    return drawn.assign(
        **{name: drawn[name] + 1e-3 * rng.normal(size=len(frame)) for name in numbers}
    )


def label_noise(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows with labels dealt out anew."""
    return frame.assign(label=rng.permutation(frame["label"]))


def quality_loss(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows with much noise in the numbers."""
    numbers = ["size", "weight", "speed", "age"]
    return frame.assign(
        **{name: frame[name] + 2.0 * rng.normal(size=len(frame)) for name in numbers}
    )


FAULTS: dict[str, Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]] = {
    "independent": independent,
    "mode drop": mode_drop,
    "mode collapse": mode_collapse,
    "label noise": label_noise,
    "quality loss": quality_loss,
}


def samples(seed: int = 0) -> dict[str, Samples]:
    """Return fresh real rows, the unseen rows themselves, copies, and every fault, to be measured.

    All with the same training and unseen rows.
    """
    rng = np.random.default_rng(seed)
    real, holdout, fresh = (clusters(ROWS, rng) for _ in range(3))
    frames = {
        "real": real,
        "holdout": holdout,
        "fresh": fresh,
        "copies": real.iloc[rng.integers(ROWS, size=ROWS)].reset_index(drop=True),
        **{name: fault(clusters(ROWS, rng), rng) for name, fault in FAULTS.items()},
    }
    whole = Table.from_frame(pd.concat(frames.values(), ignore_index=True), "label")
    tables = {name: whole.take(np.arange(ROWS) + ROWS * place) for place, name in enumerate(frames)}
    return {
        name: Samples(tables["real"], tables[name], tables["holdout"])
        for name in frames
        if name != "real"
    }
