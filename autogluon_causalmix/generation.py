"""From a generator's name to synthetic rows: look up, create, fit, draw, describe."""

import logging
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from autogluon_causalmix.config import Augmentation, Named
from autogluon_causalmix.dtypes import numbers_as_objects
from autogluon_causalmix.entry import Owner
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.fitlog import Log, without_widget_warnings
from autogluon_causalmix.generators.conditional import (
    EVERYWHERE,
    Quota,
    Values,
    balanced,
    draw_quotas,
    require_values,
    values_of,
)
from autogluon_causalmix.generators.contract import checked, description, draw, fit_generator
from autogluon_causalmix.generators.intervention import facts, outcomes, require_shares
from autogluon_causalmix.generators.protocol import (
    FittedGenerator,
    Generator,
    Intervenable,
    Intervened,
)
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.records import GeneratorFacts
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table, copied

BY_CHANCE = 0.001
"""How probable it may be at most that a class that is not drawn is absent by chance."""


@dataclass(frozen=True)
class Source:
    """A fitted generator, and what the report says of it."""

    fitted: FittedGenerator
    owner: Owner
    facts: GeneratorFacts

    def draw(
        self,
        table: Table,
        n_rows: int,
        rng: np.random.Generator,
        resources: Resources,
        *,
        balance: bool = False,
        where: Values = EVERYWHERE,
    ) -> Table:
        """Draw rows like those of `table` and check them against the contract.

        All with the values of `where`, and equally many of each class if `balance`.
        """
        if not balance and not where:
            return draw(self.fitted, table, n_rows, rng, resources, owner=self.owner)
        quotas = balanced(table, where, n_rows, rng) if balance else [Quota(where, n_rows)]
        return draw_quotas(self.fitted, table, quotas, rng, resources, owner=self.owner)

    def intervene(
        self,
        table: Table,
        n_rows: int,
        rng: np.random.Generator,
        resources: Resources,
        do: Values,
        log: Log,
    ) -> Table:
        """Draw rows where columns are set to values; what it means goes into `attrs` and the log.

        Raises
        ------
        ConfigError
            The generator knows no causes, or the target is set.
        GeneratorError
            It failed, or did not return what `Intervened` asks for.
        """
        fitted, found = self.fitted, list[Intervened]()
        if not isinstance(fitted, Intervenable):
            raise ConfigError(
                f"'do' needs a generator that knows causes, like 'scm'; that of {self.owner} does "
                "not"
            )

        def sample() -> Table:
            found.append(fitted.intervene(n_rows, rng, do))
            return found[0].rows

        label = f"{type(fitted).__name__}.intervene ({self.owner})"
        rows = checked(sample, table, n_rows, label, resources)
        require_values(rows, do, label)
        require_shares(found[0], table, label)
        for sentence in (*found[0].notes, *outcomes(found[0], table, do)):
            log.note(sentence)
        rows.frame.attrs["intervention"] = facts(found[0], table, do)
        return rows


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
    balance: bool = False,
    where: Mapping[Hashable, object] | None = None,
    do: Mapping[Hashable, object] | None = None,
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
    balance : bool
        Draw equally many rows of each class, give or take one.
    where : mapping, optional
        Column to value: all rows have these values. They are drawn directly where the generator
        can; else rows are drawn until enough have them, 200 for each wanted one at most.
    do : mapping, optional
        Column to value: rows under an intervention that sets these columns, from a generator that
        knows causes. The attribute ``attrs["intervention"]`` of the rows has the share of each
        class in every sampled graph, with the intervention and without, and what must hold for the
        rows to mean anything.

    Returns
    -------
    pandas.DataFrame
        `n_rows` rows with the columns, dtypes and categories of `frame`.

    Raises
    ------
    TableError
        The table cannot be used; the message names the column.
    ConfigError, UnknownPlugin
        An argument is out of range or names no column or value of the table, arguments contradict
        each other, or the generator or an option of it does not exist.
    GeneratorError
        The generator failed; `TooRare`, its subclass, if hardly any row has the values of `where`.
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
            "balance": balance,
            "where": where or {},
            "do": do or {},
        }
    )
    table = Table.from_frame(frame, target)
    given, set_to = (values_of(table, options.where, "where"), values_of(table, options.do, "do"))
    if options.balance and table.target in given:
        raise ConfigError(f"'balance' needs all classes, and 'where' names one of {table.target!r}")
    rng = np.random.default_rng(options.seed)
    resources = Resources(options.time_limit, options.num_cpus)
    log = Log(level=logging.WARNING)
    if own is None:
        source = fit_source(options.generator, table, rng, resources, log)
    else:
        name = f"{type(own).__module__}:{type(own).__qualname__}"
        owner = Owner(name, "no distribution", "unknown")
        source = _fit(Named(name=name), own, owner, table, rng, resources, log)
    if set_to:
        return source.intervene(table, options.n_rows, rng, resources, set_to, log).frame
    drawn = source.draw(table, options.n_rows, rng, resources, balance=options.balance, where=given)
    if not given:
        for sentence in _lost_classes(drawn, table):
            log.note(sentence)
    return drawn.frame


def _lost_classes(drawn: Table, real: Table) -> Iterator[str]:
    """Yield a sentence for each class that no drawn row has, where chance alone rarely does so."""
    shares = np.unique(real.targets, return_counts=True)[1] / len(real)
    lost = ~real.classes.isin(drawn.classes)
    for label, share in zip(real.classes[lost], shares[lost], strict=True):
        if (1 - share) ** len(drawn) < BY_CHANCE:
            yield (
                f"no drawn row has {real.target} = {label}, which {share:.1%} of the real rows "
                "have: 'balance' or 'where' asks for them, or choose another generator"
            )


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
