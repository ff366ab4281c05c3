"""The fine-tuning loop: one episode a step, candidates compared on real validation rows."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from autogluon_causalmix.arrays import Indices, Matrix
from autogluon_causalmix.backbones.protocol import MOST_VALUES, InContextModel
from autogluon_causalmix.finetuning.episodes import Episode, EpisodeSampler
from autogluon_causalmix.finetuning.guard import compare
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import EncodedRows, RowSets
from autogluon_causalmix.records import CurvePoint, Scores
from autogluon_causalmix.resources import Resources, is_out_of_memory
from autogluon_causalmix.task import Task

if TYPE_CHECKING:
    from torch import Tensor

WEIGHT_DECAY = 0.01
"""AdamW's default; the runs are too short for it to matter."""

WARM_UP = 0.1
"""Share of the steps; Adam's second moments are noise before that."""

LARGEST_GRADIENT = 1.0
"""Norm; one odd episode must not throw the weights away."""

SMALLEST_EPISODE = 32
"""Rows below which halving an episode after running out of memory makes no sense."""


@dataclass
class FineTuned:
    """What came of a run; the model holds the weights that were kept."""

    kept_step: int
    reason: str
    curve: list[CurvePoint]
    pretrained: Scores | None = None
    tuned: Scores | None = None
    notes: list[str] = field(default_factory=list)


@dataclass
class _Candidate:
    step: int
    losses: Matrix
    scores: Scores
    weights: "dict[str, Tensor]"


def fine_tune(
    model: InContextModel,
    rows: RowSets[EncodedRows],
    task: Task,
    recipe: Recipe,
    rng: np.random.Generator,
    resources: Resources,
    on_step: Callable[[int], None] = lambda _: None,
) -> FineTuned:
    """Fine-tune `model` in place and leave it with the weights that were kept.

    With validation rows, the untouched weights are the first candidate and are kept unless another
    beats them (see `guard.compare`). Without, exactly ``recipe.steps`` steps are taken, time
    allowing: the number was found on other validation rows before.

    Parameters
    ----------
    model : InContextModel
        Conditioned on the training rows; its network is changed.
    rows : RowSets
        Training, validation and synthetic rows.
    task : Task
        Loss and scores.
    recipe : Recipe
        Steps, learning rate and mixing.
    rng : numpy.random.Generator
        Source of the episodes.
    resources : Resources
        The run ends in time to evaluate its last candidate.
    on_step : callable
        Gets the number of each step done.
    """
    run = _Run(model, rows, task, recipe, rng, resources)
    if not run.evaluate(step=0):
        return run.finish()
    for step in range(1, recipe.steps + 1):
        if not run.has_time():
            run.notes.append(
                f"fine-tuning stopped at step {step - 1} of {recipe.steps}: its time was used up"
            )
            break
        if not run.advance(step):
            break
        on_step(step)
        if step in recipe.evaluated and not run.evaluate(step):
            return run.finish()
    if run.steps_done > run.curve[-1].step:
        run.evaluate(run.steps_done)
    return run.finish()


class _Run:
    """The state of one run."""

    def __init__(
        self,
        model: InContextModel,
        rows: RowSets[EncodedRows],
        task: Task,
        recipe: Recipe,
        rng: np.random.Generator,
        resources: Resources,
    ) -> None:
        self.model, self.rows, self.task = model, rows, task
        self.recipe, self.rng, self.resources = recipe, rng, resources
        synthetic = rows.synthetic.labels if rows.synthetic else np.empty(0, dtype="int64")
        self.sampler = EpisodeSampler(
            task, rows.training.labels, synthetic, recipe.real_fraction, recipe.role
        )
        weights = [weight for weight in model.network.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(
            weights, lr=recipe.learning_rate, weight_decay=WEIGHT_DECAY
        )
        self.pretrained: _Candidate | None = None
        self.best: _Candidate | None = None
        self.curve: list[CurvePoint] = []
        self.notes: list[str] = []
        self.losses: list[float] = []
        widest = max(view.shape[1] for view in rows.training.views)
        self.most_rows, self.steps_done = MOST_VALUES // widest, 0
        if self.most_rows < len(rows.training):
            self.notes.append(
                f"episodes hold at most {self.most_rows} of the {len(rows.training)} rows"
            )
        self.step_seconds = self.evaluation_seconds = 0.0

    def has_time(self) -> bool:
        """Return whether there is time for another step, its evaluation and the caller's own.

        AutoGluon predicts the validation rows once more. The first step is taken to last as long as
        an evaluation.
        """
        step = self.step_seconds or self.evaluation_seconds
        return self.resources.remaining() > step + 2.5 * self.evaluation_seconds

    def advance(self, step: int) -> bool:
        """Take one optimiser step; False when even a small episode does not fit into memory."""
        started = time.monotonic()
        while self.most_rows >= SMALLEST_EPISODE:
            try:
                self._step(step)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self.most_rows = min(self.most_rows, len(self.rows.training)) // 2
                self.optimizer.zero_grad(set_to_none=True)
                self.notes.append(
                    f"out of memory at step {step}: episodes cut to {self.most_rows} rows"
                )
            else:
                self.steps_done = step
                self.step_seconds = max(self.step_seconds, time.monotonic() - started)
                return True
        self.notes.append("fine-tuning stopped: not even a small episode fits into memory")
        return False

    def _step(self, step: int) -> None:
        for group in self.optimizer.param_groups:
            warm = min(1.0, step / max(WARM_UP * self.recipe.steps, 1.0))
            group["lr"] = self.recipe.learning_rate * warm
        episode = self.sampler.draw(self.rng, self.most_rows)
        view = int(self.rng.integers(len(self.rows.training.views)))
        loss = self._loss(episode, view)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.network.parameters(), LARGEST_GRADIENT)
        self.optimizer.step()
        self.losses.append(float(loss.detach()))

    def _loss(self, episode: Episode, view: int) -> "Tensor":
        """Return the weighted loss of one episode in one view."""
        context, labels = self._pick(episode.source, episode.context, view)
        rows, targets = zip(
            *(self._asked(query.source, query.rows, view) for query in episode.queries), strict=True
        )
        logits = self.model.logits(view, context[None], labels[None], torch.cat(rows)[None])[0]
        parts = torch.split(logits, [len(part) for part in rows])
        losses = [
            query.weight * self.task.loss(part, target)
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

    def evaluate(self, step: int) -> bool:
        """Score the weights of this step on the validation rows; False where memory is too small.

        Without validation rows, only the training loss is noted.
        """
        train_loss = float(np.mean(self.losses)) if self.losses else None
        self.losses = []
        if self.rows.validation is None:
            self.curve.append(CurvePoint(step=step, train_loss=train_loss, validation_loss=None))
            return True
        started = time.monotonic()
        try:
            candidate = self._candidate(step, self.rows.validation)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self.notes.append(
                f"out of memory while the weights of step {step} were evaluated: fine-tuning ends"
            )
            return False
        self.evaluation_seconds = max(self.evaluation_seconds, time.monotonic() - started)
        loss = float(candidate.losses.mean())
        self.curve.append(CurvePoint(step=step, train_loss=train_loss, validation_loss=loss))
        if step == 0:
            self.pretrained = candidate
        elif self.best is None or loss < self.best.losses.mean():
            self.best = candidate
        return True

    def _candidate(self, step: int, validation: EncodedRows) -> _Candidate:
        """Return the scores of the network as it is now, with a copy of its weights."""
        predicted = predict(self.model, self.rows.training, validation)
        losses = self.task.row_losses(predicted, validation.labels)
        scores = self.task.scores(predicted, validation.labels)
        return _Candidate(step, losses, scores, copy.deepcopy(self.model.network.state_dict()))

    def finish(self) -> FineTuned:
        """Put the kept weights into the network and say why those."""
        if self.rows.validation is None:
            reason = (
                f"no validation rows: the {self.steps_done} steps found before were taken on all "
                "rows"
            )
            return FineTuned(self.steps_done, reason, self.curve, notes=self.notes)
        pretrained, best = self.pretrained, self.best
        if pretrained is None:
            reason = "the pretrained weights could not be evaluated: too little memory"
            return FineTuned(0, reason, self.curve, notes=self.notes)
        if best is None:
            self.model.network.load_state_dict(pretrained.weights)
            reason = "no fine-tuned weights were evaluated"
            return FineTuned(0, reason, self.curve, pretrained.scores, notes=self.notes)
        verdict = compare(pretrained.losses, best.losses)
        kept = best if verdict.keep_tuned else pretrained
        self.model.network.load_state_dict(kept.weights)
        return FineTuned(
            kept.step, verdict.reason, self.curve, pretrained.scores, best.scores, self.notes
        )


def predict(model: InContextModel, training: EncodedRows, query: EncodedRows) -> Matrix:
    """Return probabilities (Q, K) of encoded rows, all training rows as context, no gradients."""
    labels = torch.as_tensor(training.labels, device=training.views[0].device)[None]
    with torch.no_grad():
        logits = [
            model.logits(view, context[None], labels, rows[None])[0]
            for view, (context, rows) in enumerate(zip(training.views, query.views, strict=True))
        ]
        probabilities = model.probabilities(torch.stack(logits)).double().cpu().numpy()
    return np.asarray(probabilities)
