"""Run a study from its configuration file: ``python -m benchmarks.study PLAN.toml``."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.study import plan
from benchmarks.study.command import add_options_of_runs, run_cells
from benchmarks.study.tables import load


def main() -> None:
    """Run the command; its exit status is 1 where cells failed."""
    parser = argparse.ArgumentParser(
        description=plan.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("plan", type=Path, help="a TOML file")
    add_options_of_runs(parser)
    options = parser.parse_args()
    try:
        whole = plan.Plan.read(options.plan)
        study = whole.measured()
    except plan.BadPlan as error:
        raise SystemExit(str(error)) from None
    cells, notes = whole.cells(load(options.data, whole.tables))
    reference = whole.reference or (study.reference if study.reference in whole.arms else None)
    if run_cells(study, cells, notes, reference, options):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
