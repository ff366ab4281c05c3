"""`MissingPattern`: which cells of synthetic rows are missing."""

from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Mask
from autogluon_causalmix.task import Targets


@dataclass(frozen=True)
class MissingPattern:
    """Each synthetic row misses the cells that some real row of the same class misses.

    So columns that are missing together stay so, as does a class that misses more than others.

    Attributes
    ----------
    masks : numpy.ndarray of bool
        Shape (rows, columns): the real rows, True where a cell is missing.
    labels : numpy.ndarray
        Shape (rows,): the codes of their classes.

    Examples
    --------
    >>> masks = np.array([[False, False], [True, False]])
    >>> pattern = MissingPattern(masks, labels=np.array([0.0, 1.0]))
    >>> pattern.draw(np.array([1.0, 0.0, 1.0]), np.random.default_rng(0))[:, 0]
    array([ True, False,  True])
    """

    masks: Mask
    labels: Targets

    def draw(self, labels: Targets, rng: np.random.Generator) -> Mask:
        """Return the missing cells of rows of these classes, shape (rows, columns)."""
        drawn = np.zeros((len(labels), self.masks.shape[1]), dtype=bool)
        if not self.masks.any():
            return drawn
        for label in np.unique(self.labels):
            rows = np.flatnonzero(labels == label)
            donors = np.flatnonzero(self.labels == label)
            drawn[rows] = self.masks[donors[rng.integers(len(donors), size=len(rows))]]
        return drawn
