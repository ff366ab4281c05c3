"""Episodes: who is context, who is query. Each optimiser step draws a fresh one.

A fixed split makes the network fit that split; a fresh stratified one each step is what it was pretrained on.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]
Source = Literal["real", "synthetic"]

QUERY_SHARE = (0.2, 0.5)  # of the rows; drawn per episode, so that no context size is learned by heart


@dataclass(frozen=True)
class Episode:
    """Positions of the context and query rows of one episode, and which rows they are positions in."""

    context_from: Source
    context: Positions
    query_from: Source
    query: Positions


@dataclass(frozen=True)
class EpisodeSampler:
    """Draws episodes from real and synthetic rows.

    Parameters
    ----------
    real, synthetic : numpy.ndarray of int
        Class codes, shape (rows,); `synthetic` is empty where there are no synthetic rows.
    real_fraction : float
        Share of the episodes that hold real rows alone.
    role : {"query", "episode"}
        Whether synthetic rows are predicted from real rows or from other synthetic rows.

    Examples
    --------
    >>> sampler = EpisodeSampler(np.array([0, 0, 1, 1, 1, 0]), np.array([1, 0, 1]), 0.0, "query")
    >>> episode = sampler.draw(np.random.default_rng(0), most_rows=100)
    >>> episode.context_from, episode.query_from
    ('real', 'synthetic')
    """

    real: Positions
    synthetic: Positions
    real_fraction: float
    role: Literal["query", "episode"]

    def draw(self, rng: np.random.Generator, most_rows: int) -> Episode:
        """Draw one episode of at most `most_rows` rows; every class of its rows stands in the context."""
        is_real = len(self.synthetic) == 0 or rng.random() < self.real_fraction
        if not is_real and self.role == "episode":
            return self._within("synthetic", rng, most_rows)
        episode = self._within("real", rng, most_rows)
        if is_real:
            return episode
        return Episode("real", episode.context, "synthetic", self._synthetic_query(episode, rng, most_rows))

    def _within(self, source: Source, rng: np.random.Generator, most_rows: int) -> Episode:
        labels = self.real if source == "real" else self.synthetic
        rows = rng.permutation(len(labels))
        # The first row of each class stays in the context: a class the context lacks cannot be predicted.
        anchors = rows[np.unique(labels[rows], return_index=True)[1]]
        others = rows[~np.isin(rows, anchors)][: max(most_rows - len(anchors), 1)]
        n_query = int(np.clip(round(rng.uniform(*QUERY_SHARE) * len(rows)), 1, max(len(others) - 1, 1)))
        return Episode(source, np.concatenate([anchors, others[n_query:]]), source, others[:n_query])

    def _synthetic_query(self, real: Episode, rng: np.random.Generator, most_rows: int) -> Positions:
        """Return synthetic rows whose class the real context holds, as many as it has rows."""
        answerable = np.flatnonzero(np.isin(self.synthetic, self.real[real.context]))
        size = min(len(real.context), len(answerable), max(most_rows - len(real.context), 1))
        return rng.choice(answerable, size, replace=False)
