"""`measure_fidelity`: every metric of synthetic rows, with two floors beside it."""

import importlib.metadata
import inspect
import logging
import math
import time
import zlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autogluon_causalmix.config import Evaluation, Named
from autogluon_causalmix.entry import Entry
from autogluon_causalmix.errors import NotApplicable, OutOfTime, TableError
from autogluon_causalmix.fidelity.contract import measure
from autogluon_causalmix.fidelity.marginals import marginals
from autogluon_causalmix.fidelity.protocol import Metric, Samples
from autogluon_causalmix.fidelity.records import FidelityReport, MeasuredRows, Measurement
from autogluon_causalmix.fidelity.tables import alike
from autogluon_causalmix.fitlog import Log
from autogluon_causalmix.plugins import BUILT_IN, plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

MOST_ROWS = 1000
"""On each side of a comparison: distances are taken between all pairs of rows."""

FEWEST_COMPARED_ROWS = 20
"""On each side of a comparison: with fewer, a metric is noise."""

NO_HOLDOUT = (
    "no unseen real rows were given: the rows are compared with those that the generator has "
    "learned from, by which copies of them look best, and privacy is not measured"
)


def measure_fidelity(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    target: Hashable,
    holdout: pd.DataFrame | None = None,
    metrics: Sequence[str | dict[str, object]] | None = None,
    seed: int = 0,
    time_limit: float = 600.0,
    num_cpus: int = 1,
) -> FidelityReport:
    """Measure how near synthetic rows are to real rows that the generator has not seen.

    Each half of the holdout is compared with as many synthetic rows, with the other half (real
    against real) and with as many training rows drawn again (the bootstrap null). A value is the
    mean over both halves. A metric without a value says why.

    Parameters
    ----------
    real : pandas.DataFrame
        The rows that the generator has learned from, features and target.
    synthetic : pandas.DataFrame
        The rows to measure, with the same columns.
    target : Hashable
        Name of the target column, whose values are classes.
    holdout : pandas.DataFrame, optional
        Real rows that the generator has not seen, 40 or more. Without them `real` takes their
        place, and a note says so.
    metrics : sequence of str or dict, optional
        Names of metrics, or dicts with ``"name"`` and options; all built-in ones if not given.
    seed : int
        From 0 to 2³² − 1; the same seed gives the same values.
    time_limit : float
        Seconds for all metrics. Each gets an equal share of what is left when it begins; one that
        takes longer has no value.
    num_cpus : int
        Cores that metrics may use.

    Raises
    ------
    TableError
        A frame cannot be used, or holds too few rows.
    ConfigError, UnknownPlugin
        An argument is out of range, or a metric or an option of it does not exist.
    MetricError
        A metric failed.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({"dose": rng.normal(size=200), "ill": ["no", "yes"] * 100})
    >>> drawn = frame.assign(dose=frame["dose"] + 1.0)
    >>> halves = frame[:100], frame[100:]
    >>> report = measure_fidelity(halves[0], drawn, "ill", halves[1], metrics=["ks"])
    >>> [ks] = report.measurements
    >>> ks.real < 0.3 < ks.synthetic, ks.standing
    (True, 'worse')
    """
    options = Evaluation.parse(
        {
            "metrics": metrics if metrics is None else tuple(metrics),
            "seed": seed,
            "time_limit": time_limit,
            "num_cpus": num_cpus,
        }
    )
    return compare_rows(options, real, synthetic, target, holdout, Log(logging.WARNING))


def compare_rows(
    options: Evaluation,
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    target: Hashable,
    holdout: pd.DataFrame | None,
    log: Log,
) -> FidelityReport:
    """Measure as `measure_fidelity` does, with checked options; notes go to the log, too."""
    resources = Resources(options.time_limit, options.num_cpus)
    chosen = sorted(_chosen(options.metrics), key=lambda each: (each.metric.family, each.name))
    given = {"real": real, "synthetic": synthetic}
    tables, notes = alike(given if holdout is None else {**given, "unseen real": holdout}, target)
    unseen = tables.get("unseen real", tables["real"])
    for sentence in [*notes, *([NO_HOLDOUT] if holdout is None else [])]:
        log.note(sentence)
    comparisons = _comparisons(
        tables["real"], tables["synthetic"], unseen, np.random.default_rng(options.seed), log
    )
    measurements = [
        _not_private(each)
        if holdout is None and each.metric.family == "privacy"
        else _measurement(each, comparisons, options.seed, resources.share(1 / left))
        for left, each in zip(range(len(chosen), 0, -1), chosen, strict=True)
    ]
    return FidelityReport(
        target=str(target),
        seed=options.seed,
        versions=_versions(chosen),
        rows=MeasuredRows(
            real=len(real),
            synthetic=len(synthetic),
            holdout=0 if holdout is None else len(holdout),
            compared=len(comparisons["synthetic"][0].holdout),
        ),
        measurements=measurements,
        marginals=marginals(unseen, tables["synthetic"]),
        notes=log.notes,
    )


@dataclass(frozen=True)
class _Chosen:
    """A metric that the user named."""

    entry: Entry[Metric]
    metric: Metric
    options: dict[str, object]

    @property
    def name(self) -> str:
        return self.entry.name


def _chosen(named: Sequence[Named] | None) -> Iterator[_Chosen]:
    """Yield the metrics that were named, else all built-in ones."""
    registry = plugin_registry().of(Metric)
    if named is None:
        named = [Named(name=entry.name) for entry in registry if entry.owner.plugin in BUILT_IN]
    for each in named:
        entry = registry.get(each.name)
        yield _Chosen(entry, entry.create(each.options), each.options)


def _comparisons(
    real: Table, synthetic: Table, unseen: Table, rng: np.random.Generator, log: Log
) -> Mapping[str, list[Samples]]:
    """Return what each half of the unseen rows is compared with, by the kind of rows."""
    size = min(len(unseen) // 2, len(synthetic), MOST_ROWS)
    if size < FEWEST_COMPARED_ROWS:
        raise TableError(
            f"{len(unseen)} unseen real and {len(synthetic)} synthetic rows are too few to "
            f"compare: at least {2 * FEWEST_COMPARED_ROWS} and {FEWEST_COMPARED_ROWS} are needed"
        )
    if size < len(unseen) // 2:
        log.note(
            f"{size} rows are compared on each side, at random: there are {len(synthetic)} "
            f"synthetic rows, and {MOST_ROWS} are the most"
        )
    order, drawn = rng.permutation(len(unseen)), rng.permutation(len(synthetic))
    halves = [unseen.take(order[:size]), unseen.take(order[size : 2 * size])]
    rows = {
        "synthetic": [synthetic.take(drawn[:size]), synthetic.take(drawn[-size:])],
        "real": halves[::-1],
        "null": [real.take(rng.integers(len(real), size=size)) for _ in halves],
    }
    return {
        kind: [Samples(real, own, half) for own, half in zip(tables, halves, strict=True)]
        for kind, tables in rows.items()
    }


def _measurement(
    chosen: _Chosen, comparisons: Mapping[str, list[Samples]], seed: int, resources: Resources
) -> Measurement:
    """Measure all comparisons; each half has its own random numbers, the same for all rows."""
    started = time.monotonic()
    values: dict[str, list[float]] = {}
    reasons = []
    for kind, samples in comparisons.items():
        try:
            values[kind] = [
                measure(
                    chosen.metric,
                    rows,
                    np.random.default_rng([seed, zlib.crc32(chosen.name.encode()), half]),
                    resources,
                    owner=chosen.entry.owner,
                )
                for half, rows in enumerate(samples)
            ]
        except (NotApplicable, OutOfTime) as error:
            reasons.append(f"{_SPELLED[kind]}: {error}")
    return _record(chosen, values, "; ".join(reasons), round(time.monotonic() - started, 3))


_SPELLED = {
    "synthetic": "synthetic rows",
    "real": "real against real",
    "null": "real rows drawn again",
}


def _not_private(chosen: _Chosen) -> Measurement:
    return _record(chosen, {}, "there are no unseen real rows to compare with", 0.0)


def _record(
    chosen: _Chosen, values: Mapping[str, list[float]], reason: str, seconds: float
) -> Measurement:
    metric = chosen.metric
    means = {kind: float(np.mean(halves)) for kind, halves in values.items()}
    low, high = (bound if math.isfinite(bound) else None for bound in metric.bounds)
    return Measurement(
        name=chosen.name,
        family=metric.family,
        summary=(inspect.getdoc(type(metric)) or chosen.name).partition("\n\n")[0],
        reference=metric.reference,
        distribution=chosen.entry.owner.distribution,
        options=chosen.options,
        better=metric.better,
        bounds=(low, high),
        synthetic=means.get("synthetic"),
        real=means.get("real"),
        null=means.get("null"),
        spread=max((max(halves) - min(halves) for halves in values.values()), default=None),
        reason=reason,
        seconds=seconds,
    )


def _versions(chosen: Sequence[_Chosen]) -> dict[str, str]:
    owners = {each.entry.owner.distribution: each.entry.owner.version for each in chosen}
    return owners | {name: importlib.metadata.version(name) for name in ("scikit-learn", "scipy")}
