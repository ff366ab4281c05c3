"""Mechanisms of children on DoWhy's classes: functions of parents and of uniform noise."""

from collections.abc import Sequence
from copy import copy

import numpy as np
from dowhy.gcm.causal_mechanisms import FunctionalCausalModel, ProbabilityEstimatorModel

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.scm.calibration import Calibration
from autogluon_causalmix.scm.learners import LEARNERS
from autogluon_causalmix.scm.likelihoods import of_any_shape
from autogluon_causalmix.scm.noise import ResidualNoise
from autogluon_causalmix.scm.parents import ParentFeatures
from autogluon_causalmix.scm.ridge import FittedLearner
from autogluon_causalmix.scm.scales import Scale


class Mechanism(FunctionalCausalModel):  # type: ignore[misc]  # dowhy has no type information
    """Base of all mechanisms of children; a `FittedMechanism` once `fit` was called.

    Parameters
    ----------
    categorical : sequence of bool
        Which of the parents are categories, in their order.
    learners : sequence of str
        Candidates, keys of `LEARNERS`.
    seed : int
        Of the randomness in fitting.
    """

    def __init__(self, categorical: Sequence[bool], learners: Sequence[str], seed: int) -> None:
        self.categorical = tuple(categorical)
        self.learners = tuple(learners)
        self.seed = seed
        self.learner = ""
        self.held_out: Matrix | None = None

    def draw_noise_samples(self, num_samples: int) -> Matrix:
        """Draw from NumPy's global generator, as all of DoWhy does; shape (rows, 1)."""
        return np.random.uniform(size=(num_samples, 1))  # noqa: NPY002 - DoWhy's own contract

    def clone(self) -> "Mechanism":
        """Return an unfitted copy."""
        return type(self)(self.categorical, self.learners, self.seed)

    def likelihoods(self) -> Matrix | None:
        """Return `held_out` where noise may have any shape, shape (rows with a value,)."""
        return self.held_out

    def redrawn(self, rng: np.random.Generator) -> "Mechanism":
        """Return the mechanism with another draw of its function, itself if that is certain."""
        return self

    def draw(self, parents: Matrix, noise: Matrix, rng: np.random.Generator) -> Matrix:
        """Return values, shape (rows,), from one draw of the function."""
        return np.asarray(self.redrawn(rng).evaluate(parents, noise)).reshape(-1)

    def counterfactual(
        self, values: Matrix, before: Matrix, after: Matrix, rng: np.random.Generator
    ) -> Matrix:
        """Return what values would have been with other parents, all else equal, shape (rows,).

        Parameters
        ----------
        values : numpy.ndarray
            Shape (rows,): what was observed, nothing missing.
        before, after : numpy.ndarray
            Shape (rows, parents): the observed parents, and the others.
        rng : numpy.random.Generator
            Draws what the observed values leave open.
        """
        raise NotImplementedError

    def _fit_learners(self, features: Matrix, targets: Matrix) -> list[FittedLearner]:
        rng = np.random.default_rng(self.seed)
        return [LEARNERS[name](features, targets, rng) for name in self.learners]


class Constant(Mechanism):
    """A child that never varies: X := c, whatever its parents are."""

    def __init__(self) -> None:
        super().__init__((), (), 0)
        self.learner = "constant"

    def fit(self, X: Matrix, Y: Matrix) -> None:
        """Keep the one value; a column without any stays missing."""
        present = Y[~np.isnan(Y)]
        self.value = float(present[0]) if len(present) else float("nan")
        self.held_out = np.zeros(len(present))

    def evaluate(self, parent_samples: Matrix, noise_samples: Matrix) -> Matrix:
        """Return the value, shape (rows, 1)."""
        return np.full((len(parent_samples), 1), self.value)

    def counterfactual(
        self, values: Matrix, before: Matrix, after: Matrix, rng: np.random.Generator
    ) -> Matrix:
        """Return the observed values."""
        return values

    def clone(self) -> "Constant":
        """Return an unfitted copy."""
        return Constant()


class AdditiveNoise(Mechanism):
    """A numeric child: X := g(f(parents) + N), g its `Scale`, N a held-out residual.

    The residual of a row comes from a fit without that row, scaled down by the part that is error
    of the fit. In-sample residuals, which DoWhy uses, have 0.4 to 0.7 of the noise's spread. N is
    drawn from all rows or, where that makes held-out rows more likely, from rows with a similar
    prediction (heteroscedastic noise). Where values repeat (counts, rounded or censored numbers), a
    whole value is drawn from such rows in place of a residual (predictive mean matching: Little,
    1988), so that only observed values are drawn.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cause = rng.normal(size=(400, 1))
    >>> mechanism = AdditiveNoise([False], ["linear"], seed=0)
    >>> mechanism.fit(cause, 2.0 * cause + rng.normal(size=(400, 1)))
    >>> drawn = mechanism.evaluate(np.ones((4000, 1)), rng.random((4000, 1)))
    >>> float(drawn.mean().round()), bool(0.9 < drawn.std() < 1.1)
    (2.0, True)
    """

    def fit(self, X: Matrix, Y: Matrix) -> None:
        """Fit to parents (rows, parents) and values (rows, 1); rows without a value are skipped."""
        values = Y.reshape(-1).astype("float64")
        present = ~np.isnan(values)
        values, parents = values[present], X[present].astype("float64")
        self.features = ParentFeatures.of(parents, self.categorical)
        self.scale = Scale.of(values)
        scores = self.scale.forward(values)
        fits = self._fit_learners(self.features.transform(parents), scores[:, None])
        noises = [ResidualNoise.of(fit, values, scores) for fit in fits]
        best = max(range(len(fits)), key=lambda index: float(noises[index].held_out.mean()))
        self.model, self.noise = fits[best].model, noises[best]
        self.learner, self.held_out = fits[best].name, self.noise.held_out
        self.residuals = scores - fits[best].held_out[:, 0]

    def likelihoods(self) -> Matrix:
        """Return `held_out` where noise may have any shape, shape (rows with a value,)."""
        return of_any_shape(self.residuals, self.noise.held_out)

    def evaluate(self, parent_samples: Matrix, noise_samples: Matrix) -> Matrix:
        """Return values (rows, 1) for parents (rows, parents) and uniform noise (rows, 1)."""
        features = self.features.transform(parent_samples.astype("float64"))
        predicted = self.model.predict(features)[:, 0]
        row = self.noise.donor(predicted, noise_samples.reshape(-1))
        if self.noise.values is not None:
            return self.noise.values[row][:, None]
        return self.scale.moved(predicted, self.noise.residuals[row])[:, None]

    def counterfactual(
        self, values: Matrix, before: Matrix, after: Matrix, rng: np.random.Generator
    ) -> Matrix:
        """Keep each row's residual, scaled as the noise is; of whole values, keep the rank."""
        old, new = (
            self.model.predict(self.features.transform(parents.astype("float64")))[:, 0]
            for parents in (before, after)
        )
        if self.noise.values is not None:
            return self.noise.kept(old, values, new, rng.random(len(values)))
        residual = self.scale.forward(values) - old
        return self.scale.back(new + residual * self.noise.spread(new) / self.noise.spread(old))


class CalibratedClassifier(Mechanism, ProbabilityEstimatorModel):  # type: ignore[misc]
    """A categorical child: X := the level in whose share of P(X | parents) the noise falls.

    Scores of the levels come from a regression on their indicators. A `Calibration` on held-out
    scores turns them into probabilities. These are mixed with the frequencies by the weight of one
    row, so that every observed level keeps some probability.

    The function behind the scores is drawn from its posterior, as in proper imputation (Rubin,
    1987). Calibrated probabilities average over that posterior: what few rows leave uncertain looks
    like noise, and labels drawn from the average would be harder to predict than real ones. So
    the calibration is of the mean over draws.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cause = rng.normal(size=(2000, 1))
    >>> effect = (rng.random((2000, 1)) < 1 / (1 + np.exp(-2 * cause))).astype(float)
    >>> mechanism = CalibratedClassifier([False], ["linear"], seed=0)
    >>> mechanism.fit(cause, effect)
    >>> mechanism.estimate_probabilities(np.array([[0.0]])).round(1)
    array([[0.5, 0.5]])
    """

    def fit(self, X: Matrix, Y: Matrix) -> None:
        """Fit to parents (rows, parents) and codes (rows, 1); rows without a code are skipped."""
        codes = Y.reshape(-1).astype("float64")
        present = ~np.isnan(codes)
        self.levels, member = np.unique(codes[present], return_inverse=True)
        parents = X[present].astype("float64")
        self.features = ParentFeatures.of(parents, self.categorical)
        indicators = np.eye(len(self.levels))[member]
        self.frequencies = indicators.mean(axis=0)
        self.rows = len(member)
        fits = self._fit_learners(self.features.transform(parents), indicators)
        calibrations = [Calibration.of(fit.held_out, fit.variance, member) for fit in fits]
        best = min(range(len(fits)), key=lambda index: calibrations[index].log_loss)
        fit, self.calibration = fits[best], calibrations[best]
        calibrated = self.calibration.mean_probabilities(fit.held_out, fit.variance)
        self.held_out = np.log(np.maximum(calibrated[indicators > 0], 1e-300))
        self.learner, self.mean = fit.name, fit.model
        self.model = self.mean.draw(np.random.default_rng(self.seed))

    def redrawn(self, rng: np.random.Generator) -> "CalibratedClassifier":
        """Return the mechanism with another draw of its function."""
        drawn = copy(self)
        drawn.model = self.mean.draw(rng)
        return drawn

    def estimate_probabilities(self, parent_samples: Matrix) -> Matrix:
        """Return P(level | parents), shape (rows, levels)."""
        scores = self.model.predict(self.features.transform(parent_samples.astype("float64")))
        probability = self.calibration.probabilities(scores)
        return np.asarray((self.rows * probability + self.frequencies) / (self.rows + 1.0))

    def evaluate(self, parent_samples: Matrix, noise_samples: Matrix) -> Matrix:
        """Return codes (rows, 1) for parents (rows, parents) and uniform noise (rows, 1)."""
        probability = self.estimate_probabilities(parent_samples)
        chosen = chosen_levels(probability, noise_samples.reshape(-1))
        return np.asarray(self.levels[chosen])[:, None]

    def counterfactual(
        self, values: Matrix, before: Matrix, after: Matrix, rng: np.random.Generator
    ) -> Matrix:
        """Change as few levels as their probabilities allow (maximal coupling).

        A level is left only if it became less probable, and for one that became more probable: this
        is counterfactual stability (Oberst and Sontag, 2019). Of two levels, it is monotonicity.
        """
        drawn, rows = self.redrawn(rng), np.arange(len(values))
        old, new = drawn.estimate_probabilities(before), drawn.estimate_probabilities(after)
        place = np.searchsorted(self.levels, values)
        stays = rng.random(len(rows)) * old[rows, place] <= new[rows, place]
        gained = np.maximum(new - old, 1e-300)
        moved = chosen_levels(gained / gained.sum(axis=1, keepdims=True), rng.random(len(rows)))
        return np.asarray(self.levels[np.where(stays, place, moved)])


def chosen_levels(probability: Matrix, noise: Matrix) -> Indices:
    """Return the level in whose share of each row's probabilities its noise falls, shape (rows,).

    Parameters
    ----------
    probability : numpy.ndarray
        Shape (rows, levels).
    noise : numpy.ndarray
        Shape (rows,), uniform on (0, 1).
    """
    cumulative = np.cumsum(probability, axis=1)
    # Rounding can leave the last sum just below 1.
    return np.asarray(
        np.minimum((cumulative < noise[:, None]).sum(axis=1), probability.shape[1] - 1)
    )
