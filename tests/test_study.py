"""The study engine: what makes a cell's identity, what is run again, and the summary's numbers."""

from __future__ import annotations

import doctest
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score
from study_cases import RULE, STUDY, outcomes, ran, write_table

from autogluon_causalmix.errors import ConfigError
from benchmarks import arms, causal_fidelity, zero_shot
from benchmarks.study import cells as study_cells
from benchmarks.study import metrics, splits, summary, tables, versions
from benchmarks.study.cells import Cell, Metric, Study, cells_of
from benchmarks.study.command import parser_of, run
from benchmarks.study.runner import Processes, Runner, Serial, run_missing
from benchmarks.study.store import Store
from benchmarks.study.summary import runs_of, summarize
from benchmarks.study.tables import (
    BUNDLED,
    NoSuchTable,
    Unsuitable,
    bundled,
    keep_classes,
    load,
    read,
    require_size,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two tables of 40 and 60 rows."""
    for name, rows in (("first", 40), ("second", 60)):
        write_table(tmp_path / f"{name}.csv", rows)
    return tmp_path


def cell(folder: Path, study: Study = STUDY, seed: int = 0, **settings: Any) -> Cell:
    table = load(folder, ["first"])[0]
    return Cell(study, table, study.rule.draw(table, seed), "base", settings)


# --- identity -----------------------------------------------------------------------------------


def test_the_identity_changes_with_each_ingredient(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = folder / "weights"
    weights.write_bytes(b"one")
    given: dict[str, Any] = {"rate": 2.0, "files": [str(weights)]}
    seen = {"base": cell(folder, **given).identity}
    seen["option"] = cell(folder, **{**given, "rate": 2.5}).identity
    split = cell(folder, **given).split
    others = {
        "seed": replace(split, seed=1),
        "training rows": replace(split, train=split.train[1:]),
        "validation rows": replace(split, validation=split.validation[1:]),
        "test rows": replace(split, test=split.test[1:]),
        "order of rows": replace(split, train=split.train[::-1]),
    }
    for name, other in others.items():
        seen[name] = replace(cell(folder, **given), split=other).identity
    seen["measurement"] = cell(folder, replace(STUDY, name="other"), **given).identity
    seen["version"] = cell(folder, replace(STUDY, version=2), **given).identity
    weights.write_bytes(b"two")
    seen["weights"] = cell(folder, **given).identity
    with monkeypatch.context() as changed:
        older = {**versions.versions(), "torch": "1.0"}
        changed.setattr("benchmarks.study.cells.versions", lambda: older)
        seen["library"] = cell(folder, **given).identity
    text = (folder / "first.csv").read_text()
    (folder / "first.csv").write_text(text.replace("0,0,no", "0.5,0,no", 1))
    seen["table"] = cell(folder, **given).identity
    (folder / "first.json").write_text(json.dumps({"categorical_columns": ["code"]}))
    seen["categorical columns"] = cell(folder, **given).identity
    assert len(set(seen.values())) == len(seen), seen


def test_the_identity_changes_with_nothing_else(folder: Path) -> None:
    weights = folder / "weights"
    weights.write_bytes(b"one")
    given: dict[str, Any] = {"rate": 2.0, "depth": 3, "files": [str(weights)]}
    expected = cell(folder, **given).identity
    assert replace(cell(folder, **given), arm="another name").identity == expected
    assert cell(folder, **dict(reversed(given.items()))).identity == expected
    assert cell(folder, depth=3).identity == cell(folder, depth=3, rate=1.0).identity
    moved = weights.rename(folder / "moved")
    os.utime(moved, (0, 0))
    assert cell(folder, **{**given, "files": [str(moved)]}).identity == expected
    given["files"] = [str(moved)]
    write_table(folder / "second.csv", 90)
    (folder / "first.json").write_text(json.dumps({"notes": "where it comes from"}))
    os.utime(folder / "first.csv", (0, 0))
    assert cell(folder, **given).identity == expected


def test_the_hash_of_the_code_sees_code_and_weights_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text("def f(x):\n    return x + 1\n")
    (tmp_path / "mini.safetensors").write_bytes(b"one")
    expected = versions.code_hash(tmp_path)
    source.write_text(
        '"""Text."""\n\ndef f(\n    x\n):\n    """More text."""\n    return x + 1  # so\n'
    )
    (tmp_path / "page.html").write_text("layout")
    assert versions.code_hash(tmp_path) == expected
    source.write_text("def f(x):\n    return x + 2\n")
    changed = versions.code_hash(tmp_path)
    source.write_text("def f(x):\n    return x + 1\n")
    (tmp_path / "mini.safetensors").write_bytes(b"two")
    assert len({expected, changed, versions.code_hash(tmp_path)}) == 3


def test_arms_that_parse_to_the_same_options_are_the_same_cell() -> None:
    spelled_out = arms.parse({"generator": {"name": "scm", "graphs": 5}, "finetune_steps": 240})
    assert spelled_out == arms.parse({}) == arms.parse({"backbone": "mini"})
    assert arms.parse({"generator": {"name": "scm", "graphs": 4}}) != arms.parse({})
    assert causal_fidelity.parse({"rows": "ours", "options": {}}) == causal_fidelity.parse(
        {"rows": "ours", "options": {"graphs": 5}}
    )


def test_a_backbones_file_counts_by_its_bytes_and_not_by_its_path(tmp_path: Path) -> None:
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for path in paths:
        path.write_bytes(b"weights")
    named = [{"name": "tabpfn-checkpoint", "path": str(path)} for path in paths]
    first, second = (arms.parse({"backbone": backbone}) for backbone in named)
    assert first.options == second.options
    assert [path.name for path in (*first.files, *second.files)] == [
        "a.safetensors",
        "b.safetensors",
    ]


def test_every_arm_of_the_studies_parses_to_options_of_its_own() -> None:
    parsed = [
        json.dumps(arms.parse(settings).options, sort_keys=True) for settings in arms.ARMS.values()
    ]
    assert len(set(parsed)) == len(parsed)
    with pytest.raises(ConfigError, match="finetune_step"):
        arms.parse({"finetune_step": 3})


# --- what is run again --------------------------------------------------------------------------


def test_a_redefined_arm_does_not_reuse_old_cells(folder: Path) -> None:
    outcomes(folder, {"ours": {"rate": 1.0}}, splits=1)
    again = outcomes(folder, {"ours": {"rate": 3.0}}, splits=1)
    assert [outcome.values for _, outcome in again] == [{"loss": 120.0}, {"loss": 180.0}]


def test_an_edited_table_does_not_reuse_old_cells(folder: Path) -> None:
    outcomes(folder, {"base": {}}, splits=1)
    write_table(folder / "first.csv", 50)
    again = outcomes(folder, {"base": {}}, splits=1)
    assert {cell.table.name: outcome.values for cell, outcome in again} == {
        "first": {"loss": 50.0},
        "second": {"loss": 60.0},
    }
    assert len(ran(folder)) == 3


def test_two_settings_in_one_folder_stay_two_numbers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    means = []
    for rate in (1.0, 3.0):
        options = parser_of(None).parse_args(
            ["--data", str(folder), "--out", str(folder / "out"), "--splits", "1"]
        )
        run(
            STUDY,
            {"base": {"log": str(folder / "log"), "rate": rate}},
            options,
        )
        means.append(pd.read_csv(folder / "out" / "toy" / "summary.csv")["mean"].item())
    assert means == [50.0, 150.0]
    assert "150.0000" in capsys.readouterr().out


def test_a_rerun_measures_only_what_is_missing(folder: Path) -> None:
    first = outcomes(folder, {"base": {}})
    assert len(first) == len(ran(folder)) == 4
    again = outcomes(folder, {"base": {}, "other": {"rate": 2.0}})
    assert len(again) == 8
    assert len(ran(folder)) == 8
    stored = {cell.identity: outcome for cell, outcome in again}
    assert all(stored[cell.identity] == outcome for cell, outcome in first)


def test_two_arms_with_the_same_options_are_measured_once(folder: Path) -> None:
    found = outcomes(folder, {"one": {"rate": 1.0}, "same": {}}, splits=1)
    assert sorted((cell.table.name, cell.arm) for cell, _ in found) == [
        ("first", "one"), ("first", "same"), ("second", "one"), ("second", "same"),
    ]  # fmt: skip
    assert len(ran(folder)) == 2


@pytest.mark.parametrize(
    "runner",
    [
        pytest.param(Serial(), id="serial"),
        pytest.param(Processes(2), id="processes", marks=pytest.mark.slow),
    ],
)
def test_a_cell_that_raises_does_not_stop_the_others_and_is_run_again(
    folder: Path, runner: Runner
) -> None:
    found = outcomes(folder, {"base": {"raises": "first"}}, runner)
    errors = {(cell.table.name, cell.split.seed): outcome.error for cell, outcome in found}
    planted = "ZeroDivisionError: planted in first"
    assert errors == {
        ("first", 0): planted, ("first", 1): planted, ("second", 0): "", ("second", 1): "",
    }  # fmt: skip
    assert "in measure" in next(outcome.traceback for _, outcome in found if outcome.failed)
    outcomes(folder, {"base": {"raises": "first"}}, runner)
    assert len(ran(folder)) == 6


@pytest.mark.slow
def test_a_worker_that_dies_fails_its_own_cell_alone(folder: Path) -> None:
    found = outcomes(folder, {"base": {"crashes": "first"}}, Processes(2))
    assert {(cell.table.name, outcome.error) for cell, outcome in found} == {
        ("first", "the worker process died, exit code -9"),
        ("second", ""),
    }


def test_both_runners_give_the_same_values(folder: Path) -> None:
    found = [
        sorted((cell.table.name, cell.split.seed, outcome.values["loss"])
               for cell, outcome in outcomes(target, {"base": {}}, runner) if outcome.values)
        for runner, target in ((Serial(), folder), (Processes(2), copy_of(folder)))
    ]  # fmt: skip
    assert found[0] == found[1]
    assert len(found[0]) == 4


def copy_of(folder: Path) -> Path:
    other = folder / "copy"
    other.mkdir()
    for path in folder.glob("*.csv"):
        (other / path.name).write_bytes(path.read_bytes())
    return other


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_run_loses_only_what_was_running_and_counts_nothing_twice(
    folder: Path, workers: int, how: signal.Signals
) -> None:
    script = folder / "script.py"
    script.write_text(
        "import sys\n"
        f"sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1])!r}]\n"
        "from pathlib import Path\n"
        "from benchmarks.study.runner import Processes, Serial\n"
        "from study_cases import outcomes\n"
        "if __name__ == '__main__':\n"
        f"    runner = Serial() if {workers} == 1 else Processes({workers})\n"
        f"    outcomes(Path({str(folder)!r}), {{'base': {{'wait': 0.4}}}}, runner, splits=4)\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
    out = folder / "out"
    while len(finished := list(out.rglob("*.json"))) < 2 or len(ran(folder)) <= len(finished):
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, how)
    assert process.wait(30) != 0
    time.sleep(2.0)  # a worker that had its cell in hand still begins it, and ends with it
    kept = set(out.rglob("*.json"))
    before = len(ran(folder))
    assert before - len(kept) <= workers
    found = outcomes(folder, {"base": {"wait": 0.4}}, splits=4)
    assert len(found) == 8
    assert len(ran(folder)) - before == 8 - len(kept)
    runs = runs_of(found, STUDY.metrics)
    assert not runs.duplicated(["table", "split", "arm"]).any()


@pytest.mark.parametrize("damage", ["cut", "number", "foreign"])
def test_a_damaged_file_is_measured_again_with_a_note(
    folder: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = outcomes(folder, {"base": {}}, splits=1)
    store = Store(folder / "out")
    path, other = (store.path(cell) for cell, _ in first)
    text = path.read_text()
    damaged = {
        "cut": text[:-20],
        "number": text.replace("40.0", "41.0"),
        "foreign": other.read_text(),
    }[damage]
    assert damaged != text
    path.write_text(damaged)
    with caplog.at_level(logging.WARNING):
        again = outcomes(folder, {"base": {}}, splits=1)
    assert "first, split 0, base is measured again" in caplog.text
    assert path.name in caplog.text
    values = {cell.table.name: outcome.values for cell, outcome in again}
    assert values == {"first": {"loss": 40.0}, "second": {"loss": 60.0}}
    assert len(ran(folder)) == 3


def test_a_measurement_that_is_no_json_fails(folder: Path) -> None:
    study = replace(STUDY, measure=lambda *_: {"loss": object()})
    cells, _ = cells_of(study, load(folder, ["first"]), {"base": {}}, 1)
    ((_, outcome),) = run_missing(cells, Store(folder / "out"), Serial())
    assert outcome.error.startswith("TypeError: Object of type object is not JSON")


# --- summary ------------------------------------------------------------------------------------


def hand_made(rows: Iterable[tuple[str, int, str, float, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["table", "split", "arm", "loss", "auc"])
    return frame.assign(error="", n=1.0)


RUNS = hand_made([
    ("a", 0, "base", 1.0, 0.8), ("a", 1, "base", 2.0, 0.6), ("b", 0, "base", 3.0, 0.7),
    ("a", 0, "new", 0.5, 0.9), ("a", 1, "new", 2.5, 0.7), ("b", 0, "new", 2.0, 0.6),
    ("b", 1, "new", 9.0, 0.1),
])  # fmt: skip
LOSS, AUC = Metric("loss", "lower", bound=0.4), Metric("auc", "higher", bound=0.05)


def row_of(summary: pd.DataFrame, metric: str, arm: str) -> dict[str, Any]:
    (row,) = summary[(summary["metric"] == metric) & (summary["arm"] == arm)].to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_arms_are_paired_over_seeds_and_other_factors_also_where_a_run_is_missing() -> None:
    """The new arm is better by .1 in each pair; seeds and tables lie far apart."""
    runs = pd.DataFrame(
        [
            {"table": table, "split": 0, "seed": seed, "arm": arm, "error": "",
             "loss": level + 10 * seed - 0.1 * (arm == "new")}
            for table, level in (("a", 1.0), ("b", 5.0))
            for seed in (0, 1)
            for arm in ("old", "new")
        ]
    )  # fmt: skip
    for some in (runs, runs.drop(index=1), runs.iloc[::-1]):
        found = summarize(some, [Metric("loss", "lower")], reference="old").set_index("arm")
        assert found.loc["new", "difference"] == pytest.approx(-0.1)
    with pytest.raises(ValueError, match="two runs of one table"):
        summarize(pd.concat([runs, runs]), [Metric("loss", "lower")], reference="old")


def test_the_summary_is_what_a_hand_computes() -> None:
    summary = summarize(RUNS, [LOSS, AUC, Metric("n")], "base")
    new = row_of(summary, "loss", "new")
    assert new["mean"] == pytest.approx((1.5 + 5.5) / 2)
    assert new["error"] == pytest.approx(2.0)
    # pairs: a −0.5 and +0.5, b −1.0; the run of b without a partner is left out
    assert new["difference"] == pytest.approx((0.0 - 1.0) / 2)
    assert new["difference_error"] == pytest.approx(0.5)
    assert new["worse"] == pytest.approx(1 / 3)
    assert (new["tables"], new["runs"], new["failed"]) == (2, 4, 0)
    auc = row_of(summary, "auc", "new")
    assert auc["difference"] == pytest.approx((0.1 - 0.1) / 2)
    assert auc["worse"] == pytest.approx(1 / 3)
    base = row_of(summary, "loss", "base")
    assert (base["difference"], base["worse"]) == (0.0, 0.0)
    assert np.isnan(row_of(summary, "n", "new")["difference"])


def test_failed_runs_are_counted_and_not_averaged() -> None:
    runs = RUNS.assign(error=np.where(RUNS["loss"] > 8, "ValueError: planted", ""))
    runs.loc[runs["error"] != "", ["loss", "auc"]] = np.nan
    new = row_of(summarize(runs, [LOSS], "base"), "loss", "new")
    assert (new["runs"], new["failed"]) == (3, 1)
    assert new["mean"] == pytest.approx((1.5 + 2.0) / 2)


def test_one_table_has_no_standard_error() -> None:
    summary = summarize(RUNS[RUNS["table"] == "a"], [LOSS], None)
    assert summary["error"].isna().all()
    assert summary["difference"].isna().all()


def test_a_reference_that_is_no_arm_is_refused(folder: Path) -> None:
    options = parser_of(None).parse_args(["--data", str(folder), "--reference", "nobody"])
    with pytest.raises(SystemExit, match="no arm 'nobody' to compare with.*'base'"):
        run(STUDY, {"base": {}}, options)


@pytest.mark.parametrize("module", [metrics, splits, summary, tables, study_cells])
def test_the_examples_in_docstrings_run(module: ModuleType) -> None:
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0


# --- tables, splits, metrics --------------------------------------------------------------------


def test_columns_that_the_json_lists_are_categorical(folder: Path) -> None:
    assert read(folder / "first.csv").frame["code"].dtype.kind == "i"
    (folder / "first.json").write_text(json.dumps({"categorical_columns": ["code"]}))
    assert list(read(folder / "first.csv").frame["code"].cat.categories) == ["0", "1", "2"]
    (folder / "first.json").write_text(json.dumps({"categorical_columns": ["color"]}))
    with pytest.raises(ValueError, match="has no column 'color'"):
        read(folder / "first.csv")


def test_a_row_without_a_target_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,target\n1,a\n2,\n")
    with pytest.raises(ValueError, match="1 rows without a target"):
        read(tmp_path / "t.csv")


def test_tables_are_looked_up_in_the_folder_and_then_in_scikit_learn(folder: Path) -> None:
    assert [table.name for table in load(folder)] == ["first", "second"]
    assert [table.name for table in load(folder, ["wdbc", "first"])] == ["wdbc", "first"]
    write_table(folder / "iris.csv", 40)
    assert len(load(folder, ["iris"])[0].frame) == 40
    with pytest.raises(NoSuchTable, match="no table 'nothing'; choose from .*'first'"):
        load(folder, ["nothing"])
    with pytest.raises(NoSuchTable, match="holds no table"):
        load(folder / "empty")


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_tables_are_scikit_learns_own(name: str) -> None:
    x, y = BUNDLED[name](return_X_y=True)
    frame = bundled(name).frame
    assert np.array_equal(frame.drop(columns="target").to_numpy(), x)
    assert np.array_equal(frame["target"].astype(int), y)


def test_classes_that_are_left_out_are_named(folder: Path) -> None:
    labels = ["a"] * 6 + ["b"] * 5 + ["c"] * 2
    pd.DataFrame({"x": range(13), "target": labels}).to_csv(folder / "rare.csv", index=False)
    table = load(folder, ["rare"])[0]
    kept = keep_classes(table, fewest=5)
    assert kept.notes == ("2 rows of the classes ['c'] left out: too rare",)
    assert list(kept.rows) == list(range(11))
    assert list(keep_classes(table, 1, most=2).rows) == list(range(11))
    with pytest.raises(Unsuitable, match="at least two"):
        keep_classes(table, fewest=6)
    cells, notes = cells_of(
        replace(STUDY, prepare=lambda t: keep_classes(t, 6)), [table], {"a": {}}, 1
    )
    assert cells == []
    assert notes == ["rare is left out: 1 of its classes have 6 rows; at least two are needed"]


def test_tables_past_the_limits_are_refused(folder: Path) -> None:
    table = load(folder, ["first"])[0]
    assert require_size(table, 2, 2) is table
    with pytest.raises(Unsuitable, match="2 features; the study takes at most 1"):
        require_size(table, 2, 1)
    with pytest.raises(Unsuitable, match="2 classes; the study takes at most 1"):
        require_size(table, 1, 2)


@pytest.mark.parametrize("study", [arms.STUDY, zero_shot.STUDY, causal_fidelity.STUDY])
@pytest.mark.parametrize("name", ["iris", "digits"])
def test_splits_share_no_row_and_keep_the_shares_of_classes(study: Study, name: str) -> None:
    table = study.prepare(bundled(name)) if name == "iris" else bundled(name)
    for seed in range(3):
        split, again = (study.rule.draw(table, seed) for _ in range(2))
        parts = [split.train, split.validation, split.test]
        rows = np.concatenate(parts)
        assert len(set(rows)) == len(rows)
        assert np.array_equal(rows, np.concatenate([again.train, again.validation, again.test]))
        train = table.take(np.concatenate(parts[:2]))["target"]
        assert len(train) == min(
            study.rule.train_rows, int(study.rule.train_share * len(table.rows))
        )
        shares = train.value_counts(normalize=True) - table.labels.value_counts(normalize=True)
        assert shares.abs().max() < 0.01
        assert len(split.test) == min(study.rule.test_rows, len(table.rows) - len(train))


def test_rows_of_left_out_classes_are_in_no_part(folder: Path) -> None:
    labels = ["a"] * 30 + ["rare"] + ["b"] * 30
    pd.DataFrame({"x": range(61), "target": labels}).to_csv(folder / "gap.csv", index=False)
    table = keep_classes(load(folder, ["gap"])[0], fewest=5)
    split = RULE.draw(table, 0)
    used = table.take(np.concatenate([split.train, split.validation, split.test]))
    assert set(used["target"]) == {"a", "b"}


def test_the_metrics_are_scikit_learns_where_it_defines_them() -> None:
    rng = np.random.default_rng(0)
    for k in (2, 3, 5):
        p, y = rng.dirichlet(np.ones(k), 200), rng.integers(0, k, 200)
        own = roc_auc_score(y, p[:, 1] if k == 2 else p, multi_class="ovr")
        assert metrics.roc_auc(p, y) == pytest.approx(own, abs=1e-12)
        p[:10] = np.eye(k)[rng.integers(0, k, 10)]
        assert metrics.log_loss(p, y) == pytest.approx(log_loss(y, p, labels=range(k)), abs=1e-12)


def test_a_class_absent_from_the_test_rows_is_left_out_of_the_auc() -> None:
    y = np.array([0, 0, 1, 1])
    p = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.75, 0.15, 0.1]])
    assert metrics.roc_auc(p, y) == pytest.approx(0.75)
    assert np.isnan(metrics.roc_auc(p, np.zeros(4, dtype=int)))


def test_the_calibration_error_of_a_known_gap() -> None:
    p = np.tile([0.9, 0.1], (100, 1))
    assert metrics.calibration_error(p, np.repeat([0, 1], [90, 10])) == pytest.approx(0.0)
    assert metrics.calibration_error(p, np.repeat([0, 1], [50, 50])) == pytest.approx(0.4)
