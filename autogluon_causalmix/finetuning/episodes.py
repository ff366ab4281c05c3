"""Episodes: who is context, who is query. Each optimiser step draws a fresh one.

A fixed split makes the network fit that split; a fresh stratified one each step is what it was pretrained on.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]
Source = Literal["real", "synthetic"]

MOST_VALUES = 80_000  # rows × columns of an episode: 2.4 GB with `mini`, 13 GB with TabPFN v2 (30 and 165 kB each)
QUERY_SHARE = (
    0.2,
    0.5,
)  # of the rows; drawn per episode, so that no context size is learned by heart


@dataclass(frozen=True)
class Query:
    """Positions of query rows, which rows they are positions in, and the weight of their mean loss."""

    source: Source
    rows: Positions
    weight: float


@dataclass(frozen=True)
class Episode:
    """The context of one episode and what is predicted from it; the weights of the queries sum to 1."""

    source: Source
    context: Positions
    queries: tuple[Query, ...]


@dataclass(frozen=True)
class EpisodeSampler:
    """Draws episodes from real and synthetic rows.

    Parameters
    ----------
    real, synthetic : numpy.ndarray of int
        Class codes, shape (rows,); `synthetic` is empty where there are no synthetic rows.
    real_fraction : float
        The weight of real rows in the loss.
    role : {"query", "episode"}
        ``"query"``: every context is real, and real and synthetic rows are predicted from it side by side.
        ``"episode"``: some episodes hold synthetic rows alone, the others real rows alone.

    Examples
    --------
    >>> sampler = EpisodeSampler(np.array([0, 0, 1, 1, 1, 0]), np.array([1, 0, 1]), 0.75, "query")
    >>> episode = sampler.draw(np.random.default_rng(0), most_rows=100)
    >>> episode.source, [(query.source, query.weight) for query in episode.queries]
    ('real', [('real', 0.75), ('synthetic', 0.25)])
    """

    real: Positions
    synthetic: Positions
    real_fraction: float
    role: Literal["query", "episode"]

    def draw(self, rng: np.random.Generator, most_rows: int) -> Episode:
        """Draw one episode of at most `most_rows` rows; every class of its rows stands in the context."""
        if len(self.synthetic) == 0:
            return self._alone("real", rng, most_rows)
        if self.role == "episode":
            return self._alone(
                "real" if rng.random() < self.real_fraction else "synthetic", rng, most_rows
            )
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
    ) -> tuple[Positions, Positions]:
        """Return context and query rows; the synthetic rows beside the query count against the most rows too."""
        labels = self.real if source == "real" else self.synthetic
        share = rng.uniform(*QUERY_SHARE)
        beside = 1 + share * (self.role == "query" and len(self.synthetic) > 0)
        rows = rng.permutation(len(labels))
        # The first row of each class stays in the context: a class the context lacks cannot be predicted.
        anchors = rows[np.unique(labels[rows], return_index=True)[1]]
        others = rows[~np.isin(rows, anchors)][: max(int(most_rows / beside) - len(anchors), 1)]
        n_query = int(
            np.clip(round(share * (len(others) + len(anchors))), 1, max(len(others) - 1, 1))
        )
        return np.concatenate([anchors, others[n_query:]]), others[:n_query]

    def _answerable(self, classes: Positions, size: int, rng: np.random.Generator) -> Positions:
        """Return up to `size` synthetic rows whose class the context holds."""
        rows = np.flatnonzero(np.isin(self.synthetic, classes))
        return rng.choice(rows, min(size, len(rows)), replace=False)
