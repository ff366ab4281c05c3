"""FAED, FPCAD and RFIS of Herurkar, Ahmad and Dengel (2025): FID and IS for tables.

The formulas are the paper's. The size of the autoencoder, the number of principal components and
how mixed columns become numbers are choices of ours. The models are fitted on the unseen real rows,
so that none of the rows that are compared with them have been fitted.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.errors import NotApplicable
from autogluon_causalmix.fidelity.forests import codes, features, probabilities
from autogluon_causalmix.fidelity.protocol import Better, Samples
from autogluon_causalmix.fidelity.space import Space
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.resources import Resources

HERURKAR = "Herurkar, Ahmad & Dengel, 2025, arXiv 2504.20900"
HIDDEN = 32
EPOCHS = 60


@dataclass(frozen=True)
class FrechetAutoencoderDistance:
    """FAED: Fréchet distance between Gaussians fitted to the codes of an autoencoder.

    The autoencoder has a hidden layer of 32 units on each side and learns standardised numbers
    and indicators. Its codes lie between −1 and 1. The distance depends on its random weights, so
    that it is a mean over several.

    Parameters
    ----------
    size : int
        Length of a code.
    networks : int
        How many autoencoders to average over.
    """

    family: ClassVar[str] = "embedding"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, math.inf)
    reference: ClassVar[str] = HERURKAR

    size: Annotated[int, Field(ge=1)] = 8
    networks: Annotated[int, Field(ge=1)] = 3

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the mean distance over the networks."""
        space = Space.of(rows.real)
        wanted, drawn = space.points(rows.holdout), space.points(rows.synthetic)
        found = []
        for _ in range(self.networks):
            encode = _encoder(wanted, self.size, rng)
            found.append(frechet_distance(encode(wanted), encode(drawn)))
        return float(np.mean(found))


@dataclass(frozen=True)
class FrechetPCADistance:
    """FPCAD: Fréchet distance between Gaussians fitted to principal components.

    Of standardised numbers and indicators.

    Parameters
    ----------
    components : int
        How many; fewer where there are fewer.
    """

    family: ClassVar[str] = "embedding"
    better: ClassVar[Better] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, math.inf)
    reference: ClassVar[str] = HERURKAR

    components: Annotated[int, Field(ge=1)] = 8

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return the distance between the scores of both tables."""
        space = Space.of(rows.real)
        wanted, drawn = space.points(rows.holdout), space.points(rows.synthetic)
        axes = np.linalg.svd(wanted - wanted.mean(axis=0), full_matrices=False)[2]
        axes = axes[: self.components].T
        return frechet_distance(wanted @ axes, drawn @ axes)


@dataclass(frozen=True)
class RandomForestInceptionScore:
    """RFIS: entropy of the mean prediction less mean entropy of predictions, in nats.

    The forest learns the target from the unseen real rows and predicts the synthetic ones. The
    score ignores the real labels and rewards rows that are too easy: see it beside its floors.

    Parameters
    ----------
    trees : int
        Of the forest.
    """

    family: ClassVar[str] = "embedding"
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, math.inf)
    reference: ClassVar[str] = f"{HERURKAR}, after Salimans et al., 2016"

    trees: Annotated[int, Field(ge=1)] = 50

    def measure(self, rows: Samples, rng: np.random.Generator, resources: Resources) -> float:
        """Return E[H(p(y)) − H(p(y|x))], at most the logarithm of the number of classes."""
        known = codes(rows.holdout)
        if len(np.unique(known)) < 2:
            raise NotApplicable("the unseen real rows hold a single class")
        predicted = probabilities(
            features(rows.holdout),
            known,
            features(rows.synthetic),
            len(rows.holdout.levels),
            self.trees,
            rng,
        )
        return max(float(_entropy(predicted.mean(axis=0)) - _entropy(predicted).mean()), 0.0)


def frechet_distance(first: Matrix, second: Matrix) -> float:
    """Return ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), the squared Wasserstein-2 of two Gaussians.

    Parameters
    ----------
    first, second : numpy.ndarray
        Shape (rows, coordinates), two rows or more.

    Examples
    --------
    >>> points = np.array([[0.0, 1.0], [2.0, 5.0], [4.0, 3.0]])
    >>> round(frechet_distance(points, points + [3.0, 4.0]), 9)
    25.0
    """
    means = first.mean(axis=0) - second.mean(axis=0)
    one, other = (np.atleast_2d(np.cov(points, rowvar=False)) for points in (first, second))
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ other @ root)  # those of Σ₁Σ₂, which is not symmetric
    spread = np.trace(one) + np.trace(other) - 2 * np.sqrt(np.maximum(shared, 0.0)).sum()
    return max(float(means @ means + spread), 0.0)


def _encoder(points: Matrix, size: int, rng: np.random.Generator) -> Callable[[Matrix], Matrix]:
    """Train an autoencoder on points, and return the function from points to codes."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    network = MLPRegressor(
        hidden_layer_sizes=(HIDDEN, size, HIDDEN),
        activation="tanh",
        batch_size=min(64, len(points)),
        learning_rate_init=3e-3,
        max_iter=EPOCHS,
        n_iter_no_change=EPOCHS,
        random_state=int(rng.integers(2**31)),
    )
    with warnings.catch_warnings():  # the number of epochs is fixed
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(points, points)

    def encode(rows: Matrix) -> Matrix:
        hidden = np.tanh(rows @ network.coefs_[0] + network.intercepts_[0])
        return np.asarray(np.tanh(hidden @ network.coefs_[1] + network.intercepts_[1]))

    return encode


def _entropy(shares: Matrix) -> Matrix:
    """Return the entropy of distributions along the last axis, in nats."""
    logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(-(shares * logarithms).sum(axis=-1))


@hookimpl
def causalmix_register_metrics(register: Register) -> None:
    """Register FAED, FPCAD and RFIS."""
    register("faed", FrechetAutoencoderDistance)
    register("fpcad", FrechetPCADistance)
    register("rfis", RandomForestInceptionScore)
