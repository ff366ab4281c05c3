"""What the fits before a refit decided, for the refit's own report."""

from pathlib import Path

from autogluon.core.constants import REFIT_FULL_SUFFIX

from autogluon_causalmix.records import FitReport, Verdict

REPORT_FILE = "fit_report.json"
FOLDS = "S*F*"  # AutoGluon's names of the models of a bag: set and fold


def verdicts_before(path: Path) -> list[Verdict]:
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
    return [FitReport.read(folder / REPORT_FILE).verdict(folder.name) for folder in found]
