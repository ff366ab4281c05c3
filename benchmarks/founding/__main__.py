"""Make the page of the founding question from its cells.

::

    python -m benchmarks.founding
    python -m benchmarks.founding --cells OUT/founding_question --pack
    python -m benchmarks.founding --unpack OUT/founding_question

Without options, ``docs/founding-question.md`` and its picture are made from the published cells.
``--cells`` takes a folder of cells in their place, and ``--pack`` publishes them. ``--unpack``
writes the published cells as the files that a study resumes from.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.files import write_atomically, write_text
from benchmarks.founding.answer import Answer
from benchmarks.founding.cells import pack, read, unpack
from benchmarks.founding.figure import draw
from benchmarks.founding.growth import is_varied
from benchmarks.founding.page import page
from benchmarks.study.plan import Plan

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "benchmarks" / "results" / "founding-question.parquet"
PLANS = ROOT / "benchmarks" / "plans"
LARGEST = 5_000_000  # bytes of the published file


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=Path, default=PUBLISHED, help="a folder of cells")
    parser.add_argument("--pack", action="store_true", help="publish the cells of --cells")
    parser.add_argument("--unpack", type=Path, help="folder for the published cells")
    options = parser.parse_args()
    if not (source := PUBLISHED if options.unpack else options.cells).exists():
        parser.error(f"there are no cells at {source}; --cells names a folder of a study's cells")
    if options.unpack:
        print(f"{unpack(PUBLISHED, options.unpack)} cells written to {options.unpack}")
        return
    if options.pack:
        count = pack(options.cells, PUBLISHED)
        size = PUBLISHED.stat().st_size
        print(f"{count} cells, {size / 1e6:.2f} MB")
        if size > LARGEST:
            raise SystemExit(f"the file is larger than {LARGEST / 1e6:g} MB")
    plan = Plan.read(PLANS / "founding-question.toml")
    more_faults = Plan.read(PLANS / "founding-question-faults.toml")
    cells = read(options.cells, plan.domains)
    is_planned = cells["arm"].isin([*plan.arms]) & cells["table"].isin([*(plan.tables or ())])
    is_planned &= cells["backbone"].isin([*(plan.backbones or ())])
    varies = is_planned & is_varied(cells, plan.rows or (), plan.doses or ())
    is_fault = ~is_planned & cells["arm"].isin([*more_faults.arms])
    planned, varied, faults = cells[is_planned & ~varies], cells[varies], cells[is_fault]
    others = cells[~is_planned & ~is_fault]
    answer = Answer.of(planned, plan.size, others, varied, faults)
    write_text(ROOT / "docs" / "founding-question.md", page(answer))
    figure = draw(answer.found, answer.order, answer.ceiling)
    write_atomically(
        ROOT / "docs" / "images" / "founding-question.png",
        lambda path: figure.savefig(path, format="png", dpi=130),
    )


if __name__ == "__main__":
    main()
