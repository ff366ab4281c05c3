"""The three arms of every comparison, fitted by one `TabularPredictor`, scored on the same test rows."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.tabular import TabularPredictor
from sklearn.metrics import log_loss, roc_auc_score

from autogluon_causalmix.errors import CausalMixError
from autogluon_causalmix.model import REPORT_FILE, CausalMixModel
from autogluon_causalmix.records import FitReport

ARMS: dict[str, dict[str, Any]] = {
    "zero-shot": {"finetune": False},
    "fine-tuned": {"generator": None},
    "CausalMix": {},
}


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
    """

    predictor: TabularPredictor
    reports: dict[str, FitReport]
    scores: pd.DataFrame


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
        AutoGluon left an arm out.
    """
    predictor = TabularPredictor(target, path=str(path), verbosity=verbosity, log_to_file=False)
    settings = [
        {**options, **own, "ag_args": {"name_suffix": f" {arm}"}} for arm, own in ARMS.items()
    ]
    with warnings.catch_warnings():
        if verbosity < 2:
            warnings.simplefilter(
                "ignore"
            )  # third parties' chatter; ours goes to the log and the report
        predictor.fit(
            train,
            hyperparameters={CausalMixModel: settings},
            fit_weighted_ensemble=False,
            raise_on_model_failure=True,
            raise_on_no_models_fitted=False,
            time_limit=time_limit,
            dynamic_stacking=False,
        )
    reports, rows = {}, []
    for arm in ARMS:
        name = f"{CausalMixModel.ag_name} {arm}"
        if name not in predictor.model_names():
            raise CausalMixError(
                f"AutoGluon left out the arm {arm!r}: too little time or memory, or a table beyond the model's limits "
                f"{CausalMixModel._default_auxiliary_params_extra}; its log, with --verbose, says which"
            )
        reports[arm] = FitReport.read(Path(predictor.path) / "models" / name / REPORT_FILE)
        rows.append({"arm": arm, **_scores(predictor, name, test, target, reports[arm])})
    return Comparison(predictor, reports, pd.DataFrame(rows))


def _scores(
    predictor: TabularPredictor,
    name: str,
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
    probabilities = predictor.predict_proba(test, model=name)
    known = test[target].isin(probabilities.columns)
    labels, probabilities = test[target][known], probabilities[known].astype("float64")
    probabilities = probabilities.div(
        probabilities.sum(axis=1), axis=0
    )  # AutoGluon hands over 32-bit floats
    binary = probabilities.shape[1] == 2
    given = probabilities.iloc[:, 1] if binary else probabilities
    return {
        "rows": len(labels),
        "log_loss": float(log_loss(labels, probabilities, labels=list(probabilities.columns))),
        "roc_auc": float(
            roc_auc_score(labels, given, multi_class="ovr", labels=list(probabilities.columns))
        ),
        **facts,
        "predict seconds": round(time.monotonic() - started, 1),
    }
