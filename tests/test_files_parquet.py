"""Parquet files: their types are kept, and they go with CSV files."""

import gzip
from datetime import date, datetime, time
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.files.training import TrainingFile

# Only in part typed.
pa: Any = import_module("pyarrow")
parquet: Any = import_module("pyarrow.parquet")


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    """A Parquet file with a column of every type that can be read."""
    moments = [datetime(2021, 3, 4, 9, 30), datetime(2021, 3, 5, 19, 45), None]  # noqa: DTZ001
    columns = {
        "whole": pa.array([1, None, 3], pa.int64()),
        "byte": pa.array([1, 2, 255], pa.uint8()),
        "single": pa.array([0.1, 1e-7, None], pa.float32()),
        "double": pa.array([0.1, 0.30000000000000004, 5e-324]),
        "money": pa.array([Decimal("12.50"), Decimal("3.25"), None], pa.decimal128(9, 2)),
        "code": pa.array(["01067", "NA", ""]),
        "word": pa.array(["a", None, "b"]),
        "truth": pa.array([True, False, None]),
        "level": pa.array(["x", "y", "x"]).dictionary_encode(),
        "day": pa.array([date(2021, 3, 4), date(2021, 12, 14), None]),
        "moment": pa.array(moments, pa.timestamp("us")),
        "zoned": pa.array(moments, pa.timestamp("ms", tz="UTC")),
        "y": pa.array([0, 1, 0]),
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def test_parquet_comes_out_as_it_went_in(typed: Path) -> None:
    file = TrainingFile.read(typed, "y")
    file.write(file.frame, typed.parent / "out.parquet")
    real, again = parquet.read_table(typed), parquet.read_table(typed.parent / "out.parquet")
    assert again.schema.equals(real.schema)
    assert again.equals(real)
    assert {name: str(dtype) for name, dtype in file.frame.dtypes.items()} == {
        "whole": "Int64", "byte": "int64", "single": "float64", "double": "float64",
        "money": "float64", "code": "category", "word": "category", "truth": "category",
        "level": "category", "day": "datetime64[ns]", "moment": "datetime64[ns]",
        "zoned": "datetime64[ns]", "y": "int64",
    }  # fmt: skip


def test_parquet_of_pandas_keeps_the_dtypes_of_pandas(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [0.5, np.nan], "y": [0, 1]})
    frame.to_parquet(tmp_path / "t.parquet")
    file = TrainingFile.read(tmp_path / "t.parquet", "y")
    file.write(file.frame, tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out.parquet"), frame)


def test_a_test_file_may_be_parquet_where_the_training_file_is_csv(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("x,d,y\n1,2021-03-04,0\n2,2021-03-05,1\n")
    test = pd.DataFrame({"x": [3.0], "d": [pd.Timestamp(2021, 4, 5)], "y": [1.0]})
    test.to_parquet(tmp_path / "test.parquet")
    rows, _ = TrainingFile.read(tmp_path / "train.csv", "y").read_test(tmp_path / "test.parquet")
    assert rows.iloc[0].tolist() == [3, pd.Timestamp(2021, 4, 5), 1]


def test_empty_cells_of_a_csv_are_missing_where_the_training_file_is_parquet(
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame({"n": [1.5, 2.5, None], "w": ["a", None, "b"], "y": ["p", "q", "p"]})
    frame.assign(d=pd.date_range("2021-03-04", periods=3)).to_parquet(tmp_path / "train.parquet")
    file = TrainingFile.read(tmp_path / "train.parquet", "y")
    file.write(file.frame, tmp_path / "test.csv")
    with (tmp_path / "test.csv").open("a") as lines:
        lines.write(",,q,\n , ,p,\n")
    rows, notes = file.read_test(tmp_path / "test.csv")
    pd.testing.assert_frame_equal(rows[:3], file.frame, check_categorical=False)
    assert rows[["n", "w", "d"]][3:].isna().all(axis=None)
    assert notes == []
    (tmp_path / "test.csv").write_text("n,w,y,d\n1,a,,\n")
    with pytest.raises(TableError, match="line 2: the target 'y' is missing"):
        file.read_test(tmp_path / "test.csv")


def test_the_name_of_the_output_says_its_format(tmp_path: Path, typed: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n1,p\n,q\n")
    file = TrainingFile.read(tmp_path / "t.csv", "y")
    file.write(file.frame, tmp_path / "out.parquet")
    assert pd.read_parquet(tmp_path / "out.parquet")["x"].isna().tolist() == [False, True]
    file.write(file.frame, tmp_path / "out.csv.gz")
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()) == b"x,y\n1,p\n,q\n"
    assert TrainingFile.read(tmp_path / "out.csv.gz", "y").frame.equals(file.frame)
    of_parquet = TrainingFile.read(typed, "y")
    of_parquet.write(of_parquet.frame, tmp_path / "out.csv")
    assert (
        (tmp_path / "out.csv").read_text().splitlines()[1].startswith("1,1,0.1,0.1,12.50,01067,a")
    )


def test_parquet_of_nested_columns_is_refused_by_name(tmp_path: Path) -> None:
    columns = {"l": [[1], [2]], "y": ["a", "b"]}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="column 'l' has type list"):
        TrainingFile.read(tmp_path / "t.parquet", "y")
    parquet.write_table(pa.table({"t": [time(9, 30)], "y": ["a"]}), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="column 't' has type time64"):
        TrainingFile.read(tmp_path / "t.parquet", "y")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
@pytest.mark.parametrize("apart", ["15min", "D", "977us"])
def test_times_of_a_zone_are_written_in_their_type(zone: str, apart: str, tmp_path: Path) -> None:
    times = pd.date_range("2021-03-01", periods=40, freq=apart, tz=zone)
    frame = pd.DataFrame({"at": times, "y": [0, 1] * 20})
    frame.to_parquet(tmp_path / "t.parquet")
    file = TrainingFile.read(tmp_path / "t.parquet", "y")
    file.write(file.frame, tmp_path / "s.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "s.parquet"), frame)


def test_a_clock_that_is_put_forward_is_refused_with_the_way_out(tmp_path: Path) -> None:
    times = pd.date_range("2021-03-27", periods=4, freq="D", tz="Europe/Rome")
    pd.DataFrame({"at": times, "y": [0, 1] * 2}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(TableError, match=r"'at' has times that are \+0100 and \+0200, .* to UTC"):
        TrainingFile.read(tmp_path / "t.parquet", "y")


@pytest.mark.parametrize("index", [None, "customer", "day"])
def test_the_index_of_pandas_is_no_feature(index: str | None, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(40) / 8, "y": [0, 1] * 20})
    frame = frame.sample(frac=0.5, random_state=0)  # so that pandas writes its index
    if index == "day":
        frame.index = pd.date_range("2021-03-01", periods=20, freq="7h")
    frame.rename_axis(index).to_parquet(tmp_path / "t.parquet")
    file = TrainingFile.read(tmp_path / "t.parquet", "y")
    assert list(file.frame) == ["a", "y"]
    name = index or "__index_level_0__"
    note = f"the index of pandas is no feature, left out: [{name!r}]; reset_index() keeps it"
    assert file.schema.notes == (f"{tmp_path / 't.parquet'}: {note}",)
    assert note in file.read_test(tmp_path / "t.parquet")[1][0]
    file.write(file.frame, tmp_path / "out.parquet")
    again = pd.read_parquet(tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(again, frame.reset_index(drop=True))
