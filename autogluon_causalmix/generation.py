"""`augment`: synthetic rows for a table, without any fine-tuning."""

from collections.abc import Hashable

import numpy as np
import pandas as pd

from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.generators.contract import draw, fit_generator
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


def augment(
    frame: pd.DataFrame,
    target: Hashable,
    n_rows: int,
    generator: str | dict[str, object] = "scm",
    seed: int = 0,
    time_limit: float = 600.0,
    num_cpus: int = 1,
) -> pd.DataFrame:
    """Draw synthetic rows like those of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        The real rows, features and target.
    target : Hashable
        Name of the target column, whose values are classes.
    n_rows : int
        How many rows to draw, at least 1.
    generator : str or dict
        A generator's name, or a dict with ``"name"`` and its options.
    seed : int
        The same seed draws the same rows.
    time_limit : float
        Seconds the generator may take to fit.
    num_cpus : int
        Cores it may use.

    Returns
    -------
    pandas.DataFrame
        `n_rows` rows with the columns, dtypes and categories of `frame`.

    Raises
    ------
    TableError
        The table cannot be used; the message names the column.
    ConfigError, UnknownPlugin
        The generator or an option of it does not exist.
    GeneratorError
        The generator failed.
    OutOfTime
        The generator took longer than `time_limit`.

    Examples
    --------
    >>> frame = pd.DataFrame({"dose": [1, 2, 3, 4, 5, 6], "cured": ["no", "no", "yes", "no", "yes", "yes"]})
    >>> augment(frame, target="cured", n_rows=3, generator="bootstrap", seed=0).shape
    (3, 2)
    """
    options = Hyperparameters.parse({"generator": generator})
    if options.generator is None:
        raise ConfigError("augment needs a generator, got None")
    entry = plugin_registry().generators.get(options.generator.name)
    table = Table.from_frame(frame, target)
    rng = np.random.default_rng(seed)
    made = entry.create(options.generator.options)
    resources = Resources(time_limit, num_cpus)
    fitted = fit_generator(made, table, rng, resources, owner=entry.owner)
    return draw(fitted, table, n_rows, rng, resources, owner=entry.owner).frame
