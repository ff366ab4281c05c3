"""`MissingPattern`: which cells of a synthetic row are empty."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autogluon_causalmix.arrays import Mask
from autogluon_causalmix.table import Table


@dataclass(frozen=True)
class MissingPattern:
    """Whole patterns of missing cells, each from a real row of the same class.

    So columns that go missing together still do, and a class that misses more than another still does.

    Attributes
    ----------
    masks : numpy.ndarray of bool
        Shape (rows, columns): the real rows, True where a cell is missing.
    labels : numpy.ndarray
        Shape (rows,): their classes' codes.

    Examples
    --------
    >>> masks = np.array([[False, False], [True, False]])
    >>> pattern = MissingPattern(masks, labels=np.array([0.0, 1.0]))
    >>> pattern.draw(np.array([1.0, 0.0, 1.0]), np.random.default_rng(0))[:, 0]
    array([ True, False,  True])
    """

    masks: Mask
    labels: npt.NDArray[np.float64]

    @classmethod
    def of(cls, table: Table) -> "MissingPattern":
        """Read the patterns off a table."""
        encoded = table.encode()
        return cls(np.isnan(encoded), encoded[:, table.target_position])

    def draw(self, labels: npt.NDArray[np.float64], rng: np.random.Generator) -> Mask:
        """Return the missing cells of rows of these classes, shape (rows, columns)."""
        drawn = np.zeros((len(labels), self.masks.shape[1]), dtype=bool)
        if not self.masks.any():
            return drawn
        for label in np.unique(self.labels):
            rows = np.flatnonzero(labels == label)
            donors = np.flatnonzero(self.labels == label)
            drawn[rows] = self.masks[donors[rng.integers(len(donors), size=len(rows))]]
        return drawn
