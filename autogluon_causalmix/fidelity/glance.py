"""`glance`: a few cheap metrics of the synthetic rows of a fit, between their floors."""

import logging

from autogluon_causalmix.config import Evaluation, Named
from autogluon_causalmix.errors import CausalMixError
from autogluon_causalmix.fidelity.battery import compare_rows
from autogluon_causalmix.fidelity.records import FidelityReport
from autogluon_causalmix.fitlog import Log
from autogluon_causalmix.table import Table

CHEAP = ("ks", "tvd", "correlation", "contingency", "detection-logistic", "duplicates")
"""Two of single columns, two of pairs, one that tells rows apart, and one that counts copies."""

SECONDS = 8.0
"""For all of them, which take less than two where the machine is idle."""


def glance(
    real: Table, synthetic: Table, holdout: Table | None, seed: int, seconds: float = SECONDS
) -> tuple[FidelityReport | None, str]:
    """Return what a look at the rows shows; None, and why, where there are too few rows for one.

    Parameters
    ----------
    real : Table
        The rows that the generator has learned from.
    synthetic : Table
        The rows that it has drawn.
    holdout : Table or None
        Real rows that it has not seen.
    seed : int
        Of the halves of the holdout.
    seconds : float
        What is left of the fit's time; at most `SECONDS` are used.
    """
    if seconds <= 0:
        return None, "no time was left"
    if holdout is None:
        return None, "there are no unseen real rows to compare with"
    metrics = tuple(Named(name=name) for name in CHEAP)
    options = Evaluation(metrics=metrics, seed=seed, time_limit=min(seconds, SECONDS), num_cpus=1)
    try:
        report = compare_rows(
            options, real.frame, synthetic.frame, real.target, holdout.frame, Log(logging.DEBUG)
        )
    except CausalMixError as error:
        return None, str(error)
    return report, ""
