"""Pretraining: the fast forward, resuming to the bit, atomic files, exported weights."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from tabpfn import TabPFNClassifier

from benchmarks.files import write_atomically, write_text
from benchmarks.pretraining import checkpoint, evaluation, network, train
from benchmarks.pretraining.__main__ import begin
from benchmarks.pretraining.draws import Shape, generator
from benchmarks.pretraining.episodes import (
    IGNORED,
    Episode,
    Settings,
    dense_labels,
    difficulty,
    draw_shape,
    held_out,
    make_episode,
)
from benchmarks.pretraining.prior import MAX_CLASSES

CPU = torch.device("cpu")
TINY = Settings(emsize=16, nlayers=2, nhead=2, cells=1024, easy_steps=2, ramp_steps=4)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks are slower on several threads, much slower beside other work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def few_held_out_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.pretraining.episodes.HELD_OUT_COLUMNS", (4, 7))


def same(a: train.Run, b: train.Run) -> bool:
    nets = zip(
        [*a.net.parameters(), *a.average.parameters()],
        [*b.net.parameters(), *b.average.parameters()],
        strict=True,
    )
    return all(torch.equal(x, y) for x, y in nets)


@pytest.mark.parametrize(("columns", "rows", "context"), [(5, 40, 25), (2, 30, 10), (12, 64, 50)])
def test__forward__float32__equals_the_networks_own(
    columns: int, rows: int, context: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "MAX_SEQUENCES", 50)
    net, config = network.build(32, 3, 4)
    noise = generator(0)
    for (
        weight
    ) in net.parameters():  # output projections start at zero, which would hide a wrong attention
        weight.data.add_(0.05 * torch.randn(weight.shape, generator=noise))
    groups = torch.randn(-(-columns // 2), 8, generator=torch.Generator().manual_seed(config.seed))
    episode = make_episode(Shape(tables=4, rows=rows, columns=columns), context, generator(3), 32)
    x = episode.x.clone()
    x[0, 3, 0] = torch.nan
    with torch.no_grad():
        expected = net(x.transpose(0, 1), episode.context.T).transpose(0, 1)
        got = network.forward(net, x, episode.context, groups)
    assert torch.allclose(got, expected, atol=1e-5)
    assert expected.std() > 0.01


def test__build__twice__same_weights_and_global_generator_kept() -> None:
    before = torch.get_rng_state()
    a, b = network.build(16, 1, 2)[0], network.build(16, 1, 2)[0]
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert torch.equal(before, torch.get_rng_state())


def test__build__default_settings__within_two_million_parameters() -> None:
    settings = Settings()
    net, _ = network.build(settings.emsize, settings.nlayers, settings.nhead)
    assert sum(weight.numel() for weight in net.parameters()) < 2_000_000


def test__dense_labels__classes_absent_from_context__ignored() -> None:
    context, target = dense_labels(torch.tensor([[7, 2, 7, 9, 2, 3, 7]]), 3)
    assert context.tolist() == [[1, 0, 1]]
    assert target.tolist() == [[IGNORED, 0, IGNORED, 1]]


def test__difficulty__rises_from_zero_to_one() -> None:
    assert [difficulty(TINY, step) for step in (0, 2, 4, 6, 100)] == [0, 0, 0.5, 1, 1]


def test__draw_shape__all_of_a_run__within_bounds() -> None:
    settings = Settings()
    for step in range(0, 4000, 37):
        shape, context = draw_shape(settings, step)
        assert 2 <= shape.columns <= (settings.max_columns if step > settings.easy_steps else 4)
        assert 0 < context < shape.rows
        assert shape.tables * shape.rows * (-(-shape.columns // 2) + 1) <= settings.cells


def test__logits__absent_classes__have_no_probability() -> None:
    run = train.start(TINY, CPU)
    episode = make_episode(Shape(tables=6, rows=48, columns=4), 32, generator(1), TINY.emsize)
    p = evaluation.logits_of(run.net, episode).softmax(-1)
    absent = torch.arange(MAX_CLASSES) > episode.context.amax(1)[:, None, None]
    assert (p.masked_select(absent.expand_as(p)) == 0).all()
    assert torch.allclose(p.sum(-1), torch.ones(6, 16))


def test__best_temperature__overconfident_logits__is_their_factor() -> None:
    rng = generator(0)
    logits = 2 * torch.randn(20_000, 4, generator=rng)
    target = torch.multinomial(logits.softmax(-1), 1, generator=rng)[:, 0]
    assert evaluation.best_temperature(1.5 * logits[None], target) == pytest.approx(1.5, abs=0.05)


def test__views__put_back__are_the_same_table() -> None:
    episode = make_episode(Shape(tables=1, rows=60, columns=5), 40, generator(4), TINY.emsize)
    viewed, permutations = evaluation.views(episode, 3, generator(0))
    columns = sorted(episode.x[0].nan_to_num().T.tolist())
    for x, context, permutation in zip(viewed.x, viewed.context, permutations, strict=True):
        assert sorted(x.nan_to_num().T.tolist()) == columns
        assert torch.equal(permutation.argsort()[context.long()].float(), episode.context[0])


def test__evaluate__network_that_knows_the_first_class__classes_come_back_in_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The stand-in names the class of the first context row, whatever it is called in a view."""

    def first_class(_: object, episode: Episode) -> torch.Tensor:
        shape = (len(episode.x), episode.x.shape[1] - episode.context.shape[1], MAX_CLASSES)
        return (
            torch.nn.functional.one_hot(episode.context[:, :1].long(), MAX_CLASSES)
            .float()
            .expand(shape)
        )

    monkeypatch.setattr(evaluation, "logits_of", first_class)
    loss, _ = evaluation.evaluate(network.build(16, 1, 2)[0], CPU)
    known = [(e.target[0], e.context[0, 0].long()) for e in held_out(CPU, 16)]
    hits = torch.cat([(target == first)[target != IGNORED] for target, first in known])
    p = torch.tensor([np.e, 1.0]) / (np.e + MAX_CLASSES - 1)
    assert loss == pytest.approx(-torch.where(hits, p[0], p[1]).log().mean().item(), abs=1e-4)


def test__resume__after_interruption__bit_for_bit(tmp_path: Path) -> None:
    whole = train.start(TINY, CPU)
    train.train(whole, tmp_path / "whole", hours=1, steps=8, save_every=1e9)
    for steps in (3, 5, 8):
        run = train.resume(tmp_path / "parts", CPU) or train.start(TINY, CPU)
        train.train(run, tmp_path / "parts", hours=1, steps=steps, save_every=1e9)
    assert same(whole, run)
    assert (run.step, run.tables, run.cells) == (whole.step, whole.tables, whole.cells)
    assert [row["step"] for row in run.curve] == [3, 5, 8]
    weights = [(tmp_path / part / checkpoint.WEIGHTS).read_bytes() for part in ("whole", "parts")]
    assert weights[0] == weights[1]


def test__train_step__changes_nothing_global() -> None:
    before = torch.get_rng_state()
    train.train_step(train.start(TINY, CPU))
    assert torch.equal(before, torch.get_rng_state())


def test__train_step__gradient_not_finite__skipped_and_counted() -> None:
    run = train.start(TINY, CPU)
    train.train_step(run)
    run.net.output_projection[2].bias.data[0] = torch.nan
    kept = [weight.clone() for weight in run.net.blocks.parameters()]
    train.train_step(run)
    assert run.skipped == 1
    assert all(torch.equal(a, b) for a, b in zip(kept, run.net.blocks.parameters(), strict=True))


def test__write_atomically__failure_midway__old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")

    def fail(temporary: Path) -> None:
        temporary.write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, fail)
    assert path.read_text() == "old"


def test__cool_down__run__stays_as_it_was(tmp_path: Path) -> None:
    run = train.start(TINY, CPU)
    train.train(run, tmp_path, hours=1, steps=3, save_every=1e9)
    before = (tmp_path / checkpoint.STATE).read_bytes()
    train.cool_down(run, tmp_path, 2)
    assert (tmp_path / checkpoint.STATE).read_bytes() == before
    assert (tmp_path / checkpoint.COOLED).exists()


def test__export__temperature__softens_the_classifiers_probabilities(tmp_path: Path) -> None:
    net, config = network.build(16, 2, 2)
    for weight in net.parameters():
        weight.data.add_(0.1 * torch.randn(weight.shape, generator=generator(0)))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 5)), rng.integers(0, 3, 60)
    p = {}
    for temperature in (1.0, 2.0):
        path = tmp_path / f"{temperature}.safetensors"
        checkpoint.export(net.state_dict(), config, path, temperature=temperature)
        model = TabPFNClassifier(model_path=str(path), n_estimators=1, device="cpu", random_state=0)
        p[temperature] = model.fit(x[:40], y[:40]).predict_proba(x[40:])
    assert not model.inference_config_.FINGERPRINT_FEATURE
    softened = np.sqrt(p[1.0]) / np.sqrt(p[1.0]).sum(1, keepdims=True)
    assert np.allclose(p[2.0], softened, atol=1e-4)
    assert p[1.0].std() > 0.01


def test__begin__trained_weights__predicts_as_they_did_and_skips_the_easy_tables(
    tmp_path: Path,
) -> None:
    settings = Settings()
    net, config = network.build(settings.emsize, settings.nlayers, settings.nhead)
    for weight in net.parameters():
        weight.data.add_(0.05 * torch.randn(weight.shape, generator=generator(0)))
    checkpoint.export(net.state_dict(), config, tmp_path / "weights.safetensors", temperature=1.8)
    run = begin(tmp_path / "weights.safetensors", 3, CPU)
    episode = make_episode(Shape(tables=2, rows=40, columns=5), 25, generator(1), settings.emsize)
    with torch.no_grad():
        expected = evaluation.logits_of(net, episode) * checkpoint.DEFAULT_TEMPERATURE / 1.8
        assert torch.allclose(evaluation.logits_of(run.net, episode), expected, atol=1e-4)
        assert torch.allclose(evaluation.logits_of(run.average, episode), expected, atol=1e-4)
    assert run.settings.seed == 3
    assert difficulty(run.settings, 1) == 1.0 > difficulty(settings, 1)
    assert (
        run.optimisers[1].param_groups[0]["lr"]
        < train.start(settings, CPU).optimisers[1].param_groups[0]["lr"]
    )


@pytest.mark.slow
def test__command__killed_five_times__curve_unbroken(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.pretraining",
        "--out",
        str(tmp_path),
        "--threads",
        "1",
        "--cells",
        "512",
    ]
    for kill in range(5):
        process = subprocess.Popen(
            [*command, "--save-every", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        seen = (tmp_path / checkpoint.STATE).stat().st_mtime if kill else 0.0
        while (
            not (tmp_path / checkpoint.STATE).exists()
            or (tmp_path / checkpoint.STATE).stat().st_mtime == seen
        ):
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(0.4 * kill)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    run = train.resume(tmp_path, CPU)
    assert run is not None
    steps = [row["step"] for row in run.curve]
    assert len(steps) >= 5
    assert steps == sorted(set(steps))
    assert steps[-1] == run.step
    with (tmp_path / checkpoint.CURVE).open() as file:
        assert len(list(csv.DictReader(file))) >= len(steps) - 1


@pytest.mark.slow
def test__train__easy_tables__learns_to_predict_in_context() -> None:
    run = train.start(Settings(emsize=48, nlayers=3, nhead=4, cells=4096, adam_lr=2e-3), CPU)
    losses = [train.train_step(run) for _ in range(300)]
    assert np.mean(losses[:20]) > 0.65
    assert np.mean(losses[-50:]) < 0.55
