"""The fine-tuning run: steps, candidates compared on real validation rows, and the end in time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.protocol import InContextModel
from autogluon_causalmix.finetuning.mixture import mixed
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import EncodedRows, RowSets
from autogluon_causalmix.finetuning.selection import (
    SHORTEST_RUN,
    Candidate,
    Verdict,
    best,
    compare,
    has_turned,
)
from autogluon_causalmix.finetuning.training import Training
from autogluon_causalmix.records import CurvePoint, Scores
from autogluon_causalmix.resources import CUT_OFF, Resources, is_out_of_memory
from autogluon_causalmix.task import Task

TIMED_STEPS = 4
"""Steps after which it is said how long the run takes; the first is slower than all others."""


@dataclass
class FineTuned:
    """What came of a run; the model holds the fine-tuned weights if they have a share.

    Attributes
    ----------
    share : float
        Of the fine-tuned network in a prediction; 0 where the pretrained one predicts alone.
    kept_step : int
        Steps over which the weights of the model are averaged; 0 for the pretrained ones.
    best_step : int
        The same of the best candidate, whatever its share.
    reason : str
        Why that share.
    curve : list of CurvePoint
        Losses of the candidates.
    pretrained, tuned : Scores or None
        On validation rows, of the pretrained weights and of both networks together; of the best
        candidate alone, where its share is 0.
    before, after : numpy.ndarray or None
        Probabilities of the validation rows, shape (rows, K), by the pretrained weights and by what
        predicts.
    notes : list of str
        What time and memory did not allow.
    """

    share: float
    kept_step: int
    best_step: int
    reason: str
    curve: list[CurvePoint]
    pretrained: Scores | None = None
    tuned: Scores | None = None
    before: Matrix | None = None
    after: Matrix | None = None
    notes: list[str] = field(default_factory=list)


def fine_tune(
    model: InContextModel,
    rows: RowSets[EncodedRows],
    task: Task,
    recipe: Recipe,
    rng: np.random.Generator,
    resources: Resources,
    on_step: Callable[[int], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> FineTuned:
    """Fine-tune `model` in place and leave it with the best weights, if they have a share.

    The candidates are the pretrained weights and means of the weights along the run. With
    validation rows, the run ends once its best candidate lies far behind, and the share of that
    one in a prediction follows from its gain (see `selection`). Without, exactly ``recipe.steps``
    steps are taken, time allowing, and their mean has ``recipe.share``: both were found on other
    validation rows before.

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
    say : callable
        Gets a sentence about how long the run takes, once its first steps are measured.
    """
    run = _Run(model, rows, task, recipe, rng, resources)
    if not run.evaluate():
        return run.finish()
    for step in range(1, recipe.steps + 1):
        if not run.has_time():
            run.notes.append(
                f"fine-tuning was {CUT_OFF} at step {step - 1} of {recipe.steps}: "
                "its time was used up"
            )
            break
        if not run.advance():
            break
        on_step(step)
        if step == TIMED_STEPS:
            say(run.outlook())
        if step in recipe.evaluated and (not run.evaluate() or run.has_turned()):
            return run.finish()
    if run.training.steps > run.curve[-1].step:
        run.evaluate()
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
        self.model, self.rows, self.task, self.resources = model, rows, task, resources
        self.training = Training(model, rows, task, recipe, rng)
        self.notes = self.training.notes
        self.candidates: list[Candidate] = []
        self.curve: list[CurvePoint] = []
        self.step_seconds: list[float] = []
        self.evaluation_seconds = 0.0

    def has_time(self) -> bool:
        """Return whether there is time for another step, its evaluation and the caller's own.

        AutoGluon predicts the validation rows once more, with both networks. The first step is
        taken to last as long as an evaluation.
        """
        step = max(self.step_seconds, default=self.evaluation_seconds)
        return self.resources.remaining() > step + 3.5 * self.evaluation_seconds

    def advance(self) -> bool:
        """Take one optimiser step; False when even a small episode does not fit into memory."""
        started = time.monotonic()
        done = self.training.advance()
        self.step_seconds.append(time.monotonic() - started)
        return done

    def outlook(self) -> str:
        """Return how long the run takes, by what its steps and its evaluation took so far."""
        most = self.training.recipe.steps
        if self.rows.validation is None or most <= SHORTEST_RUN:
            return f"fine-tuning takes about {self._seconds_of(most):.0f} s for {most} steps"
        return (
            f"fine-tuning takes about {self._seconds_of(SHORTEST_RUN):.0f} s if it ends after "
            f"{SHORTEST_RUN} steps, {self._seconds_of(most):.0f} s if after {most}"
        )

    def _seconds_of(self, steps: int) -> float:
        evaluations = sum(step <= steps for step in self.training.recipe.evaluated)
        step = float(np.median(self.step_seconds[1:]))
        return steps * step + evaluations * self.evaluation_seconds

    def evaluate(self) -> bool:
        """Score the mean of the weights on the validation rows; False where memory is too small.

        False, too, where their loss is no number. Without validation rows, only the training loss
        is noted.
        """
        point = CurvePoint(
            step=self.training.steps, train_loss=self.training.mean_loss(), validation_loss=None
        )
        if self.rows.validation is None:
            self.curve.append(point)
            return True
        started = time.monotonic()
        try:
            candidate = self._candidate(self.rows.validation)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self.notes.append(
                f"out of memory while the weights of step {point.step} were evaluated: "
                "fine-tuning ends"
            )
            return False
        self.evaluation_seconds = max(self.evaluation_seconds, time.monotonic() - started)
        loss = float(candidate.losses.mean())
        if not np.isfinite(loss):
            self.notes.append(
                f"the validation loss of step {point.step} is no number: fine-tuning ends; a lower "
                "learning rate may help"
            )
            return False
        self.curve.append(point.model_copy(update={"validation_loss": loss}))
        self.candidates.append(candidate)
        if candidate.step > 0:  # of the others, only the best may still be kept
            self.candidates = [self.candidates[0], best(self.candidates[1:])]
        return True

    def _candidate(self, validation: EncodedRows) -> Candidate:
        with self.training.averaged():
            predicted = predict(self.model, self.rows.training, validation)
        losses = self.task.row_losses(predicted, validation.labels)
        weights = [weight.clone() for weight in self.training.mean]
        return Candidate(self.training.steps, predicted, losses, weights)

    def has_turned(self) -> bool:
        """Return whether the run has passed its best weights for good."""
        return bool(self.candidates) and has_turned(self.training.steps, best(self.candidates).step)

    def finish(self) -> FineTuned:
        """Put the best weights into the network, if they have a share, and say why that one."""
        training, curve, notes = self.training, self.curve, self.notes
        if self.rows.validation is None:
            training.load(training.mean)
            reason = (
                f"no validation rows: the {training.steps} steps and the share of "
                f"{training.recipe.share:.0%} found before were taken on all rows"
            )
            steps = training.steps
            share = training.recipe.share if steps else 0.0
            return FineTuned(share, steps, steps, reason, curve, notes=notes)
        if not self.candidates:
            reason = "the pretrained weights could not be evaluated: a note says why"
            return FineTuned(0, 0, 0, reason, curve, notes=notes)
        pretrained, *tuned = self.candidates
        if not tuned:
            training.load(pretrained.weights)
            reason = "no fine-tuned weights were evaluated"
            return self._judged(Verdict(0.0, reason), pretrained, pretrained)
        verdict = compare(pretrained.losses, tuned[0].losses)
        training.load(tuned[0].weights if verdict.share else pretrained.weights)
        return self._judged(verdict, pretrained, tuned[0])

    def _judged(self, verdict: Verdict, pretrained: Candidate, tuned: Candidate) -> FineTuned:
        """Return what both networks score, alone and by their shares."""
        assert self.rows.validation is not None
        share, labels = verdict.share, self.rows.validation.labels
        before = pretrained.predicted
        after = mixed(before, tuned.predicted, share) if share else before
        compared = after if share else tuned.predicted
        return FineTuned(
            share=share,
            kept_step=tuned.step if share else 0,
            best_step=tuned.step,
            reason=verdict.reason,
            curve=self.curve,
            pretrained=self.task.scores(before, labels),
            tuned=self.task.scores(compared, labels) if tuned is not pretrained else None,
            before=before,
            after=after,
            notes=self.notes,
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
