"""What the first fit of a process costs and no later one: imports, compiled code, the GPU."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from autogluon_causalmix.config import Hyperparameters, Named
from autogluon_causalmix.method import FEWEST_FOR_TUNING, fit
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

SECONDS = 600.0
KNOWLEDGE = ("required", "forbidden", "tiers")
ROWS = 2 * FEWEST_FOR_TUNING  # enough that nothing is left out


def warm_up(
    hyperparameters: Mapping[str, Any],
    num_cpus: int | None = None,
    num_gpus: float | None = None,
) -> None:
    """Fit and predict a tiny random table, and forget it.

    It imports what a fit imports, compiles the search for graphs, reads the weights once, and
    makes the context of the GPU. Nothing of it depends on data.

    Parameters
    ----------
    hyperparameters : mapping
        Those of the fit to come; AutoGluon's own, such as ``"ag_args"``, are passed over.
    num_cpus, num_gpus : number or None
        Those of the fit to come; None is one core, and a GPU if there is one.

    Raises
    ------
    CausalMixError
        A hyperparameter is wrong, a plugin broke its contract, or weights cannot be read.
    """
    import torch

    known = Hyperparameters.model_fields
    own = {name: value for name, value in hyperparameters.items() if name in known}
    options = Hyperparameters.parse({**own, "finetune_steps": 1, "n_estimators": 1})
    if options.generator is not None:  # the random table has none of the columns that these name
        rest = {k: v for k, v in options.generator.options.items() if k not in KNOWLEDGE}
        named = Named(name=options.generator.name, **rest)
        options = options.model_copy(update={"generator": named})
    on_gpu = num_gpus != 0 and torch.cuda.is_available()
    training, other = _table(seed=0), _table(seed=1)
    validation = training.with_frame(other.frame)
    device = "cuda" if on_gpu else "cpu"
    fitted = fit(training, validation, options, Resources(SECONDS, num_cpus or 1, device))
    fitted.model.predict_proba(other.features)


def _table(seed: int) -> Table:
    """Return random rows with numbers and categories, so that every kind of mechanism is there."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(ROWS, 3)), columns=list("abc"))
    frame["c"] = frame["a"] + rng.normal(size=ROWS)
    frame["d"] = pd.Categorical(np.where(frame["b"] > 0, "high", "low"))
    return Table.from_frame(frame.assign(target=np.arange(ROWS) % 2), "target")
