"""The AutoML Benchmark with CausalMix: checkout, environments, tables, run.

::

    python -m benchmarks.amlb --work DIR
    python -m benchmarks.amlb --work DIR --data TABLES --frameworks CausalMix_tabpfn_v2
    python -m benchmarks.amlb --work DIR --benchmark openml/s/271 --constraint 1h8c

``--work`` keeps the checkout and its environments for the next run. Without ``--benchmark`` the
tables are scikit-learn's wine and wdbc, or those of a folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pandas as pd

from benchmarks.amlb.tables import definition, write
from benchmarks.study.tables import load

REPOSITORY = "https://github.com/openml/automlbenchmark"
COMMIT = "dfe8d21871e2dec2b7cab6c9fbfe3575ce4dadc6"
USER = Path(__file__).parent / "user"
TINY = ["wine", "wdbc"]
FOLDS = 2
COLUMNS = ["framework", "task", "fold", "metric", "result", "logloss", "training_duration", "info"]


def checkout(work: Path, repository: str) -> Path:
    """Return the benchmark's checkout, cloned if it is not there."""
    folder = work / "automlbenchmark"
    if not folder.exists():
        subprocess.run(["git", "clone", repository, folder], check=True)  # noqa: S603, S607
    subprocess.run(["git", "-C", folder, "checkout", COMMIT], check=True)  # noqa: S603, S607
    return folder


def environment(work: Path, benchmark: Path) -> Path:
    """Return the Python of the benchmark's own environment, made if it is not there.

    Raises
    ------
    RuntimeError
        There is no Python 3.11: the benchmark's pins have no later one, and CausalMix needs it.
    """
    python = work / "venv" / "bin" / "python"
    if not python.exists():
        here = sys.version_info[:2] == (3, 11)
        base = sys.executable if here else shutil.which("python3.11")
        if base is None:
            raise RuntimeError("there is no python3.11 on the PATH, which the benchmark needs")
        subprocess.run([base, "-m", "venv", work / "venv"], check=True)  # noqa: S603
        requirements = str(benchmark / "requirements.txt")
        pip = [str(python), "-m", "pip", "install", "-r", requirements]
        subprocess.run(pip, check=True)  # noqa: S603
    return python


def own_benchmark(user: Path, data: Path | None, names: list[str] | None) -> str:
    """Write tables and their definition, and return the definition's name."""
    tables = load(data, names or (None if data else TINY))
    write(tables, FOLDS, user / "data")
    text = definition([table.name for table in tables], FOLDS)
    if text == (user / "benchmarks" / "tiny.yaml").read_text(encoding="utf-8"):
        return "tiny"
    (user / "benchmarks" / "own.yaml").write_text(text, encoding="utf-8")
    return "own"


def board(results: pd.DataFrame) -> pd.DataFrame:
    """Return a row per framework: finished folds, mean scores, mean seconds of training."""
    grouped = results.reindex(columns=[*results, *{"auc"}.difference(results)]).groupby("framework")
    return pd.DataFrame(
        {
            "folds": grouped["fold"].count(),
            "failed": grouped["result"].apply(lambda scores: int(scores.isna().sum())),
            "AUC": grouped["auc"].mean(),
            "log-loss": grouped["logloss"].mean(),
            "seconds": grouped["training_duration"].mean(),
        }
    ).sort_values("log-loss")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder of checkout and results")
    parser.add_argument("--repository", default=REPOSITORY, help="where to clone it from")
    parser.add_argument("--data", type=Path, help="folder of <name>.csv")
    parser.add_argument("--tables", nargs="+", help="names")
    parser.add_argument("--frameworks", nargs="+", default=["CausalMix_mini", "CausalMix_GBM_mini"])
    parser.add_argument("--benchmark", help="one of the benchmark's own, such as openml/s/271")
    parser.add_argument("--constraint", default="quick")
    parser.add_argument(
        "--setup", default="auto", choices=["auto", "force"], help="force: install CausalMix again"
    )
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    benchmark = checkout(given.work, given.repository)
    python = environment(given.work, benchmark)
    # A copy: the benchmark writes environments into it.
    user = shutil.copytree(USER, given.work / "user", dirs_exist_ok=True).absolute()
    name = given.benchmark or own_benchmark(user, given.data, given.tables)
    source = str(Path(__file__).parents[2])
    # One folder for each run: the benchmark adds to the results that it finds.
    out = (given.work / "results" / f"{datetime.now():%Y-%m-%dT%H-%M-%S}").resolve()  # noqa: DTZ005
    for framework in given.frameworks:
        command = [
            python.absolute(), "runbenchmark.py", framework, name,
            given.constraint, "-u", user, "-o", out, "-s", given.setup,
        ]  # fmt: skip
        subprocess.run(  # noqa: S603
            command, cwd=benchmark, check=True, env={"CAUSALMIX_SOURCE": source, **os.environ}
        )
    results = pd.read_csv(out / "results.csv")
    print(results.reindex(columns=COLUMNS).to_string(index=False))
    print(board(results).round(4).to_string())


if __name__ == "__main__":
    main()
