"""What the cells of a column are taken for, and what a user can say about them."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from autogluon_causalmix.errors import ConfigError, TableError
from autogluon_causalmix.files.delimited import read_delimited
from autogluon_causalmix.files.dtypes import read_dtypes
from autogluon_causalmix.files.kinds import infer_kind
from autogluon_causalmix.files.sheet import Sheet
from autogluon_causalmix.files.training import TrainingFile


def kind(*cells: str) -> str:
    chosen, _, _ = infer_kind("v", as_sheet(cells), list(dict.fromkeys(cells)), None)
    return f"whole {chosen.name}" if getattr(chosen, "whole", False) else chosen.name


def as_sheet(cells: Sequence[str]) -> Sheet:
    return read_delimited(Path("t.csv"), "\n".join(["v;y", *(f"{c};p" for c in cells)]).encode())


@pytest.mark.parametrize(
    ("expected", "cells"),
    [
        ("whole number", ["1", "20", "-3"]),
        ("whole number", ["1", "NA", "3"]),
        ("whole number", ["25.0", "", "31.0"]),
        ("whole number", ["?", "20", "-3"]),
        ("number", ["1.5", "2", "nan"]),
        ("number", [".5", "5.", "-1e-07"]),
        ("number", ["1e5", "0.25"]),
        ("category", ["01067", "1067"]),
        ("category", ["12e3", "14e2", "123"]),
        ("category", ["1_000", "2_000"]),
        ("category", ["٣", "٤"]),
        ("category", ["NA", "None"]),
        ("category", ["$5", "€5"]),
        ("category", ["01/02/2021", "03/04/2021"]),
        ("category", ["2021-02-30", "2021-03-01"]),
        ("category", ["9999-12-31", "2021-03-01"]),
        ("category", ["1.2.3", "1.2.4"]),
        ("date", ["13/02/2021", "03/04/2021"]),
        ("date", ["2021-02-01", "NULL"]),
        ("whole number", ["20210204", "20210304"]),
        ("date", ["20210204", "20210304", "20211224"]),
        ("date", ["202102", "202103", "202112"]),
        ("date", ["20210204173000", "20210304080059", "20211224235959"]),
        ("whole number", ["20210204", "20210304", "20211324"]),
        ("date", ["20210204T173000", "20210304T080059"]),
        ("date", ["2021-02-04T17:30:00Z", "2021-02-05T08:00:07Z", "2021-02-06T00:00:00Z"]),
        ("date", ["2021-02-04T17:30:00.250+05:30", "2021-02-05T08:00:00.000+05:30"]),
        ("date", ["04-02-2021", "24-12-2021"]),
        ("category", ["2021-02-04T17:30:00+01:00", "2021-07-05T08:00:00+02:00"]),
        ("category", ["1" * 5000, "2"]),
    ],
)
def test_a_column_is_what_all_its_cells_can_be(expected: str, cells: list[str]) -> None:
    assert kind(*cells) == expected


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        (["11,958", "800", "900"], "read as numbers: '11,958' is 11958"),
        (["$5", "€5", "€5"], "its numbers are spelled in several ways, as '$5' and '€5'"),
        (["?", "20", "3"], "'?' is read as a missing value"),
        (["01067", "09111", "09111"], "'01067' looks like a code"),
        (["01/02/2021", "03/04/2021", "03/04/2021"],
         "'01/02/2021' may be any of ['%d/%m/%Y', '%m/%d/%Y']"),
        (["20", "unknown", "30"], "'unknown' (t.csv, line 3) is no number like most others"),
        (["2021-03-04", "2021-03-05", "soon"], "'soon' (t.csv, line 4) is no date like most"),
        ([str(i) for i in range(7, 19)], "counts the rows"),
        (["20210204", "20210304", "20211224"], "read as dates: '20210204' is 2021-02-04"),
        (["2021-02-04", "04/03/2021", "2021-02-06"],
         "its dates are spelled in several ways, as '2021-02-04' and '04/03/2021'"),
        (["2021-02-04T17:30:00.5", "2021-02-05T08:00:00", "2021-02-06T00:00:00.123456"],
         "its dates are spelled in several ways"),
        (["2021-02-04 17:30:00+01:00", "2021-07-05 08:00:00+02:00"],
         "as '2021-02-04 17:30:00+01:00' and '2021-07-05 08:00:00+02:00'"),
        (["5 kg", "12.5 kg", "7 kg"], "'5 kg' is no number; leave units and signs out"),
        (["12.50 EUR", "3.00 EUR", "3.00 EUR"], "leave units and signs out"),
        (["(3.00)", "12.50", "7.00"], "leave units and signs out"),
        (["\N{MINUS SIGN}3.00", "12.50"], "leave units and signs out"),
    ],
)  # fmt: skip
def test_what_is_read_in_an_unexpected_way_is_said(cells: list[str], note: str) -> None:
    rows = "\n".join(["v\ty", *(f"{cell}\tp" for cell in cells)])
    sheet = read_delimited(Path("t.csv"), rows.encode())
    _, _, notes = infer_kind("v", sheet, list(dict.fromkeys(cells)), None)
    assert len(notes) == 1
    assert note in notes[0]


@pytest.mark.parametrize("cells", [["1", "2", "2"], ["a", "b", "b"], ["2021-03-04", "", "NA"]])
def test_of_ordinary_columns_nothing_is_said(cells: list[str]) -> None:
    _, _, notes = infer_kind("v", as_sheet(cells), list(dict.fromkeys(cells)), None)
    assert notes == []


def declared(tmp_path: Path, cells: Sequence[str], kind: str) -> pd.Series:
    rows = ["v,y", *(f"{cell},{'pq'[i % 2]}" for i, cell in enumerate(cells))]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    frame = TrainingFile.read(tmp_path / "t.csv", "y", read_dtypes(json.dumps({"v": kind}))).frame
    return frame["v"] if "v" in frame.columns else pd.Series()


def test_dtypes_say_what_cells_cannot(tmp_path: Path) -> None:
    assert declared(tmp_path, ["01", "02"], "number").tolist() == [1, 2]
    assert declared(tmp_path, ["1", "2", "2"], "category").cat.categories.tolist() == ["1", "2"]
    days = declared(tmp_path, ["01/02/2021", "03/04/2021"], "date:%m/%d/%Y")
    assert days.tolist() == [pd.Timestamp(2021, 1, 2), pd.Timestamp(2021, 3, 4)]
    compact = declared(tmp_path, ["20210204", "20210304"], "date:%Y%m%d")
    assert compact.tolist() == [pd.Timestamp(2021, 2, 4), pd.Timestamp(2021, 3, 4)]


def test_ignored_columns_are_neither_read_nor_written(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("mail,x,y\na@b,1,p\nc@d,2,q\n")
    file = TrainingFile.read(tmp_path / "t.csv", "y", {"mail": "ignore"})
    file.write(file.frame, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "x,y\n1,p\n2,q\n"
    assert file.schema.notes == ("left out, as --dtypes says: 'mail'",)
    rows, notes = file.read_test(tmp_path / "t.csv")
    assert list(rows.columns) == ["x", "y"]
    assert notes == []


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("number", "line 3: column 'v' holds 'many', which is no number"),
        ("whole", "line 2: column 'v' holds '1.5', no whole number"),
        (
            "date",
            "column 'v', for example '1.5', has no known format; say in --dtypes which it has",
        ),
        ("date:%Y", "line 2: column 'v' holds '1.5', which is no date"),
    ],
)
def test_cells_that_are_not_what_is_declared_are_refused(
    kind: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(TableError) as refused:
        declared(tmp_path, ["1.5", "many"], kind)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nowhere.json", "--dtypes: nowhere.json cannot be read: No such file"),
        ('{"a": ', "is no JSON"),
        ('{"a": "int"}', "column 'a' has the unknown type 'int'; choose from ['number', 'whole'"),
        ('{"a": 3}', "column 'a' has the unknown type 3"),
    ],
)
def test_dtypes_that_say_nothing_are_refused(given: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_dtypes(given)
    assert message in str(refused.value)


def test_dtypes_of_unknown_columns_and_of_an_ignored_target_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n1,p\n2,q\n")
    with pytest.raises(ConfigError, match=r"no column 'z'; its columns are \['x', 'y'\]"):
        TrainingFile.read(tmp_path / "t.csv", "y", {"z": "number"})
    with pytest.raises(ConfigError, match="the target 'y' cannot be ignored"):
        TrainingFile.read(tmp_path / "t.csv", "y", {"y": "ignore"})


def test_a_target_of_fractions_is_a_class_if_the_user_says_so(tmp_path: Path) -> None:
    rows = [f"{i},{i / 7:.2f}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]))
    with pytest.raises(TableError, match="is continuous .* name it a category in --dtypes"):
        TrainingFile.read(tmp_path / "t.csv", "y")
    file = TrainingFile.read(tmp_path / "t.csv", "y", {"y": "category"})
    assert "0.14" in file.table.classes


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        (["1.10", "1.1", "1.9"], "'1.1' and '1.10' are one number, written as the latter"),
        (["yes", "Yes", "no"], "'yes' and 'Yes' are two categories"),
        (["yes ", "yes", "no"], "'yes ' and 'yes' are two categories"),
        (["1", " 1", "2"], ""),
        (["0.0", "-0.0", "1.5"], ""),
    ],
)
@pytest.mark.parametrize("target", ["v", "y"])
def test_spellings_of_one_value_are_said(
    cells: list[str], note: str, target: str, tmp_path: Path
) -> None:
    lines = ["v;y", *(f"{cell};{'pq'[row % 2]}" for row, cell in enumerate(cells * 4))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    notes = TrainingFile.read(tmp_path / "t.csv", target).schema.notes
    assert [note in said for said in notes] == [True] * bool(note)


def test_times_of_a_zone_are_written_as_they_came(tmp_path: Path) -> None:
    cells = [f"2021-03-{day:02d}T{day % 24:02d}:00:{day:02d}Z" for day in range(1, 30)]
    lines = ["v,y", *(f"{cell},{'pq'[row % 2]}" for row, cell in enumerate(cells))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    file = TrainingFile.read(tmp_path / "t.csv", "y")
    assert file.schema.column("v").spell(file.frame["v"]) == cells
    assert file.schema.column("v").spell(file.frame["v"] + pd.Timedelta("1s"))[0].endswith(":02Z")  # type: ignore[union-attr]


def test_a_column_that_is_declared_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"more than once: \['zip'\]"):
        read_dtypes('{"zip": "number", "zip": "category"}')
