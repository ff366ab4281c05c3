"""`causalmix fidelity`: a table, a JSON file and one self-contained page."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fidelity_cases import clusters

from autogluon_causalmix import FidelityReport, measure_fidelity
from autogluon_causalmix.cli import app
from autogluon_causalmix.report.fidelity import write_fidelity_page
from autogluon_causalmix.report.floors import draw_floors


def causalmix(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr("sys.argv", ["causalmix", *arguments])
    with pytest.raises(SystemExit) as done:
        app.main()
    return done.value.code or 0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    for name, rows in (("real", 100), ("drawn", 90), ("unseen", 120)):
        clusters(rows, rng).to_csv(tmp_path / f"{name}.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMAND = ["fidelity", "real.csv", "drawn.csv", "--target", "label", "--metric", "ks"]


def test_the_command_leaves_a_table_a_page_and_numbers(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--holdout", "unseen.csv", "--metric", "duplicates", "-o", "f.html"]
    assert causalmix(monkeypatch, *COMMAND, *more) == 0
    printed = capsys.readouterr().out
    assert re.search(r"ks +lower", printed)
    assert "Against real rows drawn again" in printed
    report = FidelityReport.read(folder / "f.json")
    assert [each.name for each in report.measurements] == ["ks", "duplicates"]
    assert (report.rows.real, report.rows.holdout, report.rows.compared) == (100, 120, 60)
    page = (folder / "f.html").read_text(encoding="utf-8")
    assert report.verdict in page
    assert f"{report.measurements[0].synthetic:.4f}" in page


def test_the_page_loads_nothing_and_runs_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert causalmix(monkeypatch, *COMMAND, "--holdout", "unseen.csv") == 0
    page = (folder / "fidelity.html").read_text(encoding="utf-8")
    assert "<script" not in page
    sources = re.findall(r"""(?:src|href)="([^"]*)""", page)
    assert len(sources) == 2
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)


@pytest.mark.parametrize(
    ("out", "said"),
    [("f.json", "--out is a page, its numbers go into f.json"), ("real.csv", "real.csv")],
)
def test_nothing_is_written_over_the_numbers_or_an_input(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    out: str,
    said: str,
) -> None:
    before = (folder / "real.csv").read_bytes()
    assert causalmix(monkeypatch, *COMMAND, "-o", out, "--force") == 2
    assert said in capsys.readouterr().err
    assert (folder / "real.csv").read_bytes() == before


def test_without_a_holdout_the_command_says_what_that_means(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert causalmix(monkeypatch, *COMMAND) == 0
    assert "note: no unseen real rows were given" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--metric", "kss"], "there is no metric 'kss'"),
        (["--holdout", "nowhere.csv"], "nowhere.csv"),
        (["--out", "real.csv"], "real.csv exists"),
        (["--out", "old.html"], "old.json exists"),
    ],
)
def test_what_is_refused_is_one_line_and_leaves_nothing(
    arguments: list[str],
    complaint: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "old.json").write_text("{}")
    before = sorted(folder.iterdir())
    assert causalmix(monkeypatch, *COMMAND, *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
    assert sorted(folder.iterdir()) == before


def test_names_of_columns_are_text_and_no_markup(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    odd = {"size": "<b>size</b>", "label": "a & b"}
    real, drawn, unseen = (clusters(60, rng).rename(columns=odd) for _ in range(3))
    report = measure_fidelity(real, drawn, "a & b", unseen, ["ks"])
    write_fidelity_page(tmp_path / "page.html", report, title="<i>title</i>")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>size</b>" not in page
    assert "&lt;i&gt;title&lt;/i&gt;" in page


def test_in_the_picture_better_is_to_the_right_and_the_bar_lies_between_the_floors() -> None:
    rng = np.random.default_rng(0)
    real, unseen = clusters(150, rng), clusters(150, rng)
    shifted = clusters(150, rng).assign(size=lambda rows: rows["size"] + 4.0)
    report = measure_fidelity(real, pd.DataFrame(shifted), "label", unseen, ["ks", "tstr"])
    axes = draw_floors(report.measurements).axes[0]
    bars = [line for line in axes.lines if np.size(line.get_xdata()) == 2]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert len(bars) == len(dots) == 2
    (ks_dot,) = np.asarray(dots[0].get_xdata())
    assert ks_dot == 0.0  # the shifted rows are the worst
    assert np.asarray(bars[0].get_xdata()).min() > 0.3


def test_a_report_without_values_has_a_page_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    real, drawn, unseen = (clusters(60, rng)[["colour", "label"]] for _ in range(3))
    report = measure_fidelity(real, drawn, "label", unseen, ["ks"])
    assert "numeric column" in report.measurements[0].reason
    write_fidelity_page(tmp_path / "page.html", report, title="empty")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "No metric could be measured." in page
    assert json.dumps("ks") in page.replace("&#34;", '"')
