"""Roots on DoWhy's classes: nodes without parents, as functions of noise that is uniform on (0, 1)."""

import numpy as np
from dowhy.gcm.causal_mechanisms import StochasticModel
from scipy import special

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.scales import Scale


class Empirical(StochasticModel):  # type: ignore[misc]  # dowhy has no type information
    """A root: X := Q(U), the observed values, each as likely as it was.

    Examples
    --------
    >>> root = Empirical()
    >>> root.fit(np.array([3.0, 1.0, np.nan]))
    >>> root.evaluate(np.array([0.1, 0.9]))
    array([1., 3.])
    """

    def __init__(self) -> None:
        self.values = np.empty(0)
        self.learner = "empirical"

    def fit(self, X: Matrix) -> None:
        """Keep the observed values; a column without any stays missing."""
        present = np.sort(X[~np.isnan(X)].reshape(-1))
        self.values = present if len(present) else np.array([np.nan])

    def evaluate(self, noise: Matrix) -> Matrix:
        """Return values for uniform noise, shape (rows,)."""
        return np.asarray(self.values[(noise.reshape(-1) * len(self.values)).astype("int64")])

    def draw_samples(self, num_samples: int) -> Matrix:
        """Draw from NumPy's global generator, as all of DoWhy does; shape (rows, 1)."""
        return self.evaluate(np.random.uniform(size=num_samples))[:, None]  # noqa: NPY002 - DoWhy's own contract

    def clone(self) -> "Empirical":
        """Return an unfitted copy."""
        return Empirical()


class Smoothed(Empirical):
    """A numeric root: X := g(z + h N), the observed values on the `Scale` g with a little Gaussian noise on each.

    The smoothed bootstrap (Silverman and Young, 1987): h by Silverman's rule, and shrunk so that the spread stays.

    Examples
    --------
    >>> root = Smoothed()
    >>> root.fit(np.arange(100.0))
    >>> drawn = root.evaluate(np.random.default_rng(0).random(5000))
    >>> len(np.unique(drawn)) > 4000, bool(abs(drawn.std() / np.arange(100).std() - 1) < 0.05)
    (True, True)
    """

    def __init__(self) -> None:
        super().__init__()
        self.learner = "smoothed"

    def fit(self, X: Matrix) -> None:
        """Keep the observed values and their scale."""
        super().fit(X)
        self.scale = Scale.of(self.values)
        self.scores = self.scale.forward(self.values)

    def evaluate(self, noise: Matrix) -> Matrix:
        """Return values for uniform noise, shape (rows,); it chooses a value, and what is left of it moves that."""
        place = noise.reshape(-1) * len(self.scores)
        row = np.minimum(place.astype("int64"), len(self.scores) - 1)
        width = 1.06 * len(self.scores) ** -0.2
        moved = self.scores[row] + width * self.scores.std() * special.ndtri(
            np.clip(place - row, 1e-12, 1 - 1e-12)
        )
        return self.scale.back(
            self.scores.mean() + (moved - self.scores.mean()) / np.sqrt(1 + width**2)
        )

    def clone(self) -> "Smoothed":
        """Return an unfitted copy."""
        return Smoothed()
