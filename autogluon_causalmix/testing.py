"""For authors of plugins, and for our own tests: `check_generator`, and toy tables whose causes are known."""

import contextlib
import pickle
import random
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autogluon_causalmix.errors import CausalMixError, OutOfTime
from autogluon_causalmix.generators.contract import description, draw
from autogluon_causalmix.generators.protocol import FittedGenerator, Generator
from autogluon_causalmix.registry import Owner
from autogluon_causalmix.resources import Resources, cut_off
from autogluon_causalmix.table import Table

Adjacency = npt.NDArray[np.bool_]

AMPLE = 120.0  # seconds for one fit to a toy table
SHORT = 1.0  # seconds: too few for a thorough discovery
GRACE = 5.0  # seconds after which a fit that had SHORT ones has ignored them; slow machines need the difference
OWNER = Owner("under test", "this package", "0")


def check_generator(
    generator: Generator, tables: Mapping[str, Table] | None = None, seed: int = 0
) -> None:
    """Hold a generator to everything this package relies on; call it from a plugin's own tests.

    Fits to each table and checks that the drawn rows keep the contract of `autogluon_causalmix.generators.contract.draw`; that
    equal `rng` make equal rows, and drawing does not change a fitted generator; that the global generators of
    `random`, NumPy and torch are as before; that the given table is not modified; that generator and fitted
    generator can be pickled, and the latter then draws the same; that ``describe`` is JSON; and that a short resources
    is kept.

    Parameters
    ----------
    generator : Generator
        With the options to check.
    tables : mapping of str to Table, optional
        By name; `toy_tables` if not given.
    seed : int
        Of everything random.

    Raises
    ------
    AssertionError
        Names the generator and the table, and says what is wrong.

    Examples
    --------
    >>> from autogluon_causalmix.generators.bootstrap import Bootstrap
    >>> check_generator(Bootstrap())
    """
    for name, table in (toy_tables(seed) if tables is None else tables).items():
        with (
            _blamed(f"{type(generator).__name__} on the table {name!r}"),
            _global_randomness_kept(),
        ):
            _check_on(generator, table, seed)
    with _blamed(f"{type(generator).__name__} with a resources of {SHORT:g} s"):
        _check_budget(generator, mixed_scm(1000, np.random.default_rng(seed))[0], seed)


def _check_on(generator: Generator, table: Table, seed: int) -> None:
    n_rows = len(table) + 7  # more rows than there are: one that deals out the real ones runs short

    def fit() -> FittedGenerator:
        return generator.fit(table, np.random.default_rng(seed), Resources(AMPLE))

    def rows(fitted: FittedGenerator) -> pd.DataFrame:
        return draw(fitted, table, n_rows, np.random.default_rng(seed), owner=OWNER).frame

    pristine = table.frame.copy(deep=True)
    fitted = fit()
    drawn = rows(fitted)
    draw(fitted, table, 1, np.random.default_rng(seed), owner=OWNER)
    _require(table.frame.equals(pristine), "it modified the table it was given; work on a copy")
    _require(
        rows(fitted).equals(drawn),
        "one fitted generator drew other rows from an equal rng; keep no state",
    )
    _require(
        rows(fit()).equals(drawn),
        "fitted twice with an equal rng, it drew other rows; use no other randomness",
    )
    _require(
        rows(_pickled(fitted)).equals(drawn),
        "after pickling it drew other rows; keep all state in the object",
    )
    _pickled(generator)
    description(fitted, owner=OWNER)


def _check_budget(generator: Generator, table: Table, seed: int) -> None:
    """Check that a fit ends, with a result or with `OutOfTime`, soon after a short resources is spent."""
    resources = Resources(SHORT)
    with contextlib.suppress(OutOfTime):
        cut_off(GRACE, "fit", lambda: generator.fit(table, np.random.default_rng(seed), resources))
    _require(
        resources.seconds - resources.remaining() < GRACE,
        f"still fitting after {GRACE:g} s; look at resources.remaining() between steps, do less or raise OutOfTime",
    )


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)


def _pickled(thing: Any) -> Any:
    try:
        return pickle.loads(pickle.dumps(thing))  # noqa: S301 - our own bytes, of a moment ago
    except Exception as error:  # a border: pickling runs the plugin's code
        raise AssertionError(
            f"{type(thing).__name__} cannot be pickled, as ray workers need: {error}"
        ) from error


@contextlib.contextmanager
def _blamed(label: str) -> Iterator[None]:
    """Turn whatever goes wrong in the block into an AssertionError that begins with `label`."""
    try:
        yield
    except (CausalMixError, AssertionError) as error:
        raise AssertionError(f"{label}: {error}") from error
    except Exception as error:  # a border: the generator may be anybody's
        raise AssertionError(f"{label}: it raised {type(error).__name__}: {error}") from error


@contextlib.contextmanager
def _global_randomness_kept() -> Iterator[None]:
    before = _global_states()
    yield
    after = _global_states()
    moved = [name for name in before if before[name] != after[name]]
    _require(
        not moved,
        f"it moved the global random state of {moved}; draw from the rng that is handed in",
    )


def _global_states() -> dict[str, bytes]:
    states = {
        "random": pickle.dumps(random.getstate()),
        "numpy.random": pickle.dumps(np.random.get_state()),  # noqa: NPY002 - the state that must not move
    }
    torch = sys.modules.get(
        "torch"
    )  # looked up, not imported: who has not loaded it cannot have moved it
    return states if torch is None else {**states, "torch": torch.get_rng_state().numpy().tobytes()}


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


def linear_scm(n_rows: int, rng: np.random.Generator) -> tuple[Table, Adjacency]:
    """Draw from a linear Gaussian SCM with a binary target, and say what causes what.

    ``a := N, b := 0.8 a + 0.6 N, c := N, d := 0.7 b - 0.6 c + 0.4 N`` with every N standard normal, and
    ``P(y = 1) = 1 / (1 + exp(-2 d))``: a chain a → b → d → y and a collider b → d ← c.

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


def mixed_scm(n_rows: int, rng: np.random.Generator) -> tuple[Table, Adjacency]:
    """Draw from an SCM of numbers, whole numbers and categories with three classes, and say what causes what.

    ``region`` (three categories) → ``income`` ← ``age`` → ``smoker`` → ``risk`` ← ``income``. Income is linear in its
    parents with Gaussian noise, smoker and risk are logistic in theirs. The columns stand in no causal order.

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
    >>> [(table.columns[i].name, table.columns[j].name) for i, j in zip(*causes.nonzero())]
    [('income', 'risk'), ('region', 'income'), ('smoker', 'risk'), ('age', 'income'), ('age', 'smoker')]
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


def _category(
    codes: npt.NDArray[np.int64], names: list[str], ordered: bool = False
) -> pd.Categorical:
    return pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(names), ordered=ordered)


def _with_causes(
    frame: pd.DataFrame, target: str, edges: list[tuple[str, str]]
) -> tuple[Table, Adjacency]:
    causes = np.zeros((frame.shape[1], frame.shape[1]), dtype="bool")
    for cause, effect in edges:
        causes[frame.columns.get_loc(cause), frame.columns.get_loc(effect)] = True
    return Table.from_frame(frame, target), causes
