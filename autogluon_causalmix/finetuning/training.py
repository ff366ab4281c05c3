"""Optimiser steps on episodes, and the running mean of the weights that they pass through."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

from autogluon_causalmix.arrays import Indices
from autogluon_causalmix.backbones.protocol import MOST_VALUES, InContextModel
from autogluon_causalmix.finetuning.episodes import Episode, EpisodeSampler
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import EncodedRows, RowSets
from autogluon_causalmix.resources import is_out_of_memory
from autogluon_causalmix.task import Task

if TYPE_CHECKING:
    from torch import Tensor

WEIGHT_DECAY = 0.01
"""AdamW's default; the runs are too short for it to matter."""

WARM_UP = 6
"""Steps; Adam's second moments are noise before that."""

LARGEST_GRADIENT = 1.0
"""Norm; one odd episode must not throw the weights away."""

SMALLEST_EPISODE = 32
"""Rows below which halving an episode after running out of memory makes no sense."""


def computes_in_bfloat16(device: str) -> bool:
    """Return whether a device multiplies matrices in bfloat16 faster than in single precision.

    On such a CPU a step of TabPFN v1 takes half the time, see ``benchmarks/tuning_speed.py``.
    """
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


class Training:
    """One run of optimiser steps that changes the network of `model` in place.

    The weights stay in single precision. Matrices are multiplied in bfloat16 where the device is
    faster in it, unless the backbone has a precision of its own, as all of TabPFN v2 and later do.

    The running mean of the weights counts the pretrained ones and those after each step alike. A
    mean of weights along one run predicts about as a mean of their predictions would, at the price
    of one network (Izmailov et al., 2018, arXiv 1803.05407; with the pretrained weights in it,
    Wortsman et al., 2022, arXiv 2109.01903).

    Attributes
    ----------
    steps : int
        Steps taken.
    most_rows : int
        Rows of an episode at most.
    notes : list of str
        What memory did not allow, one sentence each.
    """

    def __init__(
        self,
        model: InContextModel,
        rows: RowSets[EncodedRows],
        task: Task,
        recipe: Recipe,
        rng: np.random.Generator,
    ) -> None:
        self.model, self.rows, self.task = model, rows, task
        self.recipe, self.rng = recipe, rng
        synthetic = rows.synthetic.labels if rows.synthetic else np.empty(0, dtype="int64")
        self.sampler = EpisodeSampler(
            task, rows.training.labels, synthetic, recipe.real_fraction, recipe.role
        )
        self.weights = [w for w in model.network.parameters() if w.requires_grad]
        self.mean = [weight.detach().clone() for weight in self.weights]
        self.optimizer = torch.optim.AdamW(
            self.weights, lr=recipe.learning_rate, weight_decay=WEIGHT_DECAY, fused=True
        )
        self.steps = 0
        self.notes: list[str] = []
        self._losses: list[float] = []
        widest = max(view.shape[1] for view in rows.training.views)
        self.most_rows = MOST_VALUES // max(widest, 1)
        if self.most_rows < len(rows.training):
            self.notes.append(
                f"episodes hold at most {self.most_rows} of the {len(rows.training)} rows"
            )

    def advance(self) -> bool:
        """Take one step; False when even a small episode does not fit into memory."""
        while self.most_rows >= SMALLEST_EPISODE:
            try:
                self._step()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self.most_rows = min(self.most_rows, len(self.rows.training)) // 2
                self.optimizer.zero_grad(set_to_none=True)
                self.notes.append(
                    f"out of memory at step {self.steps + 1}: episodes cut to {self.most_rows} rows"
                )
            else:
                self.steps += 1
                for mean, weight in zip(self.mean, self.weights, strict=True):
                    mean.lerp_(weight.detach(), 1 / (self.steps + 1))
                return True
        self.notes.append("fine-tuning stopped: not even a small episode fits into memory")
        return False

    def mean_loss(self) -> float | None:
        """Return the mean training loss since this was last asked; None where no step was taken."""
        losses, self._losses = self._losses, []
        return float(np.mean(losses)) if losses else None

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the mean of the weights into the network for a while."""
        own = [weight.detach().clone() for weight in self.weights]
        self.load(self.mean)
        try:
            yield
        finally:
            self.load(own)

    def load(self, weights: "list[Tensor]") -> None:
        """Copy weights into the network."""
        with torch.no_grad():
            for weight, new in zip(self.weights, weights, strict=True):
                weight.copy_(new)

    def _step(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * min(1.0, (self.steps + 1) / WARM_UP)
        episode = self.sampler.draw(self.rng, self.most_rows)
        view = int(self.rng.integers(len(self.rows.training.views)))
        device = torch.device(self.model.device).type
        with torch.autocast(device, torch.bfloat16, enabled=computes_in_bfloat16(device)):
            loss = self._loss(episode, view)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.weights, LARGEST_GRADIENT)
        self.optimizer.step()
        self._losses.append(float(loss.detach()))

    def _loss(self, episode: Episode, view: int) -> "Tensor":
        """Return the weighted loss of one episode in one view."""
        context, labels = self._pick(episode.source, episode.context, view)
        rows, targets = zip(
            *(self._asked(query.source, query.rows, view) for query in episode.queries), strict=True
        )
        logits = self.model.logits(view, context[None], labels[None], torch.cat(rows)[None])[0]
        parts = torch.split(logits, [len(part) for part in rows])
        losses = [
            query.weight * self.task.loss(part.float(), target)
            for query, part, target in zip(episode.queries, parts, targets, strict=True)
            if len(part)
        ]
        return torch.stack(losses).sum()

    def _source(self, source: str) -> EncodedRows:
        rows = self.rows.training if source == "real" else self.rows.synthetic
        assert rows is not None
        return rows

    def _pick(self, source: str, positions: Indices, view: int) -> "tuple[Tensor, Tensor]":
        rows = self._source(source)
        features = rows.views[view]
        where = torch.as_tensor(positions, device=features.device)
        return features[where], torch.as_tensor(rows.labels[positions], device=features.device)

    def _asked(self, source: str, positions: Indices, view: int) -> "tuple[Tensor, Tensor]":
        """Return query rows and their targets: classes, or probabilities of classes."""
        features, labels = self._pick(source, positions, view)
        soft = self._source(source).soft
        return features, labels if soft is None else torch.as_tensor(soft[positions]).to(features)
