"""Every dtype that a frame can have is drawn in its own dtype, or refused by the column's name."""

import decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from autogluon_causalmix import augment
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


def arrow(values: Any, dtype: pa.DataType) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(list(values), type=dtype)))


def sparse(values: Any, fill: object) -> pd.Series:
    return pd.Series(pd.arrays.SparseArray(np.asarray(values), fill_value=fill))


def objects(values: Any) -> pd.Series:
    return pd.Series(list(values), dtype=object)


WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DATES = [day.date() for day in DAYS]
TIMES = [(pd.Timestamp("2021-03-01") + span).time() for span in SPANS]

DRAWN: dict[str, pd.Series] = {
    **{name: pd.Series(COUNTS.astype(name)) for name in WHOLE},
    **{
        name.capitalize(): pd.Series(COUNTS).astype(name.capitalize()) for name in ("int8", "int64")
    },
    **{name: pd.Series(COUNTS).astype(name) for name in ("UInt8", "UInt64")},
    **{
        name: pd.Series(FLOATS).astype(name)
        for name in ("float16", "float32", "float64", "longdouble", "Float32", "Float64")
    },
    "bool": pd.Series(FLAGS),
    "boolean": pd.Series(FLAGS).astype("boolean"),
    "string": pd.Series(WORDS).astype(pd.StringDtype("python")),
    "string of arrow": pd.Series(WORDS).astype(pd.StringDtype("pyarrow")),
    "string of numpy semantics": pd.Series(WORDS).astype(
        pd.StringDtype("pyarrow", na_value=np.nan)
    ),
    **{f"{name} of arrow": pd.Series(COUNTS).astype(f"{name}[pyarrow]") for name in WHOLE},
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
    **{f"date {unit}": DAYS.astype(f"datetime64[{unit}]") for unit in ("s", "ms", "us", "ns")},
    **{
        f"date {unit} with zone": DAYS.dt.tz_localize("Asia/Kolkata").dt.as_unit(unit)
        for unit in ("s", "ns")
    },
    **{f"span {unit}": SPANS.astype(f"timedelta64[{unit}]") for unit in ("s", "ms", "us", "ns")},
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
    "category of arrow text": pd.Series(WORDS).astype("string[pyarrow]").astype("category"),
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
