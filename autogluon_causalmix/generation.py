"""From a generator's name to synthetic rows: look up, create, fit, draw, describe."""

import logging
from collections.abc import Hashable
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from autogluon_causalmix.config import Augmentation, Named
from autogluon_causalmix.dtypes import numbers_as_objects
from autogluon_causalmix.entry import Owner
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.fitlog import Log, without_widget_warnings
from autogluon_causalmix.generators.contract import description, draw, fit_generator
from autogluon_causalmix.generators.protocol import FittedGenerator, Generator
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.records import GeneratorFacts
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table, copied


@dataclass(frozen=True)
class Source:
    """A fitted generator, and what the report says of it."""

    fitted: FittedGenerator
    owner: Owner
    facts: GeneratorFacts

    def draw(
        self, table: Table, n_rows: int, rng: np.random.Generator, resources: Resources
    ) -> Table:
        """Draw rows like those of `table` and check them against the contract."""
        return draw(self.fitted, table, n_rows, rng, resources, owner=self.owner)


def fit_source(
    named: Named, table: Table, rng: np.random.Generator, resources: Resources, log: Log
) -> Source:
    """Fit the generator that a user named; its notes go to the log.

    Parameters
    ----------
    named : Named
        The generator and its options.
    table : Table
        The real rows, the only ones that it sees.
    rng : numpy.random.Generator
        Source of all its randomness.
    resources : Resources
        What it may use.
    log : Log
        Takes its notes and its seconds.

    Raises
    ------
    ConfigError, UnknownPlugin
        The generator or an option of it does not exist.
    GeneratorError
        It raised, or describes itself in something that is no JSON.
    OutOfTime
        It did not finish in time.
    """
    entry = plugin_registry().of(Generator).get(named.name)
    return _fit(named, entry.create(named.options), entry.owner, table, rng, resources, log)


def _fit(
    named: Named,
    generator: Generator,
    owner: Owner,
    table: Table,
    rng: np.random.Generator,
    resources: Resources,
    log: Log,
) -> Source:
    with log.stage("generator"):
        fitted = fit_generator(generator, table, rng, resources, owner=owner)
    for name, reason in copied(table).items():
        log.note(
            f"column {name!r} {reason}, like a name or a key: synthetic rows repeat real values of "
            "it; leave the column out if they must not"
        )
    for name in table.categorical:
        if numbers_as_objects(table.frame[name]):
            log.note(
                f"column {name!r} holds numbers as objects, which are drawn as categories; "
                "convert it with pandas.to_numeric to draw numbers"
            )
    said = description(fitted, owner=owner)
    for sentence in cast("list[str]", said.get("notes", [])):
        log.note(sentence)
    facts = GeneratorFacts(
        name=named.name,
        distribution=owner.distribution,
        version=owner.version,
        options=named.options,
        description=said,
    )
    return Source(fitted, owner, facts)


@without_widget_warnings
def augment(
    frame: pd.DataFrame,
    target: Hashable,
    n_rows: int,
    generator: str | dict[str, object] | Generator | type[Generator] = "scm",
    seed: int = 0,
    time_limit: float = 600.0,
    num_cpus: int = 1,
) -> pd.DataFrame:
    """Draw synthetic rows like those of a table.

    Every fallback of the generator is a warning in the log ``autogluon.causalmix``.

    Parameters
    ----------
    frame : pandas.DataFrame
        The real rows, features and target.
    target : Hashable
        Name of the target column, whose values are classes.
    n_rows : int
        How many rows to draw, at least 1.
    generator : str, dict, Generator or type
        A generator's name, a dict with ``"name"`` and its options, or a generator of your own: an
        object with a method `fit`, or its class. It may be defined in a notebook.
    seed : int
        From 0 to 2³² − 1; the same seed draws the same rows.
    time_limit : float
        Seconds for fitting and drawing.
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
        An argument is out of range, or the generator or an option of it does not exist.
    GeneratorError
        The generator failed.
    OutOfTime
        The generator took longer than `time_limit`.

    Examples
    --------
    >>> frame = pd.DataFrame({"dose": [1, 2, 3, 4], "cured": ["no", "no", "yes", "yes"]})
    >>> augment(frame, target="cured", n_rows=3, generator="bootstrap", seed=0).shape
    (3, 2)
    """
    is_own = isinstance(generator, type) or hasattr(generator, "fit")
    own = _own(generator) if is_own else None
    options = Augmentation.parse(
        {
            "generator": generator if own is None else type(own).__name__,
            "n_rows": n_rows,
            "seed": seed,
            "time_limit": time_limit,
            "num_cpus": num_cpus,
        }
    )
    table = Table.from_frame(frame, target)
    rng = np.random.default_rng(options.seed)
    resources = Resources(options.time_limit, options.num_cpus)
    log = Log(level=logging.WARNING)
    if own is None:
        source = fit_source(options.generator, table, rng, resources, log)
    else:
        name = f"{type(own).__module__}:{type(own).__qualname__}"
        owner = Owner(name, "no distribution", "unknown")
        source = _fit(Named(name=name), own, owner, table, rng, resources, log)
    return source.draw(table, options.n_rows, rng, resources).frame


def _own(given: object) -> Generator:
    """Return the generator that a user hands over as an object or a class."""
    try:
        made = given() if isinstance(given, type) else given
    except Exception as error:  # foreign code may raise anything
        raise ConfigError(f"the generator {given!r} cannot be created: {error}") from error
    if not isinstance(made, Generator):
        raise ConfigError(
            f"a generator has a method fit(table, rng, resources), which {given!r} has not"
        )
    return made
