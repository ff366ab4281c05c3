"""A test file follows the schema of the training file, or is refused by file, line and cell."""

from pathlib import Path

import pandas as pd
import pytest

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.files.training import TrainingFile

TRAIN = "age,price,when,zip,flag,gap,y\n" + "".join(
    f"{20 + i * i},${i}.50,2021-03-{1 + i:02d},0{1000 + i % 3},{'TRUE' if i % 2 else 'FALSE'},"
    f"{'' if i % 5 == 0 else i},{i % 2}\n"
    for i in range(20)
)
HEADER = TRAIN.splitlines()[0]
ROW = "33,$1.50,2021-03-04,01001,TRUE,3,1"


def read_test(tmp_path: Path, content: str) -> tuple[pd.DataFrame, list[str]]:
    (tmp_path / "train.csv").write_text(TRAIN)
    (tmp_path / "test.csv").write_text(content)
    return TrainingFile.read(tmp_path / "train.csv", "y").read_test(tmp_path / "test.csv")


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
    rows, notes = read_test(tmp_path, content)
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
        read_test(tmp_path, f"{HEADER}\n{ROW}\n{row}\n{ROW}\n")
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
        read_test(tmp_path, content)
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
    _, notes = read_test(tmp_path, content)
    assert len(notes) == 1
    assert note in notes[0]


def test_a_column_that_is_empty_in_training_stays_empty(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("x,e,y\n1,,p\n2,,q\n")
    (tmp_path / "test.csv").write_text("x,e,y\n1,word,p\n2,,q\n")
    file = TrainingFile.read(tmp_path / "train.csv", "y")
    rows, notes = file.read_test(tmp_path / "test.csv")
    assert rows["e"].isna().all()
    assert rows.dtypes.equals(file.frame.dtypes)
    assert len(notes) == 1
    assert "column 'e' is ignored, as the training table has no value in it" in notes[0]


def follow(tmp_path: Path, training: list[str], cells: list[str]) -> tuple[pd.Series, list[str]]:
    """Read one column of a test file, given that of the training file."""
    for name, column in (("train.csv", training * 6), ("test.csv", cells)):
        rows = [f"{cell};{'pq'[row % 2]}" for row, cell in enumerate(column)]
        (tmp_path / name).write_text("\n".join(["v;y", *rows]))
    file = TrainingFile.read(tmp_path / "train.csv", "y")
    frame, notes = file.read_test(tmp_path / "test.csv")
    return frame["v"], notes


ZONED = ["2021-03-04T10:00:00Z", "2021-03-05T11:30:00Z"]


def test_a_time_in_another_zone_is_the_same_moment(tmp_path: Path) -> None:
    here, _ = follow(tmp_path, ZONED, ["2021-03-04T10:00:00Z", "2021-03-05T11:30:00Z"])
    there, notes = follow(
        tmp_path, ZONED, ["2021-03-04T15:30:00+05:30", "2021-03-05T17:00:00+05:30"]
    )
    assert there.equals(here)
    assert notes == []


@pytest.mark.parametrize(
    ("training", "cell", "message"),
    [
        (ZONED, "2021-03-04T15:30:00", "no date such as '2021-03-04T10:00:00Z'"),
        (["2021-03-04", "2021-03-05"], "2021-03-04T15:30:00Z", "no date such as '2021-03-04'"),
        (["1", "20"], "1" + "0" * 25, "integers over 64 bits, the first is '10000"),
        (["1", "20"], "9" * 5000, "infinite values, the first is '999"),
        (["$5", "$7"], "€5", "holds '€5', which is no number such as '$5'"),
        (["5", "7"], "5%", "holds '5%', which is no number such as '5'"),
    ],
)
def test_a_cell_with_another_unit_zone_or_size_is_refused(
    training: list[str], cell: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(TableError) as refused:
        follow(tmp_path, training, [cell])
    assert message in str(refused.value)
    assert "line 2: column 'v'" in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_share_without_its_sign_is_said(tmp_path: Path) -> None:
    _, notes = follow(tmp_path, ["41%", "3%"], ["0.41", "0.03"])
    assert "has cells without '%', read as if they had it: '0.41'" in notes[0]


def test_a_letter_in_two_signs_is_the_letter(tmp_path: Path) -> None:
    values, notes = follow(tmp_path, ["\N{LATIN SMALL LETTER E WITH ACUTE}", "b"], ["e\u0301"])
    assert values.tolist() == ["\N{LATIN SMALL LETTER E WITH ACUTE}"]
    assert notes == []


@pytest.mark.parametrize("other", ["v2.0", "1.2.0", "a 2.0"])
def test_only_a_number_means_the_same_without_its_zeros(other: str, tmp_path: Path) -> None:
    words = [other.removesuffix(".0"), "b", "2"]
    values, notes = follow(tmp_path, words, [other, "2.0"])
    assert values.tolist() == [other, "2"]
    assert (
        f"column 'v' has words that no training row has, read as missing: [{other!r}]" in notes[0]
    )


@pytest.mark.parametrize(
    ("training", "cells", "values"),
    [
        (["0,512", "12,500"], ["1,234", "2,345"], [1.234, 2.345]),
        (["0,512", "12,500"], ["1", "2,345"], [1, 2.345]),
        (["0,512", "12,500"], ["1.5", "2.345"], [1.5, 2.345]),
        (["1.234,5", "2,25"], ["1.234", "2.5"], [1.234, 2.5]),
        (["1.234,5", "2,25"], ["1.234", "2.345"], [1234, 2345]),
        (["1,234.5", "2.25"], ["1,234", "2,345"], [1234, 2345]),
        (["0.512", "2.25"], ["0,512", "2,345"], [0.512, 2.345]),
    ],
)
@pytest.mark.parametrize("between", ["\t", ";"])
def test_marks_are_those_of_training_unless_the_test_file_shows_others(
    training: list[str], cells: list[str], values: list[float], between: str, tmp_path: Path
) -> None:
    for name, column in (("train.tsv", training * 6), ("test.tsv", cells)):
        rows = [f"{cell}{between}{'pq'[row % 2]}" for row, cell in enumerate(column)]
        (tmp_path / name).write_text("\n".join([f"v{between}y", *rows]))
    file = TrainingFile.read(tmp_path / "train.tsv", "y")
    assert file.read_test(tmp_path / "test.tsv")[0]["v"].tolist() == values


def test_a_test_file_without_the_target_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="lacks the target 'y', without which nothing can be"):
        read_test(tmp_path, HEADER.removesuffix(",y") + "\n" + ROW.removesuffix(",1"))
