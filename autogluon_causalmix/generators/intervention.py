"""`intervene`: rows of causal models under an intervention, and what must be known of them."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.errors import ConfigError, GeneratorError
from autogluon_causalmix.generators.protocol import Intervened
from autogluon_causalmix.table import Table

if TYPE_CHECKING:
    from autogluon_causalmix.scm.fitted import FittedSCM

EFFECT_ROWS = 2000
"""Of each graph, to measure the shares of classes: they vary by .01."""

CAUTION = (
    "rows under an intervention mean something only if the graphs are right, every common cause of "
    "two columns is a column, and rows did not come into the table by what they hold; rows alone "
    "cannot show this, and the spread over graphs covers the first only in part"
)


def intervene(
    model: "FittedSCM",
    do: Mapping[int, float],
    n_rows: int,
    rng: np.random.Generator,
    added: Sequence[object] = (),
) -> Intervened:
    """Draw rows where columns are set to values, and the share of each class in every graph.

    The mechanism of such a column is replaced by the value; effects see it, causes do not (Pearl,
    2009, Causality).

    Parameters
    ----------
    model : FittedSCM
        Causal models, one per graph.
    do : mapping of int to float
        Positions of columns, and their codes.
    n_rows : int
        How many rows to draw.
    rng : numpy.random.Generator
        Of everything random.
    added : sequence
        The edges that discovery did not find.

    Raises
    ------
    ConfigError
        The target is set, or a teacher labels the rows, who knows no causes.
    """
    settable(model, do)
    rows, seed = model.sample(n_rows, rng, do), int(rng.integers(2**31))
    shares, untouched = (  # from equal noise: they differ by the intervention alone
        model.class_shares(EFFECT_ROWS, np.random.default_rng(seed), set_to) for set_to in (do, {})
    )
    set_to = {position: np.array([code]) for position, code in do.items()}
    notes = (CAUTION, *beyond(model.table, set_to), *edges_added(added))
    return Intervened(rows, shares, untouched, model.weights, notes)


def settable(model: "FittedSCM", do: Mapping[int, float]) -> None:
    """Raise a `ConfigError` where setting these columns says nothing about the target."""
    table = model.table
    if table.target_position in do:
        raise ConfigError(
            f"'do' sets the target {table.target!r}: to get rows of one class, use 'where'"
        )
    if model.teacher is not None:
        raise ConfigError("a teacher labels by what it sees, not by causes: choose label='node'")


def edges_added(added: Sequence[object]) -> Iterator[str]:
    """Yield a note if the label check added edges."""
    if added:
        yield (
            "edges that discovery did not find were added at the target to keep its relations: "
            "what flows through them is no finding of a cause"
        )


def beyond(table: Table, given: Mapping[int, Matrix]) -> Iterator[str]:
    """Yield a note for each column with a number that is less or more than any real row's.

    Parameters
    ----------
    table : Table
        The real rows.
    given : mapping of int to numpy.ndarray
        Positions of columns, and the codes that somebody gives them, shape (rows,).
    """
    for position, codes in given.items():
        column = table.columns[position]
        real = column.encode(table.frame[column.name])
        if column.is_categorical or np.isnan(real).all():
            continue
        low, high = np.nanmin(real), np.nanmax(real)
        for end, passed in ((low, codes[codes < low]), (high, codes[codes > high])):
            if len(passed):
                furthest = passed[np.argmax(np.abs(passed - end))]
                value, least = column.decode(np.array([furthest, end]))
                yield (
                    f"no real row has {column.name} as far out as {value}: the causal models count "
                    f"it as {least}"
                )


def require_shares(found: Intervened, table: Table, label: str) -> None:
    """Raise a `GeneratorError` that begins with `label` unless all numbers are as documented."""
    graphs, classes = np.size(found.weights), len(table.classes)
    both = (graphs, classes)
    for name, wanted in (("weights", (graphs,)), ("shares", both), ("untouched", both)):
        given: object = getattr(found, name)
        if not isinstance(given, np.ndarray) or given.shape != wanted:
            shape = getattr(given, "shape", type(given).__name__)
            raise GeneratorError(f"{label} returned {name!r} of shape {shape}, not {wanted}")
        if given.dtype.kind not in "iuf" or not np.isfinite(given).all():
            raise GeneratorError(f"{label} returned {name!r} that are no numbers: {given.tolist()}")
    if not np.isclose(found.weights.sum(), 1):
        said = f"{label} returned 'weights' that do not sum to 1: {found.weights.tolist()}"
        raise GeneratorError(said)


def outcomes(found: Intervened, table: Table, do: Mapping[Hashable, object]) -> Iterator[str]:
    """Yield a sentence on the share of each class: mean and spread over graphs, and without."""
    setting = ", ".join(f"{name} = {value}" for name, value in do.items())
    means = found.weights @ found.shares, found.weights @ found.untouched
    for place, label in enumerate(table.classes):
        low, high = found.shares[:, place].min(), found.shares[:, place].max()
        yield (
            f"P({table.target} = {label} | do({setting})) = {means[0][place]:.2f}, from {low:.2f} "
            f"to {high:.2f} over {len(found.shares)} graphs; without, {means[1][place]:.2f}"
        )


def facts(found: Intervened, table: Table, do: Mapping[Hashable, object]) -> dict[str, object]:
    """Return the shares of classes in every graph, and the notes, as JSON."""
    return {
        "do": {str(name): str(value) for name, value in do.items()},
        "classes": [str(label) for label in table.classes],
        "shares": found.shares.round(4).tolist(),
        "shares_without": found.untouched.round(4).tolist(),
        "weights": found.weights.round(4).tolist(),
        "notes": list(found.notes),
    }
