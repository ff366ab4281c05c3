"""The fine-tuning loop: one episode a step, candidates judged on real validation rows, step 0 the first of them."""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from autogluon_causalmix.backbones.protocol import InContextModel
from autogluon_causalmix.finetuning.episodes import MOST_VALUES, Episode, EpisodeSampler
from autogluon_causalmix.finetuning.guard import Losses, judge, row_losses, score
from autogluon_causalmix.records import CurvePoint, Scores
from autogluon_causalmix.resources import Resources

if TYPE_CHECKING:
    from torch import Tensor

WEIGHT_DECAY = 0.01  # AdamW's default; the runs are too short for it to matter
WARM_UP = 0.1  # share of the steps; Adam's second moments are noise before that
LARGEST_GRADIENT = 1.0  # norm; one odd episode must not throw the weights away
EVALUATIONS = 10  # candidates per run: enough to catch the turn, few enough not to pick a lucky one
FEWEST_ROWS = 32  # below this, halving an episode after running out of memory makes no sense


@dataclass(frozen=True)
class Rows:
    """Rows as each of the V views sees them, (rows, C) each, and their class codes (rows,).

    `soft` holds P(class) of each row, (rows, K), where the label is a belief; the loss then takes it for the code.
    """

    views: "Sequence[Tensor]"
    labels: npt.NDArray[np.int64]
    soft: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune: the most steps, and the peak learning rate."""

    steps: int
    learning_rate: float


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
    losses: Losses
    scores: Scores
    weights: "dict[str, Tensor]"


def fine_tune(
    model: InContextModel,
    real: Rows,
    validation: Rows | None,
    synthetic: Rows | None,
    sampler: EpisodeSampler,
    recipe: Recipe,
    rng: np.random.Generator,
    resources: Resources,
    on_step: Callable[[int], None],
) -> FineTuned:
    """Fine-tune `model` in place and leave it with the weights that were kept.

    With `validation` rows the untouched weights are the first candidate and are kept unless another beats them
    (see `guard.judge`). Without, exactly ``recipe.steps`` steps are taken, time allowing: the number was found on
    other validation rows before.

    Parameters
    ----------
    model : InContextModel
        Conditioned on the real rows; its network is changed.
    real, validation, synthetic : Rows
        Context and query; judge; query or whole episodes. The last two may be None.
    sampler : EpisodeSampler
        Over the labels of `real` and `synthetic`.
    recipe : Recipe
        Steps and learning rate.
    rng : numpy.random.Generator
        Source of the episodes.
    resources : Resources
        The run ends in time to judge its last candidate.
    on_step : callable
        Told the number of each step done.
    """
    run = _Run(model, real, validation, synthetic, sampler, recipe, rng, resources)
    run.evaluate(step=0)
    for step in range(1, recipe.steps + 1):
        if not run.has_time():
            run.notes.append(
                f"fine-tuning stopped at step {step - 1} of {recipe.steps}: its time was used up"
            )
            break
        if not run.advance(step):
            break
        on_step(step)
        if step % max(recipe.steps // EVALUATIONS, 1) == 0 or step == recipe.steps:
            run.evaluate(step)
    return run.finish()


class _Run:
    """The state of one run."""

    def __init__(
        self,
        model: InContextModel,
        real: Rows,
        validation: Rows | None,
        synthetic: Rows | None,
        sampler: EpisodeSampler,
        recipe: Recipe,
        rng: np.random.Generator,
        resources: Resources,
    ) -> None:
        self.model, self.validation, self.sampler = model, validation, sampler
        self.rows = {"real": real, "synthetic": synthetic}
        self.recipe, self.rng, self.resources = recipe, rng, resources
        weights = [weight for weight in model.network.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(
            weights, lr=recipe.learning_rate, weight_decay=WEIGHT_DECAY
        )
        self.pretrained: _Candidate | None = None
        self.best: _Candidate | None = None
        self.curve: list[CurvePoint] = []
        self.notes: list[str] = []
        self.losses: list[float] = []
        self.most_rows, self.steps_done = (
            MOST_VALUES // max(view.shape[1] for view in real.views),
            0,
        )
        if self.most_rows < len(real.labels):
            self.notes.append(
                f"episodes hold at most {self.most_rows} of the {len(real.labels)} rows"
            )
        self.step_seconds = self.evaluation_seconds = 0.0

    def has_time(self) -> bool:
        """Whether another step and the evaluation after it fit into the resources."""
        return self.resources.remaining() > self.step_seconds + 1.5 * self.evaluation_seconds

    def advance(self, step: int) -> bool:
        """Take one optimiser step; False when even a small episode does not fit into memory."""
        started = time.monotonic()
        while self.most_rows >= FEWEST_ROWS:
            try:
                self._step(step)
            except torch.OutOfMemoryError:
                self.most_rows = min(self.most_rows, len(self._rows("real").labels)) // 2
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
            group["lr"] = self.recipe.learning_rate * min(
                1.0, step / max(WARM_UP * self.recipe.steps, 1.0)
            )
        episode = self.sampler.draw(self.rng, self.most_rows)
        view = int(self.rng.integers(len(self._rows("real").views)))
        loss = self._loss(episode, view)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.network.parameters(), LARGEST_GRADIENT)
        self.optimizer.step()
        self.losses.append(float(loss.detach()))

    def _loss(self, episode: Episode, view: int) -> "Tensor":
        """Return the weighted cross-entropy of one episode in one view."""
        context, labels = self._pick(episode.source, episode.context, view)
        rows, targets = zip(
            *(self._asked(query.source, query.rows, view) for query in episode.queries), strict=True
        )
        logits = self.model.logits(view, context[None], labels[None], torch.cat(rows)[None])[0]
        parts = zip(
            episode.queries, torch.split(logits, [len(part) for part in rows]), targets, strict=True
        )
        losses = [
            query.weight * functional.cross_entropy(part, target)
            for query, part, target in parts
            if len(part)
        ]
        return torch.stack(losses).sum()

    def _rows(self, source: str) -> Rows:
        rows = self.rows[source]
        assert rows is not None
        return rows

    def _pick(
        self, source: str, positions: npt.NDArray[np.int64], view: int
    ) -> "tuple[Tensor, Tensor]":
        rows = self._rows(source)
        features = rows.views[view]
        where = torch.as_tensor(positions, device=features.device)
        return features[where], torch.as_tensor(rows.labels[positions], device=features.device)

    def _asked(
        self, source: str, positions: npt.NDArray[np.int64], view: int
    ) -> "tuple[Tensor, Tensor]":
        """Return query rows and what is to be predicted for them: classes, or their probabilities."""
        features, labels = self._pick(source, positions, view)
        soft = self._rows(source).soft
        return features, labels if soft is None else torch.as_tensor(soft[positions]).to(features)

    def evaluate(self, step: int) -> None:
        """Judge the weights of this step on the validation rows, and note the point of the curve."""
        train_loss = float(np.mean(self.losses)) if self.losses else None
        self.losses = []
        if self.validation is None:
            self.curve.append(CurvePoint(step=step, train_loss=train_loss, validation_loss=None))
            return
        started = time.monotonic()
        probabilities = predict(self.model, self._rows("real"), self.validation)
        losses = row_losses(probabilities, self.validation.labels)
        self.evaluation_seconds = max(self.evaluation_seconds, time.monotonic() - started)
        self.curve.append(
            CurvePoint(step=step, train_loss=train_loss, validation_loss=float(losses.mean()))
        )
        if step == 0:
            self.pretrained = self._candidate(step, losses, probabilities)
        elif self.best is None or losses.mean() < self.best.losses.mean():
            self.best = self._candidate(step, losses, probabilities)

    def _candidate(
        self, step: int, losses: Losses, probabilities: npt.NDArray[np.float64]
    ) -> _Candidate:
        """Return the network as it is now, with a copy of its weights."""
        assert self.validation is not None
        weights = copy.deepcopy(self.model.network.state_dict())
        return _Candidate(step, losses, score(probabilities, self.validation.labels), weights)

    def finish(self) -> FineTuned:
        """Put the kept weights into the network and say why those."""
        if self.validation is None:
            reason = f"no validation rows: the {self.steps_done} steps found before were taken on all rows"
            return FineTuned(self.steps_done, reason, self.curve, notes=self.notes)
        pretrained, best = self.pretrained, self.best
        assert pretrained is not None
        if best is None:
            return FineTuned(
                0, "no step was taken", self.curve, pretrained.scores, notes=self.notes
            )
        verdict = judge(pretrained.losses, best.losses)
        kept = best if verdict.keep_tuned else pretrained
        self.model.network.load_state_dict(kept.weights)
        return FineTuned(
            kept.step, verdict.reason, self.curve, pretrained.scores, best.scores, self.notes
        )


def predict(model: InContextModel, real: Rows, query: Rows) -> npt.NDArray[np.float64]:
    """Return the probabilities (Q, K) of encoded rows, all real rows as context, no gradients."""
    with torch.no_grad():
        logits = [
            model.logits(
                view,
                context[None],
                torch.as_tensor(real.labels, device=context.device)[None],
                rows[None],
            )[0]
            for view, (context, rows) in enumerate(zip(real.views, query.views, strict=True))
        ]
        probabilities = model.probabilities(torch.stack(logits)).double().cpu().numpy()
    return np.asarray(probabilities)
