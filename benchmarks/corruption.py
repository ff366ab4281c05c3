"""`CorruptedSCM`: the causal generator with a planted fault, so that fidelity varies on purpose.

Studies name it as a plugin, ``"benchmarks.corruption:CorruptedSCM"``. The fault is planted after
the causal models were fitted: with the same seed, all faults start from the same models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from autogluon_causalmix.arrays import Mask, Matrix
from autogluon_causalmix.discovery.beliefs import causes_first
from autogluon_causalmix.generators.scm import FittedSCMGenerator, SCMGenerator
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.scm.fitted import FittedSCM, Key
from autogluon_causalmix.scm.fitting import fit_scm
from autogluon_causalmix.scm.mechanisms import AdditiveNoise, CalibratedClassifier, chosen_levels
from autogluon_causalmix.scm.protocol import FittedMechanism
from autogluon_causalmix.table import Table

Fault = Literal["noise", "deleted", "reversed", "added", "flipped", "independent", "copies"]

COUPLED_SHARE = 0.5
"""Of the rows, in which the child of an added edge follows the added parent."""


@dataclass(frozen=True)
class CorruptedSCM:
    """Structural causal models with one planted fault.

    Parameters
    ----------
    fault : str
        ``"noise"``: the noise of every child is multiplied by `amount`; probabilities p of a
        category become p^(1 / amount), normalised. ``"deleted"``, ``"reversed"``: so large a share
        of the edges, drawn at random, goes or is turned round where no cycle comes of it, and the
        mechanisms are fitted anew. ``"added"``: `amount` times as many edges are added between
        columns without one; in half of the rows the child has the quantile of the added parent,
        which leaves its marginal. ``"flipped"``: that share of the labels becomes another class.
        ``"independent"``: that share of the columns is permuted, each on its own. ``"copies"``:
        that share of the rows is real rows drawn again.
    amount : float
        How much of it.
    graphs : int
        How many graphs are drawn from the discovered edges.
    """

    fault: Fault
    amount: Annotated[float, Field(ge=0, le=10)]
    graphs: int = 5

    def __post_init__(self) -> None:
        if self.fault not in ("noise", "added") and self.amount > 1:
            raise ValueError(f"{self.fault!r} is a share, at most 1, got {self.amount}")
        if self.fault == "noise" and self.amount == 0:
            raise ValueError("the noise must be multiplied by more than 0")

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> FittedCorrupted:
        """Fit the causal models, then plant the fault in them."""
        fitted = SCMGenerator(graphs=self.graphs).fit(table, rng, resources)
        model, changed = fitted.chosen.model, 0
        if self.fault == "noise":
            model = _noisy(model, self.amount)
        elif self.fault in ("deleted", "reversed"):
            change = _deleted if self.fault == "deleted" else _reversed
            dags = [change(dag, self.amount, rng) for dag in model.dags]
            changed = int(
                sum((old & ~new).sum() for old, new in zip(model.dags, dags, strict=True))
            )
            model = fit_scm(table, dags, rng, resources, known=model.mechanisms)
        elif self.fault == "added":
            model, changed = _coupled(model, self.amount, rng)
        chosen = replace(fitted.chosen, model=model)
        return FittedCorrupted(replace(fitted, chosen=chosen), self, changed)


@dataclass(frozen=True)
class FittedCorrupted:
    """The models with their fault, and how many edges it has changed in all graphs together."""

    fitted: FittedSCMGenerator
    options: CorruptedSCM
    changed_edges: int

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw `n_rows` rows."""
        table, rows = self.fitted.chosen.model.table, self.fitted.sample(n_rows, rng)
        values, amount = rows.encode(), self.options.amount
        if self.options.fault == "flipped":
            values[:, table.target_position] = _flipped(
                values[:, table.target_position], np.unique(table.targets), amount, rng
            )
        elif self.options.fault == "independent":
            columns = rng.permutation(values.shape[1])[: round(amount * values.shape[1])]
            for column in columns:
                values[:, column] = rng.permutation(values[:, column])
        elif self.options.fault == "copies":
            replaced = rng.random(n_rows) < amount
            values[replaced] = table.encode()[rng.integers(len(table), size=replaced.sum())]
        else:
            return rows
        return table.decode(values)

    def describe(self) -> Mapping[str, object]:
        """Return what the causal models say, and the number of changed edges."""
        return {**self.fitted.describe(), "changed_edges": self.changed_edges}


@dataclass
class _Noisy:
    """A mechanism whose noise is multiplied."""

    mechanism: FittedMechanism
    factor: float
    learner: str = field(init=False)
    held_out: Matrix | None = field(init=False)

    def __post_init__(self) -> None:
        self.learner, self.held_out = self.mechanism.learner, self.mechanism.held_out

    def draw(self, parents: Matrix, noise: Matrix, rng: np.random.Generator) -> Matrix:
        """Return values; a column without noise to multiply is drawn as before."""
        mechanism = self.mechanism
        if isinstance(mechanism, CalibratedClassifier):
            drawn = mechanism.redrawn(rng)
            tempered = drawn.estimate_probabilities(parents) ** (1 / self.factor)
            tempered /= tempered.sum(axis=1, keepdims=True)
            return np.asarray(mechanism.levels[chosen_levels(tempered, noise.reshape(-1))])
        values = mechanism.draw(parents, noise, rng)
        if not isinstance(mechanism, AdditiveNoise):
            return values
        predicted = mechanism.model.predict(mechanism.features.transform(parents))[:, 0]
        scores = mechanism.scale.forward(values)
        return np.asarray(mechanism.scale.back(predicted + self.factor * (scores - predicted)))


@dataclass
class _Coupled:
    """A mechanism that follows an added parent in some rows; positions are among all parents."""

    mechanism: FittedMechanism
    own: tuple[int, ...]
    added: int
    values: Matrix
    learner: str = field(init=False)
    held_out: Matrix | None = field(init=False)

    def __post_init__(self) -> None:
        self.learner, self.held_out = self.mechanism.learner, self.mechanism.held_out

    def draw(self, parents: Matrix, noise: Matrix, rng: np.random.Generator) -> Matrix:
        """Return values; in half of the rows the quantile of the child is that of the parent."""
        drawn = self.mechanism.draw(parents[:, self.own], noise, rng)
        # ties in random order: a category is spread over its whole share
        ranks = np.lexsort((rng.random(len(parents)), parents[:, self.added])).argsort()
        quantile = self.values[(ranks * len(self.values)) // max(len(parents), 1)]
        return np.where(rng.random(len(parents)) < COUPLED_SHARE, quantile, drawn)


def _noisy(model: FittedSCM, factor: float) -> FittedSCM:
    mechanisms: dict[Key, FittedMechanism] = {
        key: _Noisy(own, factor) if key[1] else own for key, own in model.mechanisms.items()
    }
    return replace(model, mechanisms=mechanisms)


def _coupled(model: FittedSCM, amount: float, rng: np.random.Generator) -> tuple[FittedSCM, int]:
    """Add edges from causes to later columns, at most one to each column of a graph."""
    mechanisms, dags, changed = dict(model.mechanisms), [], 0
    codes = model.table.encode()
    for dag in model.dags:
        order, new = causes_first(dag), dag.copy()
        for child in rng.permutation(order[1:])[: max(round(amount * dag.sum()), 1)].tolist():
            own = _parents(dag, child)
            free = [
                cause
                for cause in order[: order.index(child)]
                if cause not in own and (child, _with(own, cause)) not in mechanisms
            ]
            present = np.sort(codes[~np.isnan(codes[:, child]), child])
            if not free or not len(present):
                continue
            cause = int(rng.choice(free))
            whole = _with(own, cause)
            mechanisms[child, whole] = _Coupled(
                model.mechanisms[child, own],
                tuple(whole.index(parent) for parent in own),
                whole.index(cause),
                present,
            )
            new[cause, child] = True
            changed += 1
        dags.append(new)
    return replace(model, dags=tuple(dags), mechanisms=mechanisms), changed


def _parents(dag: Mask, child: int) -> tuple[int, ...]:
    return tuple(np.flatnonzero(dag[:, child]).tolist())


def _with(parents: tuple[int, ...], other: int) -> tuple[int, ...]:
    return tuple(sorted((*parents, other)))


def _deleted(dag: Mask, share: float, rng: np.random.Generator) -> Mask:
    edges = np.argwhere(dag)
    gone = edges[rng.permutation(len(edges))[: round(share * len(edges))]]
    new = dag.copy()
    new[gone[:, 0], gone[:, 1]] = False
    return new


def _reversed(dag: Mask, share: float, rng: np.random.Generator) -> Mask:
    edges = np.argwhere(dag)
    new, left = dag.copy(), round(share * len(edges))
    for cause, effect in edges[rng.permutation(len(edges))]:
        if left == 0:
            break
        new[cause, effect] = False
        if _reaches(new, cause, effect):  # the turned edge would close a cycle
            new[cause, effect] = True
        else:
            new[effect, cause] = True
            left -= 1
    return new


def _reaches(dag: Mask, start: int, end: int) -> bool:
    seen, open_ = {start}, [start]
    while open_:
        for child in np.flatnonzero(dag[open_.pop()]).tolist():
            if child not in seen:
                seen.add(child)
                open_.append(child)
    return end in seen


def _flipped(codes: Matrix, classes: Matrix, share: float, rng: np.random.Generator) -> Matrix:
    """Return codes of classes, a share of them moved to another class, each as likely."""
    place = np.searchsorted(classes, codes)
    other = (place + rng.integers(1, max(len(classes), 2), size=len(codes))) % len(classes)
    return np.where(rng.random(len(codes)) < share, classes[other], codes)
