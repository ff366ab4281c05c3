"""People's tables: what goes in comes out as it was spelled, and other files follow the first."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.files.delimited import read_delimited
from autogluon_causalmix.files.sheet import Cell
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
    "German": "\ufeffk;l;m;n;y\r\n"
    "3,5;1.234,50;04.03.2021;41 %;1\r\n2,25;958,00;14.03.2021;7 %;0\r\n",
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
    rows: list[list[str]], delimiter: str, newline: str, quoting: Literal[0, 1]
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
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    newline: str,
    quoting: Literal[0, 1],
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
    """Return cells with those made equal that may be a missing value, or are one number."""
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
        (b'\xef\xbb\xbf[\n  {\n "a": 1}]', "is JSON; save the table as CSV"),
        (b'\n<?xml version="1.0"?><a/>', "is XML; save the table as CSV"),
        (b"@relation t\n@data\n1,p\n", "is an ARFF file; save the table as CSV"),
        (b"\x80\x04\x95\xff\x00", "is a binary file"),
        ("a,y\n1,p\n".encode("utf-16-le"), "is a binary file"),
        (b"a y\n1 p\n", "does no comma, semicolon, tab or bar stand between its cells?"),
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
