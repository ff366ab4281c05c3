"""What a refit on all rows is told of the fits before it: numbers by AutoGluon, reports by us."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autogluon.core.constants import REFIT_FULL_SUFFIX

from autogluon_causalmix.records import FitReport, FoldVerdict

REPORT_FILE = "fit_report.json"
FOLDS = "S*F*"  # AutoGluon's names of the models of a bag: set and fold
MEMBER_STEPS = "member_steps."  # with a number: AutoGluon averages numbers, and no lists of them
MEMBER_SHARES = "member_shares."


def found(report: FitReport, seconds: float) -> dict[str, bool | int | float]:
    """Return what AutoGluon hands from the folds to their refit, as hyperparameters.

    It takes the mean of numbers and asks for the same keys in every fold. The refit has no time
    limit of its own, so it gets the mean of theirs.

    Parameters
    ----------
    report : FitReport
        Of a fold.
    seconds : float
        What the fold might take.
    """
    numbers: dict[str, bool | int | float] = {
        "finetune_steps": report.tuned_step,
        "finetune_share": report.share,
        "early_stopping": False,
        "time_limit": seconds,
    }
    for number, member in enumerate(report.members):
        numbers[f"{MEMBER_STEPS}{number}"] = member.tuned_step
        numbers[f"{MEMBER_SHARES}{number}"] = member.share
    return numbers


def joined(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters with what folds found for an ensemble's members joined."""
    own = (MEMBER_STEPS, MEMBER_SHARES)
    rest = {name: value for name, value in params.items() if not name.startswith(own)}
    n_members = (len(params) - len(rest)) // len(own)
    if n_members == 0:
        return rest
    steps, shares = (
        tuple(params[f"{each}{number}"] for number in range(n_members)) for each in own
    )
    return {**rest, "member_steps": steps, "member_shares": shares}


def verdicts_before(path: Path) -> list[FoldVerdict]:
    """Return what the folds of a bag decided, or the model that `refit_full` was called on.

    AutoGluon tells a refit the mean of the folds' numbers, and nothing else. Their reports lie
    beside it in the bag, or in the bag or model of the same name without AutoGluon's suffix.

    Parameters
    ----------
    path : Path
        The refit's own folder; in a bag it may hold the report of the first fold.

    Raises
    ------
    CheckpointError
        A report cannot be read.
    """
    bag = path.parent.with_name(path.parent.name.removesuffix(REFIT_FULL_SUFFIX))
    found = [folder for folder in bag.glob(FOLDS) if (folder / REPORT_FILE).exists()]
    alone = path.with_name(path.name.removesuffix(REFIT_FULL_SUFFIX))
    if not found and alone != path and (alone / REPORT_FILE).exists():
        found = [alone]
    found.sort(key=lambda folder: (len(folder.name), folder.name))
    return [verdict_of(FitReport.read(folder / REPORT_FILE), folder.name) for folder in found]


def verdict_of(report: FitReport, fold: str) -> FoldVerdict:
    """Return what a fit decided, as a fold of that name."""
    return FoldVerdict(
        fold=fold,
        generator=report.generator.name if report.generator else None,
        rows=report.rows,
        pretrained=report.pretrained,
        tuned=report.tuned,
        kept=report.kept,
        kept_step=report.kept_step,
        share=report.share,
        tuned_step=report.tuned_step,
        reason=report.reason,
        notes=report.notes,
    )
