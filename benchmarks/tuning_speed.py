"""What a step of fine-tuning costs, beside the bare network and beside tabpfn's own fine-tuner.

::

    python -m benchmarks.tuning_speed --rows 300 --columns 20

First, one step of `Training` against a bare forward pass, backward pass and optimiser step of the
same network on an episode of the same size, in turn. Second, whole runs with validation against
``FinetunedTabPFNClassifier`` on the same weights, rows and views per step, in turn: ours as a fit
runs them, theirs with an epoch of one step, which validates after each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch

from autogluon_causalmix.backbones.protocol import Backbone, InContextModel
from autogluon_causalmix.config import Hyperparameters, Named
from autogluon_causalmix.finetuning.loop import fine_tune
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import RowSets, encode_sets
from autogluon_causalmix.finetuning.training import LARGEST_GRADIENT, Training
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

QUERY_SHARE = 0.35  # the mean of what episodes draw
VIEWS = 2


def table_of(rows: int, columns: int) -> Table:
    """Return a table of numbers with two classes."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, columns)))
    frame.columns = [f"x{i}" for i in range(columns)]
    label = (frame["x0"] + frame["x1"] * frame["x2"] + rng.logistic(size=rows) > 0).astype(str)
    return Table.from_frame(frame.assign(y=label), "y")


def conditioned(name: str, table: Table) -> InContextModel:
    """Return a backbone with the rows of a table as its context."""
    backbone = plugin_registry().of(Backbone).create(Named.parse(name))
    return backbone.condition(table, n_estimators=VIEWS, device="cpu", seed=0)


def bare(model: InContextModel, table: Table) -> Callable[[], None]:
    """Return a function that takes one optimiser step on an episode that stays as it is."""
    rows = encode_sets(model, RowSets(table)).training
    cut = round(len(rows) * (1 - QUERY_SHARE))
    view, labels = rows.views[0], torch.as_tensor(rows.labels)
    weights = [weight for weight in model.network.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-6)

    def step() -> None:
        logits = model.logits(0, view[None, :cut], labels[None, :cut], view[None, cut:])[0]
        loss = torch.nn.functional.cross_entropy(logits, labels[cut:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, LARGEST_GRADIENT)
        optimizer.step()

    return step


def step_ratio(name: str, table: Table, repeats: int) -> tuple[float, float]:
    """Return the seconds of a step of `Training` and its ratio to a bare one; medians, in turn."""
    model = conditioned(name, table)
    rows = encode_sets(model, RowSets(table))
    rng = np.random.default_rng(0)
    training = Training(model, rows, table.task, Recipe(repeats, 1e-6), rng)
    plain = bare(conditioned(name, table), table)
    ours, theirs = [], []
    for _ in range(repeats):
        ours.append(seconds_of(training.advance))
        theirs.append(seconds_of(plain))
    return median(ours[1:]), median(ours[1:]) / median(theirs[1:])


def fit_ratio(table: Table, epochs: int, repeats: int) -> tuple[float, float]:
    """Return our steps per second with validation, and the ratio to tabpfn's fine-tuner."""
    from tabpfn.finetuning import FinetunedTabPFNClassifier

    cut = len(table) * 3 // 4
    real, held_out = table.take(np.arange(cut)), table.take(np.arange(cut, len(table)))
    weights = Path(__file__).parents[1] / "autogluon_causalmix" / "weights" / "mini.safetensors"
    codes = [np.asarray(part.targets, dtype=int) for part in (real, held_out)]

    def ours() -> int:
        model = conditioned("mini", real)
        rows = encode_sets(model, RowSets(real, held_out))
        rng = np.random.default_rng(0)
        recipe = Recipe(Hyperparameters().finetune_steps, model.learning_rate)
        done = fine_tune(model, rows, table.task, recipe, rng, Resources(600))
        return done.curve[-1].step

    def theirs() -> int:
        with tempfile.TemporaryDirectory() as folder:
            FinetunedTabPFNClassifier(
                device="cpu",
                epochs=epochs,
                early_stopping=False,
                n_estimators_finetune=1,
                n_estimators_validation=VIEWS,
                n_estimators_final_inference=VIEWS,
                use_activation_checkpointing=False,
                save_checkpoint_interval=None,
                extra_classifier_kwargs={"model_path": str(weights)},
            ).fit(
                real.features,
                codes[0],
                X_val=held_out.features,
                y_val=codes[1],
                output_dir=Path(folder),
            )
        return epochs

    pairs = [(rate_of(ours), rate_of(theirs)) for _ in range(repeats)]
    mine, other = (median(column) for column in zip(*pairs, strict=True))
    return mine, mine / other


def rate_of(work: Callable[[], int]) -> float:
    """Return the steps per second of a call that returns its steps."""
    started = time.perf_counter()
    return work() / (time.perf_counter() - started)


def seconds_of(work: Callable[[], object]) -> float:
    """Return the wall-clock seconds of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--backbones", nargs="+", default=["mini", "tabpfn-v1"])
    parser.add_argument("--repeats", type=int, default=15)
    given = parser.parse_args()
    torch.set_num_threads(1)
    table = table_of(given.rows, given.columns)
    for name in given.backbones:
        seconds, ratio = step_ratio(name, table, given.repeats)
        print(f"{name}: a step takes {seconds:.3f} s, {ratio:.2f} × a bare one")
    rate, ratio = fit_ratio(table, epochs=20, repeats=3)
    print(f"mini: {rate:.1f} steps/s with validation, {ratio:.1f} × FinetunedTabPFNClassifier")


if __name__ == "__main__":
    main()
