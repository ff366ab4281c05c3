"""`Calibration`: scores of a classifier as probabilities (after Platt, 1999)."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from autogluon_causalmix.arrays import Indices, Matrix


@dataclass(frozen=True)
class Calibration:
    """P(level) = softmax(t s + b), with one temperature t and an offset b per level.

    Attributes
    ----------
    temperature : float
        t, at least 0.
    offsets : numpy.ndarray
        b, shape (levels,).
    log_loss : float
        Of the held-out rows it was fitted to, with the penalty on t.
    """

    temperature: float
    offsets: Matrix
    log_loss: float

    @classmethod
    def of(cls, scores: Matrix, variance: Matrix, member: Indices) -> "Calibration":
        """Fit to held-out scores.

        Parameters
        ----------
        scores, variance : numpy.ndarray
            Shape (rows, levels): held-out scores and their posterior variance.
        member : numpy.ndarray
            Shape (rows,): the position of each row's level.
        """
        n, n_levels = scores.shape
        chosen = np.eye(n_levels)[member]
        frequencies = chosen.mean(axis=0)

        def loss(parameters: Matrix) -> tuple[float, Matrix]:
            width = _width(parameters[0], variance)
            probability = _softmax(parameters[0] * scores / width + parameters[1:])
            error = probability - chosen
            # A prior worth one row: scores that separate perfectly have no finite best slope.
            penalty = 0.5 * (0.05 * parameters[0]) ** 2 / n
            slope = (error * scores / width**3).sum() / n + 0.05**2 * parameters[0] / n
            gradient = np.concatenate([[slope], error.mean(axis=0)])
            likelihood = np.log(np.maximum(probability[np.arange(n), member], 1e-300))
            return float(-likelihood.mean() + penalty), gradient

        start = np.concatenate([[1.0], np.log(frequencies)])
        bounds = [(0.0, None)] + [(None, None)] * n_levels
        found = optimize.minimize(
            loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 100}
        )
        return cls(float(found.x[0]), np.asarray(found.x[1:]), float(found.fun))

    def probabilities(self, scores: Matrix) -> Matrix:
        """Return the probabilities of scores that are certain, shape (rows, levels)."""
        return _softmax(self.temperature * scores + self.offsets)

    def mean_probabilities(self, scores: Matrix, variance: Matrix) -> Matrix:
        """Return the mean probabilities of scores with a variance, both of shape (rows, levels)."""
        width = _width(self.temperature, variance)
        return _softmax(self.temperature * scores / width + self.offsets)


def _width(temperature: float, variance: Matrix) -> Matrix:
    """Return the divisor of logits that gives their mean probability (MacKay, 1992).

    It is the divisor for variances of logits, shape (rows, levels).
    """
    n_levels = variance.shape[1]
    # Of the difference of two scores; the scores of a row sum to 1.
    of_differences = 2.0 * n_levels / (n_levels - 1.0) * variance
    return np.asarray(np.sqrt(1.0 + np.pi / 8.0 * temperature**2 * of_differences))


def _softmax(logits: Matrix) -> Matrix:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
