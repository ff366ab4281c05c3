"""The user directory of the AutoML Benchmark. Its own code runs under ``make benchmarks-test``."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from autogluon_causalmix import CausalMixModel
from autogluon_causalmix.arms import ARMS
from autogluon_causalmix.config import Hyperparameters
from benchmarks.amlb.__main__ import FOLDS, TINY, USER, board, own_benchmark
from benchmarks.amlb.tables import definition, write
from benchmarks.study.tables import load

EXTENSION = USER / "extensions" / "CausalMix"
PINNED = ("tabpfn-v2", "tabpfn-v1", "mini")


def frameworks() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((USER / "frameworks.yaml").read_text(encoding="utf-8"))
    return read


def test_every_arm_is_there_on_every_backbone_and_none_is_on_auto() -> None:
    alone = [
        own["params"]["hyperparameters"]["CAUSALMIX"]
        for own in frameworks().values()
        if len(own["params"]["hyperparameters"]) == 1
    ]
    wanted = [{**ARMS[arm], "backbone": backbone} for backbone in PINNED for arm in ARMS]
    assert len(alone) == len(wanted)
    assert all(arm in alone for arm in wanted)
    for own in frameworks().values():
        options = Hyperparameters.parse(own["params"]["hyperparameters"]["CAUSALMIX"])
        assert options.backbone.name in PINNED
        assert "extends" not in own


def test_the_tiny_benchmark_is_what_the_command_writes(tmp_path: Path) -> None:
    text = (USER / "benchmarks" / "tiny.yaml").read_text(encoding="utf-8")
    assert text == definition(TINY, FOLDS)
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "tiny.yaml").write_text(text, encoding="utf-8")
    assert own_benchmark(tmp_path, None, None) == "tiny"
    for entry in yaml.safe_load(text):
        files = [*entry["dataset"]["train"], *entry["dataset"]["test"]]
        assert all(Path(name.format(user=tmp_path)).exists() for name in files)
    assert own_benchmark(tmp_path, None, ["iris"]) == "own"
    assert (tmp_path / "benchmarks" / "own.yaml").exists()


def test_folds_share_no_row_and_together_are_the_table(tmp_path: Path) -> None:
    (table,) = load(None, ["wine"])
    write([table], 2, tmp_path)
    parts = {
        (part, fold): pd.read_csv(tmp_path / "wine" / f"{part}_{fold}.csv")
        for part in ("train", "test")
        for fold in range(2)
    }
    pd.testing.assert_frame_equal(parts["train", 0], parts["test", 1])
    pd.testing.assert_frame_equal(parts["train", 1], parts["test", 0])
    assert sum(len(parts["test", fold]) for fold in range(2)) == len(table.frame)
    assert set(parts["test", 0]["target"]) == {"class 0", "class 1", "class 2"}


@pytest.fixture
def execute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return exec.py, beside a stand-in for the benchmark's AutoGluon that says what it was given.

    The stand-in predicts objects, as the real one does.
    """
    folder = tmp_path / "frameworks" / "AutoGluon"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('the benchmark was imported')")
    (folder / "exec.py").write_text(
        "import numpy as np\n"
        "def run(dataset, config):\n"
        "    given = config.framework_params['hyperparameters']\n"
        "    return {'predictions': np.array(['a', 'b'], dtype=object), 'given': given}\n"
    )
    shared = tmp_path / "frameworks" / "shared"
    shared.mkdir()
    (shared / "callee.py").write_text(
        "def call_run(run):\n    print('ran', flush=True)\n"
    )  # fmt: skip
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("AMLB_PATH", str(tmp_path))
    spec = importlib.util.spec_from_file_location("causalmix_exec", EXTENSION / "exec.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_key_becomes_the_class_and_predictions_become_text(execute: ModuleType) -> None:
    given = {"CAUSALMIX": {"backbone": "mini"}, "GBM": {}}
    found = execute.run(None, SimpleNamespace(framework_params={"hyperparameters": given}))
    assert found["given"] == {CausalMixModel: {"backbone": "mini"}, "GBM": {}}
    assert found["predictions"].dtype.kind == "U"
    np.testing.assert_array_equal(found["predictions"], ["a", "b"])


def test_the_pipes_stay_open_until_there_is_an_exit_status(
    execute: ModuleType, tmp_path: Path
) -> None:
    """Read to the end of the pipe and then ask for the status, as the benchmark does."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", EXTENSION / "exec.py"],
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert child.stdout is not None
    assert child.stdout.read().splitlines()[-1] == b"ran"
    child.stdout.close()
    assert child.poll() == 0, "the pipe closed before the process was over"


def test_the_board_counts_failed_folds_and_does_not_average_them() -> None:
    results = pd.DataFrame(
        {
            "framework": ["A", "A", "B", "B"],
            "fold": [0, 1, 0, 1],
            "result": [0.9, 0.8, 0.7, np.nan],
            "auc": [0.9, 0.8, 0.7, np.nan],
            "logloss": [0.3, 0.5, 0.2, np.nan],
            "training_duration": [10.0, 20.0, 30.0, np.nan],
        }
    )
    shown = board(results)
    assert list(shown.index) == ["B", "A"]
    np.testing.assert_allclose(shown.to_numpy(), [[2, 1, 0.7, 0.2, 30.0], [2, 0, 0.85, 0.4, 15.0]])
    without = board(results.drop(columns="auc"))  # as where no table has two classes
    assert without["AUC"].isna().all()
    assert without["log-loss"].tolist() == [0.2, 0.4]
