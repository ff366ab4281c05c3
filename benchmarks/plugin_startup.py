"""What installed plugins cost a process: which are imported, and how long the first look-up takes.

::

    python -m benchmarks.plugin_startup --plugins 20

Distributions with one tiny generator each are put on the path of fresh processes. Printed are
medians over the repeats.

import   `import autogluon_causalmix`, after which no plugin may be imported
look-up  the first one of the process, without the imports of the plugins' own modules
own      these imports

The first process compiles the modules and is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

MODULE = """
from dataclasses import dataclass
from autogluon_causalmix.plugin import hookimpl

@dataclass(frozen=True)
class Again:
    def fit(self, table, rng, resources): ...

@hookimpl
def causalmix_register_generators(register):
    register("{name}", Again)
"""

LOOK_UP = """
import importlib.metadata, json, sys, time

started = time.perf_counter()
import autogluon_causalmix
imported = time.perf_counter()
early = sorted(name for name in sys.modules if name.startswith("tiny_"))

load, own = importlib.metadata.EntryPoint.load, 0.0
def timed(point):
    global own
    before = time.perf_counter()
    try:
        return load(point)
    finally:
        own += time.perf_counter() - before
importlib.metadata.EntryPoint.load = timed

from autogluon_causalmix.plugin import Generator
from autogluon_causalmix.plugins import plugin_registry
before = time.perf_counter()
names = plugin_registry().of(Generator).names
after = time.perf_counter()
print(json.dumps({
    "early": early,
    "found": [name for name in names if name.startswith("tiny-")],
    "import": imported - started,
    "look-up": after - before - own,
    "own": own,
}))
"""


def plant(site: Path, number: int) -> None:
    """Put a distribution with one module, one entry point and one generator into a folder."""
    module = f"tiny_{number}"
    info = site / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (site / f"{module}.py").write_text(MODULE.format(name=f"tiny-{number}"), encoding="utf-8")
    metadata = f"Metadata-Version: 2.1\nName: tiny-{number}\nVersion: 1.0\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    points = f"[autogluon_causalmix]\n{module} = {module}\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")


def look_up(site: Path) -> dict[str, Any]:
    """Return what a fresh process finds where the distributions of a folder are installed."""
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore", "-c", LOOK_UP],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure with no plugin and with many, in turn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--plugins", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sites = {n: Path(folder) / str(n) for n in (0, options.plugins)}
        for n, site in sites.items():
            site.mkdir(exist_ok=True)
            for number in range(n):
                plant(site, number)
            look_up(site)
        runs: dict[int, list[dict[str, Any]]] = {n: [] for n in sites}
        for _ in range(options.repeats):
            for n, site in sites.items():
                runs[n].append(look_up(site))
    for n, own in runs.items():
        seconds = ", ".join(
            f"{name} {median(run[name] for run in own):.3f} s"
            for name in ("import", "look-up", "own")
        )
        early, found = len(own[0]["early"]), len(own[0]["found"])
        print(f"{n} plugins: {seconds}; imported early {early}, registered {found}")


if __name__ == "__main__":
    main()
