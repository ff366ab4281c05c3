"""Decoded values keep the grid of their column, and observed ones come back bit for bit."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogluon_causalmix import augment
from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.column import Column

FINITE = st.floats(allow_nan=False, allow_infinity=False)
BETWEEN = np.random.default_rng(0).random(500)


def bits(values: pd.Series) -> bytes:
    return values.to_numpy().tobytes()


def between(column: Column, values: pd.Series) -> pd.Series:
    """Decode floats from anywhere between the least and the largest encoded value."""
    encoded = column.encode(values)
    low, high = np.nanmin(encoded), np.nanmax(encoded)
    return column.decode(low + BETWEEN * (high - low))


@given(st.lists(st.one_of(st.just(np.nan), FINITE), min_size=1, max_size=20))
def test_observed_floats_come_back_bit_for_bit(values: list[float]) -> None:
    series = pd.Series(values, dtype="float64")
    column = Column.of(series)
    assert bits(column.decode(column.encode(series))) == bits(series)


@given(
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
    st.sampled_from(["float32", "Float32"]),
)
def test_observed_single_floats_come_back_bit_for_bit(values: list[float], dtype: Any) -> None:
    series = pd.Series(values).astype(dtype)
    column = Column.of(series)
    back = column.decode(column.encode(series))
    assert bits(back.astype("float32")) == bits(series.astype("float32"))


@given(st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=20), st.integers(0, 4))
def test_decimals_written_in_text_are_kept(values: list[int], places: int) -> None:
    text = [f"{value / 10**places:.{places}f}" for value in values]
    series = pd.Series([float(number) for number in text])
    column = Column.of(series)
    if not any(values):
        assert column.places is None  # zeros lie on any grid
        return
    assert column.places is not None
    assert column.places <= places
    drawn = between(column, series)
    assert all(float(f"{value:.{places}f}") == value for value in drawn)
    assert drawn.between(series.min(), series.max()).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "Float32", "float[pyarrow]"])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0, 2000.0])
def test_continuous_floats_are_not_rounded(dtype: Any, scale: float) -> None:
    rng = np.random.default_rng(0)
    for rows in (2, 5, 300):
        series = pd.Series(scale * rng.normal(size=rows)).astype(dtype)
        column = Column.of(series)
        assert column.places is None
        values = scale * rng.normal(size=100)
        assert column.decode(values).equals(pd.Series(values).astype(dtype))


def test_floats_too_large_for_fractions_are_on_no_grid() -> None:
    assert Column.of(pd.Series([2.0**60, 2.0**70, 1e300])).places is None


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([41200.0, np.nan, 3.0], 0),
        ([0.0, 1.0, 1.0], 0),
        ([19.99, 5.0, 7.5], 2),
        ([1.1, 0.1 + 0.2], None),  # 0.30000000000000004 is not 0.3
        ([0.5, np.nan], 1),
        ([1e-9, 5e-9], 9),
        ([1e-12, 5e-12], None),
        ([np.nan], None),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "Float64", "double[pyarrow]"])
def test_the_number_of_decimals_of_a_column(
    values: list[float], places: int | None, dtype: Any
) -> None:
    assert Column.of(pd.Series(values).astype(dtype)).places == places


def test_whole_numbers_have_no_minus_zero() -> None:
    series = pd.Series([-1.0, 0.0, 2.0])
    decoded = Column.of(series).decode(np.array([-0.3, -0.0]))
    assert np.signbit(decoded).tolist() == [False, True]  # −0.0 is on the grid, and stays


SECONDS = {"D": 86400, "h": 3600, "min": 60, "s": 1}
ZONES = st.sampled_from([None, "UTC", "Europe/Berlin", "Asia/Kolkata", "America/Sao_Paulo"])
RESOLUTIONS = st.sampled_from(["s", "ms", "us", "ns"])


def on_clock(seconds: list[int], zone: str | None, resolution: Any) -> pd.Series:
    """Return moments in a zone whose clock shows these seconds since 1970, where it can."""
    naive = pd.Series(pd.to_datetime(seconds, unit="s")).dt.as_unit(resolution)
    if zone is None:
        return naive
    moments = naive.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    return moments.dropna().reset_index(drop=True)


@given(
    st.lists(st.integers(-(10**4), 10**4), min_size=1, max_size=20),
    st.sampled_from(list(SECONDS)),
    ZONES,
    RESOLUTIONS,
)
def test_dates_keep_their_unit_on_the_clock_of_their_zone(
    counts: list[int], unit: str, zone: str | None, resolution: str
) -> None:
    series = on_clock([count * SECONDS[unit] for count in counts], zone, resolution)
    if series.empty:
        return
    column = Column.of(series)
    pd.testing.assert_series_equal(column.decode(column.encode(series)), series)
    drawn = between(column, series)
    clock = drawn if zone is None else drawn.dt.tz_localize(None)
    seconds = clock.astype("datetime64[s]").astype("int64")
    assert (seconds % SECONDS[unit] == 0).all()
    assert (clock == clock.dt.floor("s")).all()
    assert drawn.between(series.min(), series.max()).all()


@given(
    st.lists(st.integers(-(10**5), 10**5), min_size=1, max_size=20),
    st.sampled_from(list(SECONDS)),
    RESOLUTIONS,
)
def test_durations_keep_their_unit(counts: list[int], unit: str, resolution: Any) -> None:
    seconds = pd.to_timedelta([count * SECONDS[unit] for count in counts], unit="s")
    series = pd.Series(seconds).dt.as_unit(resolution)
    column = Column.of(series)
    pd.testing.assert_series_equal(column.decode(column.encode(series)), series)
    drawn = between(column, series)
    assert (drawn == drawn.dt.round(f"{SECONDS[unit]}s")).all()


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=20))
def test_times_of_any_size_come_back_in_the_limits_of_floats(counts: list[int]) -> None:
    series = pd.Series(np.array(counts, dtype="int64")).astype("datetime64[ns]")
    back = Column.of(series).decode(Column.of(series).encode(series))
    spread = max(counts) - min(counts)
    tolerance = 0 if spread <= 2**53 else spread // 2**52
    for now, then in zip(back.astype("int64"), counts, strict=True):
        assert abs(int(now) - then) <= tolerance


def test_an_hour_that_comes_twice_stays_where_it_was_observed() -> None:
    hours = pd.date_range("2021-10-30 22:00", periods=8, freq="h", tz="UTC")
    series = pd.Series(hours).dt.tz_convert("Europe/Berlin")
    column = Column.of(series)
    assert column.unit == "h"
    pd.testing.assert_series_equal(column.decode(column.encode(series)), series)


def test_a_midnight_that_the_clock_skips_gives_way_to_the_next() -> None:
    days = pd.Series(pd.to_datetime(["2018-11-01", "2018-11-10"])).dt.tz_localize(
        "America/Sao_Paulo"
    )
    column = Column.of(days)
    skipped = pd.Series(pd.to_datetime(["2018-11-04 05:00"])).dt.tz_localize("America/Sao_Paulo")
    assert column.unit == "D"
    assert column.decode(column.encode(skipped))[0] == pd.Timestamp(
        "2018-11-05", tz="America/Sao_Paulo"
    )


@pytest.mark.parametrize("never", [pd.Timestamp.max, pd.Timestamp("2262-04-11")])
def test_the_last_date_there_is_can_be_observed(never: pd.Timestamp) -> None:
    series = pd.Series([pd.Timestamp("2262-04-01"), never])
    column = Column.of(series)
    pd.testing.assert_series_equal(column.decode(column.encode(series)), series)
    assert (column.decode(np.array([-1e30, 1e30])).notna()).all()


def frame(rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    y = np.where(x + 0.5 * rng.normal(size=rows) > 0, "yes", "no")
    return pd.DataFrame({"x": x, "y": y})


def shifted(x: Matrix, scale: float) -> Matrix:
    noise = 0.3 * np.random.default_rng(1).random(len(x))
    return np.asarray(np.round((x - x.min() + noise) * scale))


def test_drawn_incomes_prices_dates_and_hours_keep_their_grid() -> None:
    table = frame()
    counts = shifted(table["x"].to_numpy(), 1000)
    start = pd.Timestamp("2021-03-01")
    table["income"] = np.where(counts % 7 == 0, np.nan, counts)
    table["price"] = np.round(counts / 100, 2)
    table["day"] = start + pd.to_timedelta(counts // 10, unit="D")
    table["hour"] = pd.Series(start + pd.to_timedelta(counts, unit="h")).dt.tz_localize("UTC")
    table["stay"] = pd.to_timedelta(counts * 15, unit="min")
    drawn = augment(table, "y", 200, generator={"name": "scm", "graphs": 2})
    assert len(set(drawn["price"]) - set(table["price"])) > 5  # values between those observed
    assert (drawn["income"].dropna() % 1 == 0).all()
    assert (drawn["price"] == drawn["price"].round(2)).all()
    assert (drawn["day"] == drawn["day"].dt.normalize()).all()
    assert (drawn["hour"] == drawn["hour"].dt.floor("h")).all()
    assert (drawn["stay"] == drawn["stay"].dt.round("min")).all()


def quarters_of_an_hour() -> pd.Series:
    apart = pd.to_timedelta(15 * np.random.default_rng(0).permutation(4000)[:60], unit="min")
    return pd.Series(pd.Timestamp("2021-03-01 00:05") + apart)


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (pd.Series(np.tile(np.arange(2, 11) / 2, 6)), 0.5),
        (pd.Series(np.arange(-20, 20) / 4, dtype="float32"), 0.25),
        (pd.Series(50.0 * np.arange(40)), 50.0),
        (pd.Series(50 * np.arange(40) + 7), 50),
        (pd.Series([*(5 * np.arange(40)), None], dtype="Int16"), 5),
        (quarters_of_an_hour(), pd.Timedelta("15min")),
        (quarters_of_an_hour().dt.tz_localize("UTC").dt.tz_convert("Asia/Kolkata"),
         pd.Timedelta("15min")),
        (pd.Series(pd.date_range("2021-03-01", periods=30, freq="7D")), pd.Timedelta("7D")),
        (pd.Series(pd.to_timedelta(30 * np.arange(40), unit="min")), pd.Timedelta("30min")),
    ],
)  # fmt: skip
def test_values_keep_to_the_multiples_of_their_column(values: pd.Series, step: Any) -> None:
    column = Column.of(values)
    pd.testing.assert_series_equal(column.decode(column.encode(values)), values)
    drawn = between(column, values)
    assert drawn.nunique() > 3
    assert ((drawn - values.dropna().iloc[0]) % step == type(step)(0)).all()


@pytest.mark.parametrize("values", [[10, 30, 50], list(range(0, 12, 2)), [0, 100]])
def test_a_few_multiples_are_chance(values: list[int]) -> None:
    assert Column.of(pd.Series(values)).step == 1


def test_a_time_rounded_into_a_skipped_hour_is_not_missing() -> None:
    moments = pd.Series(pd.date_range("2021-03-28 01:50", periods=20, freq="min", tz="Europe/Rome"))
    column = Column.of(moments)
    encoded = column.encode(moments)
    seconds = column.decode(np.linspace(encoded[0], encoded[-1], 300))
    assert seconds.notna().all()
    assert (seconds.dt.second == 0).all()


@pytest.mark.parametrize("gap", [None, np.nan, pd.NaT])
def test_what_stands_for_a_missing_object_comes_back(gap: object) -> None:
    values = pd.Series(["a", gap, "b", gap], dtype=object)
    column = Column.of(values)
    assert [type(value) for value in column.decode(column.encode(values))] == [
        type(value) for value in values
    ]
