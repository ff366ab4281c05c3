"""Mechanisms of roots on DoWhy's classes: columns without parents, functions of uniform noise."""

import numpy as np
from dowhy.gcm.causal_mechanisms import StochasticModel
from scipy import special

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.likelihoods import left_out, of_any_shape, of_root
from autogluon_causalmix.scm.scales import Scale


class Empirical(StochasticModel):  # type: ignore[misc]  # dowhy has no type information
    """A root: X := Q(U), Q the quantile function of the observed values.

    Parameters
    ----------
    is_category : bool
        Whether the values are codes of categories: it decides the held-out likelihoods.

    Examples
    --------
    >>> root = Empirical(is_category=False)
    >>> root.fit(np.array([3.0, 1.0, np.nan]))
    >>> root.evaluate(np.array([0.1, 0.9]))
    array([1., 3.])
    """

    def __init__(self, is_category: bool) -> None:
        self.is_category = is_category
        self.values = np.empty(0)
        self.learner = "empirical"
        self.held_out: Matrix | None = None

    def fit(self, X: Matrix) -> None:
        """Keep the observed values; a column without any stays missing."""
        present = X[~np.isnan(X)].reshape(-1)
        self.held_out = of_root(present, self.is_category)
        self.observed = present
        self.values = np.sort(present) if len(present) else np.array([np.nan])

    def likelihoods(self) -> Matrix | None:
        """Return `held_out` where noise may have any shape, shape (rows with a value,)."""
        if self.is_category or self.held_out is None or not len(self.observed):
            return self.held_out
        return of_any_shape(left_out(self.observed), self.held_out)

    def evaluate(self, noise: Matrix) -> Matrix:
        """Return values for uniform noise, shape (rows,)."""
        return np.asarray(self.values[(noise.reshape(-1) * len(self.values)).astype("int64")])

    def draw(self, parents: Matrix, noise: Matrix, rng: np.random.Generator) -> Matrix:
        """Return values, shape (rows,); a root has no parents, and its function is certain."""
        return self.evaluate(noise)

    def draw_samples(self, num_samples: int) -> Matrix:
        """Draw from NumPy's global generator, as all of DoWhy does; shape (rows, 1)."""
        noise = np.random.uniform(size=num_samples)  # noqa: NPY002 - DoWhy's own contract
        return self.evaluate(noise)[:, None]

    def clone(self) -> "Empirical":
        """Return an unfitted copy."""
        return Empirical(self.is_category)


class Smoothed(Empirical):
    """A numeric root: X := g(z + h N), an observed value z on the `Scale` g with Gaussian noise.

    The smoothed bootstrap (Silverman and Young, 1987): h by Silverman's rule, and the sum shrunk so
    that the spread stays.

    Examples
    --------
    >>> root = Smoothed()
    >>> root.fit(np.arange(100.0))
    >>> drawn = root.evaluate(np.random.default_rng(0).random(5000))
    >>> len(np.unique(drawn)) > 4000, bool(abs(drawn.std() / np.arange(100).std() - 1) < 0.05)
    (True, True)
    """

    def __init__(self) -> None:
        super().__init__(is_category=False)
        self.learner = "smoothed"

    def fit(self, X: Matrix) -> None:
        """Keep the observed values and their scale."""
        super().fit(X)
        self.scale = Scale.of(self.values)
        self.scores = self.scale.forward(self.values)

    def evaluate(self, noise: Matrix) -> Matrix:
        """Return values for uniform noise, shape (rows,).

        The noise chooses a value; the remainder, uniform again, moves it.
        """
        place = noise.reshape(-1) * len(self.scores)
        row = np.minimum(place.astype("int64"), len(self.scores) - 1)
        width = 1.06 * len(self.scores) ** -0.2
        step = special.ndtri(np.clip(place - row, 1e-12, 1 - 1e-12))
        moved = self.scores[row] + width * self.scores.std() * step
        centre = self.scores.mean()
        return self.scale.back(centre + (moved - centre) / np.sqrt(1 + width**2))

    def clone(self) -> "Smoothed":
        """Return an unfitted copy."""
        return Smoothed()
