"""Three arms of every comparison, fitted by one `TabularPredictor`, scored on the same rows."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.tabular import TabularPredictor
from pandas.api import types

from autogluon_causalmix import arms
from autogluon_causalmix.errors import CausalMixError, TableError
from autogluon_causalmix.model import CausalMixModel
from autogluon_causalmix.records import FitReport
from autogluon_causalmix.refit import REPORT_FILE
from autogluon_causalmix.table import Table, identifiers
from autogluon_causalmix.task import Classification

ARMS = {arm: arms.ARMS[arm] for arm in ("zero-shot", "fine-tuned", "CausalMix")}
FEWEST_ROWS_OF_A_CLASS = 2  # of a class: one to learn from and one to validate on


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
    notes : tuple of str
        What AutoGluon left out, one sentence each.
    """

    predictor: TabularPredictor
    reports: dict[str, FitReport]
    scores: pd.DataFrame
    notes: tuple[str, ...] = ()


def check_table(table: Table) -> None:
    """Refuse a table that no arm can be fitted to, before the work starts.

    Raises
    ------
    TableError
        It has too few or too many classes, too many rows or features, or nothing to learn from.

    Examples
    --------
    >>> frame = pd.DataFrame({"dose": [1, 1, 1, 1], "cured": ["no", "no", "yes", "yes"]})
    >>> check_table(Table.from_frame(frame, target="cured"))
    Traceback (most recent call last):
        ...
    autogluon_causalmix.errors.TableError: there is nothing to learn from: every feature is empty, \
has a single value, or another word in every row
    """
    limits = CausalMixModel._default_auxiliary_params_extra
    counted = table.labels.value_counts()
    counted = counted[counted > 0]
    target = repr(table.target)
    if len(counted) < 2:
        raise TableError(
            f"the target {target} has a single class, {counted.index[0]!r}: nothing to predict"
        )
    for what, found in (
        ("classes", len(counted)),
        ("rows", len(table)),
        ("features", len(table.columns) - 1),
    ):
        if found > limits[f"max_{what}"]:
            raise TableError(
                f"the table has {found} {what}, the model takes at most {limits[f'max_{what}']}"
            )
    if counted.iloc[1] < FEWEST_ROWS_OF_A_CLASS:
        raise TableError(
            f"the target {target} has less than two classes with {FEWEST_ROWS_OF_A_CLASS} rows or "
            "more: too few to learn from and to validate on"
        )
    copies = identifiers(table)
    named = [column.name for column in table.feature_columns if column.name not in copies]
    if not any(table.frame[name].nunique() > 1 for name in named):
        raise TableError(
            "there is nothing to learn from: every feature is empty, has a single value, "
            "or another word in every row"
        )


def compare(
    train: pd.DataFrame,
    test: pd.DataFrame | None,
    target: str,
    options: Mapping[str, Any],
    path: Path,
    *,
    time_limit: float | None = None,
    verbosity: int = 0,
) -> Comparison:
    """Fit every arm with `options` on the same split of `train`, and score it on `test`.

    Raises
    ------
    CausalMixError
        AutoGluon failed, or left an arm out; in its own words.
    """
    train, test = (
        _without_extension_types(train),
        None if test is None else _without_extension_types(test),
    )
    problem_type = Table.from_frame(train, target).problem_type
    try:
        predictor = _fit(train, target, problem_type, options, path, time_limit, verbosity)
        reports = {arm: _report(predictor, arm) for arm in ARMS}
        scores = [
            {"arm": arm, **_scores(predictor, arm, test, target, report)}
            for arm, report in reports.items()
        ]
    except CausalMixError:
        raise
    except Exception as error:  # foreign code: AutoGluon, its feature generators and its metrics
        said = " ".join(str(error).split())
        raise CausalMixError(
            f"AutoGluon could not fit or score the arms: {type(error).__name__}: {said}"
        ) from error
    return Comparison(predictor, reports, pd.DataFrame(scores), _left_out(predictor))


def _fit(
    train: pd.DataFrame,
    target: str,
    problem_type: str,
    options: Mapping[str, Any],
    path: Path,
    time_limit: float | None,
    verbosity: int,
) -> TabularPredictor:
    predictor = TabularPredictor(
        target, problem_type=problem_type, path=str(path), verbosity=verbosity, log_to_file=False
    )
    settings = [
        {**options, **own, "ag_args": {"name_suffix": f" {arm}"}} for arm, own in ARMS.items()
    ]
    with warnings.catch_warnings():
        if verbosity < 2:  # third parties' chatter; ours goes to the log and the report
            warnings.simplefilter("ignore")
        predictor.fit(
            train,
            hyperparameters={CausalMixModel: settings},
            fit_weighted_ensemble=False,
            raise_on_model_failure=True,
            raise_on_no_models_fitted=False,
            time_limit=time_limit,
            dynamic_stacking=False,
        )
    return predictor


def _report(predictor: TabularPredictor, arm: str) -> FitReport:
    name = _model(arm)
    if name not in predictor.model_names():
        raise CausalMixError(
            f"AutoGluon left out the arm {arm!r}: too little time or memory; "
            "its log, with --verbose, says which"
        )
    return FitReport.read(Path(predictor.path) / "models" / name / REPORT_FILE)


def _model(arm: str) -> str:
    return f"{CausalMixModel.ag_name} {arm}"


def _without_extension_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Return whole numbers with gaps as floats: AutoGluon puts 0 where an integer is missing."""
    nullable = [
        name
        for name, dtype in frame.dtypes.items()
        if types.is_extension_array_dtype(dtype) and types.is_numeric_dtype(dtype)
    ]
    return frame.astype(dict.fromkeys(nullable, "float64"))


def _left_out(predictor: TabularPredictor) -> tuple[str, ...]:
    """Say which classes AutoGluon has left out of the fit."""
    kept = predictor.class_labels_internal_map
    rare = [label for label in predictor.class_labels if label not in kept]
    if not rare:
        return ()
    return (f"AutoGluon left out classes with too few rows, and gives them probability 0: {rare}",)


def _scores(
    predictor: TabularPredictor,
    arm: str,
    test: pd.DataFrame | None,
    target: str,
    report: FitReport,
) -> dict[str, Any]:
    started = time.monotonic()
    facts: dict[str, Any] = {
        "kept": report.kept,
        "fit seconds": round(sum(report.seconds.values()), 1),
    }
    if test is None:
        scores = report.tuned if report.kept == "fine-tuned" else report.pretrained
        return {"rows": report.rows.validation, **(scores.model_dump() if scores else {}), **facts}
    probabilities = predictor.predict_proba(test, model=_model(arm))
    known = test[target].isin(probabilities.columns)
    codes = probabilities.columns.get_indexer(pd.Index(test[target][known]))
    predicted = probabilities[known].to_numpy(dtype="float64")
    predicted /= predicted.sum(axis=1, keepdims=True)  # AutoGluon hands over 32-bit floats
    return {
        "rows": len(codes),
        **Classification().scores(predicted, codes).model_dump(),
        **facts,
        "predict seconds": round(time.monotonic() - started, 1),
    }
