"""Episodes: which rows are context and which are query. Each optimiser step draws a fresh one.

A network that always sees one split learns that split by heart; a fresh stratified one at each
step is what it was pretrained on.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from autogluon_causalmix.arrays import Indices
from autogluon_causalmix.task import Task

Source = Literal["real", "synthetic"]
Role = Literal["query", "episode"]

QUERY_SHARE = (0.2, 0.5)
"""Of the rows; drawn per episode, so that the network does not adapt to one context size."""


@dataclass(frozen=True)
class Query:
    """Positions of query rows among real or synthetic rows, and the weight of their loss."""

    source: Source
    rows: Indices
    weight: float


@dataclass(frozen=True)
class Episode:
    """The context of one episode and its queries; the weights of the queries sum to 1."""

    source: Source
    context: Indices
    queries: tuple[Query, ...]


@dataclass(frozen=True)
class EpisodeSampler:
    """Draws episodes from real and synthetic rows.

    Parameters
    ----------
    task : Task
        Says which rows the context needs, and which can be predicted from it.
    real, synthetic : numpy.ndarray of int
        Targets, shape (rows,); `synthetic` is empty where there are no synthetic rows.
    real_fraction : float
        The weight of real rows in the loss.
    role : {"query", "episode"}
        ``"query"``: every context is real, and real and synthetic rows are predicted from it.
        ``"episode"``: some episodes hold synthetic rows alone, the others real rows alone.

    Examples
    --------
    >>> from autogluon_causalmix.task import Classification
    >>> real, synthetic = np.array([0, 0, 1, 1, 1, 0]), np.array([1, 0, 1])
    >>> sampler = EpisodeSampler(Classification(), real, synthetic, 0.75, "query")
    >>> episode = sampler.draw(np.random.default_rng(0), most_rows=100)
    >>> episode.source, [(query.source, query.weight) for query in episode.queries]
    ('real', [('real', 0.75), ('synthetic', 0.25)])
    """

    task: Task
    real: Indices
    synthetic: Indices
    real_fraction: float
    role: Role

    def draw(self, rng: np.random.Generator, most_rows: int) -> Episode:
        """Draw one episode of at most `most_rows` rows, with every class in its context."""
        if len(self.synthetic) == 0:
            return self._alone("real", rng, most_rows)
        if self.role == "episode":
            is_real = rng.random() < self.real_fraction
            return self._alone("real" if is_real else "synthetic", rng, most_rows)
        context, query = self._split("real", rng, most_rows)
        drawn = self._answerable(self.real[context], len(query), rng)
        queries = (
            Query("real", query, self.real_fraction),
            Query("synthetic", drawn, 1 - self.real_fraction),
        )
        return Episode("real", context, tuple(query for query in queries if query.weight > 0))

    def _alone(self, source: Source, rng: np.random.Generator, most_rows: int) -> Episode:
        context, query = self._split(source, rng, most_rows)
        return Episode(source, context, (Query(source, query, 1.0),))

    def _split(
        self, source: Source, rng: np.random.Generator, most_rows: int
    ) -> tuple[Indices, Indices]:
        """Return context and query rows; synthetic queries count against the most rows too."""
        targets = self.real if source == "real" else self.synthetic
        share = rng.uniform(*QUERY_SHARE)
        beside = 1 + share * (self.role == "query" and len(self.synthetic) > 0)
        rows = rng.permutation(len(targets))
        anchors = rows[self.task.anchors(targets[rows])]
        others = rows[~np.isin(rows, anchors)][: max(int(most_rows / beside) - len(anchors), 1)]
        n_query = round(share * (len(others) + len(anchors)))
        n_query = int(np.clip(n_query, 1, max(len(others) - 1, 1)))
        return np.concatenate([anchors, others[n_query:]]), others[:n_query]

    def _answerable(self, known: Indices, size: int, rng: np.random.Generator) -> Indices:
        """Return up to `size` synthetic rows that can be predicted from a context."""
        rows = np.flatnonzero(self.task.answerable(self.synthetic, known))
        return rng.choice(rows, min(size, len(rows)), replace=False)
