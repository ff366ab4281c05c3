"""The `causalmix` command, as a person would use and misuse it."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix.cli import app, demo


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
    assert list(board["arm"]) == ["zero-shot", "fine-tuned", "CausalMix"]
    assert board["roc_auc"].between(0.8, 1).all()
    assert "CausalMix kept the" in capsys.readouterr().out
    before = Path("out/report.html").stat().st_mtime_ns
    assert causalmix(*arguments) == 2, "nothing is overwritten unless asked for"
    assert Path("out/report.html").stat().st_mtime_ns == before
    assert "--force" in capsys.readouterr().err


def test_the_verdict_of_the_demo_claims_no_win_that_it_did_not_see() -> None:
    losses = {"zero-shot": [0.5, 0.4], "fine-tuned": [0.3, 0.3], "CausalMix": [0.4, 0.4]}
    rows = [
        {"table": "wine", "split": split, "arm": arm, "log_loss": loss}
        for arm, of_splits in losses.items()
        for split, loss in enumerate(of_splits)
    ]
    said = demo.verdict(pd.DataFrame(rows))
    assert "over zero-shot +0.0500 ± 0.0707 (better on 1, worse on 0 of 2 splits)" in said
    assert "over fine-tuned -0.1000 ± 0.0000 (better on 0, worse on 2 of 2 splits)" in said


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
        (split, arm) for split in (0, 1) for arm in ("CausalMix", "fine-tuned", "zero-shot")
    ]
    assert scores["roc_auc"].between(0.9, 1).all()
    mean = scores[scores["arm"] == "CausalMix"]["log_loss"].mean()
    assert f"{mean:.3f} ± " in capsys.readouterr().out


def test_a_table_beyond_the_limits_of_the_model_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pd.DataFrame({"a": range(120), "y": [f"class {i % 12}" for i in range(120)]}).to_csv(
        "twelve.csv", index=False
    )
    assert causalmix("fit", "twelve.csv", "-t", "y", "--backbone", "mini") == 2
    assert "has 12 classes, the model takes at most 10" in capsys.readouterr().err
    assert [path.name for path in Path().rglob("*") if path.is_file()] == ["twelve.csv"]


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
        (["augment", "train.csv", "-t", "ill", "-o", "train.csv"], "train.csv exists"),
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
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    assert causalmix(*arguments) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert "Traceback" not in told.out + told.err
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before
    assert not Path("out").exists()
