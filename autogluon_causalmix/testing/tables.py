"""Small tables with one difficulty each, and simulators whose causes are known."""

from typing import Any

import numpy as np
import pandas as pd

from autogluon_causalmix.arrays import Indices, Mask
from autogluon_causalmix.table import Table


def toy_tables(seed: int = 0) -> dict[str, Table]:
    """Return small tables, each with one thing that generators stumble over.

    Parameters
    ----------
    seed : int
        Of the values.

    Returns
    -------
    dict of str to Table
        By what they hold.

    Examples
    --------
    >>> [len(table) for table in toy_tables().values()]
    [60, 60, 60, 60, 60, 60, 2]
    """
    rng, n = np.random.default_rng(seed), 60
    number, whole = rng.normal(size=n), rng.integers(0, 9, size=n)
    colour = pd.Categorical(
        rng.choice(["red", "green", "blue"], size=n), categories=["red", "green", "blue", "unused"]
    )
    label = np.where(number + rng.normal(size=n) > 0, "yes", "no")
    gaps = rng.random(n) < 0.2
    frames: dict[str, dict[Any, Any]] = {
        "mixed types": {
            "number": number,
            "whole": whole,
            "colour": colour,
            "size": _category(whole % 3, ["small", "middle", "large"], ordered=True),
            "label": label,
        },
        "missing values": {
            "number": np.where(gaps, np.nan, number),
            "whole": pd.array(whole, dtype="Int64"),
            "colour": colour,
            "empty": np.full(n, np.nan),
            "label": label,
        },
        "constant columns": {
            "constant": np.ones(n),
            "same": ["a"] * n,
            "number": number,
            "label": label,
        },
        "a class with one row": {
            "number": number,
            "colour": colour,
            "label": [7, *(whole[1:] % 2)],
        },
        "dtypes": {
            "flag": number > 0,
            "day": pd.Timestamp("2024-02-29") + pd.to_timedelta(whole, unit="D"),
            "key": whole + 2**53,
            "small": whole.astype("int8"),
            "single": number.astype("float32"),
            "count": pd.array(whole, dtype="Int64"),
            "word": pd.array(label, dtype="string"),
            "label": number > 0.5,
        },
        "odd names": {0: number, "": whole, "a b\n`c`": colour, 1.5: number**2, "label": label},
        "two rows": {"number": [0.5, 1.5], "colour": colour[:2], "label": ["yes", "no"]},
    }
    tables = {name: pd.DataFrame(columns) for name, columns in frames.items()}
    tables["missing values"].loc[gaps, ["whole", "colour"]] = None
    return {name: Table.from_frame(frame, "label") for name, frame in tables.items()}


def linear_scm(n_rows: int, rng: np.random.Generator) -> tuple[Table, Mask]:
    """Draw from a linear Gaussian SCM with a binary target, and say what causes what.

    ``a := N, b := 0.8 a + 0.6 N, c := N, d := 0.7 b - 0.6 c + 0.4 N`` with every N standard normal,
    and ``P(y = 1) = 1 / (1 + exp(-2 d))``: a chain a → b → d → y and a collider b → d ← c.

    Parameters
    ----------
    n_rows : int
        How many rows.
    rng : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    Table
        Columns a, b, c, d, y; the target is y.
    numpy.ndarray of bool, shape (5, 5)
        Entry ``[i, j]`` says that column i is a direct cause of column j.

    Examples
    --------
    >>> table, causes = linear_scm(100, np.random.default_rng(0))
    >>> [(table.columns[i].name, table.columns[j].name) for i, j in zip(*causes.nonzero())]
    [('a', 'b'), ('b', 'd'), ('c', 'd'), ('d', 'y')]
    """
    noise = rng.normal(size=(4, n_rows))
    a, c = noise[0], noise[1]
    b = 0.8 * a + 0.6 * noise[2]
    d = 0.7 * b - 0.6 * c + 0.4 * noise[3]
    y = (rng.random(n_rows) < 1 / (1 + np.exp(-2 * d))).astype("int64")
    frame = pd.DataFrame({"a": a, "b": b, "c": c, "d": d, "y": y})
    return _with_causes(frame, "y", [("a", "b"), ("b", "d"), ("c", "d"), ("d", "y")])


def mixed_scm(n_rows: int, rng: np.random.Generator) -> tuple[Table, Mask]:
    """Draw from an SCM of numbers and categories with three classes, and say its edges.

    ``region`` (three categories) → ``income`` ← ``age`` → ``smoker`` → ``risk`` ← ``income``.
    Income is linear in its parents with Gaussian noise, smoker and risk are logistic in theirs. The
    columns stand in no causal order.

    Parameters
    ----------
    n_rows : int
        How many rows.
    rng : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    Table
        Columns income, risk, region, smoker, age; the target is risk.
    numpy.ndarray of bool, shape (5, 5)
        Entry ``[i, j]`` says that column i is a direct cause of column j.

    Examples
    --------
    >>> table, causes = mixed_scm(100, np.random.default_rng(0))
    >>> edges = [(table.columns[i].name, table.columns[j].name) for i, j in zip(*causes.nonzero())]
    >>> edges[:3], edges[3:]
    ([('income', 'risk'), ('region', 'income'), ('smoker', 'risk')],
     [('age', 'income'), ('age', 'smoker')])
    """
    region = rng.integers(3, size=n_rows)
    age = rng.integers(18, 80, size=n_rows)
    income = 20 + 6 * region + 0.3 * (age - 49) + 4 * rng.normal(size=n_rows)
    smoker = rng.random(n_rows) < 1 / (1 + np.exp((age - 49) / 10))
    pull = np.column_stack([(income - 26) / 4, np.zeros(n_rows), 3.0 * smoker - 1])
    risk = (pull + rng.gumbel(size=pull.shape)).argmax(
        axis=1
    )  # the largest of Gumbel-shifted scores is a softmax draw
    frame = pd.DataFrame(
        {
            "income": income,
            "risk": _category(risk, ["low", "middle", "high"]),
            "region": _category(region, ["north", "south", "west"]),
            "smoker": smoker,
            "age": age,
        }
    )
    edges = [
        ("region", "income"),
        ("age", "income"),
        ("age", "smoker"),
        ("income", "risk"),
        ("smoker", "risk"),
    ]
    return _with_causes(frame, "risk", edges)


def _category(codes: Indices, names: list[str], ordered: bool = False) -> pd.Categorical:
    return pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(names), ordered=ordered)


def _with_causes(
    frame: pd.DataFrame, target: str, edges: list[tuple[str, str]]
) -> tuple[Table, Mask]:
    causes = np.zeros((frame.shape[1], frame.shape[1]), dtype="bool")
    for cause, effect in edges:
        causes[frame.columns.get_loc(cause), frame.columns.get_loc(effect)] = True
    return Table.from_frame(frame, target), causes
