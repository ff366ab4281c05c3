"""The backbone `ensemble`: several foundation models, whose log-probabilities are averaged."""

from dataclasses import dataclass

from autogluon_causalmix.backbones.contract import condition
from autogluon_causalmix.backbones.ensemble_context import EnsembleContext
from autogluon_causalmix.backbones.many_classes import MOST_CLASSES
from autogluon_causalmix.backbones.protocol import Backbone, Limits, limits_of
from autogluon_causalmix.config import Named
from autogluon_causalmix.entry import Entry
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.table import Table

FEWEST_MEMBERS = 2


@dataclass(frozen=True)
class Ensemble:
    """Several backbones that predict together; each is fine-tuned and judged by itself.

    Parameters
    ----------
    backbones : tuple of str or dict
        Its members, two at least.

    Examples
    --------
    >>> Ensemble(("mini",))
    Traceback (most recent call last):
        ...
    autogluon_causalmix.errors.ConfigError: an ensemble has at least 2 backbones, got ('mini',)
    """

    backbones: tuple[str | dict[str, object], ...] = ("mini", "tabpfn-v1")

    def __post_init__(self) -> None:
        if len(self.backbones) < FEWEST_MEMBERS:
            raise ConfigError(
                f"an ensemble has at least {FEWEST_MEMBERS} backbones, got {self.backbones}"
            )
        self.created()  # refuses names and options before any work

    def condition(
        self, table: Table, *, n_estimators: int, device: str, seed: int
    ) -> EnsembleContext:
        """Give every member the rows of `table` as context; each has its own views."""
        members = [
            condition(
                backbone,
                table,
                n_estimators=n_estimators,
                device=device,
                seed=seed,
                owner=entry.owner,
            )
            for entry, backbone in self.created()
        ]
        return EnsembleContext(tuple(members))

    @property
    def limits(self) -> Limits:
        """The smallest of the members'; each predicts many classes in groups by itself."""
        limits = [limits_of(each) for _, each in self.created()]
        return Limits(
            min(each.rows for each in limits), min(each.features for each in limits), MOST_CLASSES
        )

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        """Return the sum of the members' estimates: all of them stay in memory."""
        return sum(each.memory(rows, columns, tuning=tuning) for _, each in self.created())

    def created(self) -> list[tuple[Entry[Backbone], Backbone]]:
        """Return the entries of the members in the registry, and the members.

        Raises
        ------
        ConfigError, UnknownPlugin
            An option is refused, or nothing goes by a name.
        """
        registry = plugin_registry().of(Backbone)
        named = [Named.parse(given) for given in self.backbones]
        return [(registry.get(each.name), registry.create(each)) for each in named]


@hookimpl
def causalmix_register_backbones(register: Register) -> None:
    """Register the backbone."""
    register("ensemble", Ensemble)
