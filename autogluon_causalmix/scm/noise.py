"""`ResidualNoise`: the noise of a numeric mechanism, drawn from held-out residuals."""

from dataclasses import dataclass

import numpy as np

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.scm.likelihoods import gaussian_in_windows
from autogluon_causalmix.scm.ridge import FittedLearner


@dataclass(frozen=True)
class ResidualNoise:
    """Residuals, or whole values, of rows whose predictions are near the one asked for.

    Rows are ordered by what the fit to all rows predicts for them. Held-out predictions would not
    do: among rows with the same parents, they fall as the row's own value rises.

    Attributes
    ----------
    predictions : numpy.ndarray
        Shape (rows,), increasing.
    residuals : numpy.ndarray
        Shape (rows,), in the order of `predictions`.
    values : numpy.ndarray or None
        Shape (rows,), in the same order, where whole values are drawn in place of residuals.
    window : int
        Among how many neighbouring rows one is drawn.
    held_out : numpy.ndarray
        Shape (rows,): the log-likelihood of each row, in the order they were given.
    """

    predictions: Matrix
    residuals: Matrix
    values: Matrix | None
    window: int
    held_out: Matrix

    @classmethod
    def of(cls, fitted: FittedLearner, values: Matrix, scores: Matrix) -> "ResidualNoise":
        """Choose window and kind of noise.

        Parameters
        ----------
        fitted : FittedLearner
            The learner, with held-out predictions of `scores`.
        values, scores : numpy.ndarray
            Shape (rows,) each: values of the column, and the same on its `Scale`.
        """
        # Equal parents must give equal predictions, whatever the order of the sums.
        predictions = fitted.fitted[:, 0].round(9)
        order = np.argsort(predictions, kind="stable")
        residuals = (scores - fitted.held_out[:, 0])[order]
        n = len(values)
        narrow = min(n, max(30, n // 8))
        likelihoods = {window: gaussian_in_windows(residuals, window) for window in {narrow, n}}
        # The wide window unless the narrow one is clearly better: few rows estimate a spread badly.
        window = narrow if likelihoods[narrow].mean() > likelihoods[n].mean() + 0.01 else n
        held_out = np.empty(n)
        held_out[order] = likelihoods[window]
        if len(np.unique(values)) <= 0.5 * n:
            matched = min(n, max(5, round(np.sqrt(n))))
            return cls(predictions[order], residuals, values[order], matched, held_out)
        deflated = residuals * fitted.deflation[order]
        return cls(predictions[order], deflated, None, window, held_out)

    def donor(self, predicted: Matrix, noise: Matrix) -> Indices:
        """Return which row gives its residual or value to each prediction, shape (rows,).

        Positions are in the order of `predictions`; `noise` is uniform on (0, 1).
        """
        first, last = self._neighbours(predicted)
        return np.asarray(np.minimum(first + (noise * (last - first)).astype("int64"), last - 1))

    def kept(self, before: Matrix, values: Matrix, after: Matrix, ties: Matrix) -> Matrix:
        """Return whole values at the same rank among other neighbours, shape (rows,).

        Parameters
        ----------
        before, after : numpy.ndarray
            Shape (rows,): the predictions that the values belong to, and the new ones.
        values : numpy.ndarray
            Shape (rows,): the values that were drawn at `before`.
        ties : numpy.ndarray
            Shape (rows,), uniform on (0, 1): chooses among the ranks of equal values.
        """
        assert self.values is not None
        found = np.empty(len(values))
        old, new = (np.stack(self._neighbours(at), axis=1) for at in (before, after))
        for row, ((first, last), (low, high)) in enumerate(zip(old, new, strict=True)):
            among = self.values[first:last]
            below, equal = (among < values[row]).mean(), (among == values[row]).mean()
            others = np.sort(self.values[low:high])
            place = int((below + ties[row] * equal) * len(others))
            found[row] = others[min(place, len(others) - 1)]
        return found

    def spread(self, predicted: Matrix) -> Matrix:
        """Return the standard deviation of the residuals near each prediction, shape (rows,)."""
        first, last = self._neighbours(predicted)
        sums, squares = (
            np.concatenate([[0.0], np.cumsum(self.residuals**power)]) for power in (1, 2)
        )
        count = last - first
        mean = (sums[last] - sums[first]) / count
        variance = (squares[last] - squares[first]) / count - mean**2
        return np.asarray(np.sqrt(np.maximum(variance, 1e-12)))

    def _neighbours(self, predicted: Matrix) -> tuple[Indices, Indices]:
        """Return the rows that may be the donor of each prediction: from the first, to the last."""
        n, rounded = len(self.predictions), predicted.round(9)
        left = np.searchsorted(self.predictions, rounded, side="left")
        right = np.searchsorted(self.predictions, rounded, side="right")
        first = np.clip((left + right - self.window) // 2, 0, n - self.window)
        # All rows with exactly the same prediction are equally good.
        last = np.maximum(first + self.window, right)
        return np.minimum(first, left), last
