"""What tests of several scores share."""

import numpy as np

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.discovery.score.protocol import Score


def gains(
    score: Score, node: int, parents: list[int], candidates: list[int]
) -> tuple[Matrix, Matrix]:
    """Return the gains from adding each candidate and from removing each parent."""
    nodes, padded = np.array([node]), np.full((1, score.n_columns), -1)
    padded[0, : len(parents)] = parents
    others = np.isin(np.arange(score.n_columns), candidates)[None]
    (walks, steps), removed = (
        score.additions(nodes, padded, others, np.zeros_like(others)),
        score.removals(nodes, padded, np.ones_like(others)),
    )
    added = walks[:, 0]
    assert steps.tolist() == [1]
    assert (added[~others] == -np.inf).all()
    assert np.isinf(removed).sum() == score.n_columns - len(parents)
    return added[0, candidates], removed[0, parents]
