"""The arms of every comparison, fitted by one `TabularPredictor`, scored on the same rows."""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.core.utils.exceptions import NotEnoughMemoryError, TimeLimitExceeded
from autogluon.tabular import TabularPredictor
from pandas.api import types

from autogluon_causalmix.arms import ARMS
from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.errors import CausalMixError
from autogluon_causalmix.model import CausalMixModel
from autogluon_causalmix.records import FitReport
from autogluon_causalmix.reports import reports_of
from autogluon_causalmix.table import Table
from autogluon_causalmix.task import Classification
from autogluon_causalmix.verdict import verdict

SHORTEST = 2.0
"""Seconds that an arm gets in any case: enough to predict with the pretrained weights."""

HEADROOM = 0.9
"""Of the seconds left after the first arm: AutoGluon saves models and predicts meanwhile."""

LIMITS = (NotEnoughMemoryError, TimeLimitExceeded)
"""Raised by AutoGluon where an arm has too little of either: it is left out, and a note says so."""


@dataclass(frozen=True)
class Comparison:
    """Arms fitted on the same rows.

    Attributes
    ----------
    predictor : TabularPredictor
        Holds one model per arm.
    reports : dict of str to FitReport
        By arm.
    scores : pandas.DataFrame
        One row per arm; on the test rows, or on the validation rows where there are none.
    losses : pandas.DataFrame
        Log-loss of each of these rows, one column per arm.
    notes : tuple of str
        What AutoGluon left out, one sentence each.
    verdict : str
        What the losses show.
    """

    predictor: TabularPredictor
    reports: dict[str, FitReport]
    scores: pd.DataFrame
    losses: pd.DataFrame
    notes: tuple[str, ...] = ()
    verdict: str = ""


def compare(
    train: pd.DataFrame,
    test: pd.DataFrame | None,
    target: str,
    options: Mapping[str, Any],
    path: Path,
    *,
    time_limit: float | None = None,
    verbosity: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Fit every arm with `options` on the same split of `train`, and score it on `test`.

    The first arm takes no step of fine-tuning. What it takes says how long the predictions of the
    others will take; they get equal parts of the rest of the time, and are left out where that is
    less than their predictions alone.

    Parameters
    ----------
    train, test : pandas.DataFrame
        Rows to fit to, and rows to score on; without `test`, the validation rows are scored on.
    target : str
        The column of classes.
    options : mapping
        Hyperparameters of every arm.
    path : Path
        The predictor's folder.
    time_limit : float, optional
        Seconds for all of it; without, each arm has its own limit.
    verbosity : int
        AutoGluon's.
    say : callable
        Gets sentences about what is going on.

    Raises
    ------
    CausalMixError
        AutoGluon failed, or fitted no arm; in its own words.
    """
    train, test = (
        _as_autogluon_takes_them(train, target),
        None if test is None else _as_autogluon_takes_them(test, target),
    )
    problem_type = Table.from_frame(train, target).problem_type
    try:
        predictor = TabularPredictor(
            target,
            problem_type=problem_type,
            path=str(path),
            verbosity=verbosity,
            log_to_file=False,
        )
        with _quiet(verbosity):
            _fit(predictor, train, 0 if test is None else len(test), options, time_limit, say)
        reports = _reports(predictor)
        if not reports:
            raise CausalMixError(
                "AutoGluon fitted no arm: too little time or memory; its log, with --verbose, says "
                "which"
            )
        scored = {
            arm: _scored(predictor, arm, test, report, say) for arm, report in reports.items()
        }
    except CausalMixError:
        raise
    except Exception as error:  # foreign code: AutoGluon, its feature generators and its metrics
        said = " ".join(str(error).split())
        raise CausalMixError(
            f"AutoGluon could not fit or score the arms: {type(error).__name__}: {said}"
        ) from error
    scores = pd.DataFrame([{"arm": arm, **facts} for arm, (facts, _) in scored.items()])
    losses = pd.DataFrame({arm: losses for arm, (_, losses) in scored.items()})
    kind = "validation" if test is None else "test"
    said = verdict(losses, f"these {len(losses)} {kind} rows of one split")
    if "CausalMix" in reports and reports["CausalMix"].generator is None:
        said = f"CausalMix had no synthetic rows in this fit, see its notes. {said}"
    notes = (*_left_out(predictor), *_unequal(reports))
    return Comparison(predictor, reports, scores, losses, notes, said)


def _fit(
    predictor: TabularPredictor,
    train: pd.DataFrame,
    test_rows: int,
    options: Mapping[str, Any],
    time_limit: float | None,
    say: Callable[[str], None],
) -> None:
    """Fit the first arm, and the others in the time that it says is left."""
    started = time.monotonic()
    first, *others = ARMS
    say(first)
    with suppress(*LIMITS):
        predictor.fit(
            train,
            hyperparameters={CausalMixModel: [_settings(first, options)]},
            fit_weighted_ensemble=False,
            raise_on_model_failure=True,
            raise_on_no_models_fitted=False,
            time_limit=time_limit,
            dynamic_stacking=False,
        )
    if not _reports(predictor):
        return
    part = None
    if time_limit is not None:
        scoring = len(ARMS) * _prediction_seconds(predictor, first, test_rows)
        left = time_limit - (time.monotonic() - started) - scoring
        part = max(HEADROOM * left / len(others), SHORTEST)
        # A fit predicts the validation rows, and AutoGluon does so once more.
        least = 2 * _prediction_seconds(predictor, first, 0)
        if part < least:
            say(f"no time for the {len(others)} other arms: each takes {least:.0f} s at least")
            return
        say(f"{part:.0f} s for each of the {len(others)} other arms, {scoring:.0f} s for scores")
    for arm in others:
        say(arm)
        with suppress(*LIMITS):
            predictor.fit_extra(
                {CausalMixModel: [_settings(arm, options)]},
                time_limit=part,
                fit_weighted_ensemble=False,
            )


def _prediction_seconds(predictor: TabularPredictor, arm: str, rows: int) -> float:
    """Return about how long an arm takes to predict so many rows; 0 stands for validation rows."""
    report = _reports(predictor)[arm]
    seconds: float = predictor.leaderboard(extra_info=False).iloc[0]["pred_time_val"]
    context, validation = report.rows.real, report.rows.validation
    return seconds * (context + (rows or validation)) / (context + validation)


def _settings(arm: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return {**options, **ARMS[arm], "ag_args": {"name_suffix": f" {arm}"}}


@contextmanager
def _quiet(verbosity: int) -> Iterator[None]:
    """Hide third parties' warnings unless the log is wanted; ours go to log and report."""
    with warnings.catch_warnings():
        if verbosity < 2:
            warnings.simplefilter("ignore")
        yield


def _reports(predictor: TabularPredictor) -> dict[str, FitReport]:
    """Return the report of each arm that AutoGluon has fitted."""
    found = reports_of(predictor)
    return {arm: found[_model(arm)] for arm in ARMS if _model(arm) in found}


def _model(arm: str) -> str:
    return f"{CausalMixModel.ag_name} {arm}"


def _as_autogluon_takes_them(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return whole numbers with gaps as floats, and words as categories.

    AutoGluon puts 0 where an integer is missing, and takes words apart into parts of words.
    """
    dtypes: dict[Any, str] = {}
    for name, dtype in frame.dtypes.items():
        if types.is_extension_array_dtype(dtype) and types.is_numeric_dtype(dtype):
            dtypes[name] = "float64"
        elif name != target and (types.is_object_dtype(dtype) or types.is_string_dtype(dtype)):
            dtypes[name] = "category"
    return frame.astype(dtypes)


def _left_out(predictor: TabularPredictor) -> tuple[str, ...]:
    """Say which arms and classes AutoGluon has left out of the fit."""
    found = _reports(predictor)
    said = tuple(
        f"the arm {arm!r} was left out: too little time or memory; the log, with --verbose, says "
        "which"
        for arm in ARMS
        if arm not in found
    )
    kept = _codes(predictor)
    rare = [label for label in predictor.class_labels if label not in kept]
    if not rare:
        return said
    return (
        *said,
        f"AutoGluon left out classes with too few rows, and gives them probability 0: {rare}",
    )


def _unequal(reports: Mapping[str, FitReport]) -> Iterator[str]:
    """Say where arms took unequal numbers of steps because time ran out, and not by choice."""
    steps = {arm: each.steps for arm, each in reports.items() if each.options["finetune"]}
    cut = any("its time was used up" in note for each in reports.values() for note in each.notes)
    if cut and len(set(steps.values())) > 1:
        told = ", ".join(f"{arm} {count}" for arm, count in steps.items())
        yield f"the arms took unequal numbers of steps, so that they are no fair comparison: {told}"


def _scored(
    predictor: TabularPredictor,
    arm: str,
    test: pd.DataFrame | None,
    report: FitReport,
    say: Callable[[str], None],
) -> tuple[dict[str, Any], Matrix]:
    """Return the scores of an arm, and its loss in each row, on test rows or validation rows."""
    say(f"{arm}: scores")
    started = time.monotonic()
    if test is None:
        features, codes = predictor.load_data_internal(data="val", return_X=True, return_y=True)
        probabilities = predictor.predict_proba(
            features, model=_model(arm), transform_features=False
        )
        labels = codes.map({code: name for name, code in _codes(predictor).items()})
    else:
        probabilities = predictor.predict_proba(test, model=_model(arm))
        labels = test[predictor.label]
    known = labels.isin(probabilities.columns).to_numpy()
    places = probabilities.columns.get_indexer(pd.Index(labels[known]))
    predicted = probabilities[known].to_numpy(dtype="float64")
    predicted /= predicted.sum(axis=1, keepdims=True)  # AutoGluon hands over 32-bit floats
    facts = {
        "rows": len(places),
        **Classification().scores(predicted, places).model_dump(),
        "kept": report.kept,
        "share": round(report.share, 2),
        "steps": report.steps,
        "fit seconds": round(sum(report.seconds.values()), 1),
        "predict seconds": round(time.monotonic() - started, 1),
    }
    return facts, Classification().row_losses(predicted, places)


def _codes(predictor: TabularPredictor) -> dict[Any, int]:
    codes: dict[Any, int] = predictor.class_labels_internal_map
    return codes
