"""`Table`: what it refuses, and that encoding and decoding lose nothing."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.table import Table, encode

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
        (pd.DataFrame({"x": [1, 2], "y": [0.5, 1.5]}), "'y' is continuous"),
        (pd.DataFrame({"x": range(300), "y": range(300)}), "'y' is continuous"),
        (pd.DataFrame({"x": [1.0, np.inf], "y": [0, 1]}), "'x' holds 1 infinite"),
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
