"""The contract of generators: every breach is refused and named, nothing is mended in silence."""

import re
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix.entry import Owner
from autogluon_causalmix.errors import ConfigError, GeneratorError, OutOfTime
from autogluon_causalmix.generators.bootstrap import Bootstrap
from autogluon_causalmix.generators.contract import description, draw, fit_generator
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import toy_tables

OWNER = Owner("noise", "stranger", "1.2")
RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Faulty:
    """Draws the first rows of a table, spoilt by `fault`."""

    table: Table
    fault: Callable[[pd.DataFrame], Any]

    def sample(self, n_rows: int, rng: np.random.Generator) -> Any:
        spoilt = self.fault(self.table.frame.head(n_rows).copy())
        return (
            Table(spoilt, self.table.target, self.table.columns)
            if isinstance(spoilt, pd.DataFrame)
            else spoilt
        )


def setting(column: Hashable, row: int, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def spoil(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[row, column] = value  # type: ignore[call-overload]
        return frame

    return spoil


def casting(column: str, dtype: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.astype({column: dtype})


def raising(frame: pd.DataFrame) -> pd.DataFrame:
    raise ZeroDivisionError("float division by zero")


class Sour:
    """A value that breaks who looks at it."""

    def __repr__(self) -> str:
        raise ValueError("no words for me")


COLOURS = ["red", "green", "blue", "unused"]

BREACHES = {
    "raises": ("mixed types", raising, "raised ZeroDivisionError: float division by zero"),
    "no table": ("mixed types", lambda frame: frame.to_numpy(), "it returned ndarray, not a Table"),
    "too few rows": ("mixed types", lambda frame: frame.head(9), "it returned 9 rows, not 10"),
    "too many rows": (
        "mixed types",
        lambda frame: frame.iloc[[*range(10), 0]],
        "it returned 11 rows, not 10",
    ),
    "a column missing": (
        "mixed types",
        lambda frame: frame.drop(columns="size"),
        "column 'size' is missing",
    ),
    "a column too many": (
        "mixed types",
        lambda frame: frame.assign(id=1),
        "column 'id' is not in the real table",
    ),
    "a column twice": (
        "mixed types",
        lambda frame: pd.concat([frame, frame[["size"]]], axis=1),
        (
            "the columns stand in the order "
            "['number', 'whole', 'colour', 'size', 'label', 'size'], not"
        ),
    ),
    "another order": (
        "mixed types",
        lambda frame: frame[["whole", "number", "colour", "size", "label"]],
        "the columns stand in the order ['whole', 'number',",
    ),
    "another name": (
        "odd names",
        lambda frame: frame.rename(columns={0: "0"}),
        "column 0 is missing",
    ),
    "float for int": (
        "mixed types",
        casting("whole", "float64"),
        "column 'whole' has dtype float64, not int64",
    ),
    "int for small int": (
        "dtypes",
        casting("small", "int64"),
        "column 'small' has dtype int64, not int8",
    ),
    "int for nullable int": (
        "dtypes",
        casting("count", "int64"),
        "column 'count' has dtype int64, not Int64",
    ),
    "double for single": (
        "dtypes",
        casting("single", "float64"),
        "column 'single' has dtype float64, not float32",
    ),
    "object for string": (
        "dtypes",
        casting("word", "object"),
        "column 'word' has dtype object, not string",
    ),
    "int for bool": ("dtypes", casting("flag", "int64"), "column 'flag' has dtype int64, not bool"),
    "text for day": (
        "dtypes",
        casting("day", "str"),
        "column 'day' has dtype object, not datetime64[ns]",
    ),
    "object for category": (
        "mixed types",
        casting("colour", "object"),
        "column 'colour' has dtype object, not category ['red', 'green', 'blue', 'unused']",
    ),
    "other categories": (
        "mixed types",
        casting("colour", pd.CategoricalDtype(COLOURS[:3])),
        (
            "column 'colour' has dtype category ['red', 'green', 'blue'], "
            "not category ['red', 'green', 'blue', 'unused']"
        ),
    ),
    "categories in another order": (
        "mixed types",
        lambda frame: frame.assign(colour=frame["colour"].cat.reorder_categories(COLOURS[::-1])),
        (
            "column 'colour' has dtype category ['unused', 'blue', 'green', 'red'], "
            "not category ['red',"
        ),
    ),
    "an order where there is none": (
        "mixed types",
        casting("colour", pd.CategoricalDtype(COLOURS, ordered=True)),
        "'unused'] (ordered), not category ['red', 'green', 'blue', 'unused']",
    ),
    "infinite": ("mixed types", setting("number", 3, -np.inf), "column 'number' is -inf in row 3"),
    "infinite single": ("dtypes", setting("single", 2, np.inf), "column 'single' is inf in row 2"),
    "a gap": (
        "mixed types",
        setting("number", 4, np.nan),
        "column 'number' is missing in row 4, but no real row",
    ),
    "a category's gap": (
        "mixed types",
        setting("colour", 5, None),
        "column 'colour' is missing in row 5, but no real",
    ),
    "a day's gap": (
        "dtypes",
        setting("day", 1, pd.NaT),
        "column 'day' is missing in row 1, but no real row misses it",
    ),
    "no label": (
        "mixed types",
        setting("label", 6, None),
        "column 'label' is missing in row 6, but no real row",
    ),
    "an unknown class": (
        "mixed types",
        setting("label", 7, "maybe"),
        "column 'label' is 'maybe' in row 7; it may be one of ['no', 'yes']",
    ),
    "an unknown number as class": (
        "a class with one row",
        setting("label", 2, 3),
        "column 'label' is 3 in row 2; it may be one of [0, 1, 7]",
    ),
    "lists for words": (
        "constant columns",
        lambda frame: frame.assign(same=[["a"]] * 10),
        "column 'same' is ['a'] in row 0; it may be one of ['a']",
    ),
    "values that cannot be looked at": (
        "constant columns",
        lambda frame: frame.assign(same=Sour()),
        "raised ValueError: no words for me",
    ),
    "an unknown word": (
        "dtypes",
        setting("word", 0, "Yes"),
        "column 'word' is 'Yes' in row 0; it may be one of ['no', 'yes']",
    ),
}


@pytest.mark.parametrize(("name", "fault", "complaint"), BREACHES.values(), ids=BREACHES)
def test_a_breach_is_refused_and_named(
    name: str, fault: Callable[[pd.DataFrame], Any], complaint: str
) -> None:
    table = toy_tables()[name]
    with pytest.raises(GeneratorError) as error:
        draw(Faulty(table, fault), table, 10, RNG, owner=OWNER)
    assert str(error.value).startswith("Faulty.sample (plugin 'noise' of stranger 1.2) ")
    assert complaint in str(error.value)


def test_a_declared_class_that_no_real_row_has_is_refused() -> None:
    labels = pd.Categorical(["a", "b", "a", "b"], categories=["a", "b", "never"])
    table = Table.from_frame(pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": labels}), "y")
    with pytest.raises(
        GeneratorError,
        match=re.escape("column 'y' is 'never' in row 1; it may be one of ['a', 'b']"),
    ):
        draw(Faulty(table, setting("y", 1, "never")), table, 4, RNG, owner=OWNER)


FOREIGN = pd.DataFrame(
    {
        "count": pd.Series([1, 2, None, 4], dtype="int64[pyarrow]"),
        "share": pd.array([0.1, 0.2, None, 0.4], dtype="Float64"),
        "size": pd.arrays.SparseArray(np.array([0.0, 0.5, 0.0, 1.25])),
        "dummy": pd.arrays.SparseArray(np.array([0, 1, 0, 1], dtype="int8")),
        "word": pd.array(["a", "b", None, "b"], dtype="string[pyarrow]"),
        "bin": pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3, 4]),
        "y": pd.array([1, 0, 1, 0], dtype="UInt8"),
    }
)

FOREIGN_BREACHES = {
    "int64 for int64[pyarrow]": (
        casting("count", "Int64"),
        "column 'count' has dtype Int64, not int64[pyarrow]",
    ),
    "dense for sparse": (casting("dummy", "int8"), "'dummy' has dtype int8, not Sparse[int8, 0]"),
    "an infinite nullable": (setting("share", 1, np.inf), "column 'share' is inf in row 1"),
    "an infinite sparse": (
        lambda frame: frame.assign(size=pd.arrays.SparseArray(np.array([0.0, 0.5, -np.inf, 0.0]))),
        "column 'size' is -inf in row 2",
    ),
    "an unknown word of arrow": (
        setting("word", 3, "c"),
        "column 'word' is 'c' in row 3; it may be one of ['a', 'b']",
    ),
    "an unknown interval": (
        setting("bin", 0, pd.Interval(7, 8)),
        "column 'bin' is Interval(7, 8, closed='right') in row 0; it may be one of",
    ),
    "an unknown class": (setting("y", 2, 7), "column 'y' is 7 in row 2; it may be one of [0, 1]"),
}


@pytest.mark.parametrize(
    ("fault", "complaint"), FOREIGN_BREACHES.values(), ids=list(FOREIGN_BREACHES)
)
def test_a_breach_in_a_foreign_dtype_is_refused_and_named(
    fault: Callable[[pd.DataFrame], Any], complaint: str
) -> None:
    table = Table.from_frame(FOREIGN, "y")
    assert draw(Faulty(table, lambda frame: frame), table, 4, RNG, owner=OWNER).frame.equals(
        FOREIGN
    )
    with pytest.raises(GeneratorError, match=re.escape(complaint)):
        draw(Faulty(table, fault), table, 4, RNG, owner=OWNER)


@pytest.mark.parametrize("name", toy_tables())
def test_sound_rows_pass_as_they_are(name: str) -> None:
    table = toy_tables()[name]
    rows = draw(Faulty(table, lambda frame: frame), table, len(table), RNG, owner=OWNER)
    pd.testing.assert_frame_equal(rows.frame, table.frame)
    np.testing.assert_array_equal(rows.encode(), table.encode())


def test_gaps_are_allowed_where_real_rows_have_them() -> None:
    table = toy_tables()["missing values"]
    rows = draw(Faulty(table, setting("number", 0, np.nan)), table, 10, RNG, owner=OWNER)
    assert rows.frame["number"].isna()[0]


def test_rows_are_numbered_anew_and_independent_of_what_the_generator_keeps() -> None:
    table = toy_tables()["mixed types"]
    kept = table.frame.iloc[[5, 5, 3]]
    rows = draw(Faulty(table, lambda frame: kept), table, 3, RNG, owner=OWNER)
    assert rows.frame.index.tolist() == [0, 1, 2]
    rows.frame.loc[0, "number"] = 99.0
    assert 99.0 not in kept["number"].to_numpy()


def test_rows_of_a_table_read_anew_get_the_real_encoding() -> None:
    frame = pd.DataFrame({"year": [1990, 2000, 2010], "town": ["b", "a", "c"], "y": [0, 1, 0]})
    table = Table.from_frame(frame, "y")

    @dataclass(frozen=True)
    class ReadsAnew:
        def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
            return Table.from_frame(frame.iloc[[1, 2]], "y")

    rows = draw(ReadsAnew(), table, 2, RNG, owner=OWNER)
    np.testing.assert_array_equal(rows.encode(), [[10, 0, 1], [20, 2, 0]])


def test_drawing_no_rows_is_refused() -> None:
    table = toy_tables()["two rows"]
    with pytest.raises(ConfigError, match="at least 1, got 0"):
        draw(Faulty(table, lambda frame: frame), table, 0, RNG, owner=OWNER)


@dataclass(frozen=True)
class Behaves:
    """A generator whose fit does what it is told."""

    fit_: Callable[[Table], Any]

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> Any:
        return self.fit_(table)


def fit(behaviour: Callable[[Table], Any], seconds: float = 10.0) -> Any:
    return fit_generator(
        Behaves(behaviour), toy_tables()["mixed types"], RNG, Resources(seconds), owner=OWNER
    )


def test_a_generator_that_raises_is_named_with_the_cause() -> None:
    complaint = r"Behaves.fit \(plugin 'noise' of stranger 1.2\) raised KeyError: 'age'"
    with pytest.raises(GeneratorError, match=complaint) as error:
        fit(lambda table: table.frame["age"])
    assert isinstance(error.value.__cause__, KeyError)


def test_a_generator_that_returns_nothing_to_sample_from_is_named() -> None:
    with pytest.raises(
        GeneratorError, match="Behaves.fit .* returned NoneType, which has no method 'sample'"
    ):
        fit(lambda table: None)


@pytest.mark.parametrize(
    "error", [MemoryError(), ConfigError("'required' names the column 'aeg'; there is none")]
)
def test_errors_with_a_remedy_of_their_own_stay_what_they_are(error: Exception) -> None:
    def give_up(table: Table) -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        fit(give_up)
    assert raised.value is error


def forever(*_: object) -> None:
    while True:
        time.sleep(0.01)


def test_a_generator_that_ignores_its_budget_is_cut_off() -> None:
    started = time.monotonic()
    with pytest.raises(
        OutOfTime,
        match=r"Behaves.fit \(plugin 'noise' of stranger 1.2\) was cut off after 0.[12]\d s",
    ):
        fit(forever, seconds=0.2)
    assert time.monotonic() - started < 2.0


def test_drawing_is_cut_off_when_the_budget_is_spent() -> None:
    table = toy_tables()["mixed types"]
    with pytest.raises(OutOfTime, match=r"Faulty.sample .* was cut off after 0.[12]\d s"):
        draw(Faulty(table, forever), table, 10, RNG, Resources(0.2), owner=OWNER)


def test_a_generator_cannot_reach_the_real_rows() -> None:
    table = toy_tables()["mixed types"]
    pristine = table.frame.copy()

    def spoil(copy: Table) -> Any:
        copy.frame["number"] = 0.0
        return Bootstrap().fit(copy, RNG, Resources(1.0))

    fit_generator(Behaves(spoil), table, RNG, Resources(10.0), owner=OWNER)
    pd.testing.assert_frame_equal(table.frame, pristine)


@dataclass(frozen=True)
class Says:
    """A fitted generator that says `facts` of itself."""

    facts: Any

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        raise AssertionError("not drawn from here")

    def describe(self) -> Any:
        return self.facts


def test_a_description_is_what_json_makes_of_it() -> None:
    said = description(Says({"edges": (("a", "b"),), "notes": ["x"]}), owner=OWNER)
    assert said == {"edges": [["a", "b"]], "notes": ["x"]}
    silent = Bootstrap().fit(toy_tables()["two rows"], RNG, Resources(1.0))
    assert description(silent, owner=OWNER) == {"real_rows": 2}


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"edges": {1, 2}}, "raised TypeError: Object of type set is not JSON serializable"),
        (
            {"score": float("nan")},
            "raised ValueError: Out of range float values are not JSON compliant",
        ),
        (3, "raised TypeError: 'int' object is not iterable"),
        ({"notes": "all well"}, "returned notes that are no list of sentences: 'all well'"),
        ({"notes": [1]}, r"returned notes that are no list of sentences: \[1\]"),
    ],
)
def test_a_description_that_no_report_can_hold_is_refused(facts: object, complaint: str) -> None:
    with pytest.raises(
        GeneratorError, match=r"Says.describe \(plugin 'noise' of stranger 1.2\) " + complaint
    ):
        description(Says(facts), owner=OWNER)


@dataclass(frozen=True)
class Believing:
    """Draws the first rows of a table with these soft labels."""

    table: Table
    soft: Any

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        return Table(
            self.table.frame.head(n_rows), self.table.target, self.table.columns, self.soft
        )


def three_levels() -> Table:
    """Three levels, of which no row has the last."""
    answers = pd.Categorical(["no", "yes"] * 5, categories=["no", "yes", "never"])
    return Table.from_frame(pd.DataFrame({"dose": np.arange(10.0), "answer": answers}), "answer")


def test_draw__soft_labels__come_with_the_rows_they_belong_to() -> None:
    soft = np.column_stack([np.linspace(0, 1, 4), np.linspace(1, 0, 4), np.zeros(4)])
    rows = draw(Believing(three_levels(), soft), three_levels(), 4, RNG, owner=OWNER)
    assert rows.soft_labels is not None
    assert np.array_equal(rows.take(np.array([2, 0])).soft_labels, soft[[2, 0]])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("soft", "message"),
    [
        (np.full((3, 3), 1 / 3), r"soft labels have shape \(3, 3\), not \(2, 3\)"),
        ([[1, 0, 0]] * 2, "soft labels have shape list, not"),
        (
            np.array([[0.5, 0.5, 0.0], [0.5, 0.4, 0.0]]),
            r"soft labels in row 1 are no probabilities: \[0.5, 0.4, 0.0\]",
        ),
        (np.array([[1.5, -0.5, 0.0]] * 2), "soft labels in row 0 are no probabilities"),
        (np.array([[np.nan, 1.0, 0.0]] * 2), "soft labels in row 0 are no probabilities"),
        (
            np.array([[1.0, 0.0, 0.0], [0.5, 0.4, 0.1]]),
            "soft labels in row 1 name a class that no real row has",
        ),
    ],
)
def test_draw__soft_labels_that_are_none__named(soft: Any, message: str) -> None:
    with pytest.raises(GeneratorError, match=message):
        draw(Believing(three_levels(), soft), three_levels(), 2, RNG, owner=OWNER)
