"""`python -m benchmarks.pretraining --hours 2 --out DIR` begins a run, or resumes that of DIR."""

from __future__ import annotations

import argparse
import dataclasses
import os
from pathlib import Path

import torch

from benchmarks.pretraining import train
from benchmarks.pretraining.episodes import Settings


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--hours", type=float, default=1.0, help="stop after this long")
    parser.add_argument("--steps", type=int, help="stop at this step of the run")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads")
    parser.add_argument(
        "--save-every", type=float, default=300, metavar="SECONDS", help="time between checkpoints"
    )
    parser.add_argument("--cells", type=int, help="cells of one step")
    parser.add_argument(
        "--weights", type=Path, help="begin with these, on the full prior, instead of random ones"
    )
    parser.add_argument("--seed", type=int, default=0, help="of a new run's tables")
    parser.add_argument(
        "--cool-down",
        type=int,
        metavar="STEPS",
        help="no training: write a decayed copy of the weights",
    )
    options = parser.parse_args()
    # Every step has new shapes. CPU kernels kept for old ones cost 4 GB in half an hour and a tenth
    # of the speed.
    os.environ |= {"LRU_CACHE_CAPACITY": "64", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64"}
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    # a GPU needs about thirty times as many cells as one core to be busy
    cells = options.cells or (524_288 if device.type == "cuda" else Settings.cells)
    run = train.resume(options.out, device) or begin(options.weights, options.seed, device)
    run.settings = dataclasses.replace(run.settings, cells=cells)
    if options.cool_down:
        loss, temperature = train.cool_down(run, options.out, options.cool_down)
        print(f"held-out loss {loss:.4f}, temperature {temperature:.3f}")
    else:
        train.train(
            run,
            options.out,
            hours=options.hours,
            steps=options.steps,
            save_every=options.save_every,
        )


def begin(weights: Path | None, seed: int, device: torch.device) -> train.Run:
    """Return a new run; trained weights skip the easy tables."""
    if weights is None:
        return train.start(Settings(seed=seed), device)
    # at the full rates, an average of 5,300 steps lost .013 of held-out log-loss in 400 more
    settings = Settings(
        seed=seed,
        easy_steps=0,
        ramp_steps=1,
        adam_lr=Settings.adam_lr / 4,
        muon_lr=Settings.muon_lr / 4,
    )
    return train.start_from(weights, settings, device)


if __name__ == "__main__":
    main()
