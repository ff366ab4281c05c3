"""How rows look to TabPFN v1: its published preprocessing, and what it lacks.

Published: numbers are standardised by the context, transformed to look Gaussian in half of the
views, softened beyond four standard deviations, and scaled as if there were 100 of them; columns
and classes are rotated by another shift in every view.

Ours: categories and missing values, see `autogluon_causalmix.backbones.tabpfn_v1_numbers`; a value
that is missing is the mean of its column; of more than 100 columns, each view sees others.

Shapes: N rows, D columns before and C = 100 after.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.preprocessing import PowerTransformer

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.backbones.tabpfn_v1_numbers import Numbering, varies
from autogluon_causalmix.column import Column

COLUMNS = 100
"""What the network takes."""

FARTHEST = 100.0
"""Standard deviations at which standardised values are clipped."""

TOO_FAR = 4.0
"""Standard deviations beyond which values are softened."""

ADDED = 1e-6
"""To each standard deviation, as published; a column of a smaller scale it would erase."""

SMALL = 1e-3
"""Standard deviation below which nothing is added."""

LARGE = 1e100
"""Values beyond it are scaled down first: their squares would be infinite."""


@dataclass(frozen=True)
class View:
    """One way of showing rows to the network, fitted to the context rows.

    Attributes
    ----------
    numbering : Numbering
        Of categories and missing values; makes D columns of the features.
    scale : numpy.ndarray
        By which columns are divided first, shape (D,).
    mean, spread : numpy.ndarray
        Of the context, shape (D,).
    shown : numpy.ndarray of int
        Positions of the columns that the network sees, in its order; at most 100.
    powers : tuple of PowerTransformer or None
        For each column that is shown.
    lower, upper : numpy.ndarray
        Of the columns shown, beyond which values are softened.
    class_shift : int
        Added to the position of each class.

    Examples
    --------
    >>> column = Column("x", np.dtype(float), None, 0)
    >>> rng = np.random.default_rng(0)
    >>> rows = np.array([[1.0], [2.0], [np.nan], [6.0]])
    >>> view = View.fit(rows, (column,), power=False, one_hot=False, class_shift=0, rng=rng)
    >>> view.encode(rows).shape
    (4, 100)
    """

    numbering: Numbering
    scale: Matrix
    mean: Matrix
    spread: Matrix
    shown: Indices
    powers: tuple[PowerTransformer | None, ...]
    lower: Matrix
    upper: Matrix
    class_shift: int

    @classmethod
    def fit(
        cls,
        rows: Matrix,
        columns: Sequence[Column],
        *,
        power: bool,
        one_hot: bool,
        class_shift: int,
        rng: np.random.Generator,
        rotation: int | None = None,
    ) -> "View":
        """Fit to context rows (N, features) in the encoding of `autogluon_causalmix.table.encode`.

        Parameters
        ----------
        rows, columns
            The context and what its columns are.
        power : bool
            Whether numbers are transformed to look Gaussian.
        one_hot : bool
            Whether the levels of categories with few get columns of their own.
        class_shift : int
            Added to the position of each class.
        rng : numpy.random.Generator
            Source of the orders, the columns shown and the rotation.
        rotation : int, optional
            By how many columns they are rotated; drawn if not given.
        """
        numbering = Numbering.fit(rows, columns, rng, most_columns=COLUMNS, one_hot=one_hot)
        numbers = numbering.encode(rows)
        scale = _scale(numbers)
        mean, spread = _moments(numbers / scale)
        spread = np.where(spread < SMALL, spread, spread + ADDED)
        varying = np.flatnonzero(varies(numbers))
        standard = _standardised(numbers / scale, mean, spread)
        shown = _shown(varying, rng, rotation)
        powers = tuple(_power(column) if power else None for column in standard[:, shown].T)
        lower, upper = _limits(_transformed(standard[:, shown], powers))
        return cls(
            numbering, scale, mean, spread, shown, powers, lower, upper, class_shift=class_shift
        )

    def encode(self, rows: Matrix) -> Matrix:
        """Return rows (N, features) as the network sees them, (N, 100)."""
        numbers = self.numbering.encode(rows) / self.scale
        standard = _standardised(numbers, self.mean, self.spread)[:, self.shown]
        seen = _softened(_transformed(standard, self.powers), self.lower, self.upper)
        n_shown = len(self.shown)
        padded = np.zeros((len(rows), COLUMNS))
        padded[:, :n_shown] = np.nan_to_num(seen) * (COLUMNS / max(n_shown, 1))
        return padded


def fit_views(
    rows: Matrix, columns: Sequence[Column], n_classes: int, n_views: int, seed: int
) -> tuple[View, ...]:
    """Return views that differ in all that is random.

    Every second one transforms numbers, and the first two of four have columns for levels.
    """
    rng = np.random.default_rng(seed)
    shifts = rng.permutation(n_classes)
    return tuple(
        View.fit(
            rows,
            columns,
            power=number % 2 == 1,
            one_hot=number % 4 < 2,
            class_shift=int(shifts[number % n_classes]),
            rng=rng,
        )
        for number in range(n_views)
    )


def _scale(numbers: Matrix) -> Matrix:
    """Return 1, or the largest value of a column whose squares would be infinite."""
    largest = np.nan_to_num(np.abs(numbers)).max(axis=0, initial=0.0)
    return np.where(largest > LARGE, largest, 1.0)


def _moments(numbers: Matrix) -> tuple[Matrix, Matrix]:
    """Return mean and standard deviation of the values that are there, 0 where there are none."""
    count = (~np.isnan(numbers)).sum(axis=0)
    mean = np.nansum(numbers, axis=0) / np.maximum(count, 1)
    squares = np.nansum((numbers - mean) ** 2, axis=0)
    return mean, np.sqrt(squares / np.maximum(count - 1, 1))


def _standardised(numbers: Matrix, mean: Matrix, spread: Matrix) -> Matrix:
    known = np.where(spread > 0, spread, 1.0)
    with np.errstate(over="ignore"):  # what is infinitely far is clipped like all that is far
        return np.clip((numbers - mean) / known, -FARTHEST, FARTHEST)


def _shown(varying: Indices, rng: np.random.Generator, rotation: int | None) -> Indices:
    """Return the columns of a view in its order: all of them rotated, or 100 at random."""
    if len(varying) > COLUMNS:
        return rng.permutation(varying)[:COLUMNS]
    drawn = int(rng.integers(max(len(varying), 1)))
    return np.roll(varying, -(drawn if rotation is None else rotation))


def _power(column: Matrix) -> PowerTransformer | None:
    """Return the transform of a column (N,), or None where it cannot be computed, as published."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fitted = PowerTransformer().fit(column[:, None])
            changed = fitted.transform(column[:, None])
    except (ValueError, ArithmeticError, Warning):
        return None
    return fitted if varies(changed).all() else None


def _transformed(standard: Matrix, powers: tuple[PowerTransformer | None, ...]) -> Matrix:
    """Return standardised columns (N, shown) after the transforms of those that have one."""
    changed = standard.copy()
    with np.errstate(over="ignore"):  # of a row far from the context; it is softened next
        for position, power in enumerate(powers):
            if power is not None:
                changed[:, [position]] = power.transform(standard[:, [position]])
    return np.clip(changed, -LARGE, LARGE)


def _limits(standard: Matrix) -> tuple[Matrix, Matrix]:
    """Return four standard deviations around the mean of what lies within four of the whole."""
    lower, upper = _around(standard)
    within = np.where((standard < lower) | (standard > upper), np.nan, standard)
    return _around(within)


def _around(numbers: Matrix) -> tuple[Matrix, Matrix]:
    mean, spread = _moments(numbers)
    return mean - TOO_FAR * spread, mean + TOO_FAR * spread


def _softened(values: Matrix, lower: Matrix, upper: Matrix) -> Matrix:
    """Return values that beyond the limits grow as their logarithm."""
    raised = np.maximum(values, lower - np.log1p(np.abs(values)))
    return np.minimum(raised, upper + np.log1p(np.abs(raised)))
