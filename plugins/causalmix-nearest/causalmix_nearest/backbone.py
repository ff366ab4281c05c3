"""The backbone `nearest`: its options, what it needs, and its name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from autogluon_causalmix.plugin import Register, Table, hookimpl

if TYPE_CHECKING:
    from causalmix_nearest.model import NearestModel

MOST_QUERIES = 4096
"""Rows predicted at once, which bounds the memory."""

BYTES_PER_PAIR = 20
"""Of a context row and a query row; 16 were measured, with gradients and without."""


@dataclass(frozen=True)
class Nearest:
    """Kernel regression over the rows of the table; fine-tuning learns what each column counts.

    Parameters
    ----------
    bandwidth : float
        Difference of ranks, between 0 and 1, over which a row's label still counts before
        fine-tuning.
    """

    bandwidth: Annotated[float, Field(gt=0)] = 0.3

    def condition(
        self, table: Table, *, n_estimators: int, device: str, seed: int
    ) -> "NearestModel":
        """Give a new network the rows of `table` as context."""
        from causalmix_nearest.model import NearestModel  # torch is slow to import

        model = NearestModel(table, n_estimators, self.bandwidth, seed)
        model.to(device)
        return model

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        """Return an upper estimate of the bytes of a pass over a table of this shape."""
        asked = rows / 4  # most pairs: half of the rows are context, the other half queries
        if not tuning:
            asked = min(asked, MOST_QUERIES)
        return BYTES_PER_PAIR * rows * (asked + columns)


@hookimpl
def causalmix_register_backbones(register: Register) -> None:
    """Register the backbone under its name."""
    register("nearest", Nearest)
