"""`MissingPattern`: which cells of synthetic rows are missing."""

from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Indices, Mask, Matrix


@dataclass(frozen=True)
class MissingPattern:
    """Each synthetic row misses the cells that some real row, its donor, misses.

    So columns that are missing together stay so. The donor is drawn before any value: mechanisms
    then see gaps among the parents as often as when they were fitted.

    Attributes
    ----------
    masks : numpy.ndarray of bool
        Shape (rows, columns): the real rows, True where a cell is missing.
    targets : numpy.ndarray
        Shape (rows,): their targets.

    Examples
    --------
    >>> masks = np.array([[False, False], [True, False]])
    >>> pattern = MissingPattern(masks, targets=np.array([0.0, 1.0]))
    >>> donors = pattern.donors(3, np.random.default_rng(0))
    >>> pattern.masks[donors, 0], pattern.targets[donors]
    (array([ True,  True,  True]), array([1., 1., 1.]))
    """

    masks: Mask
    targets: Matrix

    @property
    def has_gaps(self) -> bool:
        """Whether any cell of the real rows is missing."""
        return bool(self.masks.any())

    def donors(self, n_rows: int, rng: np.random.Generator) -> Indices:
        """Draw a real row for each synthetic one, shape (n_rows,)."""
        return rng.integers(len(self.masks), size=n_rows)
