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
        # Levels first: sums over few levels of many rows are twice as fast.
        raw, spread = (np.ascontiguousarray(a.T) for a in (scores, _of_differences(variance)))
        chosen = member, np.arange(n)
        frequencies = np.bincount(member, minlength=n_levels) / n
        start = np.concatenate([[1.0], np.log(frequencies)])
        # In these units the loss bends about alike along all parameters: rare levels would else
        # take most of the steps.
        bend = np.concatenate([[frequencies @ raw.var(axis=1)], frequencies * (1.0 - frequencies)])
        units = 1.0 / np.sqrt(np.maximum(bend, 1e-6))

        def loss(moves: Matrix) -> tuple[float, Matrix]:
            parameters = start + units * moves
            temperature = parameters[0]
            inverse = 1.0 / np.sqrt(1.0 + np.pi / 8.0 * temperature**2 * spread)
            moved = raw * inverse
            logits = temperature * moved + parameters[1:, None]
            logits -= logits.max(axis=0)
            likelihood = logits[chosen].sum()
            np.exp(logits, out=logits)
            totals = logits.sum(axis=0)
            likelihood -= np.log(totals).sum()
            logits /= totals
            logits[chosen] -= 1.0  # the slopes by the logits
            # A prior worth one row: scores that separate perfectly have no finite best slope.
            penalty = 0.5 * (0.05 * temperature) ** 2 / n
            moved *= inverse
            moved *= inverse
            slope = np.vdot(logits, moved) / n + 0.05**2 * temperature / n
            gradient = np.concatenate([[slope], logits.mean(axis=1)])
            return float(penalty - likelihood / n), units * gradient

        bounds = [(-1.0 / units[0], None)] + [(None, None)] * n_levels
        found = optimize.minimize(
            loss,
            np.zeros(n_levels + 1),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 100},
        )
        fitted = start + units * found.x
        return cls(max(float(fitted[0]), 0.0), fitted[1:], float(found.fun))

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
    return np.asarray(np.sqrt(1.0 + np.pi / 8.0 * temperature**2 * _of_differences(variance)))


def _of_differences(variance: Matrix) -> Matrix:
    """Return the variance of the difference of two scores; the scores of a row sum to 1."""
    n_levels = variance.shape[1]
    return np.asarray(2.0 * n_levels / (n_levels - 1.0) * variance)


def _softmax(logits: Matrix) -> Matrix:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
