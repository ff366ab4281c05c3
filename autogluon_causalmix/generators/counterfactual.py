"""`counterfactuals`: what would have become of given rows, had columns been set."""

from collections.abc import Hashable, Iterator, Mapping

import numpy as np

from autogluon_causalmix.arrays import Mask, Matrix
from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.generators.intervention import CAUTION, beyond, edges_added, settable
from autogluon_causalmix.generators.protocol import Counterfactuals
from autogluon_causalmix.scm.fitted import FittedSCM, Key, keys_of
from autogluon_causalmix.scm.mechanisms import Mechanism
from autogluon_causalmix.table import Table

DRAWS = 40
"""From each graph: what a row's values leave open about its noise makes shares vary by .08."""

COUPLING = (
    "what one row would have been cannot be checked, not even by an experiment: noise is taken to "
    "add to a number, and to change a category only where its probability falls"
)


def counterfactuals(
    model: FittedSCM,
    rows: Table,
    do: Mapping[int, float],
    rng: np.random.Generator,
    added: tuple[object, ...] = (),
) -> Counterfactuals:
    """Return given rows as they would have been, had columns been set to values.

    In each graph: abduction of the noise, action, prediction (Pearl, 2009, Causality). A cell whose
    causes stay as they are stays as it is. So does one that is missing.

    Parameters
    ----------
    model : FittedSCM
        Causal models, one per graph.
    rows : Table
        The given rows, with the columns of the model's table.
    do : mapping of int to float
        Positions of columns, and their codes.
    rng : numpy.random.Generator
        Of everything random.
    added : sequence
        The edges that discovery did not find.

    Raises
    ------
    ConfigError
        The target is set, a teacher labels rows, a foundation model is the mechanism, or a row has
        a category that no real row has.
    """
    settable(model, do)
    values, classes = _known(model.table, rows), np.unique(model.table.targets)
    graph_of_row = rng.choice(len(model.dags), size=len(rows), p=model.weights)
    shares, chosen = np.zeros((len(model.dags), len(rows), len(classes))), values.copy()
    for graph, dag in enumerate(model.dags):
        own = graph_of_row == graph
        for _ in range(DRAWS):
            drawn = _drawn(model, keys_of(dag), values, do, rng)
            shares[graph] += drawn[:, [model.table.target_position]] == classes
        chosen[own] = drawn[own]
    given = {
        place: np.append(values[:, place], do.get(place, [])) for place in range(len(values.T))
    }
    notes = (CAUTION, COUPLING, *beyond(model.table, given), *edges_added(added))
    return Counterfactuals(_changed(rows, values, chosen), shares / DRAWS, model.weights, notes)


def _drawn(
    model: FittedSCM,
    keys: list[Key],
    values: Matrix,
    do: Mapping[int, float],
    rng: np.random.Generator,
) -> Matrix:
    """Return one draw of the rows in one graph, shape (rows, columns)."""
    drawn = values.copy()
    for node, parents in keys:
        if node in do:
            drawn[:, node] = do[node]
            continue
        moved = _moved(values, drawn, parents) & ~np.isnan(values[:, node])
        if moved.any():
            mechanism = model.mechanisms[node, parents]
            assert isinstance(mechanism, Mechanism)  # a root has no parent that moved
            before, after = values[moved][:, parents], drawn[moved][:, parents]
            drawn[moved, node] = mechanism.counterfactual(values[moved, node], before, after, rng)
    return drawn


def _moved(before: Matrix, after: Matrix, parents: tuple[int, ...]) -> Mask:
    """Return which rows have other parents than before, shape (rows,)."""
    old, new = before[:, parents], after[:, parents]
    same = (old == new) | (np.isnan(old) & np.isnan(new))
    return np.asarray(~same.all(axis=1))


def _known(table: Table, rows: Table) -> Matrix:
    """Return given rows as floats (rows, columns); every category is one of the real rows."""
    values, real = rows.encode(), table.encode()
    for place, column in enumerate(table.columns):
        given = rows.frame[column.name]
        known = real[~np.isnan(real[:, place]), place]
        unknown = given.notna().to_numpy() & ~np.isin(values[:, place], known)
        if column.is_categorical and unknown.any():
            row = int(np.flatnonzero(unknown)[0])
            raise ConfigError(
                f"row {row} has {column.name!r} = {given.iloc[row]!r}, which no real row has "
                "that the causal models are learned from"
            )
    if np.isnan(values[:, table.target_position]).any():
        raise ConfigError(
            f"a row has no {table.target!r}: its noise is found from what became of it"
        )
    return values


def facts(found: Counterfactuals, table: Table, do: Mapping[Hashable, object]) -> dict[str, object]:
    """Return the probability of each class for each row, its range over graphs, and the notes."""
    mean = np.tensordot(found.weights, found.shares, axes=1)
    return {
        "do": {str(name): str(value) for name, value in do.items()},
        "classes": [str(label) for label in table.classes],
        "probability": mean.round(4).tolist(),
        "lowest": found.shares.min(axis=0).round(4).tolist(),
        "highest": found.shares.max(axis=0).round(4).tolist(),
        "notes": list(found.notes),
    }


def _changed(rows: Table, values: Matrix, drawn: Matrix) -> Table:
    """Return the given rows with the cells that differ; all others are the very same."""
    frame, decoded = rows.frame.copy(), rows.decode(drawn).frame
    for place, name in enumerate(frame.columns):
        differs = ~((values[:, place] == drawn[:, place]) | np.isnan(drawn[:, place]))
        frame[name] = frame[name].where(~differs, decoded[name]).astype(frame[name].dtype)
    return rows.with_frame(frame)


def sentences(found: Counterfactuals, rows: Table, real: Table) -> Iterator[str]:
    """Yield a sentence on each class: its share among the rows, and what it would have been."""
    for place, label in enumerate(real.classes):
        per_graph = found.shares[:, :, place].mean(axis=1)
        yield (
            f"{rows.target} = {label}: {(rows.labels == label).mean():.2f} of these "
            f"{len(rows)} rows; would have been {found.weights @ per_graph:.2f}, from "
            f"{per_graph.min():.2f} to {per_graph.max():.2f} over {len(per_graph)} graphs"
        )
