"""The `causalmix` command, as a person would use and misuse it."""

import json
import logging
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from autogluon_causalmix.cli import app, demo, options, terminal
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.files.training import TrainingFile
from autogluon_causalmix.report.page import write_page
from autogluon_causalmix.report.pictures import save
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.whole import written_whole


def causalmix(*arguments: object) -> int:
    """Run the command in this process and return its exit code."""
    sys.argv = ["causalmix", *map(str, arguments)]
    with pytest.raises(SystemExit) as stop:
        app.main()
    return int(stop.value.code or 0)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(terminal.console, "quiet", False)  # again, after --quiet


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """A table whose label depends on a number; one column is text, one lacks values."""
    rng = np.random.default_rng(0)
    number = rng.normal(size=80)
    frame = pd.DataFrame(
        {"number": number, "colour": rng.choice(["red", "blue"], 80), "other": rng.normal(size=80)}
    )
    frame.loc[::7, "other"] = np.nan
    frame = frame.assign(ill=np.where(number + 0.5 * rng.normal(size=80) > 0, "yes", "no"))
    path = tmp_path / "train.csv"
    frame.to_csv(path, index=False)
    return path


def test_augment_writes_rows_like_the_real_ones(train: Path) -> None:
    assert causalmix("augment", train, "--target", "ill", "-n", 50, "-o", "synthetic.csv") == 0
    real, synthetic = pd.read_csv(train), pd.read_csv(Path("synthetic.csv"))
    assert len(synthetic) == 50
    assert list(synthetic.columns) == list(real.columns)
    assert set(synthetic["colour"]) <= {"red", "blue"}
    by_label = synthetic.groupby("ill")["number"].mean()
    assert by_label["yes"] > by_label["no"] + 0.5, (
        "the synthetic label depends on the number as the real one does"
    )


def test_the_same_seed_writes_the_same_file(train: Path) -> None:
    for name in ("a.csv", "b.csv"):
        causalmix("augment", train, "-t", "ill", "-n", 30, "--seed", 7, "-o", name)
    causalmix("augment", train, "-t", "ill", "-n", 30, "--seed", 8, "-o", "c.csv")
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes() != Path("c.csv").read_bytes()


def test_counterfactual_writes_the_rows_asked_about_as_they_would_have_been(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.read_csv(train).head(20).to_csv("asked.csv", index=False)
    question = ("counterfactual", train, "asked.csv", "-t", "ill", "-o", "had.csv")
    known = '{"name": "scm", "discoverer": "no-edges", "required": [["number", "ill"]]}'
    assert causalmix(*question, "--do", "number=3", "--generator", known) == 0
    asked, had = pd.read_csv("asked.csv"), pd.read_csv("had.csv")
    assert (had["number"] == 3).all()
    assert (had["ill"] == "yes").mean() > 0.9 > (asked["ill"] == "yes").mean()
    pd.testing.assert_frame_equal(had[["colour", "other"]], asked[["colour", "other"]])
    assert "of these 20 rows; would have been" in " ".join(capsys.readouterr().out.split())
    assert causalmix(*question, "--do", "number=3") == 2  # had.csv exists


def test_graph_draws_the_edge_that_is_there(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert causalmix("graph", train, "-t", "ill", "-o", "graph.svg") == 0
    assert "<svg" in Path("graph.svg").read_text()
    strongest = next(line for line in capsys.readouterr().out.splitlines() if "→" in line)
    assert {"number", "ill"} <= set(strongest.replace("│", " ").split())


def test_graph_says_where_nothing_was_looked_for(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.read_csv(train).head(15).to_csv("few.csv", index=False)
    assert causalmix("graph", "few.csv", "-t", "ill", "-o", "graph.svg") == 0
    assert "note: 15 rows are too few for discovery" in " ".join(capsys.readouterr().out.split())


def test_plugins_lists_everything_with_its_origin(capsys: pytest.CaptureFixture[str]) -> None:
    assert causalmix("plugins") == 0
    out = capsys.readouterr().out
    for name in ("scm", "bootstrap", "mini", "tabpfn", "autogluon-causalmix"):
        assert name in out


@pytest.mark.slow
def test_fit_leaves_report_leaderboard_and_predictor(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "fit",
        train,
        "-t",
        "ill",
        "--test",
        train,
        "-o",
        "out",
        "--backbone",
        "mini",
        "--generator",
        "bootstrap",
    ]
    assert causalmix(*arguments) == 0
    assert {path.name for path in Path("out").iterdir()} == {
        "predictor", "report.html", "leaderboard.csv", "fit_report.json"
    }  # fmt: skip
    board = pd.read_csv("out/leaderboard.csv")
    assert list(board["arm"]) == ["zero-shot", "fine-tuned", "bootstrap", "CausalMix"]
    assert (board["steps"][1:] > 0).all()
    assert board["roc_auc"].between(0.8, 1).all()
    assert "CausalMix kept the" in capsys.readouterr().out
    before = Path("out/report.html").stat().st_mtime_ns
    assert causalmix(*arguments) == 2, "nothing is overwritten unless asked for"
    assert Path("out/report.html").stat().st_mtime_ns == before
    assert "--force" in capsys.readouterr().err


@pytest.mark.slow
def test_demo_leaves_table_picture_and_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "TABLES", {"wine": demo.wine})
    monkeypatch.setattr(demo, "SPLITS", 2)
    assert causalmix("demo") == 0
    assert {path.name for path in Path("causalmix-demo").iterdir()} == {
        "report.html",
        "arms.svg",
        "scores.csv",
    }
    scores = pd.read_csv("causalmix-demo/scores.csv")
    assert sorted(zip(scores["split"], scores["arm"], strict=True)) == [
        (split, arm)
        for split in (0, 1)
        for arm in ("CausalMix", "bootstrap", "fine-tuned", "zero-shot")
    ]
    assert scores["roc_auc"].between(0.9, 1).all()
    mean = scores[scores["arm"] == "CausalMix"]["log_loss"].mean()
    assert f"{mean:.3f} ± " in capsys.readouterr().out


def test_a_table_beyond_the_limits_of_the_model_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pd.DataFrame({"a": range(404), "y": [f"class {i % 101}" for i in range(404)]}).to_csv(
        "many.csv", index=False
    )
    assert causalmix("fit", "many.csv", "-t", "y", "--backbone", "mini") == 2
    assert "has 101 classes, the model takes at most 100" in capsys.readouterr().err
    assert [path.name for path in Path().rglob("*") if path.is_file()] == ["many.csv"]


GOOD = b"a,b,y\n1,x,no\n2,x,yes\n3,z,no\n"
BAD_FILES = [
    (b"", "is empty"),
    (b"  \n\n", "is empty"),
    (b"a,b,y\n", "no rows"),
    (GOOD + b"4,x", "line 5: 2 fields where the header has 3; is the file cut short"),
    (GOOD + b'4,"x', "is the file cut short"),
    (GOOD + "5,käse,no\n".encode("latin-1"), "not UTF-8"),
    (b"a,a,y\n1,2,no\n", "columns of the same name: ['a']"),
    (b"a,b\n1,2\n", "the target 'y' is not a column"),
    (b"y\nno\n", "no feature"),
    (b"a,y\n1,0.5\n2,0.25\n3,0.1\n", "is continuous"),
    (b"a,y\n1,no\n2,\n", "is missing in 1 rows"),
    (b"a,y\ninf,no\n2,yes\n", "column 'a' holds 1 infinite"),
]


@pytest.mark.parametrize(("content", "message"), BAD_FILES)
@pytest.mark.parametrize("command", ["augment", "fit", "graph"])
def test_a_bad_file_is_one_line_and_writes_nothing(
    command: str, content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.csv").write_bytes(content)
    out = "graph.svg" if command == "graph" else "result"
    assert causalmix(command, "bad.csv", "-t", "y", "-o", out) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert "bad.csv" in told.err
    assert told.err.count("\n") == 1
    assert "Traceback" not in told.out + told.err
    assert [path.name for path in Path().iterdir()] == ["bad.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["augment", "nowhere.csv", "-t", "ill", "-o", "s.csv"],
            "nowhere.csv cannot be read: No such file",
        ),
        (["augment", "train.csv", "-t", "ill", "-o", "s.csv", "--seed", "-1"], "seeds are 0 to"),
        (["graph", "train.csv", "-t", "ill", "--seed", "4294967296"], "seeds are 0 to 4294967295"),
        (["fit", "train.csv", "-t", "ill", "--seed", "one"], "Invalid value for '--seed'"),
        (["fit", "train.csv", "-t", "ill", "--sede", "1"], "No such option: --sede"),
        (["fit", "train.csv", "-t", "ill", "--time-limit", "inf"], "inf is no number of seconds"),
        (["augment", "train.csv", "-t", "ill"], "Missing option '--out'"),
        (["argument"], "No such command 'argument'"),
        (
            ["augment", "train.csv", "-t", "ill", "-o", "s.xlsx"],
            ".xlsx is not written; choose .csv",
        ),
        (
            ["augment", "train.csv", "-t", "ill", "-o", "s.csv", "--generator", "{scm}"],
            "--generator: {scm} is no JSON",
        ),
        (
            ["fit", "train.csv", "-t", "ill", "--generator", '{"name": "scm", "graph": 3}'],
            "has no option 'graph'",
        ),
        (
            ["graph", "train.csv", "-t", "ill", "--dtypes", '{"colour": "hue"}'],
            "column 'colour' has the unknown type 'hue'; choose from",
        ),
        (
            ["graph", "train.csv", "-t", "ill", "--dtypes", "types.json"],
            "types.json cannot be read: No such file",
        ),
        (["augment", "train.csv", "-t", "ill", "-o", "train.csv"], "train.csv exists"),
        (["augment", "train.csv", "-t", "ill", "-o", "train.csv", "--force"], "is read: choose"),
        (["augment", "train.csv", "-t", "ill", "-o", "link.csv", "--force"], "is read: choose"),
        (["fit", "o/predictor/t.csv", "-t", "ill", "-o", "o", "--force"], "is read: choose"),
        (["fit", "o/report.html", "-t", "ill", "-o", "o", "--force"], "is read: choose"),
        (["augment", "train.csv", "-t", "ill", "-o", "s.pkl"], ".pkl is not written; choose .csv"),
        (["augment", "train.csv", "-t", "ill", "-o", ""], "is a folder; choose another"),
        (["augment", "train.csv", "-t", "ill", "-o", "no/folder/s.csv"], "does not exist"),
        (
            ["augment", "train.csv", "-t", "ill", "-o", "s.csv", "--generator", "gan"],
            "no generator 'gan'; choose from",
        ),
        (["graph", "train.csv", "-t", "ill", "-o", "graph.txt"], "must end in .svg or .png"),
        (
            ["fit", "train.csv", "-t", "ill", "--backbone", "bert"],
            "no backbone 'bert'; choose from",
        ),
        (["fit", "train.csv", "-t", "ill", "--backbone", "gone.ckpt"], "gone.ckpt"),
        (["fit", "train.csv", "-t", "ill", "--test", "other.csv"], "other.csv lacks columns"),
        (["fit", "other.csv", "-t", "ill"], "has a single class, 'yes': nothing to predict"),
        (["fit", "train.csv", "-t", "ill", "-o", "train.csv", "--force"], "train.csv is no folder"),
        (["augment", "train.csv", "-t", "ill", "-o", "folder", "--force"], "folder is a folder"),
    ],
)
def test_bad_arguments_are_one_line_and_write_nothing(
    arguments: list[str], message: str, train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("other.csv").write_text("number,ill\n1,yes\n")
    Path("folder").mkdir()
    Path("link.csv").symlink_to("train.csv")
    Path("o/predictor").mkdir(parents=True)
    for copy in ("o/predictor/t.csv", "o/report.html"):
        Path(copy).write_bytes(train.read_bytes())
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert causalmix(*arguments) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.count("\n") == 1
    assert "Traceback" not in told.out + told.err
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    assert not Path("out").exists()


def test_without_arguments_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert causalmix() == 0
    assert "augment" in capsys.readouterr().out


def test_rows_of_the_bootstrap_are_lines_of_the_file() -> None:
    rng = np.random.default_rng(0)
    lines = [
        f"{float(rng.normal())!r};{rng.choice(['TRUE', 'NA'])};0{i};{i % 7},50;{'pq'[i % 2]}"
        for i in range(60)
    ]
    Path("t.csv").write_text("\n".join(["x;flag;code;price;y", *lines, ""]))
    arguments = ["t.csv", "-t", "y", "-n", 200, "-o", "s.csv", "--generator", "bootstrap"]
    assert causalmix("augment", *arguments) == 0
    header, *drawn = Path("s.csv").read_text().splitlines()
    assert header == "x;flag;code;price;y"
    assert len(drawn) == 200
    assert set(drawn) <= set(lines)


def test_synthetic_rows_keep_the_grid_of_every_column() -> None:
    rng = np.random.default_rng(0)
    days = pd.Timestamp(2021, 1, 1) + pd.to_timedelta(rng.integers(0, 700, 80), unit="D")
    frame = pd.DataFrame(
        {
            "income": np.where(rng.random(80) > 0.9, "", rng.integers(1000, 9000, 80).astype(str)),
            "price": [f"${value:,.2f}" for value in rng.gamma(2, 900, 80)],
            "share": [f"{value}%" for value in rng.integers(0, 100, 80)],
            "day": days.strftime("%d.%m.%Y"),
            "hour": [f"{hour:02d}:30" for hour in rng.integers(0, 24, 80)],
            "y": rng.choice(["NA", "EU"], 80),
        }
    )
    frame.to_csv("t.csv", index=False)
    assert causalmix("augment", "t.csv", "-t", "y", "-n", 300, "-o", "s.csv") == 0
    drawn = pd.read_csv("s.csv", dtype=str, keep_default_na=False)
    for name, pattern in {
        "income": r"|-?\d+",
        "price": r"-?\$(\d|,\d{3})+\.\d\d",
        "share": r"-?\d+%",
        "day": r"\d\d\.\d\d\.202\d",
        "hour": r"\d\d:\d\d",
        "y": "NA|EU",
    }.items():
        assert drawn[name].str.fullmatch(pattern).all(), drawn[name].head()
    assert (drawn["income"] == "").mean() == pytest.approx((frame["income"] == "").mean(), abs=0.1)


def test_options_of_a_generator_are_json(train: Path) -> None:
    star = '{"name": "scm", "discoverer": "target-star", "graphs": 2}'
    arguments = ["augment", train, "-t", "ill", "-n", 30]
    assert causalmix(*arguments, "-o", "a.csv", "--generator", star) == 0
    assert causalmix(*arguments, "-o", "b.csv") == 0
    assert Path("a.csv").read_bytes() != Path("b.csv").read_bytes()


MARKUP = ["weight [kg]", "flow [/h]", "[bold]x[/bold]", ":smile:", "\\[red]"]


def test_names_labels_and_paths_are_printed_as_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    frame = pd.DataFrame({name: x + 0.1 * rng.normal(size=60) for name in MARKUP})
    frame["[/y]"] = np.where(x > 0, "[red]", "[/red]")
    frame.to_csv("run [v1].csv", index=False)
    arguments = ["run [v1].csv", "-t", "[/y]", "-o", "graph [v1].svg"]
    assert causalmix("graph", *arguments) == 0
    out = capsys.readouterr().out
    assert [name for name in [*MARKUP, "[/y]", "graph [v1].svg"] if name not in out] == []
    assert causalmix("graph", *arguments) == 2
    assert "error: graph [v1].svg exists" in capsys.readouterr().err
    assert causalmix("graph", "run [v1].csv", "-t", "[z]") == 2
    assert "the target '[z]' is not a column" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_an_encoding_lacks_is_replaced(encoding: str, train: Path) -> None:
    frame = pd.read_csv(train).rename(columns={"number": "Größe Ω"})
    frame.to_csv(train, index=False)
    command = [str(Path(sys.executable).parent / "causalmix"), "graph", str(train), "-t", "ill"]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        timeout=240,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )
    said = done.stdout.decode(encoding)
    assert done.returncode == 0, done.stderr
    assert ("Größe ? -> ill" if encoding == "cp1252" else "Gr??e ? -> ill") in said


class Talkative:
    """A generator that falls back, and says so in the log."""

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "Talkative":
        logging.getLogger("autogluon.causalmix").warning("\tfell back to [the] rows")
        self.table = table
        return self

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        return self.table.take(np.zeros(n_rows, dtype="int64"))


def test_augment_prints_what_the_generator_logs_once(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = f"{__name__}:Talkative"
    arguments = ["augment", train, "-t", "ill", "-n", 3, "-o", "s.csv", "--generator", generator]
    assert causalmix(*arguments) == 0
    told = capsys.readouterr()
    assert (told.out + told.err).count("fell back") == 1
    assert "note: fell back to [the] rows\n" in told.out


NOTHING = {
    "constant": (["1"] * 40, "noyes", "there is nothing to learn from"),
    "empty": ([""] * 40, "noyes", "there is nothing to learn from"),
    "identifier": ([f"i{i}" for i in range(40)], "noyes", "there is nothing to learn from"),
    "two rows": (["1", "2"], "noyes", "less than two classes with 2 rows or more"),
    "many classes": (
        [str(i) for i in range(120)],
        "classes",
        "has 120 classes, the model takes at",
    ),
}


@pytest.mark.parametrize("name", NOTHING)
def test_a_table_that_teaches_nothing_is_one_line_before_the_fit(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cells, labels, message = NOTHING[name]
    given = ["no" if i % 2 else "yes" for i in range(len(cells))]
    if labels == "classes":
        given = [f"n{i}" for i in range(len(cells))]
    rows = [f"{cell},{label}" for cell, label in zip(cells, given, strict=True)]
    Path("t.csv").write_text("\n".join(["c,y", *rows, ""]))
    assert causalmix("fit", "t.csv", "-t", "y", "--backbone", "mini") == 2
    told = capsys.readouterr()
    assert told.err.startswith("error: t.csv: the")
    assert message in told.err
    assert told.err.count("\n") == 1
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("many,red,1.5,yes", "test.csv, line 2: column 'number' holds 'many', which is no number"),
        ("1.5,red,inf,yes", "test.csv, line 2: column 'other' holds 1 infinite values"),
        ("1.5,red,1.5,maybe", "test.csv, line 2: the target 'ill' is 'maybe', a class that no"),
        ("", "test.csv: the table has no rows"),
    ],
)
def test_a_wrong_test_file_is_one_line_before_the_fit(
    row: str, message: str, train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("test.csv").write_text(f"number,colour,other,ill\n{row}\n")
    arguments = ["fit", train, "-t", "ill", "--test", "test.csv", "--backbone", "mini"]
    assert causalmix(*arguments) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.count("\n") == 1
    assert not Path("out").exists()


def test_what_autogluon_raises_is_one_line(
    train: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise AssertionError("no space\nleft for [models]")

    monkeypatch.setattr("autogluon.tabular.TabularPredictor.fit", fail)
    assert causalmix("fit", train, "-t", "ill", "--backbone", "mini") == 2
    told = capsys.readouterr()
    (line,) = [line for line in told.err.splitlines() if line.startswith("error")]
    assert line.endswith("AssertionError: no space left for [models]")
    assert not Path("out/predictor").exists()


@pytest.mark.slow
def test_autogluon_solves_the_problem_that_was_announced(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(8) * 100, 10)  # AutoGluon would guess a regression
    pd.DataFrame({"x": label + rng.normal(size=80), "y": label}).to_csv("t.csv", index=False)
    pd.DataFrame({"x": label, "y": label.astype(float)}).to_csv("test.csv", index=False)
    arguments = ["--test", "test.csv", "--backbone", "mini", "--generator", "bootstrap"]
    assert causalmix("fit", "t.csv", "-t", "y", *arguments) == 0
    assert pd.read_csv("out/leaderboard.csv")["roc_auc"].min() > 0.9
    assert "80 rows, 1 features, 8 classes of 'y'" in capsys.readouterr().out


@pytest.mark.slow
def test_a_class_that_autogluon_leaves_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{x:.3f},{'ab'[i % 2]}" for i, x in enumerate(rng.normal(size=60))]
    Path("t.csv").write_text("\n".join(["x,y", *rows, "0.5,rare", ""]))
    arguments = ["fit", "t.csv", "-t", "y", "--backbone", "mini", "--generator", "bootstrap"]
    assert causalmix(*arguments) == 0
    out = capsys.readouterr().out
    assert "note: AutoGluon left out classes with too few rows" in out
    assert "probability 0: ['rare']" in out


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "error: interrupted"),
        (MemoryError("no room"), 2, "error: out of memory (no room); ask for fewer rows"),
        (OSError("two\nlines"), 2, "error: two lines"),
    ],
)
def test_what_ends_a_command_is_one_line(
    error: BaseException,
    code: int,
    message: str,
    train: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("autogluon_causalmix.files.training.TrainingFile.read", fail)
    assert causalmix("augment", train, "-t", "ill", "-o", "s.csv") == code
    assert capsys.readouterr().err == message + "\n"


def test_a_parquet_file_is_one_in_capitals_too(train: Path) -> None:
    arguments = ("-t", "ill", "-n", 9, "--generator", "bootstrap", "-o", "S.PARQUET")
    assert causalmix("augment", train, *arguments) == 0
    assert len(pd.read_parquet("S.PARQUET")) == 9


def test_a_narrow_terminal_shortens_no_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal.console, "_width", 0)
    assert causalmix("plugins") == 0
    told = capsys.readouterr().out
    assert "bootstrap" in told
    assert "\N{HORIZONTAL ELLIPSIS}" not in told


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert causalmix("--version") == 0
    assert capsys.readouterr().out == f"causalmix {version('autogluon-causalmix')}\n"


def test_rows_on_the_standard_output_are_those_of_the_file(
    train: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    arguments = ("augment", train, "-t", "ill", "-n", 20, "--generator", "bootstrap")
    assert causalmix(*arguments, "-o", "rows.csv") == 0
    capfdbinary.readouterr()
    assert causalmix(*arguments, "-o", "-") == 0
    assert capfdbinary.readouterr().out == Path("rows.csv").read_bytes()


@pytest.mark.parametrize("name", ["rows.tsv", "rows.tsv.gz"])
def test_the_suffix_decides_what_stands_between_cells(name: str, train: Path) -> None:
    arguments = ("augment", train, "-t", "ill", "-n", 20, "--generator", "bootstrap")
    assert causalmix(*arguments, "-o", "rows.csv") == causalmix(*arguments, "-o", name) == 0
    pd.testing.assert_frame_equal(pd.read_csv("rows.csv"), pd.read_csv(name, sep="\t"))
    assert causalmix("augment", name, *arguments[2:], "-o", "again.csv") == 0
    assert "\t" not in Path("again.csv").read_text()


def test_knowledge_of_a_file_forbids_the_edge_that_is_there(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [["number", "ill"], ["ill", "number"]]
    Path("known.json").write_text(json.dumps({"forbidden": both}))
    arguments = ("graph", train, "-t", "ill", "--generator", "scm:graphs=1", "-o", "graph.svg")
    assert causalmix(*arguments, "--knowledge", "known.json") == 0
    edges = [line for line in capsys.readouterr().out.splitlines() if "→" in line]
    assert not any("number" in line and "ill" in line for line in edges)
    Path("known.json").write_text(json.dumps({"tires": []}))
    assert causalmix(*arguments, "--knowledge", "known.json", "--force") == 2
    assert "--knowledge known.json: write a JSON object with any of" in capsys.readouterr().err


def test_a_generator_without_a_graph_is_refused(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert causalmix("graph", train, "-t", "ill", "--generator", "bootstrap", "-o", "g.svg") == 2
    assert "'bootstrap' has no causal graph; choose 'scm'" in capsys.readouterr().err


class Listing(Talkative):
    """Describes its graph as a list of edges."""

    def describe(self) -> dict[str, object]:
        return {"graph": {"edges": [["number", "ill"]]}}


def test_a_graph_in_a_generators_own_format_is_refused_by_name(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = f"{__name__}:Listing"
    assert causalmix("graph", train, "-t", "ill", "--generator", named, "-o", "g.svg") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"'{named}' describes a graph without 'nodes', with ['edges']" in said


def interrupted(*_: object, **__: object) -> None:
    """Stand in for a comparison that the user stops."""
    assert Path("out/.unfinished/process").read_text() == str(os.getpid())
    raise KeyboardInterrupt


def fit_left_by(process: int) -> None:
    Path("out/.unfinished/predictor").mkdir(parents=True)
    Path("out/.unfinished/process").write_text(str(process))


def test_a_fit_that_is_interrupted_leaves_nothing(
    train: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("autogluon_causalmix.comparison.compare", interrupted)
    assert causalmix("fit", train, "-t", "ill", "-o", "out", "--backbone", "mini") == 130
    assert not Path("out").exists()
    assert "nothing of this fit is kept in out" in capsys.readouterr().err


def test_a_fit_that_is_interrupted_leaves_the_one_that_it_was_to_replace(
    train: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autogluon_causalmix.comparison.compare", interrupted)
    Path("out/predictor").mkdir(parents=True)
    Path("out/predictor/part").touch()
    Path("out/report.html").write_text("earlier")
    fit = ("fit", train, "-t", "ill", "-o", "out", "--backbone", "mini", "--force")
    assert causalmix(*fit) == 130
    assert Path("out/predictor/part").exists()
    assert Path("out/report.html").read_text() == "earlier"
    assert not Path("out/.unfinished").exists()


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_the_folder_of_a_running_fit_is_refused(
    force: list[str], train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit_left_by(os.getppid())  # a process that runs
    assert causalmix("fit", train, "-t", "ill", "-o", "out", "--backbone", "mini", *force) == 2
    told = capsys.readouterr().err
    assert f"a fit still runs in out (process {os.getppid()}); choose another --out" in told
    assert Path("out/.unfinished/predictor").exists()


def test_the_folder_of_a_fit_whose_process_is_gone_is_taken(
    train: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("autogluon_causalmix.comparison.compare", interrupted)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    fit_left_by(gone.pid)
    assert causalmix("fit", train, "-t", "ill", "-o", "out", "--backbone", "mini") == 130
    assert "holds a fit that did not end: it begins anew" in capsys.readouterr().out


def test_a_killed_fit_does_not_give_leave_to_overwrite_an_earlier_one(
    train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    fit_left_by(gone.pid)
    Path("out/report.html").write_text("earlier")
    assert causalmix("fit", train, "-t", "ill", "-o", "out", "--backbone", "mini") == 2
    assert "out exists; choose another --out, or --force" in capsys.readouterr().err
    assert Path("out/report.html").read_text() == "earlier"


def test_quiet_prints_nothing(train: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("augment", train, "-t", "ill", "-n", 5, "--generator", "bootstrap", "-o", "a.csv")
    assert causalmix(*arguments, "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert causalmix(*arguments, "--force") == 0
    assert "5 rows" in capsys.readouterr().out


SPELLED = "day;price;key;dose;truth;y\n" + "".join(
    f"{1 + i:02d}/04/2021;{i},50;{2**53 + i};{i},0;{'TRUE' if i % 2 else 'FALSE'};{i % 2},0\n"
    for i in range(20)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("day=03/04/2021", pd.Timestamp(2021, 4, 3)),
        ("price=3,50", 3.5),
        ("price=3,5", 3.5),
        ("price=3.5", 3.5),
        ("key=9007199254740993", 2**53 + 1),
        ("dose=3,0", 3),
        ("dose=3", 3),
        ("truth=True", "TRUE"),
        ("y=1", 1),
        ("y=1,0", 1),
    ],
)
def test_values_are_read_as_the_file_spells_them(text: str, value: object) -> None:
    Path("t.csv").write_text(SPELLED)
    file = TrainingFile.read(Path("t.csv"), "y")
    found = options.assignments("--where", [text], file.table, file.schema)
    assert found == {text.partition("=")[0]: value}
    assert isinstance(next(iter(found.values())), float) == (value == 3.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("day=soon", "'soon' is no date of column 'day'; write it as the file does, as in '"),
        ("day=2021-04-03", "/04/2021'"),
        ("price=", "'' is no number of column 'price'"),
        ("truth=maybe", "choose from ['FALSE', 'TRUE']"),
    ],
)
def test_a_value_that_the_file_would_not_spell_so_is_refused(text: str, message: str) -> None:
    Path("t.csv").write_text(SPELLED)
    file = TrainingFile.read(Path("t.csv"), "y")
    with pytest.raises(ConfigError) as refused:
        options.assignments("--do", [text], file.table, file.schema)
    assert message in str(refused.value)


def test_drawn_rows_have_the_day_that_was_asked_for() -> None:
    Path("t.csv").write_text(SPELLED)
    asked = ("augment", "t.csv", "-t", "y", "-n", 5, "--generator", "bootstrap", "-o", "s.csv")
    assert causalmix(*asked, "--where", "day=03/04/2021") == 0
    assert {line.split(";")[0] for line in Path("s.csv").read_text().splitlines()[1:]} == {
        "03/04/2021"
    }


@contextmanager
def full_disk(room: int = 1000) -> Iterator[None]:
    """Let no file grow longer than `room` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.parquet"])
def test_a_file_stays_where_the_new_one_cannot_be_written(
    name: str, train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = ("augment", train, "-t", "ill", "-n", 200, "--generator", "bootstrap", "-o", name)
    assert causalmix(*drawn) == 0
    before = Path(name).read_bytes()
    with full_disk():
        code = causalmix(*drawn, "--force", "--seed", 1)
    assert code == 2
    assert "File too large" in capsys.readouterr().err
    assert Path(name).read_bytes() == before
    assert {path.name for path in Path().iterdir()} == {"train.csv", name}
    assert causalmix(*drawn, "--force", "--seed", 1) == 0
    assert Path(name).read_bytes() != before


def test_pages_and_pictures_stay_where_new_ones_cannot_be_written() -> None:
    def write(title: str) -> None:
        write_page("page.html", {}, title=title)

    for path, write_one in ((Path("page.html"), write), (Path("p.svg"), draw)):
        write_one("old")
        before = path.read_bytes()
        with full_disk(), pytest.raises(OSError, match="File too large"):
            write_one("new")
        assert path.read_bytes() == before
    assert {path.name for path in Path().iterdir()} == {"page.html", "p.svg"}


def draw(title: str) -> None:
    figure = Figure()
    figure.suptitle(title)
    save(figure, "p.svg")


def test_a_link_and_the_rights_of_a_file_stay(train: Path) -> None:
    Path("real.csv").touch(mode=0o640)
    Path("link.csv").symlink_to("real.csv")
    drawn = ("augment", train, "-t", "ill", "-n", 5, "--generator", "bootstrap")
    assert causalmix(*drawn, "-o", "link.csv", "--force") == 0
    assert Path("link.csv").is_symlink()
    assert len(Path("real.csv").read_text().splitlines()) == 6
    assert Path("real.csv").stat().st_mode & 0o777 == 0o640
    os.mkfifo("pipe")
    with written_whole("pipe") as place:
        assert place == Path("pipe").resolve(), "nothing takes the place of a pipe"
    assert Path("pipe").is_fifo()


def test_quiet_rows_on_the_standard_output_come_without_notes(
    train: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    frame = pd.read_csv(train).assign(price=[f"${i},000" for i in range(1, 81)])
    frame.to_csv("noted.csv", index=False)
    drawn = ("augment", "noted.csv", "-t", "ill", "-n", 5, "--generator", "bootstrap", "-o", "-")
    assert causalmix(*drawn) == 0
    assert "note: " in capfd.readouterr().err
    assert causalmix(*drawn, "--quiet") == 0
    rows, said = capfd.readouterr()
    assert (len(rows.splitlines()), said) == (6, "")
