"""The pretraining loop of `mini`: curriculum, optimisers, average of the weights, resuming.

The learning rate is constant after a warm-up, so the length of a run need not be known beforehand.
An exponential average of the weights takes the place of a decay; `cool_down` makes a decayed copy.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.progress import Progress
from safetensors.torch import load_file
from tabpfn.architectures.tabpfn_v2 import TabPFNV2

from benchmarks.pretraining import checkpoint, network
from benchmarks.pretraining.episodes import Settings, difficulty, training_episode
from benchmarks.pretraining.evaluation import cross_entropy, evaluate, logits_of


@dataclass(kw_only=True)
class Run:
    """A run in memory: the network, its average, its optimisers and counts."""

    settings: Settings
    device: torch.device
    net: TabPFNV2
    average: TabPFNV2
    optimisers: tuple[torch.optim.Optimizer, torch.optim.Optimizer]
    step: int = 0
    tables: int = 0
    cells: int = 0
    skipped: int = 0
    seconds: float = 0.0
    curve: list[dict[str, float]] = dataclasses.field(default_factory=list)


def start(settings: Settings, device: torch.device) -> Run:
    """Return a run at step 0."""
    net, _ = network.build(settings.emsize, settings.nlayers, settings.nhead)
    average, _ = network.build(settings.emsize, settings.nlayers, settings.nhead)
    net, average = net.to(device), average.to(device).requires_grad_(False)
    matrices = net.muon_compatible_params()
    rest = [w for w in net.parameters() if w not in matrices]
    adam = torch.optim.AdamW(rest, lr=settings.adam_lr, betas=(0.9, 0.98), weight_decay=1e-4)
    muon = torch.optim.Muon(
        [w for w in net.parameters() if w in matrices],
        lr=settings.muon_lr,
        weight_decay=0.0,
        momentum=0.95,
        adjust_lr_fn="match_rms_adamw",
    )
    return Run(settings=settings, device=device, net=net, average=average, optimisers=(adam, muon))


def start_from(weights: Path, settings: Settings, device: torch.device) -> Run:
    """Return a run at step 0 that begins with trained weights, as `export` writes them."""
    run = start(settings, device)
    for net in (run.net, run.average):
        net.load_state_dict(load_file(weights, device=str(device)))
    return run


def save(run: Run, folder: Path) -> None:
    """Evaluate the average on held-out tables, then write curve, weights, state in this order."""
    loss, temperature = evaluate(run.average, run.device)
    run.curve[-1] |= {"held_out_loss": loss, "temperature": temperature}
    checkpoint.save_curve(run.curve, folder)
    config = network.build(run.settings.emsize, run.settings.nlayers, run.settings.nhead)[1]
    checkpoint.export(
        run.average.state_dict(), config, folder / checkpoint.WEIGHTS, temperature=temperature
    )
    counts = {
        name: getattr(run, name)
        for name in ("step", "tables", "cells", "skipped", "seconds", "curve")
    }
    nets = {"net": run.net.state_dict(), "average": run.average.state_dict()}
    optimisers = [optimiser.state_dict() for optimiser in run.optimisers]
    checkpoint.save_state(
        {
            "settings": dataclasses.asdict(run.settings),
            "counts": counts,
            "optimisers": optimisers,
            **nets,
        },
        folder,
    )


def resume(folder: Path, device: torch.device) -> Run | None:
    """Return the run of a folder, on any device; None where there is none."""
    state = checkpoint.load_state(folder)
    if state is None:
        return None
    run = start(Settings(**state["settings"]), device)
    run.net.load_state_dict(state["net"])
    run.average.load_state_dict(state["average"])
    for optimiser, saved in zip(run.optimisers, state["optimisers"], strict=True):
        optimiser.load_state_dict(saved)
    for name, value in state["counts"].items():
        setattr(run, name, value)
    return run


def train_step(run: Run, scale: float = 1.0) -> float:
    """Take one step and return its loss.

    A step whose gradient is not finite is counted as skipped and changes nothing.
    """
    settings = run.settings
    shape, episode = training_episode(settings, run.step, run.device)
    loss = cross_entropy(logits_of(run.net, episode), episode.target)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(run.net.parameters(), 1.0)
    warm = scale * min(1.0, (run.step + 1) / settings.warmup)
    finite = bool(torch.isfinite(norm))
    for optimiser, rate in zip(run.optimisers, (settings.adam_lr, settings.muon_lr), strict=True):
        optimiser.param_groups[0]["lr"] = rate * warm
        if finite:
            optimiser.step()
        optimiser.zero_grad()
    # a short average at first, as the first weights are far from the later ones
    decay = min(settings.ema, (1 + run.step) / (10 + run.step))
    with torch.no_grad():
        torch._foreach_lerp_(list(run.average.parameters()), list(run.net.parameters()), 1 - decay)
    run.step, run.tables, run.skipped = (
        run.step + 1,
        run.tables + shape.tables,
        run.skipped + (not finite),
    )
    run.cells += shape.tables * shape.rows * (-(-shape.columns // 2) + 1)
    return loss.item()


def train(run: Run, folder: Path, *, hours: float, steps: int | None, save_every: float) -> None:
    """Train until the time or the number of steps is reached.

    The run is saved every `save_every` seconds and at the end.
    """
    begin = saved = time.monotonic()
    before, recent = run.seconds, _Recent(run)
    with _progress() as bar:
        task = bar.add_task("pretraining", total=steps, completed=run.step)
        while time.monotonic() - begin < 3600 * hours and (steps is None or run.step < steps):
            recent.losses.append(train_step(run))
            bar.advance(task)
            if time.monotonic() - saved > save_every:
                run.seconds = before + time.monotonic() - begin
                run.curve.append(recent.row(run))
                save(run, folder)
                saved, recent = time.monotonic(), _Recent(run)
                bar.console.print(
                    ", ".join(f"{name} {value:,.4g}" for name, value in run.curve[-1].items())
                )
    if recent.losses:
        run.seconds = before + time.monotonic() - begin
        run.curve.append(recent.row(run))
        save(run, folder)


def _progress() -> Progress:
    return Progress(*Progress.get_default_columns(), "step {task.completed}", refresh_per_second=1)


class _Recent:
    """Losses and throughput since the last checkpoint."""

    def __init__(self, run: Run) -> None:
        self.begin, self.tables, self.cells = time.monotonic(), run.tables, run.cells
        self.losses: list[float] = []

    def row(self, run: Run) -> dict[str, float]:
        seconds = time.monotonic() - self.begin
        return {
            "step": run.step,
            "hours": round(run.seconds / 3600, 4),
            "tables": run.tables,
            "cells": run.cells,
            "skipped": run.skipped,
            "difficulty": difficulty(run.settings, run.step),
            "train_loss": sum(self.losses) / len(self.losses),
            "tables_per_s": round((run.tables - self.tables) / seconds, 1),
            "cells_per_s": round((run.cells - self.cells) / seconds),
        }


def cool_down(run: Run, folder: Path, steps: int) -> tuple[float, float]:
    """Lower the learning rate to 0 over some steps and write the weights.

    The run's saved state stays as it is. Returns the held-out loss and the temperature.
    """
    with _progress() as bar:
        for i in bar.track(range(steps), description="cooling down"):
            train_step(run, scale=1 - i / steps)
    config = network.build(run.settings.emsize, run.settings.nlayers, run.settings.nhead)[1]
    loss, temperature = evaluate(run.net, run.device)
    checkpoint.export(
        run.net.state_dict(), config, folder / checkpoint.COOLED, temperature=temperature
    )
    return loss, temperature
