"""The battery of metrics: floors, seeds, reasons, errors, and the report."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from fidelity_cases import clusters, label_noise, mode_drop, oddities

from autogluon_causalmix import FidelityReport, measure_fidelity
from autogluon_causalmix.errors import (
    CheckpointError,
    ConfigError,
    MetricError,
    NotApplicable,
    TableError,
    UnknownPlugin,
)
from autogluon_causalmix.fidelity.protocol import Better, Samples
from autogluon_causalmix.fidelity.records import Measurement
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.testing import check_metric

CHEAP = ["ks", "tvd", "correlation", "energy", "coverage", "closest-record", "duplicates"]


@dataclass(frozen=True)
class Given:
    """A metric of a plugin: returns what it is told to."""

    family: ClassVar[str] = "test"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, math.inf)
    reference: ClassVar[str] = "These tests"

    value: float = 0.0

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        return self.value


@dataclass(frozen=True)
class Text(Given):
    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        return "0.5"  # type: ignore[return-value]


@dataclass(frozen=True)
class Nameless(Given):
    reference: ClassVar[str] = ""


@dataclass(frozen=True)
class Odd(Given):
    better: ClassVar[Better] = "near"  # type: ignore[assignment]


@dataclass(frozen=True)
class Quitting(Given):
    """Ends the process where something is not to its liking."""

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        raise SystemExit("planted")


@dataclass(frozen=True)
class Lacking(Given):
    """Needs a library that is not there."""

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        import a_library_of_nobody  # type: ignore[import-not-found]

        return float(a_library_of_nobody.value)


@dataclass(frozen=True)
class Broken(Given):
    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        return 1 / 0


@dataclass(frozen=True)
class Endless(Given):
    family: ClassVar[str] = "endless"  # comes before those of the test

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        while True:
            pass


@dataclass(frozen=True)
class NeverForSynthetic(Given):
    """Has a value for real rows only: their first column is whole."""

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        if (rows.synthetic.frame["size"] > 50).any():
            raise NotApplicable("a row is too large")
        return 1.0


@dataclass(frozen=True)
class Meddler(Given):
    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        rows.holdout.frame.loc[:, "size"] = 0.0
        return float(np.abs(rows.holdout.frame["size"]).sum())


@dataclass(frozen=True)
class Global(Given):
    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        return float(np.random.random())  # noqa: NPY002 - the fault to be found


@dataclass(frozen=True)
class WrongWay(Given):
    better: ClassVar[Better] = "higher"

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        first, second = (table.encode()[:, 0] for table in (rows.holdout, rows.synthetic))
        return float(abs(np.nanmean(first) - np.nanmean(second))) if len(first) else 0.0


def path_of(metric: type) -> str:
    return f"{metric.__module__}:{metric.__name__}"


@pytest.fixture
def frames() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    real, synthetic, holdout = (clusters(n, rng) for n in (150, 200, 160))
    return real, synthetic, holdout


def measured(frames: Any, *metrics: Any, **options: Any) -> FidelityReport:
    real, synthetic, holdout = frames
    return measure_fidelity(real, synthetic, "label", holdout, metrics or CHEAP, **options)


def test_all_built_in_metrics_have_a_value_and_both_floors_on_odd_columns() -> None:
    rng = np.random.default_rng(0)
    real, synthetic, holdout = (oddities(n, rng) for n in (150, 200, 160))
    report = measure_fidelity(real, synthetic, "label", holdout)
    assert len(report.measurements) >= 28
    for each in report.measurements:
        assert None not in (each.synthetic, each.real, each.null, each.spread), each.name
        assert each.reason == ""
        assert each.summary.endswith("."), each.name
        assert each.reference, each.name
    assert report.rows.compared == 80
    families = [each.family for each in report.measurements]
    assert families == sorted(families)


def test_the_floors_are_real_rows_and_training_rows_drawn_again(frames: Any) -> None:
    real, _, holdout = frames
    copies = real.sample(200, replace=True, random_state=0)
    by_name = {each.name: each for each in measured((real, copies, holdout)).measurements}
    duplicates = by_name["duplicates"]
    assert (duplicates.synthetic, duplicates.real, duplicates.null) == (1.0, 0.0, 1.0)
    assert by_name["ks"].standing == "level"  # copies are what the null is
    shifted = holdout.assign(**{name: holdout[name] + 3.0 for name in ("size", "speed", "age")})
    found = measured((real, shifted, holdout)).measurements
    assert {each.name: each.standing for each in found}["ks"] == "worse"


def test_the_value_is_the_mean_over_both_halves_of_the_unseen_rows(frames: Any) -> None:
    real, synthetic, holdout = frames
    (found,) = measured(frames, "ks").measurements
    swapped = measured((real, synthetic, holdout), "ks").measurements[0]
    assert found.real == swapped.real
    assert found.real is not None
    assert 0 < found.real < 0.3


def test_the_same_seed_gives_the_same_values_and_another_seed_others(frames: Any) -> None:
    def values(report: FidelityReport) -> list[tuple[float | None, ...]]:
        return [(each.synthetic, each.real, each.null) for each in report.measurements]

    first, again, other = (values(measured(frames, seed=seed)) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_a_metric_has_the_same_value_alone_and_among_others(frames: Any) -> None:
    alone = measured(frames, "fpcad", "rfis").measurements
    among = measured(frames, *CHEAP, "rfis", path_of(Given), "fpcad").measurements
    wanted = {each.name: each.synthetic for each in alone}
    assert {each.name: each.synthetic for each in among if each.name in wanted} == wanted


def test_faults_stand_worse_than_real_rows_drawn_again() -> None:
    rng = np.random.default_rng(1)
    real, holdout = clusters(300, rng), clusters(300, rng)
    for fault, metric in ((mode_drop, "tvd"), (label_noise, "tstr")):
        synthetic = fault(clusters(300, rng), rng)
        report = measure_fidelity(real, synthetic, "label", holdout, [metric])
        assert report.measurements[0].standing == "worse", metric
        assert "worse in 1" in report.verdict


def test_training_rows_drawn_again_are_seldom_better_or_worse_than_themselves() -> None:
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        real, holdout = clusters(200, rng), clusters(200, rng)
        again = real.sample(200, replace=True, random_state=seed)
        report = measured((real, again, holdout), *CHEAP, "fpcad", "density", seed=seed)
        found += [each.standing for each in report.measurements]
    assert np.mean([standing != "level" for standing in found]) < 0.25


def test_without_unseen_rows_a_note_says_so_and_privacy_is_not_measured(frames: Any) -> None:
    real, synthetic, _ = frames
    report = measure_fidelity(real, synthetic, "label", metrics=["ks", "duplicates"])
    ks, duplicates = report.measurements
    assert (ks.reason, report.rows.holdout) == ("", 0)
    assert duplicates.synthetic is None
    assert "no unseen real rows" in duplicates.reason
    assert any("copies of them look best" in note for note in report.notes)


def test_fewer_synthetic_rows_make_all_comparisons_smaller_and_a_note_says_so(frames: Any) -> None:
    real, synthetic, holdout = frames
    report = measured((real, synthetic[:30], holdout), "ks")
    assert report.rows.compared == 30
    assert any("30 rows are compared on each side" in note for note in report.notes)


def test_a_metric_that_does_not_apply_says_why_and_keeps_its_floors(frames: Any) -> None:
    real, synthetic, holdout = frames
    synthetic = synthetic.assign(size=99.0)
    (found,) = measured((real, synthetic, holdout), path_of(NeverForSynthetic)).measurements
    assert (found.synthetic, found.real, found.null, found.standing) == (None, 1.0, 1.0, None)
    assert found.reason == "synthetic rows: a row is too large"


def test_a_metric_that_outruns_its_time_has_a_reason_and_the_report_is_there(frames: Any) -> None:
    report = measured(frames, path_of(Endless), time_limit=2.0)
    (found,) = report.measurements
    assert found.synthetic is None
    assert "cut off" in found.reason
    assert report.verdict == "No metric could be measured."


def test_a_slow_metric_leaves_time_for_the_others(frames: Any) -> None:
    report = measured(frames, path_of(Endless), "wasserstein", time_limit=4.0)
    slow, quick = sorted(report.measurements, key=lambda each: -each.seconds)
    assert slow.synthetic is None
    assert quick.synthetic is not None


@pytest.mark.parametrize(
    ("metric", "complaint"),
    [
        ({"name": path_of(Given), "value": -1.0}, "returned -1.0, outside its bounds 0 to inf"),
        (path_of(Text), "returned '0.5', not a finite number"),
        (path_of(Broken), "raised ZeroDivisionError"),
        (path_of(Quitting), "raised SystemExit: planted"),
        (path_of(Lacking), "install what provides 'a_library_of_nobody'"),
        (path_of(Nameless), "its reference is '', not a non-empty string"),
        (path_of(Odd), "its better is 'near', not 'higher', 'lower' or a finite number"),
    ],
)
def test_a_metric_that_breaks_its_contract_is_named(
    metric: Any, complaint: str, frames: Any
) -> None:
    with pytest.raises(MetricError) as error:
        measured(frames, metric)
    assert complaint in str(error.value)
    assert "test_fidelity" in str(error.value)


def test_a_metric_cannot_change_the_rows_of_another(frames: Any) -> None:
    wanted = measured(frames, "ks").measurements[0].synthetic
    found = {each.name: each for each in measured(frames, path_of(Meddler), "ks").measurements}
    assert found["ks"].synthetic == wanted


@pytest.mark.parametrize(
    ("metric", "complaint"),
    [
        (Given(), "the faulty ones are no worse"),
        (Global(), "an equal rng gave another value"),
        (WrongWay(), "the faulty ones are no worse"),
        (Broken(), "raised ZeroDivisionError"),
    ],
)
def test_the_check_for_authors_finds_planted_faults(metric: Given, complaint: str) -> None:
    from autogluon_causalmix.testing import mixed_scm

    table = mixed_scm(120, np.random.default_rng(0))[0]
    with pytest.raises(AssertionError, match=complaint):
        check_metric(metric, {"simulated": table})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda frame: frame.drop(columns="age"), "synthetic rows lack the columns \\['age'\\]"),
        (lambda frame: frame.assign(age="old"), "column 'age' does not hold the same kind"),
        (lambda frame: frame.assign(label=None), "target 'label' is missing in 200 synthetic rows"),
        (lambda frame: frame[:19], "160 unseen real and 19 synthetic rows are too few"),
        (lambda frame: frame.assign(age=np.inf), "column 'age' .*inf"),
        (lambda frame: frame.to_dict(), "synthetic rows are dict, not a pandas.DataFrame"),
    ],
)
def test_rows_that_cannot_be_compared_are_refused_by_name(
    change: Any, complaint: str, frames: Any
) -> None:
    real, synthetic, holdout = frames
    with pytest.raises(TableError, match=complaint):
        measured((real, change(synthetic), holdout), "ks")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"metrics": ["kss"]}, UnknownPlugin),
        ({"metrics": [{"name": "density", "neighbours": 0}]}, ConfigError),
        ({"seed": -1}, ConfigError),
        ({"time_limit": 0.0}, ConfigError),
    ],
)
def test_arguments_out_of_range_are_refused(
    options: Any, error: type[Exception], frames: Any
) -> None:
    real, synthetic, holdout = frames
    with pytest.raises(error):
        measure_fidelity(real, synthetic, "label", holdout, **options)


def test_dtypes_and_categories_may_differ_between_files(frames: Any) -> None:
    real, synthetic, holdout = frames
    whole = real.assign(rooms=np.arange(len(real)) % 4, colour=real["colour"].astype("category"))
    drawn = synthetic.assign(rooms=1.5, extra=0)
    unseen = holdout.assign(rooms=2, colour=holdout["colour"].replace("red", "violet"))
    report = measured((whole, drawn, unseen), "tvd", "contingency", "detection-boosted")
    assert all(each.reason == "" for each in report.measurements)
    assert any("['extra']" in note for note in report.notes)
    violet = next(each for each in report.marginals if each.column == "colour")
    assert "violet" in violet.labels


def test_a_report_is_the_same_after_writing_and_reading(frames: Any, tmp_path: Path) -> None:
    report = measured(frames)
    report.write(tmp_path / "fidelity.json")
    assert FidelityReport.read(tmp_path / "fidelity.json") == report
    said = json.loads((tmp_path / "fidelity.json").read_text())
    energy = next(each for each in said["measurements"] if each["name"] == "energy")
    assert energy["bounds"] == [0.0, None]


def test_a_file_that_is_no_fidelity_report_is_refused(frames: Any, tmp_path: Path) -> None:
    path = tmp_path / "fidelity.json"
    with pytest.raises(CheckpointError, match="is not a fidelity report"):
        FidelityReport.read(path)
    measured(frames, "ks").write(path)
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 9'))
    with pytest.raises(CheckpointError, match="a newer release wrote it"):
        FidelityReport.read(path)


def test_standing_looks_at_the_direction_and_at_the_spread() -> None:
    facts: dict[str, Any] = {
        "name": "m",
        "family": "f",
        "summary": "",
        "reference": "",
        "distribution": "d",
        "options": {},
        "bounds": (0.0, 1.0),
        "real": 0.5,
        "reason": "",
        "seconds": 0.0,
    }

    def standing(better: Any, synthetic: float, null: float, spread: float = 0.05) -> str | None:
        values = {"better": better, "synthetic": synthetic, "null": null, "spread": spread}
        return Measurement(**facts, **values).standing

    assert standing("lower", 0.2, 0.4) == "better"
    assert standing("higher", 0.2, 0.4) == "worse"
    assert standing(0.5, 0.6, 0.3) == "better"
    assert standing(0.5, 0.6, 0.4) == "level"
    assert standing("lower", 0.2, 0.4, spread=0.3) == "level"
