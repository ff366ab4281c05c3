"""People's tables: what goes in comes out as it was spelled, and other files follow the first."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from autogluon_causalmix.errors import ConfigError, TableError
from autogluon_causalmix.files.delimited import read_delimited
from autogluon_causalmix.files.dtypes import read_dtypes
from autogluon_causalmix.files.kinds import infer_kind
from autogluon_causalmix.files.sheet import Cell, Sheet
from autogluon_causalmix.files.training import TrainingFile, read_sheet

FILES = {
    "codes": "zip,lot,y\n01067,12e3,a\n09111,14e2,b\n04103,15e5,a\n",
    "words that look like gaps": "c,y\nNA,a\nNone,b\nnull,a\nN/A,b\nred,a\n",
    "gaps among numbers": "a,b,c,y\nNA,,NaN,p\n1,2.50,3,q\n2,1.25,4,p\n",
    "truths": "a,b,c,y\nTRUE,True,yes,0\nFALSE,False,no,1\n",
    "days": "a,b,c,d,y\n"
    "2021-03-04,04.03.2021,2021/03/04,4-Mar-2021,p\n"
    "2021-12-14,14.12.2021,2021/12/14,14-Dec-2021,q\n",
    "times": "a,b,c,y\n09:30,2021-03-04 09:30,2021-03-04T09:30:00Z,p\n"
    "19:45,2021-03-14 19:45,2021-03-14T19:45:00Z,q\n",
    "American times": "a,b,y\n1/2/2021 9:05,03/14/2021,p\n12/22/2021 19:05,12/01/2021,q\n",
    "times of a database": "a,b,y\n2021-03-04 00:00:00.000,2021-03-04 09:30:00.000+01:00,p\n"
    "2021-03-05 00:00:00.000,2021-03-04 19:30:00.000+01:00,q\n",
    "whole numbers with gaps": "a,b,y\n41200,25.0,p\n,31.0,q\n38000,,p\n",
    "decimals": "a,b,c,y\n12.50,0.1,1e-05,p\n3.25,2,0.5,q\n100.00,2.25,1E+16,p\n",
    "powers": "a,b,y\n2.373e+01,1.5E-03,p\n5.971e+00,2.5E+10,q\n",
    "last digits": "a,b,y\n-0.43643524721432124,0.30000000000000004,p\n1e-300,5e-324,q\n",
    "German": "\ufeffk;l;m;n;y\r\n3,5;1.234,50;04.03.2021;41 %;1\r\n2,25;958,00;14.03.2021;7 %;0\r\n",
    "tabs": "k\tl\tm\ty\n11,958\t$44.82\t41%\t1\n800\t$1,003.10\t7%\t0\n",
    "amounts": 'k,l,m,y\n"11,958",€ 5.00,+0.3,1\n800,€ 7.50,-0.2,0\n',
    "Swiss and French": "k;l;y\n1'234.50;1 234,50;a\n999.00;2,25;b\n12'000.25;3,75;a\n",
    "announced": "sep=|\nk|y\n1|a\n2|b\n",
    "commented": "# made by x; y\n# and z\nk,l,y\n1,3,a\n2,3,b\n",
    "a header with #": "#k,l,y\n1,3,a\n2,3,b\n",
    "lone CR": "k,y\r1,a\r2,b\r",
    "R": '"","k","l","y"\n"1",5,"a","n"\n"2",NA,NA,"m"\n"3",7,"b","n"\n',
    "all in quotes": '"k","l","y"\n"1","a","n"\n"2","","m"\n"3","x","n"\n',
    "quotes and lines": 'k,y\n"5"" pipe",a\n6" pipe,b\n"a, ""b""\n c",a\n',
    "spaces": "k, l, y\n1, 3, a\n2, 4, b\n",
    "padded cells": "k,l,y\n  1, 3.5,a\n 20,14.5,b\n",
    "an index": ",k,y\n0,1,a\n1,2,b\n",
    "odd names": 'weight [kg],[bold]b[/],"a,b",:smile:, y\n1,2,3,4,p\n2,3,4,5,q\n',
    "nothing in a column": "k,l,y\n1,,a\n2,,b\n",
    "long digits": "card,y\n12345678901234567890,a\n22345678901234567890,b\n",
    "phones": "phone,y\n+49 171 234567,a\n+49 171 234568,b\n",
}


def written(content: bytes, folder: Path, suffix: str = ".csv", target: str | None = None) -> bytes:
    """Return what is written of the rows of a file of these bytes."""
    path, out = folder / f"in{suffix}", folder / f"out{suffix}"
    path.write_bytes(content)
    target = target or list(read_sheet(path).columns)[-1]
    file = TrainingFile.read(path, target)
    file.write(file.frame, out)
    return out.read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_rows_of_a_file_are_written_as_they_stand_in_it(name: str, tmp_path: Path) -> None:
    content = FILES[name].encode()
    assert written(content, tmp_path) == content


def test_a_file_of_excel_in_utf_16_is_written_as_one(tmp_path: Path) -> None:
    content = FILES["tabs"].encode("utf-16")
    assert written(content, tmp_path) == content


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)
CELLS = st.one_of(
    WORDS,
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-1000, 1000, places=2).map(str),
    st.dates().map(str),
    st.sampled_from(["", "NA", "None", "TRUE", "01067", "12e3", "1,234", "41%", 'a"b', "x\ny"]),
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Draw a header and rows; columns are of one kind, or of none."""
    names = draw(st.lists(WORDS, min_size=2, max_size=4, unique=True))
    rows = draw(st.integers(1, 5))
    columns = [draw(st.lists(CELLS, min_size=rows, max_size=rows)) for _ in names]
    columns[0] = [f"id{i}" for i in range(rows)]  # no line is empty
    names[0] = f"first {names[0]}"
    columns[-1] = ["end"] * rows  # a last column without name and cells is refused
    return [names, *map(list, zip(*columns, strict=True))]


@given(
    tables(),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_cells_are_those_that_the_csv_module_reads(
    rows: list[list[str]], delimiter: str, newline: str, quoting: int
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerows(rows)
    announced = f"sep={delimiter}\n{text.getvalue()}"
    sheet = read_delimited(Path("t.csv"), announced.encode())
    assert [list(sheet.columns), *map(list, zip(*sheet.columns.values(), strict=True))] == rows


@given(
    tables(), st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
)
def test_whatever_stands_in_a_file_is_written_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], newline: str, quoting: int
) -> None:
    for row, label in zip(rows, ["label", *"pqpqp"], strict=False):
        row.append(label)
    if len(set(rows[0])) < len(rows[0]):
        return
    text = io.StringIO()
    csv.writer(text, lineterminator=newline, quoting=quoting).writerows(rows)
    content = f"sep=,{newline}{text.getvalue()}".encode()
    folder = tmp_path_factory.mktemp("t")
    (folder / "again.csv").write_bytes(written(content, folder, target="label"))
    again, real = read_sheet(folder / "again.csv"), read_sheet(folder / "in.csv")
    assert {name: blank(cells) for name, cells in again.columns.items()} == {
        name: blank(cells) for name, cells in real.columns.items()
    }


def blank(cells: Sequence[Cell]) -> list[Cell]:
    """Return cells with those that mean a missing value in any column, or one number, made equal."""
    missing = {"", "NA", "None"}
    plain = ["" if cell is None or cell.strip() in missing else cell for cell in cells]
    return list(map(as_number, plain))


def as_number(cell: str) -> str:
    try:
        return repr(float(cell.replace("_", "x")))
    except ValueError:
        return cell


@pytest.mark.parametrize(
    ("cells", "value", "spelling"),
    [
        (["12.50", "3.25"], 7.126, "7.13"),
        (["12.5", "3.25", "2"], 7.1, "7.1"),
        (["12.5", "3.25", "2"], 7.0, "7"),
        (["0.001", "0.25", "3"], -0.0001, "0"),
        (["25.0", "", "31.0"], 41, "41.0"),
        (["3,5", "2,25"], 7.126, "7,13"),
        (["$44.82", "$1,003.10"], -12345.678, "-$12,345.68"),
        (["41%", "7%"], 12, "12%"),
        (["+0.3", "-0.2"], 0.5, "+0.5"),
        (["2.373e+01", "5.971e-05"], 1234.5, "1.234e+03"),
        (["1'234", "12'345"], 9876543, "9'876'543"),
        (["2021-03-04", "2021-12-14"], pd.Timestamp(2021, 5, 6, 17, 8), "2021-05-06"),
        (["04.03.2021", "14.12.2021"], pd.Timestamp(2021, 5, 6, 17, 8), "06.05.2021"),
        (["1/2/2021 9:05", "12/22/2021 19:05"], pd.Timestamp(2021, 5, 6, 7, 8), "5/6/2021 7:08"),
        (["09:30", "19:45"], pd.Timestamp(1900, 1, 1, 7, 8, 9), "07:08"),
        (["2021-03-04 09:30:00.000", "2021-03-04 19:45:00.000"],
         pd.Timestamp(2021, 5, 6, 7, 8, 9), "2021-05-06 07:08:00.000"),
        (["2021-03-04T00:00:00Z", "2021-03-05T00:00:00Z"],
         pd.Timestamp(2021, 5, 6, 7, 8, 9), "2021-05-06T00:00:00Z"),
        (["2021-03-04 09:30:01.250", "2021-03-04 19:45:02.125"],
         pd.Timestamp(2021, 5, 6, 7, 8, 9, 123456), "2021-05-06 07:08:09.123"),
    ],
)  # fmt: skip
def test_new_values_are_spelled_like_those_of_the_file(
    cells: list[str], value: object, spelling: str, tmp_path: Path
) -> None:
    rows = [["v", "y"], *([cell, "ab"[i % 2]] for i, cell in enumerate(cells))]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    column = TrainingFile.read(tmp_path / "t.csv", "y").schema.column("v")
    assert column.spell(pd.Series([value])) == [spelling]


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
    ],
)
def test_a_column_is_what_all_its_cells_can_be(expected: str, cells: list[str]) -> None:
    assert kind(*cells) == expected


TRAIN = "age,price,when,zip,flag,gap,y\n" + "".join(
    f"{20 + i * i},${i}.50,2021-03-{1 + i:02d},0{1000 + i % 3},{'TRUE' if i % 2 else 'FALSE'},"
    f"{'' if i % 5 == 0 else i},{i % 2}\n"
    for i in range(20)
)
HEADER = TRAIN.splitlines()[0]
ROW = "33,$1.50,2021-03-04,01001,TRUE,3,1"


def test_rows(tmp_path: Path, content: str) -> tuple[pd.DataFrame, list[str]]:
    (tmp_path / "train.csv").write_text(TRAIN)
    (tmp_path / "test.csv").write_text(content)
    return TrainingFile.read(tmp_path / "train.csv", "y").read_test(tmp_path / "test.csv")


test_rows.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\n{ROW}\n",
        f"{HEADER}\n33.0,1.50,2021-03-04,01001,True,3.0,1.0\n",
        "y,gap,flag,zip,when,price,age\n1.0,3,true,01001,2021-03-04,1.5,33\n",
        HEADER.replace(",", ";") + "\n33;1,50;04.03.2021;01001;True;3,0;1,0\n",
    ],
    ids=["as in training", "as floats", "in another order", "of another country"],
)
def test_a_test_file_means_what_the_training_file_means(content: str, tmp_path: Path) -> None:
    if ";" in content:  # a second row, as one day may be any month
        content += "35;2,25;24.03.2021;01002;False;;0,0\n"
    rows, notes = test_rows(tmp_path, content)
    first = rows.iloc[0]
    assert first[HEADER.split(",")].tolist() == [
        33, 1.5, pd.Timestamp(2021, 3, 4), "01001", "TRUE", 3, 1
    ]  # fmt: skip
    assert notes == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("unknown,$1.5,2021-03-04,01001,TRUE,3,1", "column 'age' holds 'unknown', which is no"),
        ("33,$1.50,soon,01001,TRUE,3,1", "column 'when' holds 'soon', which is no date"),
        ("inf,$1.50,2021-03-04,01001,TRUE,3,1", "column 'age' holds 1 infinite values, the first"),
        ("33,1e999,2021-03-04,01001,TRUE,3,1", "column 'price' holds 1 infinite values, the first"),
        ("33,$1.50,2021-03-04,01001,TRUE,3,2", "the target 'y' is '2', a class that no"),
        ("33,$1.50,2021-03-04,01001,TRUE,3,maybe", "the target 'y' is 'maybe', a class that no"),
        ("33,$1.50,2021-03-04,01001,TRUE,3,", "the target 'y' is missing"),
    ],
)  # fmt: skip
def test_what_does_not_follow_is_named_by_file_line_column_and_value(
    row: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(TableError) as refused:
        test_rows(tmp_path, f"{HEADER}\n{ROW}\n{row}\n{ROW}\n")
    assert str(refused.value).startswith(f"{tmp_path / 'test.csv'}, line 3: {message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{HEADER}\n", "test.csv: the table has no rows"),
        ("", "test.csv is empty"),
        ("age,y\n1,1\n", "test.csv lacks columns of the training table: ['price', 'when', 'zip'"),
    ],
)
def test_a_test_file_without_rows_or_columns_is_refused(
    content: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(TableError) as refused:
        test_rows(tmp_path, content)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (f"{HEADER},more\n{ROW},5\n", "ignored, as the training table lacks them: ['more']"),
        (f"{HEADER}\n{ROW.replace('01001', '1001')}\n", "column 'zip' has words that no training"),
        (f"{HEADER}\n{ROW.replace('33,', ',')}\n", "column 'age' has 1 gaps, no training row has"),
        (f"{HEADER}\n{ROW.replace('33,', '3.5,')}\n", "column 'age' has 1 fractions, no training"),
    ],
)
def test_what_a_test_file_adds_is_said(content: str, note: str, tmp_path: Path) -> None:
    _, notes = test_rows(tmp_path, content)
    assert len(notes) == 1
    assert note in notes[0]


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        (["11,958", "800", "900"], "read as numbers: '11,958' is 11958"),
        (["?", "20", "3"], "'?' is read as a missing value"),
        (["01067", "09111", "09111"], "'01067' looks like a code"),
        (["01/02/2021", "03/04/2021", "03/04/2021"],
         "'01/02/2021' may be any of ['%d/%m/%Y', '%m/%d/%Y']"),
        (["20", "unknown", "30"], "'unknown' (t.csv, line 3) is no number like most others"),
        (["2021-03-04", "2021-03-05", "soon"], "'soon' (t.csv, line 4) is no date like most"),
        ([f"p{i}@x.org" for i in range(12)], "another word in every row, such as 'p0@x.org'"),
        ([str(i) for i in range(7, 19)], "counts the rows"),
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


def test_a_target_of_halves_is_a_class_if_the_user_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n1,0.5\n2,1.5\n3,0.5\n")
    with pytest.raises(TableError, match="is continuous .* name it a category in --dtypes"):
        TrainingFile.read(tmp_path / "t.csv", "y")
    file = TrainingFile.read(tmp_path / "t.csv", "y", {"y": "category"})
    assert file.table.classes.tolist() == ["0.5", "1.5"]


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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04 ", "is a zip archive or an Excel workbook; unpack it, or save the sheet"),
        (b"\xd0\xcf\x11\xe0", "is an Excel workbook; save the sheet as CSV"),
        (b"\x1f\x8b\x08\x00", "is a broken gzip file"),
        (b"PAR1 PAR1", "is a broken Parquet file"),
        (b"BZh91AY", "is a bz2 archive; unpack it"),
        (b"\x00\x01,\x02\n", "is a binary file"),
        (b'[{"a": 1}]', "is JSON; save the table as CSV"),
        (b"a,b,y,\n1,2,p,\n3,4,q,\n", "every line ends with ',', an empty column without a name"),
        (b"a,b,y\n1,2,p,\n3,4,q,\n", "line 2: 4 fields where the header has 3; does ',' stand in"),
        (b'a,y\n"1"2,p\n', "line 2: a quote is never closed, or text follows it"),
        (b'a,y\n"x\ny",p\n3\n', "line 4: 1 fields where the header has 2; is the file cut short?"),
        (b",,y\n1,2,p\n", "columns of the same name: ['']; rename them"),
    ],
)
def test_what_is_no_table_is_refused_with_the_way_out(
    content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(TableError) as refused:
        TrainingFile.read(tmp_path / "t.csv", "y")
    assert message in str(refused.value)
    assert "UTF-8" not in str(refused.value)


def test_parquet_of_nested_columns_is_refused_by_name(tmp_path: Path) -> None:
    columns = {"l": [[1], [2]], "y": ["a", "b"]}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="column 'l' has type list"):
        TrainingFile.read(tmp_path / "t.parquet", "y")
    parquet.write_table(pa.table({"t": [time(9, 30)], "y": ["a"]}), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="column 't' has type time64"):
        TrainingFile.read(tmp_path / "t.parquet", "y")
