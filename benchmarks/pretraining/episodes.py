"""Episodes of a run: a step's tables, split into context and query, and the held-out tables.

A step's tables depend only on the run's seed and the step's number, so a resumed run needs no state
of a generator.

Letters: B tables, R rows, N context rows, C columns, G column groups, E embedding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.pretraining.draws import Shape, generator
from benchmarks.pretraining.prior import MAX_CLASSES, sample_tables

IGNORED = -100  # cross_entropy's mark of a target that does not count
ROWS = (64, 128, 192, 256, 384, 512)
# with fewer rows, the loss on held-out tables, which have 192 context rows, rose
ROW_WEIGHTS = (0.1, 0.2, 0.2, 0.25, 0.2, 0.05)
HELD_OUT_COLUMNS = (4, 6, 8, 10, 13, 16, 20, 24, 30, 36, 44)
# streams of random numbers; a run of seed s adds 2 s to the last two
_HELD_OUT, _SHAPES, _TABLES = range(3)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What defines a run; part of its saved state, so a resumed run has the same settings.

    Attributes
    ----------
    emsize, nlayers, nhead
        Size of the network.
    seed
        Two runs with the same seed see the same tables.
    easy_steps, ramp_steps
        Steps of easy tables, then steps over which they become the full prior. On the full prior
        from the start, the network stays at chance for a long time.
    max_columns
        Most columns of a table.
    cells
        Rows × (column pairs + 1) × tables of one step, about.
    adam_lr, muon_lr, warmup
        Learning rates of AdamW (embeddings, output) and Muon (matrices of the blocks), and the
        steps after which they are reached.
    ema
        Decay of the average of the weights.
    """

    emsize: int = 96
    nlayers: int = 4
    nhead: int = 4
    seed: int = 0
    easy_steps: int = 300
    ramp_steps: int = 1500
    max_columns: int = 48
    cells: int = 16_384
    adam_lr: float = 1e-3
    muon_lr: float = 2e-3
    warmup: int = 200
    ema: float = 0.999


@dataclass(frozen=True, kw_only=True)
class Episode:
    """Context and query rows of a batch of tables.

    Attributes
    ----------
    x
        Columns (B, R, C), context first.
    context
        Labels of the context (B, N), float, dense.
    target
        Labels of the query (B, R - N), IGNORED where the context lacks the class.
    groups
        Identities of the column groups (G, E // 4).
    """

    x: Tensor
    context: Tensor
    target: Tensor
    groups: Tensor


def difficulty(settings: Settings, step: int) -> float:
    """Return the share of the full prior that a step's tables are drawn from."""
    return min(max((step - settings.easy_steps) / settings.ramp_steps, 0.0), 1.0)


def draw_shape(settings: Settings, step: int) -> tuple[Shape, int]:
    """Return the shape of a step's tables and how many of their rows are context."""
    rng = generator(step, stream=2 * settings.seed + _SHAPES)
    hard = difficulty(settings, step)
    most = 4 * (settings.max_columns / 4) ** hard
    u, share = torch.rand(2, generator=rng).tolist()
    columns = 2 + int((most - 1) * u ** (1 + hard))
    weights = (
        torch.tensor(ROW_WEIGHTS)
        if hard > 0
        else torch.tensor(ROW_WEIGHTS).where(torch.tensor(ROWS) <= 128, 0)
    )
    rows = ROWS[int(torch.multinomial(weights, 1, generator=rng))]
    tables = max(1, settings.cells // (rows * (-(-columns // 2) + 1)))
    shape = Shape(tables=tables, rows=rows, columns=columns, difficulty=hard)
    return shape, int(rows * (0.4 + 0.45 * share))


def training_episode(settings: Settings, step: int, device: torch.device) -> tuple[Shape, Episode]:
    """Draw a step's tables on the device."""
    shape, context = draw_shape(settings, step)
    rng = generator(step, device, stream=2 * settings.seed + _TABLES)
    return shape, make_episode(shape, context, rng, settings.emsize)


def make_episode(shape: Shape, context: int, rng: torch.Generator, emsize: int) -> Episode:
    """Draw tables and split each; labels are re-indexed to the classes of the context."""
    tables = sample_tables(shape, rng)
    known, target = dense_labels(tables.y, context)
    groups = torch.randn(-(-shape.columns // 2), emsize // 4, generator=rng, device=rng.device)
    return Episode(x=tables.x, context=known.float(), target=target, groups=groups)


def dense_labels(y: Tensor, context: int) -> tuple[Tensor, Tensor]:
    """Re-index labels (B, R) to the classes of the first N rows: (B, N) and (B, R - N)."""
    present = F.one_hot(y[:, :context], MAX_CLASSES).any(1)
    dense = (present.cumsum(1) - 1).gather(1, y)
    dense = dense.masked_fill(~present.gather(1, y), IGNORED)
    return dense[:, :context], dense[:, context:]


def held_out(device: torch.device, emsize: int) -> Iterator[Episode]:
    """Yield 66 tables that no run trains on, of 192 context and 64 query rows, for any device."""
    for i, columns in enumerate(6 * HELD_OUT_COLUMNS):
        # one table per batch: tables of one batch are alike, and the temperature needs variety
        shape = Shape(tables=1, rows=256, columns=columns)
        episode = make_episode(shape, 192, generator(i, stream=_HELD_OUT), emsize)
        yield Episode(
            **{name: getattr(episode, name).to(device) for name in Episode.__dataclass_fields__}
        )
