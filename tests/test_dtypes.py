"""Every dtype that a frame can have is drawn in its own dtype, or refused by the column's name."""

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogluon_causalmix import augment
from autogluon_causalmix.column import Column
from autogluon_causalmix.errors import TableError
from autogluon_causalmix.fidelity.marginals import distance, marginals
from autogluon_causalmix.table import Table

ROWS = 60
RNG = np.random.default_rng(0)
COUNTS = RNG.integers(0, 9, ROWS)
FLOATS = RNG.normal(size=ROWS)
FLAGS = FLOATS > 0
WORDS = RNG.choice(["red", "green", "blue"], ROWS).astype(object)
GAPS = RNG.random(ROWS) < 0.2
DAYS = pd.Series(pd.Timestamp("2021-03-01") + pd.to_timedelta(COUNTS * 5, unit="D"))
SPANS = pd.Series(pd.to_timedelta(COUNTS * 90, unit="min"))
CENTS = [decimal.Decimal(int(count)) / 4 for count in COUNTS]


def cast(values: Any, dtype: Any) -> pd.Series:
    return pd.Series(values).astype(dtype)


def arrow(values: Any, dtype: pa.DataType) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(list(values), type=dtype)))


def sparse(values: Any, fill: Any) -> pd.Series:
    return pd.Series(pd.arrays.SparseArray(np.asarray(values), fill_value=fill))


def objects(values: Any) -> pd.Series:
    return pd.Series(list(values), dtype=object)


WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DATES = [day.date() for day in DAYS]
TIMES = [(pd.Timestamp("2021-03-01") + span).time() for span in SPANS]

DRAWN: dict[str, pd.Series] = {
    **{name: cast(COUNTS, name) for name in WHOLE},
    **{name.capitalize(): cast(COUNTS, name.capitalize()) for name in ("int8", "int64")},
    **{name: cast(COUNTS, name) for name in ("UInt8", "UInt64")},
    **{
        name: cast(FLOATS, name)
        for name in ("float16", "float32", "float64", "longdouble", "Float32", "Float64")
    },
    "bool": pd.Series(FLAGS),
    "boolean": cast(FLAGS, "boolean"),
    "string": cast(WORDS, pd.StringDtype("python")),
    "string of arrow": cast(WORDS, pd.StringDtype("pyarrow")),
    "string of numpy semantics": cast(WORDS, pd.StringDtype("pyarrow", na_value=np.nan)),
    **{f"{name} of arrow": cast(COUNTS, f"{name}[pyarrow]") for name in WHOLE},
    "half of arrow": arrow(FLOATS.astype("float16"), pa.float16()),
    "float of arrow": arrow(FLOATS, pa.float32()),
    "double of arrow": arrow(FLOATS, pa.float64()),
    "bool of arrow": arrow(FLAGS, pa.bool_()),
    "text of arrow": arrow(WORDS, pa.string()),
    "large text of arrow": arrow(WORDS, pa.large_string()),
    "bytes of arrow": arrow([word.encode() for word in WORDS], pa.binary()),
    "dictionary of arrow": arrow(WORDS, pa.dictionary(pa.int32(), pa.string())),
    **{f"timestamp {unit} of arrow": arrow(DAYS, pa.timestamp(unit)) for unit in ("s", "ns")},
    "timestamp with zone of arrow": arrow(
        DAYS.dt.tz_localize("Europe/Berlin"), pa.timestamp("us", "Europe/Berlin")
    ),
    "date32 of arrow": arrow(DATES, pa.date32()),
    "date64 of arrow": arrow(DATES, pa.date64()),
    "time32 of arrow": arrow(TIMES, pa.time32("s")),
    "time64 of arrow": arrow(TIMES, pa.time64("us")),
    **{f"duration {unit} of arrow": arrow(SPANS, pa.duration(unit)) for unit in ("s", "us")},
    "decimal of arrow": arrow(CENTS, pa.decimal128(10, 2)),
    "long decimal of arrow": arrow(CENTS, pa.decimal256(50, 3)),
    "sparse int": sparse(COUNTS, 0),
    "sparse small int": sparse(COUNTS.astype("uint8"), 0),
    "sparse float": sparse(np.where(FLAGS, FLOATS, 0.0), 0.0),
    "sparse float of gaps": sparse(np.where(FLAGS, FLOATS, np.nan), np.nan),
    "sparse bool": sparse(FLAGS, False),
    **{f"date {unit}": cast(DAYS, f"datetime64[{unit}]") for unit in ("s", "ms", "us", "ns")},
    **{
        f"date {unit} with zone": DAYS.dt.tz_localize("Asia/Kolkata").dt.as_unit(unit)
        for unit in ("s", "ns")
    },
    **{f"span {unit}": cast(SPANS, f"timedelta64[{unit}]") for unit in ("s", "ms", "us", "ns")},
    "sparse date": pd.Series(pd.arrays.SparseArray(DAYS)),
    "date with an offset": DAYS.dt.tz_localize(dt.timezone(dt.timedelta(hours=5, minutes=30))),
    "first and last date of arrow": arrow([dt.date.min, dt.date.max] * 30, pa.date32()),
    "period of months": DAYS.dt.to_period("M"),
    "period of days": DAYS.dt.to_period("D"),
    "interval": pd.Series(pd.arrays.IntervalArray(pd.cut(FLOATS, 4))),
    "overlapping interval": pd.Series(
        pd.arrays.IntervalArray.from_arrays(COUNTS, COUNTS + 2, closed="left")
    ),
    "cut": pd.Series(pd.cut(FLOATS, 4)),
    "category of ints": pd.Series(pd.Categorical(COUNTS)),
    "category of dates": pd.Series(pd.Categorical(DAYS)),
    "category of bools": pd.Series(pd.Categorical(FLAGS)),
    "ordered category": pd.Series(
        pd.Categorical(WORDS, categories=["red", "blue", "green", "no"], ordered=True)
    ),
    "category of arrow text": cast(WORDS, "string[pyarrow]").astype("category"),
    "words": objects(WORDS),
    "Decimals": objects(CENTS),
    "date objects": objects(DATES),
    "time objects": objects(TIMES),
    "Timestamp objects": objects(DAYS),
    "Period objects": objects(DAYS.dt.to_period("M")),
    "tuples": objects((word, 1) for word in WORDS),
    "mixed objects": objects(np.where(FLAGS, WORDS, COUNTS.astype(object))),
}

REFUSED: dict[str, pd.Series] = {
    "complex": pd.Series(FLOATS + 1j),
    "small complex": pd.Series(FLOATS + 1j).astype("complex64"),
    "list of arrow": arrow([[1], [2]] * 30, pa.list_(pa.int64())),
    "struct of arrow": arrow([{"a": 1}] * ROWS, pa.struct([("a", pa.int64())])),
    "map of arrow": arrow([[("a", 1)]] * ROWS, pa.map_(pa.string(), pa.int64())),
    "interval of arrow": arrow([None] * ROWS, pa.month_day_nano_interval()),
    "lists": objects([[1], [2]] * 30),
    "dicts": objects([{"a": 1}] * ROWS),
    "arrays": objects([np.ones(2)] * ROWS),
    "sets": objects([{1}] * ROWS),
    "True and 1": objects([True, 1, "a"] * 20),
    "1 and 1.0": objects([1, 1.0, "a"] * 20),
    "0 and False": objects([None, 0, False] * 20),
}


def frame_with(values: pd.Series) -> pd.DataFrame:
    label = np.where(FLOATS + np.random.default_rng(1).normal(size=ROWS) > 0, "yes", "no")
    return pd.DataFrame({"x": FLOATS, "odd": values, "y": label})


def with_gaps(values: pd.Series) -> pd.Series:
    """Values with some missing, where their dtype has a place for missing ones."""
    if isinstance(values.dtype, pd.SparseDtype):
        return values
    gapped = values.mask(GAPS)
    return gapped if gapped.dtype == values.dtype else values


@pytest.mark.parametrize("name", DRAWN)
def test_bootstrap_rows_have_the_dtypes_of_the_frame(name: str) -> None:
    frame = frame_with(DRAWN[name])
    drawn = augment(frame, "y", 50, generator="bootstrap")
    assert drawn.dtypes.equals(frame.dtypes)
    assert set(drawn["odd"].dropna()) <= set(frame["odd"].dropna())


@pytest.mark.parametrize("name", DRAWN)
def test_observed_values_survive_the_way_to_floats_and_back(name: str) -> None:
    for values in (DRAWN[name], with_gaps(DRAWN[name])):
        table = Table.from_frame(frame_with(values), "y")
        assert (table.decode(table.encode()).frame.dtypes == table.frame.dtypes).all()
        pd.testing.assert_frame_equal(
            table.decode(table.encode()).frame, table.frame, check_exact=True
        )


@pytest.mark.parametrize("name", DRAWN)
def test_marginals_of_a_dtype(name: str) -> None:
    table = Table.from_frame(frame_with(with_gaps(DRAWN[name])), "y")
    same = marginals(table, table)[1]
    assert distance(same) == 0
    assert sum(same.real) + same.missing[0] == pytest.approx(1)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_drawn_is_refused_by_name(name: str) -> None:
    with pytest.raises(TableError, match="column 'odd' .*: make it a number, a date or a category"):
        Table.from_frame(frame_with(REFUSED[name]), "y")


@pytest.mark.parametrize("name", DRAWN)
def test_any_dtype_can_be_the_target(name: str) -> None:
    values = DRAWN[name]
    if Column.of(values).is_categorical or Column.of(values).is_whole:
        table = Table.from_frame(frame_with(values), "odd")
        drawn = augment(table.frame, "odd", 50, generator="bootstrap")
        assert set(drawn["odd"]) <= set(values)
        assert len(table.classes) == len(set(values))
    else:
        with pytest.raises(TableError, match="continuous|missing"):
            Table.from_frame(frame_with(values), "odd")


@pytest.mark.parametrize(
    "dtype",
    [
        "float16",
        "float32",
        "longdouble",
        "Float32",
        "halffloat[pyarrow]",
        pd.SparseDtype("int8", 0),
    ],
)
def test_zeros_and_ones_of_any_dtype_are_classes(dtype: Any) -> None:
    frame = frame_with(cast(FLAGS.astype("int8"), dtype))
    table = Table.from_frame(frame, "odd")
    assert table.problem_type == "binary"
    assert table.decode(table.encode()).frame["odd"].equals(frame["odd"])


@pytest.mark.parametrize(
    "name", ["int64 of arrow", "date32 of arrow", "sparse int", "decimal of arrow"]
)
def test_causal_rows_have_the_dtypes_of_the_frame(name: str) -> None:
    frame = frame_with(DRAWN[name])
    drawn = augment(frame, "y", 50, generator={"name": "scm", "graphs": 1})
    assert drawn.dtypes.equals(frame.dtypes)
    assert drawn["odd"].between(frame["odd"].min(), frame["odd"].max()).all()


@given(st.lists(st.decimals(-(10**12), 10**12, places=2), min_size=1, max_size=20))
def test_decimals_of_fifteen_digits_come_back_exactly(values: list[decimal.Decimal]) -> None:
    series = arrow(values, pa.decimal128(20, 2))
    column = Column.of(series)
    assert column.decode(column.encode(series)).tolist() == values


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_the_same_moments_have_one_encoding_whatever_their_unit(unit: str) -> None:
    column = Column.of(DAYS)
    np.testing.assert_array_equal(
        column.encode(cast(DAYS, f"datetime64[{unit}]")), column.encode(DAYS)
    )
    arrows = arrow(DAYS, pa.timestamp(unit))
    np.testing.assert_array_equal(column.encode(arrows), column.encode(DAYS))


def test_nan_beside_na_is_missing() -> None:
    zeros = pd.Series([0.0, 1.5, None, 2.25], dtype="Float64")
    values = zeros / zeros.where(zeros != 0, 0.0) * zeros  # 0 / 0 is NaN, not NA
    column = Column.of(values)
    assert column.places == 2
    assert np.isnan(column.encode(values)).tolist() == [True, False, True, False]


def test_dates_and_periods_are_labelled_in_words() -> None:
    for name, first in (("date s", "2021-03-01 00:00:00"), ("period of days", "2021-03-01")):
        table = Table.from_frame(frame_with(DRAWN[name]), "y")
        assert marginals(table, table)[1].labels[0] == first
