"""Kill a study at random moments, resume it, and compare its cells with an unbroken run's.

::

    python -m benchmarks.study.kills PLAN.toml --data DIR --out OUT --kills 20

Wall-clock seconds differ from run to run and are not compared; everything else has to be the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    """Run the command; its exit status is 1 where cells differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("plan", type=Path, help="a TOML file")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    base = [str(options.plan), "--data", str(options.data), "--out"]
    whole, broken = options.out / "unbroken", options.out / "broken"
    started = time.monotonic()
    subprocess.run(command([*base, str(whole)]), check=True)  # noqa: S603 - our own command
    seconds = time.monotonic() - started
    moments = np.random.default_rng(options.seed).uniform(0, seconds, options.kills)
    kept = [killed(command([*base, str(broken)]), broken, moment) for moment in moments]
    subprocess.run(command([*base, str(broken)]), check=True)  # noqa: S603 - our own command
    different = differences(whole, broken)
    print(f"cells kept at each kill: {kept}; different in the end: {different or 'none'}")
    raise SystemExit(1 if different else 0)


def command(arguments: Sequence[str]) -> list[str]:
    """Return the command line of a study."""
    return [sys.executable, "-m", "benchmarks.study", *arguments]


def killed(arguments: Sequence[str], out: Path, moment: float) -> int:
    """Start a study, kill it after so many seconds, and return how many cells it has left."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(arguments, stdout=quiet, stderr=quiet)  # noqa: S603 - as above
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return len(list(out.rglob("*.json")))


def differences(first: Path, second: Path) -> list[str]:
    """Return the cells that only one of two folders has, or that differ in more than seconds."""
    found = [
        {path.relative_to(folder).as_posix(): comparable(path) for path in folder.rglob("*.json")}
        for folder in (first, second)
    ]
    names = sorted({*found[0], *found[1]})
    return [name for name in names if found[0].get(name) != found[1].get(name)]


def comparable(path: Path) -> Any:
    """Return a cell without its seconds, and without the checksum that covers them."""
    cell = json.loads(path.read_text(encoding="utf-8"))
    del cell["checksum"], cell["outcome"]["seconds"]
    (cell["outcome"]["values"] or {}).pop("seconds", None)
    return cell


if __name__ == "__main__":
    main()
