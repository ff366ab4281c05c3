"""Every generator on every table: seconds, what its rows teach, how well they are told apart.

::

    python -m benchmarks.generators --data DIR --backbone mini --splits 1

For each table and split, 200 rows at most go to a generator with its defaults, which draws as many
rows as there are test rows, 300 at most. Installed packages take part. What a generator refuses is
a result, too.

tstr       ROC-AUC on unseen real rows of a classifier trained on drawn rows; the higher the better
detection  cross-fitted ROC-AUC of boosted trees that tell drawn from unseen real rows; ½ is best
finished   1 where there were rows, 0 where it refused with an error of its own or ran out of time
seconds    of the processor, to fit and to draw
elapsed    seconds on the clock
"""

from __future__ import annotations

import time
import warnings
from dataclasses import asdict
from typing import Any

import numpy as np

from autogluon_causalmix.config import Named
from autogluon_causalmix.errors import CausalMixError
from autogluon_causalmix.fidelity.contract import measure as measured
from autogluon_causalmix.fidelity.protocol import Metric as FidelityMetric
from autogluon_causalmix.fidelity.protocol import Samples
from autogluon_causalmix.fitlog import Log
from autogluon_causalmix.generation import fit_source
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from benchmarks.causal_fidelity import tables_of
from benchmarks.study.cells import Metric, Parsed, Settings, Study, Values
from benchmarks.study.command import parser_of, run
from benchmarks.study.splits import Split, SplitRule
from benchmarks.study.tables import Dataset, keep_classes

FEWEST_ROWS_OF_A_CLASS = 4  # so that each split trains and tests on all classes
SECONDS_OF_A_METRIC = 600.0


def prepare(table: Dataset) -> Dataset:
    """Return the table without classes that are too rare to be split."""
    return keep_classes(table, FEWEST_ROWS_OF_A_CLASS)


def arms_of(names: list[str] | None, backbone: str, limit: float) -> dict[str, Settings]:
    """Return an arm for each generator, with its defaults, and the real rows themselves."""
    arms: dict[str, Settings] = {"real": {"generator": None, "limit": limit}}
    for entry in plugin_registry().of(Generator):
        options = {"backbone": backbone} if entry.name in ("pfn", "tabebm") else {}
        arms[entry.name] = {"generator": {"name": entry.name, **options}, "limit": limit}
    random = {"name": "pfn", "order": "random", "backbone": backbone}
    arms["pfn, random order"] = {"generator": random, "limit": limit}
    return arms if names is None else {name: arms[name] for name in names}


def parse(settings: Settings) -> Parsed:
    """Return an arm with the generator's options, defaults included, and the package it is of."""
    if settings["generator"] is None:
        return Parsed({"generator": None})
    named = Named.parse(settings["generator"])
    entry = plugin_registry().of(Generator).get(named.name)
    made: Any = entry.create(named.options)
    options = {"generator": named.name, **asdict(made), "of": str(entry.owner)}
    return Parsed({**options, "limit": settings["limit"]})


def measure(table: Dataset, split: Split, settings: Settings) -> Values:
    """Draw the rows of one arm and score them."""
    real, holdout = tables_of(table, split)
    clock, processor = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what generators call
        try:
            drawn = draw(real, len(holdout), split.seed, settings)
        except CausalMixError as error:
            elapsed = time.perf_counter() - clock
            return {
                "finished": 0.0,
                "elapsed": elapsed,
                "refused": f"{type(error).__name__}: {error}",
            }
        spent = {
            "seconds": time.process_time() - processor,
            "elapsed": time.perf_counter() - clock,
        }
        return {"finished": 1.0, **spent, **scores(Samples(real, drawn, holdout), split.seed)}


def draw(real: Table, n_rows: int, seed: int, settings: Settings) -> Table:
    """Return rows of one arm; of the real rows as many as there are, if these are fewer."""
    rng = np.random.default_rng(seed)
    if settings["generator"] is None:
        return real.take(rng.permutation(len(real))[:n_rows])
    resources = Resources(settings["limit"])
    source = fit_source(Named.parse(settings["generator"]), real, rng, resources, Log())
    return source.draw(real, n_rows, rng, resources)


def scores(rows: Samples, seed: int) -> Values:
    """Return the metrics, from equally many rows on both sides."""
    size = min(len(rows.synthetic), len(rows.holdout))
    alike = Samples(rows.real, rows.synthetic, rows.holdout.take(np.arange(size)))
    return {
        "tstr": _value("tstr", rows, seed),
        "detection": _value("detection-boosted", alike, seed),
    }


def _value(name: str, rows: Samples, seed: int) -> float:
    entry = plugin_registry().of(FidelityMetric).get(name)
    resources, rng = Resources(SECONDS_OF_A_METRIC), np.random.default_rng(seed)
    return measured(entry.create({}), rows, rng, resources, owner=entry.owner)


STUDY = Study(
    name="generators",
    version=1,
    prepare=prepare,
    rule=SplitRule(train_rows=200, train_share=0.5, test_rows=300),
    parse=parse,
    measure=measure,
    metrics=(
        Metric("tstr", "higher", bound=0.005),
        Metric("detection", "lower"),
        Metric("finished"),
        Metric("seconds", "lower"),
        Metric("elapsed", "lower"),
    ),
    reference="bootstrap",
)


def main() -> None:
    """Run the missing cells and print the summary."""
    parser = parser_of(__doc__)
    parser.add_argument("--arms", nargs="+", help="generators by name; all where none is given")
    parser.add_argument("--backbone", default="auto", help="of the generators that need one")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds of each generator")
    options = parser.parse_args()
    run(STUDY, arms_of(options.arms, options.backbone, options.limit), options)


if __name__ == "__main__":
    main()
