"""Ways for synthetic rows to take part in fine-tuning that the package does not have.

::

    python -m benchmarks.roles --data DIR --splits 1
    python -m benchmarks.selection_rules --study roles --out benchmarks/results

Cells are those of `benchmarks.selection`: the course of a run that nobody judges. Arms beside the
package's own:

episodes            some episodes hold synthetic rows alone, context and query
null episodes       some episodes hold real rows that are drawn again, context and query
posterior episodes  each of these is of one draw of graph and mechanisms, of eight
gated               the gradient of synthetic queries counts only where it agrees with that of the
                    real queries, which their context has not seen
teacher             a foundation model labels the drawn rows, by probabilities: `--teacher`
half real           synthetic rows have half of the loss
half null           real rows that are drawn again have half of the loss
two episodes        each step has the mean loss of two episodes; real rows alone
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from autogluon_causalmix.arrays import Indices
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.finetuning.episodes import Episode, EpisodeSampler, Source
from autogluon_causalmix.finetuning.training import Training
from autogluon_causalmix.table import Table
from benchmarks.selection import STUDY, Draw, course, drawn, parse_run, rows_of, values_of
from benchmarks.study.cells import Parsed, Settings, Values
from benchmarks.study.command import parser_of, run
from benchmarks.study.splits import Split
from benchmarks.study.tables import Dataset

DRAWS = 8


@dataclass(frozen=True)
class PosteriorSampler(EpisodeSampler):
    """Draws synthetic episodes from one of `DRAWS` equal blocks of rows."""

    def _split(
        self, source: Source, rng: np.random.Generator, most_rows: int
    ) -> tuple[Indices, Indices]:
        if source == "real":
            return super()._split("real", rng, most_rows)
        size = len(self.synthetic) // DRAWS
        first = size * int(rng.integers(DRAWS))
        block = replace(self, synthetic=self.synthetic[first : first + size])
        context, query = EpisodeSampler._split(block, "synthetic", rng, most_rows)
        return context + first, query + first


class PosteriorEpisodes(Training):
    """Steps whose synthetic episodes are of one causal model each."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        made = self.sampler
        self.sampler = PosteriorSampler(
            made.task, made.real, made.synthetic, made.real_fraction, made.role
        )


class Gated(Training):
    """Steps without the synthetic queries whose gradient is against that of the real ones."""

    def _loss(self, episode: Episode, view: int) -> torch.Tensor:
        losses = [super(Gated, self)._loss(part, view) for part in _parts(episode)]
        if len(losses) == 1:
            return losses[0]
        real, synthetic = (
            torch.autograd.grad(loss, self.weights, retain_graph=True, allow_unused=True)
            for loss in losses
        )
        agreement = sum(
            float((a * b).sum())
            for a, b in zip(real, synthetic, strict=True)
            if a is not None and b is not None
        )
        return torch.stack(losses).sum() if agreement > 0 else losses[0]


class TwoEpisodes(Training):
    """Steps on the mean loss of two episodes in one view."""

    def _loss(self, episode: Episode, view: int) -> torch.Tensor:
        second = self.sampler.draw(self.rng, self.most_rows)
        losses = [super(TwoEpisodes, self)._loss(each, view) for each in (episode, second)]
        return torch.stack(losses).mean()


def _parts(episode: Episode) -> list[Episode]:
    return [replace(episode, queries=(query,)) for query in episode.queries if len(query.rows)]


def posterior(train: Table, options: Hyperparameters, rng: np.random.Generator) -> Table:
    """Return equally many rows of each of `DRAWS` draws of graph and mechanisms, in their order."""
    named = {"name": "scm", "graphs": 1, "discoverer": {"name": "boss", "bootstraps": 1}}
    single = Hyperparameters.parse(options.model_dump() | {"generator": named})
    parts = [drawn(train, single, rng) for _ in range(DRAWS)]
    return train.with_frame(
        pd.concat([part.frame for part in parts if part is not None], ignore_index=True)
    )


ROLES: dict[str, tuple[Draw, type[Training]]] = {
    "rows": (drawn, Training),
    "posterior": (posterior, PosteriorEpisodes),
    "gated": (drawn, Gated),
    "two episodes": (drawn, TwoEpisodes),
}
ARMS: dict[str, dict[str, Any]] = {
    "real rows": {"generator": None},
    "bootstrap null": {"generator": "bootstrap"},
    "causalmix": {},
    "half real": {"mixing": {"real_fraction": 0.5}},
    "half null": {"generator": "bootstrap", "mixing": {"real_fraction": 0.5}},
    "episodes": {"mixing": {"role": "episode", "real_fraction": 0.5}},
    "null episodes": {
        "generator": "bootstrap",
        "mixing": {"role": "episode", "real_fraction": 0.5},
    },
    "posterior episodes": {
        "mixing": {"role": "episode", "real_fraction": 0.5},
        "way": "posterior",
    },
    "gated": {"way": "gated"},
    "teacher": {"generator": {"name": "scm", "label": "teacher"}},
    "two episodes": {"generator": None, "way": "two episodes"},
}


def measure(table: Dataset, split: Split, settings: Settings) -> Values:
    """Run one arm and keep its course."""
    rest = dict(settings)
    draw, steps_of = ROLES[rest.pop("way", "rows")]
    started = time.perf_counter()
    train, watched = rows_of(table, split)
    kept = course(train, watched, rest, split.seed, whole=False, draw=draw, steps_of=steps_of)
    return values_of(train, watched, kept, time.perf_counter() - started)


def parse(settings: Settings) -> Parsed:
    """Return the hyperparameters with all defaults, and the way that synthetic rows take part."""
    rest = dict(settings)
    way = rest.pop("way", "rows")
    parsed = parse_run(rest)
    return Parsed({**parsed.options, "way": way}, parsed.files)


def main() -> None:
    """Run the command."""
    parser = parser_of(__doc__)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--teacher", default="mini", help="backbone that labels drawn rows")
    parser.add_argument("--backbone", default="mini", help="that is fine-tuned")
    given = parser.parse_args()
    arms = {name: {**ARMS[name], "backbone": given.backbone} for name in given.arms}
    if "teacher" in arms:
        arms["teacher"]["generator"] = ARMS["teacher"]["generator"] | {"backbone": given.teacher}
    run(replace(STUDY, name="roles", parse=parse, measure=measure), arms, given)


if __name__ == "__main__":
    main()
