"""Mechanisms on DoWhy's classes: a node as a function of its parents and of noise that is uniform on (0, 1)."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from dowhy.gcm.causal_mechanisms import FunctionalCausalModel, ProbabilityEstimatorModel
from scipy import optimize

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.scm.learners import Fit, linear, pairwise, smooth, trees
from autogluon_causalmix.scm.parents import ParentFeatures
from autogluon_causalmix.scm.scales import Scale

Learner = Callable[[Matrix, Matrix, np.random.Generator], Fit]

LEARNERS: dict[str, Learner] = {
    "linear": lambda features, targets, _: linear(features, targets),
    "pairwise": lambda features, targets, _: pairwise(features, targets),
    "smooth": smooth,
    "trees": trees,
}
"""What a mechanism may be made of; one is chosen per node, by held-out log-likelihood."""


class Mechanism(FunctionalCausalModel):  # type: ignore[misc]  # dowhy has no type information
    """What all kinds of child share.

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
        self.held_out = np.empty(0)
        """Log-likelihood of each row with a value, from a fit without it."""

    def draw_noise_samples(self, num_samples: int) -> Matrix:
        """Draw from NumPy's global generator, as all of DoWhy does; shape (rows, 1)."""
        return np.random.uniform(size=(num_samples, 1))  # noqa: NPY002 - DoWhy's own contract

    def clone(self) -> "Mechanism":
        """Return an unfitted copy."""
        return type(self)(self.categorical, self.learners, self.seed)

    def redrawn(self, rng: np.random.Generator) -> "Mechanism":
        """Return the mechanism with another function of its parents, if it knows which the rows leave possible."""
        return self

    def _candidates(self, features: Matrix, targets: Matrix) -> list[Fit]:
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

    def evaluate(self, parent_samples: Matrix, noise_samples: Matrix) -> Matrix:
        """Return the value, shape (rows, 1)."""
        return np.full((len(parent_samples), 1), self.value)

    def clone(self) -> "Constant":
        """Return an unfitted copy."""
        return Constant()


class AdditiveNoise(Mechanism):
    """A numeric child: X := g(f(parents) + N), g its `Scale` (mostly linear), N a cross-fitted residual.

    The residual of a row comes from a fit without that row, deflated by what of it is error of the fit: in-sample
    residuals, DoWhy's own, have 0.4 to 0.7 of the noise's spread. N is drawn from all rows, or, where that makes
    held-out rows more likely, from the rows with a similar prediction (heteroscedastic noise). Where values
    repeat (counts, rounded or censored numbers) it is a whole value that is drawn from such rows, not a residual
    (predictive mean matching: Little, 1988), so that only observed values come back.

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
        """Fit to parents of shape (rows, parents) and values of shape (rows, 1); rows without a value are left out."""
        values = Y.reshape(-1).astype("float64")
        present = ~np.isnan(values)
        values, parents = values[present], X[present].astype("float64")
        self.features = ParentFeatures.of(parents, self.categorical)
        self.scale = Scale.of(values)
        scores = self.scale.forward(values)
        features = self.features.transform(parents)
        fits = self._candidates(features, scores[:, None])
        noises = [_Noise.of(fit, fit.model.predict(features)[:, 0], values, scores) for fit in fits]
        best = max(range(len(fits)), key=lambda index: float(noises[index].held_out.mean()))
        self.model, self.noise = fits[best].model, noises[best]
        self.learner, self.held_out = fits[best].name, self.noise.held_out

    def evaluate(self, parent_samples: Matrix, noise_samples: Matrix) -> Matrix:
        """Return values for parents of shape (rows, parents) and uniform noise of shape (rows, 1)."""
        features = self.features.transform(parent_samples.astype("float64"))
        predicted = self.model.predict(features)[:, 0]
        row = self.noise.donor(predicted, noise_samples.reshape(-1))
        if self.noise.values is not None:
            return self.noise.values[row][:, None]
        return self.scale.back(predicted + self.noise.residuals[row])[:, None]


@dataclass(frozen=True)
class _Noise:
    """What is added to a prediction: of `window` rows around it in the order of their predictions, one is drawn.

    Rows are ordered by what the whole fit predicts for them. Their held-out predictions would not do: among rows
    with the same parents, they fall as the row's own value rises.
    """

    predictions: Matrix
    residuals: Matrix
    values: Matrix | None
    window: int
    held_out: Matrix

    @classmethod
    def of(cls, fit: Fit, fitted: Matrix, values: Matrix, scores: Matrix) -> "_Noise":
        # Equal parents must give equal predictions, whatever the order of the sums.
        predictions = fitted.round(9)
        order = np.argsort(predictions, kind="stable")
        residuals = (scores - fit.held_out[:, 0])[order]
        n = len(values)
        narrow = min(n, max(30, n // 8))
        likelihoods = {window: log_likelihoods(residuals, window) for window in {narrow, n}}
        # The wider window unless the narrower one is clearly better: fewer rows make a noisier guess of the spread.
        window = narrow if likelihoods[narrow].mean() > likelihoods[n].mean() + 0.01 else n
        held_out = np.empty(n)
        held_out[order] = likelihoods[window]
        if len(np.unique(values)) <= 0.5 * n:
            matched = min(n, max(5, round(np.sqrt(n))))
            return cls(predictions[order], residuals, values[order], matched, held_out)
        return cls(predictions[order], residuals * fit.deflation[order], None, window, held_out)

    def donor(self, predicted: Matrix, noise: Matrix) -> npt.NDArray[np.int64]:
        """Return the row, in the order of predictions, whose residual or value is drawn for each prediction."""
        n, rounded = len(self.predictions), predicted.round(9)
        left = np.searchsorted(self.predictions, rounded, side="left")
        right = np.searchsorted(self.predictions, rounded, side="right")
        first = np.clip((left + right - self.window) // 2, 0, n - self.window)
        # All rows with the very same prediction are equally good donors.
        last = np.maximum(first + self.window, right)
        first = np.minimum(first, left)
        return np.asarray(np.minimum(first + (noise * (last - first)).astype("int64"), last - 1))


def log_likelihoods(residuals: Matrix, window: int) -> Matrix:
    """Return Gaussian log-likelihoods of residuals (rows,), the spread of each from the others in its window."""
    n = len(residuals)
    if n < 3:
        return np.zeros(n)
    sums = np.concatenate([[0.0], np.cumsum(residuals**2)])
    first = np.clip(np.arange(n) - window // 2, 0, n - window)
    others = np.maximum(sums[first + window] - sums[first] - residuals**2, 0.0) / (window - 1)
    variance = others + 1e-9 * float((residuals**2).mean()) + 1e-300
    return np.asarray(-0.5 * np.log(2.0 * np.pi * variance) - 0.5 * residuals**2 / variance)


class CalibratedClassifier(Mechanism, ProbabilityEstimatorModel):  # type: ignore[misc]
    """A categorical child: X := the level in whose share of P(X | parents) the uniform noise falls.

    Scores for the levels come from a regression on their indicators; a temperature and one offset per level, fitted
    to held-out scores, turn them into probabilities (after Platt, 1999), which are then mixed with the
    frequencies by the weight of one row, so that no observed level dies out.

    The function that gives the scores is drawn from those that the rows leave possible, as proper imputation does
    (Rubin, 1987). Calibrated probabilities average over all of these, so what few rows cannot tell looks like noise,
    and levels drawn from them would be harder to predict than real ones. What is calibrated is the mean over draws.

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
        """Fit to parents of shape (rows, parents) and codes of shape (rows, 1); rows without a code are left out."""
        codes = Y.reshape(-1).astype("float64")
        present = ~np.isnan(codes)
        self.levels, member = np.unique(codes[present], return_inverse=True)
        parents = X[present].astype("float64")
        self.features = ParentFeatures.of(parents, self.categorical)
        indicators = np.eye(len(self.levels))[member]
        self.frequencies = indicators.mean(axis=0)
        self.rows = len(member)
        fits = self._candidates(self.features.transform(parents), indicators)
        calibrations = [_calibrate(fit.held_out, fit.variance, member) for fit in fits]
        best = min(range(len(fits)), key=lambda index: calibrations[index][0])
        self.mean, self.calibration = fits[best].model, calibrations[best][1]
        width = _width(self.calibration[0], fits[best].variance)
        calibrated = _softmax(
            self.calibration[0] * fits[best].held_out / width + self.calibration[1:]
        )
        self.learner, self.held_out = (
            fits[best].name,
            np.log(np.maximum(calibrated[indicators > 0], 1e-300)),
        )
        self.model = self.mean.draw(np.random.default_rng(self.seed))

    def redrawn(self, rng: np.random.Generator) -> "CalibratedClassifier":
        """Return the mechanism with another draw of its function."""
        drawn = copy(self)
        drawn.model = self.mean.draw(rng)
        return drawn

    def estimate_probabilities(self, parent_samples: Matrix) -> Matrix:
        """Return P(level | parents), shape (rows, levels)."""
        scores = self.model.predict(self.features.transform(parent_samples.astype("float64")))
        probability = _softmax(self.calibration[0] * scores + self.calibration[1:])
        return np.asarray((self.rows * probability + self.frequencies) / (self.rows + 1.0))

    def evaluate(self, parent_samples: Matrix, noise_samples: Matrix) -> Matrix:
        """Return codes for parents of shape (rows, parents) and uniform noise of shape (rows, 1)."""
        chosen = chosen_levels(
            self.estimate_probabilities(parent_samples), noise_samples.reshape(-1)
        )
        return np.asarray(self.levels[chosen])[:, None]


def chosen_levels(probability: Matrix, noise: Matrix) -> npt.NDArray[np.int64]:
    """Return the level in whose share of each row's probabilities (rows, levels) its noise (rows,) falls."""
    cumulative = np.cumsum(probability, axis=1)
    # Rounding can leave the last sum just below 1.
    return np.asarray(
        np.minimum((cumulative < noise[:, None]).sum(axis=1), probability.shape[1] - 1)
    )


def _width(temperature: float, variance: Matrix) -> Matrix:
    """Return what logits of variance (rows, levels) are divided by to give their mean probability (MacKay, 1992)."""
    n_levels = variance.shape[1]
    apart = (
        2.0 * n_levels / (n_levels - 1.0) * variance
    )  # of the difference of two scores; all of them sum to 1
    return np.asarray(np.sqrt(1.0 + np.pi / 8.0 * temperature**2 * apart))


def _calibrate(
    scores: Matrix, variance: Matrix, member: npt.NDArray[np.int64]
) -> tuple[float, Matrix]:
    """Return the log-loss and (temperature, offsets) that make held-out scores of some variance probabilities."""
    n, n_levels = scores.shape
    chosen = np.eye(n_levels)[member]
    frequencies = chosen.mean(axis=0)

    def loss(parameters: Matrix) -> tuple[float, Matrix]:
        width = _width(parameters[0], variance)
        probability = _softmax(parameters[0] * scores / width + parameters[1:])
        error = probability - chosen
        # One row's worth of prior: scores that separate perfectly would otherwise ask for an infinite slope.
        penalty = 0.5 * (0.05 * parameters[0]) ** 2 / n
        slope = (error * scores / width**3).sum() / n + 0.05**2 * parameters[0] / n
        gradient = np.concatenate([[slope], error.mean(axis=0)])
        return float(
            -np.log(np.maximum(probability[np.arange(n), member], 1e-300)).mean() + penalty
        ), gradient

    start = np.concatenate([[1.0], np.log(frequencies)])
    bounds = [(0.0, None)] + [(None, None)] * n_levels
    found = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 100}
    )
    return float(found.fun), np.asarray(found.x)


def _softmax(logits: Matrix) -> Matrix:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
