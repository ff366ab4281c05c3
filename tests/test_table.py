"""`Table`: what it refuses, and that encoding and decoding lose nothing."""

import datetime as dt
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.column import Column
from autogluon_causalmix.errors import TableError
from autogluon_causalmix.table import Table, copied, encode, identifiers
from autogluon_causalmix.task import is_continuous

ROWS = 50


def every_dtype() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "float": rng.normal(size=ROWS),
            "float32": rng.normal(size=ROWS).astype("float32"),
            "empty": np.nan,
            "int8": rng.integers(-9, 9, ROWS).astype("int8"),
            3: np.arange(ROWS, dtype="uint64"),
            "Int64": pd.array([1, None] * (ROWS // 2), dtype="Int64"),
            "key": 2**60 + np.arange(ROWS),
            "bool": rng.random(ROWS) > 0.5,
            "boolean": pd.array([True, None] * (ROWS // 2), dtype="boolean"),
            "object": ["x", np.nan] * (ROWS // 2),
            "string": pd.array(["p", None] * (ROWS // 2), dtype="string"),
            "category": pd.Categorical(
                ["u", "v"] * (ROWS // 2), categories=["unused", "v", "u"], ordered=True
            ),
            "day": pd.date_range("2020-01-01", periods=ROWS, tz="UTC"),
            "gap": pd.to_timedelta(np.arange(ROWS), unit="h"),
            "label": [0, 1] * (ROWS // 2),
        }
    )


def test_every_dtype_comes_back_as_it_went() -> None:
    table = Table.from_frame(every_dtype(), "label")
    pd.testing.assert_frame_equal(table.decode(table.encode()).frame, table.frame)


def test_numbers_and_categories_are_told_apart() -> None:
    table = Table.from_frame(every_dtype(), "label")
    assert table.numeric == ("float", "float32", "empty", "int8", 3, "Int64", "key", "day", "gap")
    assert table.categorical == ("bool", "boolean", "object", "string", "category")
    assert (list(table.classes), table.problem_type) == ([0, 1], "binary")


def test_missing_values_are_nan_in_the_encoding() -> None:
    frame = every_dtype()
    encoded = Table.from_frame(frame, "label").encode()
    np.testing.assert_array_equal(np.isnan(encoded), frame.isna().to_numpy())


def test_an_unknown_category_is_missing() -> None:
    table = Table.from_frame(pd.DataFrame({"x": ["a", "b"], "y": [0, 1]}), "y")
    assert np.isnan(encode(table.feature_columns, pd.DataFrame({"x": ["c"]}))).all()


def test_fractions_in_a_column_of_whole_numbers_are_not_cut_off() -> None:
    column = Column.of(pd.Series([1, 2, 3], name="n"))
    asked = pd.Series([2.7, np.nan, 3.0])
    np.testing.assert_array_equal(column.encode(asked), asked - column.offset)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_whole_numbers_survive_where_their_range_fits_a_float(values: list[int]) -> None:
    table = Table.from_frame(pd.DataFrame({"x": np.array(values, dtype="int64"), "y": 0}), "y")
    back = table.decode(table.encode()).frame["x"].to_numpy()
    spread = max(values) - min(values)
    tolerance = 0 if spread <= 2**53 else spread // 2**52
    assert all(abs(int(now) - then) <= tolerance for now, then in zip(back, values, strict=True))


@given(st.floats(-1e30, 1e30))
def test_values_beyond_an_integer_dtype_stay_inside_it(value: float) -> None:
    table = Table.from_frame(pd.DataFrame({"x": np.array([1, 2], dtype="int8"), "y": [0, 1]}), "y")
    decoded = table.decode(np.array([[value, 0.0]])).frame["x"]
    assert decoded.dtype == "int8"
    assert decoded[0] == np.clip(np.rint(value) + 1, -128, 127)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            pd.DataFrame({"x": [1], "z": [1]}),
            "'y' is not a column of the table; its columns are \\['x', 'z'\\]",
        ),
        (pd.DataFrame({"y": [1]}), "no feature"),
        (pd.DataFrame({"x": [], "y": []}), "no rows"),
        (pd.DataFrame([[1, 2, 0]], columns=["x", "x", "y"]), "more than once: \\['x'\\]"),
        (pd.DataFrame({"x": [1, 2], "y": [0, None]}), "'y' is missing in 1 rows"),
        (pd.DataFrame(index=range(3)), "has no columns"),
        (pd.DataFrame({"x": [1, 2], "y": [0.5, 1.5]}), "'y' is continuous"),
        (pd.DataFrame({"x": range(300), "y": range(300)}), "'y' is continuous"),
        (pd.DataFrame({"x": [1.0, np.inf], "y": [0, 1]}), "'x' holds 1 infinite"),
        (pd.DataFrame({"x": [1.0, 2.0], "y": [0, -np.inf]}), "'y' holds 1 infinite"),
        (pd.DataFrame({"x": [1j, 2j], "y": [0, 1]}), "'x' has dtype complex128"),
        (pd.DataFrame({"x": [[1], [2]], "y": [0, 1]}), "'x' holds values that are no categories"),
    ],
)
def test_a_refusal_names_the_column(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(TableError, match=message):
        Table.from_frame(frame, "y")


def test_values_without_an_order_are_categories_all_the_same() -> None:
    values = [1, "one", dt.date(2020, 1, 1), 1]
    table = Table.from_frame(
        pd.DataFrame({"x": pd.Series(values, dtype=object), "y": [0, 1, 0, 1]}), "y"
    )
    assert table.decode(table.encode()).frame["x"].tolist() == values


def test_tables_are_compared_and_hashed_by_identity() -> None:
    frame = pd.DataFrame({"x": [1.0, np.nan], "y": ["a", "b"]})
    table, other = Table.from_frame(frame, "y"), Table.from_frame(frame, "y")
    assert table == table
    assert table != other
    assert table.columns[1] == table.columns[1]
    assert table.columns[1] != other.columns[1]
    assert len({table, other, table}) == 2


class Foreign:
    """Like a table of another library."""

    columns = ("x", "y")


@pytest.mark.parametrize(
    "table",
    [[[1, 2]], {"x": [1], "y": [0]}, pd.Series([1]), np.ones((2, 2)), None, "t.csv", Foreign()],
    ids=lambda table: type(table).__name__,
)
def test_what_is_no_frame_is_refused_with_the_way_out(table: Any) -> None:
    complaint = f"pandas.DataFrame, got {type(table).__name__}; make one with pandas.DataFrame"
    with pytest.raises(TableError, match=re.escape(complaint)):
        Table.from_frame(table, "y")


def test_column_names_of_several_levels_are_refused() -> None:
    frame = pd.DataFrame([[1, 0]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("b", "y")]))
    with pytest.raises(TableError, match="these have 2 levels; join them"):
        Table.from_frame(frame, ("b", "y"))


@pytest.mark.parametrize("target", [["y"], {"y"}, pd.Series(["y"]), "Y", None])
def test_a_target_that_is_no_name_of_a_column_is_refused(target: Any) -> None:
    with pytest.raises(TableError, match="is not a column of the table"):
        Table.from_frame(pd.DataFrame({"x": [1, 2], "y": [0, 1]}), target)


@pytest.mark.parametrize(
    "index",
    [
        [7, 7, 7, 7],
        pd.date_range("2020-01-01", periods=4),
        pd.MultiIndex.from_product([["a", "b"], [1, 2]]),
        pd.CategoricalIndex(list("abca")),
    ],
    ids=lambda index: type(index).__name__,
)
def test_the_index_of_a_frame_does_not_matter(index: Any) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.0, 3.0, 4.0], "y": [0, 1, 0, 1]})
    table = Table.from_frame(frame.set_axis(index), "y")
    pd.testing.assert_frame_equal(table.frame, frame)


@pytest.mark.parametrize(
    ("labels", "continuous"),
    [
        (np.tile([0.5, 1.5], 30), False),
        (np.tile([0.5, 1.5], 3), False),
        (np.repeat([0.5, 1.5, 2.5], [50, 5, 5]), False),
        (np.tile(np.arange(0.5, 5.5, 0.5), 20), False),  # half stars
        (np.append(np.tile([0.5, 1.5], 30), 2.5), False),  # a class with one row
        (np.tile(np.arange(20.0), 3), False),
        (np.tile(np.arange(21), 30), False),
        (np.array([0.5, 1.5]), True),
        (np.random.default_rng(0).normal(size=60), True),
        (np.random.default_rng(0).random(60).round(1), True),  # eleven values, rounded
        (np.append(np.zeros(190), np.arange(10) + 0.5), True),  # rain: mostly none
        (np.tile(np.arange(100) / 10, 1000), True),
        (np.tile(np.arange(21), 3), True),
    ],
)
@pytest.mark.parametrize("dtype", [None, "Float64", "double[pyarrow]"])
def test_few_numbers_that_are_repeated_are_classes(
    labels: Matrix, continuous: bool, dtype: Any
) -> None:
    assert is_continuous(pd.Series(labels, dtype=dtype)) is continuous


def test_identifiers_are_categories_that_differ_in_every_row() -> None:
    rng = np.random.default_rng(0)
    keys = [f"patient {i}" for i in range(ROWS)]
    frame = pd.DataFrame(
        {
            "key": keys,
            "mail": pd.array([f"{i}@home.org" for i in range(ROWS)], dtype="string"),
            "gaps": [None if i % 3 == 0 else f"name {i}" for i in range(ROWS)],
            "declared": pd.Categorical(keys, categories=[*keys, "nobody"]),
            "twice": [*keys[:-1], keys[0]],
            "town": rng.choice(["Ulm", "Jena"], ROWS),
            "number": rng.permutation(ROWS),
            "measured": rng.normal(size=ROWS),
            "empty": pd.Series([None] * ROWS, dtype=object),
            "ill": rng.choice(["no", "yes"], ROWS),
        }
    )
    assert identifiers(Table.from_frame(frame, "ill")) == ("key", "mail", "gaps", "declared")


def test_in_a_few_rows_nothing_is_an_identifier() -> None:
    frame = pd.DataFrame({"word": list("abcdefghij"), "y": [0, 1] * 5})
    assert identifiers(Table.from_frame(frame, "y")) == ()


@pytest.mark.parametrize("first", [True, False])
def test_true_and_one_are_never_one_level(first: bool) -> None:
    values = [True, 1, "a"] if first else [1, True, "a"]
    frame = pd.DataFrame({"x": pd.Series(values * 2, dtype=object), "y": [0, 1] * 3})
    with pytest.raises(TableError, match="'x' holds (True and 1|1 and True), which are equal"):
        Table.from_frame(frame, "y")


def test_equal_objects_that_read_the_same_are_one_level() -> None:
    values = pd.Series(["a", np.str_("a"), 1, np.int64(1)], dtype=object)
    table = Table.from_frame(pd.DataFrame({"x": values, "y": [0, 1, 0, 1]}), "y")
    assert table.encode()[:, 0].tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])


def test_classes_are_those_that_occur() -> None:
    labels = pd.Categorical(["b", "a", "b"], categories=["c", "b", "a"])
    table = Table.from_frame(pd.DataFrame({"x": [1, 2, 3], "y": labels}), "y")
    assert (list(table.classes), list(table.levels)) == (["b", "a"], ["c", "b", "a"])


def test_values_that_point_at_a_row_are_named() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "mail": [f"{i}@home.org" for i in range(ROWS)],
            "one of them twice": [f"{max(i, 1)}@home.org" for i in range(ROWS)],
            "number of a customer": rng.permutation(ROWS) + 5000,
            "income": rng.integers(10**6, 10**9, ROWS),
            "age": rng.integers(20, 80, ROWS),
            "day": pd.date_range("2021-03-01", periods=ROWS),
            "town": rng.choice(["Ulm", "Jena"], ROWS),
            "ill": rng.choice(["no", "yes"], ROWS),
        }
    )
    assert copied(Table.from_frame(frame, "ill")) == {
        "mail": "has another value in every row",
        "one of them twice": f"has {ROWS - 1} values in {ROWS} rows",
        "number of a customer": "has another value in every row",
    }


def test_a_measured_target_of_objects_is_continuous() -> None:
    measured = pd.Series(np.random.default_rng(0).normal(size=ROWS), dtype=object)
    assert is_continuous(measured)
    assert not is_continuous(pd.Series([0.5, 1.5, None] * 20, dtype=object))


def test_column_names_that_equal_nothing_are_refused() -> None:
    frame = pd.DataFrame([[1, 0], [2, 1]], columns=pd.Index([pd.NA, "y"], dtype=object))
    with pytest.raises(TableError, match="has the name <NA>"):
        Table.from_frame(frame, "y")


def test_a_target_that_is_a_column_is_refused_in_one_line() -> None:
    frame = pd.DataFrame({"x": range(9), "y": [0, 1, 0] * 3})
    with pytest.raises(TableError, match="the target, a Series, is not a column") as refused:
        Table.from_frame(frame, frame["y"])  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)
