"""The framework as the benchmark's own process sees it: set it up, hand it the data, run it."""

import os

from amlb.benchmark import TaskConfig
from amlb.data import Dataset
from amlb.utils import call_script_in_same_dir

KEPT = ("CAUSALMIX_", "CUDA_", "HF_", "OMP_", "TABPFN_", "TEMP", "TMP")
"""How variables begin that the framework's process keeps; the benchmark drops all others.

Without them torch's threads take every core, weights are fetched anew, and telemetry is on.
"""


def setup(*args: str, **kwargs: object) -> None:
    """Make the framework's environment."""
    call_script_in_same_dir(__file__, "setup.sh", *args, **kwargs)


def run(dataset: Dataset, config: TaskConfig) -> object:
    """Fit and predict one fold."""
    from frameworks.shared.caller import run_in_venv

    return run_in_venv(
        __file__,
        "exec.py",
        input_data={
            "train": {"path": dataset.train.data_path("parquet")},
            "test": {"path": dataset.test.data_path("parquet")},
            "target": {"name": dataset.target.name, "classes": dataset.target.values},
            "problem_type": dataset.type.name,
        },
        dataset=dataset,
        config=config,
        retained_env_vars=[name for name in os.environ if name.startswith(KEPT)],
    )
