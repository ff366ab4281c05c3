"""CTGAN and TVAE as generators of synthetic rows; their library has the licence BUSL-1.1."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from autogluon_causalmix.plugin import OutOfTime, Register, Resources, Table, hookimpl

Matrix = npt.NDArray[np.float64]

LICENCE = (
    "made with ctgan, under the Business Source License 1.1, which is no open-source licence: it "
    "forbids to offer the library, or what is derived from it, to others as a commercial service"
)

GAP = -1.0
"""The code of a missing category, a level of its own."""


@dataclass(frozen=True)
class _Network:
    """What both networks have in common.

    Categories are discrete columns, missing ones a level of their own. Missing numbers are filled
    with the mean, and a column beside them says where they were: a discrete one for TVAE, a number
    for CTGAN, which draws rows for the levels of discrete columns in turn, so that rare gaps would
    get a large part of its steps. Columns with one value are left out and put back.

    Parameters
    ----------
    epochs : int
        Passes over the rows; with fewer rows than `batch_size`, each is one step.
    batch_size : int
        Rows in a step, a multiple of 20: CTGAN looks at ten rows together, and halves batches.
    """

    library_class: ClassVar[str]
    gaps_are_discrete: ClassVar[bool]

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 300
    batch_size: Annotated[int, Field(ge=20, le=100_000, multiple_of=20)] = 500

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "FittedNetwork":
        """Train the network.

        Raises
        ------
        OutOfTime
            The seconds are over; the library cannot end a training early and keep it.
        """
        import ctgan  # type: ignore[import-untyped]

        values = table.encode()
        frame = _shown(table, values, self.gaps_are_discrete)
        network = None
        if frame.shape[1]:
            network = getattr(ctgan, self.library_class)(
                epochs=self.epochs,
                batch_size=self.batch_size,
                enable_gpu=resources.device == "cuda",
            )
            network.set_random_state(int(rng.integers(2**31)))
            with _within(resources):
                network.fit(frame, [name for name in frame if frame[name].dtype == object])
        return FittedNetwork(table.take(np.arange(0)), values[0], network)


class CTGAN(_Network):
    """A conditional generative adversarial network (Xu et al., NeurIPS 2019)."""

    library_class: ClassVar[str] = "CTGAN"
    gaps_are_discrete: ClassVar[bool] = False


class TVAE(_Network):
    """A variational autoencoder (Xu et al., NeurIPS 2019)."""

    library_class: ClassVar[str] = "TVAE"
    gaps_are_discrete: ClassVar[bool] = True


@dataclass(frozen=True)
class FittedNetwork:
    """A trained network.

    Attributes
    ----------
    template : Table
        The columns without rows.
    first : array, shape (columns,)
        The encoding of a real row, which holds the columns with one value.
    network : ctgan.CTGAN, ctgan.TVAE or None
        None where all columns have one value.
    """

    template: Table
    first: Matrix
    network: Any

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        """Draw rows."""
        values = np.tile(self.first, (n_rows, 1))
        if self.network is not None:
            self.network.set_random_state(int(rng.integers(2**31)))  # it keeps one from before
            drawn = self.network.sample(n_rows)
            for name in drawn:
                position = int(name.removeprefix("gap "))
                cells = drawn[name].to_numpy().astype("float64")
                if name.startswith("gap "):  # behind the numbers that it belongs to
                    cells = np.where(cells > 0.5, np.nan, values[:, position])
                elif self.template.columns[position].is_categorical:
                    cells = np.where(cells == GAP, np.nan, cells)
                values[:, position] = cells
        return self.template.decode(values)

    def describe(self) -> Mapping[str, object]:
        """Return the licence, as a note."""
        return {"notes": [LICENCE]}


@contextmanager
def _within(resources: Resources) -> Iterator[None]:
    """Keep the library to this process and its seconds, and its warnings of mixtures to itself."""
    import joblib
    from torch.optim.optimizer import register_optimizer_step_post_hook

    def look_at_the_clock(*_: object) -> None:
        if resources.remaining() <= 0:
            raise OutOfTime(f"ctgan was still training after {resources.seconds:g} s")

    hook = register_optimizer_step_post_hook(look_at_the_clock)
    try:
        # From 500 rows on, the library encodes columns in worker processes, which stay behind.
        with joblib.parallel_config("sequential"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        hook.remove()


def _shown(table: Table, values: Matrix, gaps_are_discrete: bool) -> pd.DataFrame:
    """Return the columns that vary as the library wants them, named by position."""
    shown: dict[str, Any] = {}
    for position, (column, cells) in enumerate(zip(table.columns, values.T, strict=True)):
        gaps = np.isnan(cells)
        known = np.unique(cells[~gaps])
        if len(known) + gaps.any() < 2:
            continue
        if column.is_categorical:
            shown[str(position)] = pd.Series(np.where(gaps, GAP, cells).astype(str), dtype=object)
            continue
        shown[str(position)] = np.where(gaps, cells[~gaps].mean(), cells)
        if gaps.any():
            code = gaps.astype("float64")
            shown[f"gap {position}"] = (
                code.astype(str).astype(object) if gaps_are_discrete else code
            )
    return pd.DataFrame(shown)


@hookimpl
def causalmix_register_generators(register: Register) -> None:
    """Register both under their names."""
    register("ctgan", CTGAN)
    register("tvae", TVAE)
