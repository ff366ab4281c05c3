"""The teacher of pretraining: rows as TabPFN v1 sees them, its classes, and learning from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from autogluon_causalmix.backbones.tabpfn_v1_context import TEMPERATURE
from autogluon_causalmix.backbones.tabpfn_v1_network import TabPFNv1Network
from autogluon_causalmix.backbones.tabpfn_v1_views import View
from autogluon_causalmix.column import Column
from benchmarks.pretraining import evaluation, train
from benchmarks.pretraining.__main__ import main
from benchmarks.pretraining.draws import Shape, generator
from benchmarks.pretraining.episodes import IGNORED, Episode, Settings, make_episode
from benchmarks.pretraining.teacher import Teacher, normal_scores, padded, standardised

CPU = torch.device("cpu")
TINY = Settings(
    emsize=16, nlayers=2, nhead=2, cells=1024, easy_steps=2, ramp_steps=4, teacher_share=0.75
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    rng = generator(0)
    network = TabPFNv1Network(width=16, hidden=24, depth=2)
    state = {
        name: 0.3 * torch.randn(weight.shape, generator=rng)
        for name, weight in network.state_dict().items()
    }
    save_file(state, tmp_path / "v1.safetensors")
    return tmp_path / "v1.safetensors"


def test__standardised__numbers_with_gaps__as_the_backbones_own_view() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(3, 5, size=(60, 4)) * [1, 10, 0.01, 1]
    rows[rng.uniform(size=rows.shape) < 0.2] = np.nan
    columns = [Column(f"x{i}", np.dtype(float), None, i) for i in range(4)]
    view = View.fit(
        rows[:40], columns, power=False, one_hot=False, class_shift=0, rng=rng, rotation=0
    )
    seen = padded(standardised(torch.as_tensor(rows)[None], 40))[0].numpy()
    assert np.allclose(seen, view.encode(rows), rtol=1e-4, atol=1e-4)


def test__standardised__one_value_only_or_none__is_zero() -> None:
    x = torch.stack([torch.full((6,), 7.0), torch.full((6,), torch.nan), torch.arange(6.0)], -1)
    z = standardised(x[None], 4)[0]
    assert z[:, :2].eq(0).all()
    assert z[:4, 2].std() == pytest.approx(1)


def test__normal_scores__skewed_column__is_normal_and_in_order_and_keeps_gaps() -> None:
    rng = generator(0)
    x = torch.randn(1, 500, 1, generator=rng).exp()
    x[0, 7] = torch.nan
    z = normal_scores(x, 400)
    known = ~x.isnan()
    assert torch.equal(z.isnan(), x.isnan())
    assert (z[known][x[known].argsort()].diff() >= 0).all()
    assert z[:, :400].nanmean().abs() < 0.01
    assert z[0, :400][known[0, :400]].std() == pytest.approx(1, abs=0.03)


def episode(seed: int = 1) -> Episode:
    return make_episode(Shape(tables=5, rows=48, columns=6), 30, generator(seed), 16)


def test__probabilities__no_class_that_the_context_lacks(weights: Path) -> None:
    shown = episode()
    taught = Teacher(weights, 3, CPU).probabilities(shown, generator(0))
    absent = torch.arange(10) > shown.context.amax(1)[:, None, None]
    assert (taught.masked_select(absent.expand_as(taught)) == 0).all()
    assert torch.allclose(taught.sum(-1), torch.ones(5, 18))


def test__probabilities__one_view__those_of_the_network_with_classes_put_back(
    weights: Path,
) -> None:
    """Reckoned here by hand: columns in the order and classes with the shift that were drawn."""
    shown, teacher = episode(), Teacher(weights, 1, CPU)
    taught = teacher.probabilities(shown, generator(3))
    rng = generator(3)
    order, shift = torch.randperm(6, generator=rng), torch.randint(10, (1,), generator=rng)
    rows = padded(standardised(shown.x, 30)[..., order])
    for table in range(5):
        classes = int(shown.context[table].max()) + 1
        labels = (shown.context[table].long() + shift) % classes
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            out = teacher.network(rows[table, None, :30], labels[None], rows[table, None, 30:])
        back = [int((k + shift) % classes) for k in range(classes)]
        expected = (out[0].float()[:, back] / TEMPERATURE).softmax(-1)
        assert torch.allclose(taught[table, :, :classes], expected, atol=0.02)


def drawn() -> tuple[Tensor, Tensor, Tensor]:
    """Return logits, targets, some of them unknown, and taught probabilities of three classes."""
    rng = generator(0)
    logits = torch.randn(4, 9, 10, generator=rng)
    logits[..., 3:] = -torch.inf
    target = torch.randint(3, (4, 9), generator=rng)
    target[0, :3] = IGNORED
    taught = torch.randn(4, 9, 3, generator=rng).softmax(-1)
    return logits.requires_grad_(), target, F.pad(taught, (0, 7))


def test__distillation_loss__no_share__is_that_of_the_labels() -> None:
    logits, target, taught = drawn()
    loss = evaluation.distillation_loss(logits, target, taught, 0.0)
    assert loss.item() == pytest.approx(evaluation.cross_entropy(logits, target).item(), abs=1e-6)


def test__distillation_loss__gradient__vanishes_where_the_mixture_is_predicted() -> None:
    _, target, taught = drawn()
    labels = F.one_hot(target.clamp(min=0), 10)
    logits = (0.25 * labels + 0.75 * taught).log().requires_grad_()
    loss = evaluation.distillation_loss(logits, target, taught, 0.75)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert gradient.isfinite().all()
    assert gradient.abs().max() < 1e-6
    nudged = logits.detach() + 0.1 * torch.randn(logits.shape, generator=generator(1))
    assert evaluation.distillation_loss(nudged, target, taught, 0.75) > loss


def test__train_step__with_a_teacher__same_seed_same_weights_and_others_than_alone(
    weights: Path,
) -> None:
    runs = [train.start(TINY, CPU) for _ in range(3)]
    for run in runs[:2]:
        run.teacher = Teacher(weights, 1, CPU)
    for run in runs:
        for _ in range(3):
            train.train_step(run)
    first, second, alone = ([*run.net.parameters()] for run in runs)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, alone, strict=True))


def test__command__run_with_a_teacher_resumed_without__refused(
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["pretraining", "--out", str(tmp_path), "--steps", "1", "--cells", "256"]
    monkeypatch.setattr("benchmarks.pretraining.episodes.HELD_OUT_COLUMNS", (4,))
    monkeypatch.setattr("sys.argv", [*command, "--threads", "1", "--teacher", str(weights)])
    main()
    monkeypatch.setattr("sys.argv", [*command, "--threads", "1"])
    with pytest.raises(SystemExit):
        main()
    assert "has a teacher: name its weights with --teacher" in capsys.readouterr().err
