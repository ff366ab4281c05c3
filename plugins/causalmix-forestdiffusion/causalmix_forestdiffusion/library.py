"""The library with a clock, and with NumPy's global generator left alone; importing it is slow."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from ForestDiffusion import ForestDiffusionModel  # type: ignore[import-untyped]

from autogluon_causalmix.plugin import OutOfTime, Resources


class Timed(ForestDiffusionModel):  # type: ignore[misc]
    """The library's model, whose training ends when the seconds are over."""

    def __init__(self, resources: Resources, *arguments: Any, **options: Any) -> None:
        self.resources = resources
        super().__init__(*arguments, **options)  # trains
        del self.resources

    def train_parallel(self, *rows: Any) -> Any:
        """Train the trees of one class at one level of noise."""
        if self.resources.remaining() <= 0:
            raise OutOfTime(
                f"ForestDiffusion was still training after {self.resources.seconds:g} s; give it "
                "fewer levels, copies or trees"
            )
        return super().train_parallel(*rows)


@contextmanager
def seeded(rng: np.random.Generator) -> Iterator[int]:
    """Yield a seed from `rng`, which NumPy's global generator has inside of the block alone."""
    before = np.random.get_state()  # noqa: NPY002 - the library draws from this one
    seed = int(rng.integers(2**31))
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield seed
    finally:
        np.random.set_state(before)  # noqa: NPY002
