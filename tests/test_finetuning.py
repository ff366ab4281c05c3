"""Episodes, the choice of weights, the loop, and the TabPFN adapter against TabPFN itself."""

import dataclasses
import importlib
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import torch

from autogluon_causalmix.backbones import weights as published
from autogluon_causalmix.backbones.tabpfn import Checkpoint, Mini, TabPFN
from autogluon_causalmix.backbones.tabpfn_context import TabPFNContext
from autogluon_causalmix.errors import CheckpointError
from autogluon_causalmix.finetuning import loop
from autogluon_causalmix.finetuning.episodes import EpisodeSampler
from autogluon_causalmix.finetuning.mixture import Mixture, mixed
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import (
    EncodedRows,
    RowSets,
    class_codes,
    encode_rows,
    encode_sets,
)
from autogluon_causalmix.finetuning.selection import (
    HALF_WAY,
    LEAST_SHARE,
    compare,
    has_turned,
    share_of,
)
from autogluon_causalmix.finetuning.training import Training
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.task import Classification

NO_ROWS = np.empty(0, dtype="int64")
TASK = Classification()


def mixed_table(rng: np.random.Generator, rows: int, classes: int = 2) -> Table:
    """Return a table whose label depends on a number and a category, with gaps."""
    number, noise = rng.normal(size=(2, rows))
    group = rng.integers(3, size=rows)
    signal = 2 * number + (group - 1) + rng.logistic(size=rows)
    label = pd.qcut(signal, classes, labels=[f"class {i}" for i in range(classes)]).astype(str)
    frame = pd.DataFrame(
        {"number": number, "group": np.array(list("abc"), dtype=object)[group], "noise": noise}
    )
    frame.loc[rng.random(rows) < 0.1, ["number", "group"]] = None
    return Table.from_frame(frame.assign(label=label), "label")


def conditioned(table: Table, seed: int = 0) -> TabPFNContext:
    return Mini().condition(table, n_estimators=2, device="cpu", seed=seed)


def run(
    model: TabPFNContext,
    real: Table,
    validation: Table | None,
    steps: int,
    learning_rate: float,
    seconds: float = 100,
    say: Callable[[str], None] = lambda _: None,
) -> loop.FineTuned:
    rows = encode_sets(model, RowSets(real, validation))
    recipe = Recipe(steps, learning_rate)
    rng = np.random.default_rng(0)
    return loop.fine_tune(model, rows, TASK, recipe, rng, Resources(seconds), say=say)


def weights_of(model: TabPFNContext) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in model.network.parameters()]


# --- episodes


def test_every_class_stands_in_the_context_and_no_row_is_both() -> None:
    rng = np.random.default_rng(0)
    labels = np.array([0] * 40 + [1] * 5 + [2])
    sampler = EpisodeSampler(TASK, labels, NO_ROWS, 1.0, "query")
    queries: set[int] = set()
    for _ in range(200):
        episode = sampler.draw(rng, most_rows=1000)
        (query,) = episode.queries
        assert set(labels[episode.context]) == {0, 1, 2}
        assert not set(episode.context) & set(query.rows)
        assert len(episode.context) + len(query.rows) == len(labels)
        queries.update(query.rows)
    assert queries == set(range(45)), "each row but the only one of its class is a query sometimes"


def test_context_sizes_vary_within_the_stated_shares() -> None:
    rng = np.random.default_rng(0)
    sampler = EpisodeSampler(TASK, np.arange(1000) % 2, NO_ROWS, 1.0, "query")
    sizes = np.array([len(sampler.draw(rng, most_rows=5000).queries[0].rows) for _ in range(300)])
    assert sizes.min() >= 200
    assert sizes.max() <= 500
    assert sizes.std() > 50


@pytest.mark.parametrize(
    ("real_fraction", "sources"),
    [(0.0, {"synthetic"}), (0.3, {"real", "synthetic"}), (1.0, {"real"})],
)
def test_real_and_synthetic_queries_carry_the_weights_asked_for(
    real_fraction: float, sources: set[str]
) -> None:
    sampler = EpisodeSampler(TASK, np.arange(30) % 2, np.arange(50) % 2, real_fraction, "query")
    episode = sampler.draw(np.random.default_rng(0), most_rows=1000)
    assert episode.source == "real"
    assert {query.source for query in episode.queries} == sources
    assert sum(query.weight for query in episode.queries) == pytest.approx(1)
    assert sum(
        query.weight for query in episode.queries if query.source == "real"
    ) == pytest.approx(real_fraction)


@pytest.mark.parametrize("real_fraction", [0.0, 0.3, 1.0])
def test_the_share_of_real_episodes_is_what_was_asked_for(real_fraction: float) -> None:
    rng = np.random.default_rng(0)
    sampler = EpisodeSampler(TASK, np.arange(30) % 2, np.arange(50) % 2, real_fraction, "episode")
    episodes = [sampler.draw(rng, most_rows=1000) for _ in range(1000)]
    assert all(episode.queries[0].source == episode.source for episode in episodes)
    assert np.mean([episode.source == "real" for episode in episodes]) == pytest.approx(
        real_fraction, abs=0.05
    )


def test_synthetic_queries_have_a_class_that_the_context_holds() -> None:
    sampler = EpisodeSampler(TASK, np.zeros(30, dtype="int64"), np.arange(60) % 3, 0.0, "query")
    (query,) = sampler.draw(np.random.default_rng(0), most_rows=1000).queries
    assert set(sampler.synthetic[query.rows]) == {0}


@pytest.mark.parametrize("role", ["query", "episode"])
def test_an_episode_keeps_to_the_most_rows(role: Literal["query", "episode"]) -> None:
    sampler = EpisodeSampler(TASK, np.arange(500) % 3, np.arange(900) % 3, 0.5, role)
    rng = np.random.default_rng(0)
    for _ in range(50):
        episode = sampler.draw(rng, most_rows=64)
        assert len(episode.context) + sum(len(query.rows) for query in episode.queries) <= 64


def test_the_loss_is_the_weighted_mean_of_both_kinds_of_rows() -> None:
    """Against the losses of two runs that hold one kind each, from the same context."""
    table = mixed_table(np.random.default_rng(0), 60)
    model = conditioned(table)
    rows = encode_sets(model, RowSets(table)).training
    losses = {}
    for real_fraction in (0.0, 0.25, 1.0):
        mirrored = EncodedRows([view.flip(0) for view in rows.views], rows.labels[::-1].copy())
        sets, rng = RowSets(rows, None, mirrored), np.random.default_rng(0)
        recipe = Recipe(1, 1e-9, real_fraction)
        tuned = loop.fine_tune(model, sets, TASK, recipe, rng, Resources(60))
        losses[real_fraction] = tuned.curve[-1].train_loss
    assert losses[0.25] == pytest.approx(0.25 * losses[1.0] + 0.75 * losses[0.0], abs=1e-5)  # type: ignore[operator]


# --- the choice of weights


def test_noise_alone_is_believed_little() -> None:
    """Gains without a mean: the share is the larger, the luckier the rows, and small on average."""
    rng = np.random.default_rng(0)
    shares = [share_of(gains) for gains in rng.normal(scale=0.3, size=(4000, 200))]
    ratio = rng.normal(size=400_000)  # the gain in standard errors, where there is no true gain
    wanted = np.where(ratio > 0, ratio**2 / (ratio**2 + HALF_WAY**2), 0)
    assert np.mean(shares) == pytest.approx(wanted[wanted >= LEAST_SHARE].sum() / 400_000, abs=0.01)
    assert np.mean(shares) < 0.1


@pytest.mark.parametrize(("ratio", "share"), [(1, 1 / 5), (2, 1 / 2), (6, 9 / 10)])
def test_the_share_follows_from_the_gain_and_its_noise(ratio: float, share: float) -> None:
    gains = np.random.default_rng(0).normal(size=400)
    error = gains.std(ddof=1) / np.sqrt(400)
    assert share_of(gains - gains.mean() + ratio * error) == pytest.approx(share)


def test_few_rows_that_lack_the_bad_ones_are_believed_less() -> None:
    """One row in fifty loses all that the others gain: ten rows rarely hold it, 500 mostly do."""
    rng = np.random.default_rng(0)

    def mean_share(rows: int) -> float:
        bad = rng.random((2000, rows)) < 0.02
        gains = np.where(bad, -6.0, 0.1) + rng.normal(scale=0.05, size=(2000, rows))
        return float(np.mean([share_of(each) for each in gains]))

    assert mean_share(10) < 0.65, "by standard errors alone it would be .75"
    assert mean_share(500) < 0.1


def test_weights_that_lose_have_no_share() -> None:
    rng = np.random.default_rng(0)
    losses = rng.exponential(size=50)
    assert compare(losses, losses + rng.uniform(0, 0.01, size=50)).share == 0
    assert compare(losses, losses).share == 0


def test_what_fine_tuning_can_cost_a_row_is_bounded() -> None:
    """Its share of its own harm (Jensen) and −log(1 − share), however sure and wrong it is."""
    rng = np.random.default_rng(0)
    parts = rng.dirichlet(np.full(4, 0.05), size=(2, 5000)).clip(1e-12)
    parts /= parts.sum(axis=2, keepdims=True)
    labels = rng.integers(4, size=5000)
    before, after = (TASK.row_losses(part, labels) for part in parts)
    for share in (0.1, 0.5, 0.9):
        losses = TASK.row_losses(mixed(parts[0], parts[1], share), labels)
        assert (losses <= (1 - share) * before + share * after + 1e-9).all()
        assert (losses - before).max() == pytest.approx(-np.log(1 - share), abs=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_mixture_weighs_the_probabilities_of_both_networks(share: float) -> None:
    table = mixed_table(np.random.default_rng(0), 60)
    pretrained, tuned = conditioned(table), conditioned(table)
    run(tuned, table, None, steps=3, learning_rate=1e-2)
    before, after = (each.predict_proba(table.features) for each in (pretrained, tuned))
    given = Mixture(pretrained, tuned, share).predict_proba(table.features)
    np.testing.assert_allclose(given, (1 - share) * before + share * after, atol=1e-6)


def test_a_run_goes_on_while_its_best_weights_lie_in_its_second_half() -> None:
    """Losses that fall up to step 100: the run of at most 1,000 steps ends soon after 200."""
    steps = range(0, 1001, 10)
    ended = next(step for step in steps if has_turned(step, best_step=min(step, 100)))
    assert ended == 210


def test_one_row_proves_nothing() -> None:
    assert compare(np.array([3.0]), np.array([0.1])).share == 0


def test_scores_agree_with_their_definitions() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
    labels = np.array([0, 1, 0, 1])
    assert TASK.scores(probabilities, labels).log_loss == pytest.approx(
        -np.log([0.9, 0.6, 0.7, 0.8]).mean()
    )
    assert TASK.scores(probabilities, labels).roc_auc == 1.0
    assert TASK.scores(probabilities, np.zeros(4, dtype="int64")).roc_auc is None


def test_a_probability_of_zero_costs_much_but_not_infinity() -> None:
    assert np.isfinite(TASK.row_losses(np.array([[1.0, 0.0]]), np.array([1]))).all()


# --- the TabPFN adapter


@pytest.mark.parametrize("classes", [2, 4])
def test_encoded_rows_give_the_predictions_of_tabpfn_itself(classes: int) -> None:
    rng = np.random.default_rng(0)
    table = mixed_table(rng, 90, classes)
    query = table.with_frame(mixed_table(rng, 40, classes).frame)
    model = conditioned(table)
    context = encode_sets(model, RowSets(table)).training
    ours = loop.predict(model, context, encode_rows(model, query))
    np.testing.assert_allclose(ours, model.predict_proba(query.features), atol=1e-6)


def test_the_adapter_changes_no_prediction_of_the_library() -> None:
    from tabpfn import TabPFNClassifier

    table = mixed_table(np.random.default_rng(0), 60)
    theirs = TabPFNClassifier(
        model_path="autogluon_causalmix/weights/mini.safetensors",
        n_estimators=2,
        categorical_features_indices=[1],
        device="cpu",
        inference_precision=torch.float32,
        random_state=0,
    ).fit(table.features, table.labels.to_numpy())
    np.testing.assert_allclose(
        conditioned(table).predict_proba(table.features),
        theirs.predict_proba(table.features),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    ("architecture", "config", "sizes"),
    [
        ("tabpfn_v2_5", "TabPFNV2p5Config", {"emsize": 24, "nlayers": 2, "nhead": 2}),
        ("tabpfn_v2_6", "TabPFNV2p6Config", {"emsize": 24, "nlayers": 2, "nhead": 2}),
        ("tabpfn_v3", "TabPFNV3Config", {"nlayers": 2}),
    ],
)
def test_later_architectures_take_the_same_road(
    architecture: str, config: str, sizes: dict[str, int], tmp_path: Path
) -> None:
    """Random weights of every architecture `tabpfn` has: ours predicts what it does."""
    from tabpfn.checkpoint import save_as_safetensors

    module = importlib.import_module(f"tabpfn.architectures.{architecture}")
    options = getattr(module, config)(max_num_classes=10, num_buckets=100, **sizes)
    weights = {
        name: weight.contiguous()
        for name, weight in module.get_architecture(options).state_dict().items()
    }
    header = {"config": dataclasses.asdict(options), "architecture_name": architecture}
    save_as_safetensors({"state_dict": weights, **header}, tmp_path / "random.safetensors")
    table = mixed_table(np.random.default_rng(0), 50)
    model = Checkpoint(str(tmp_path / "random.safetensors")).condition(
        table, n_estimators=2, device="cpu", seed=0
    )
    context = encode_sets(model, RowSets(table)).training
    ours = loop.predict(model, context, encode_rows(model, table))
    np.testing.assert_allclose(ours, model.predict_proba(table.features), atol=1e-6)


def test_a_row_is_predicted_alike_alone_and_among_others() -> None:
    table = mixed_table(np.random.default_rng(0), 60)
    model = conditioned(table)
    alone = np.concatenate([model.predict_proba(table.features.iloc[[row]]) for row in range(20)])
    np.testing.assert_allclose(alone, model.predict_proba(table.features)[:20], atol=1e-5)


def test_tuned_weights_stay_in_their_own_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABPFN_MODEL_CACHE_SIZE", "4")
    table = mixed_table(np.random.default_rng(0), 40)
    tuned, other = conditioned(table), conditioned(table)
    before = weights_of(other)
    run(tuned, table, None, steps=1, learning_rate=1e-2)
    assert not torch.equal(weights_of(tuned)[0], before[0])
    for now, then in zip(
        weights_of(other) + weights_of(conditioned(table)), before + before, strict=True
    ):
        assert torch.equal(now, then)


def test_a_pickled_model_predicts_the_same() -> None:
    table = mixed_table(np.random.default_rng(0), 40)
    model = conditioned(table)
    run(model, table, None, steps=2, learning_rate=1e-3)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        model.predict_proba(table.features), again.predict_proba(table.features)
    )


def test_column_names_of_any_kind_are_taken() -> None:
    frame = pd.DataFrame(
        {3: [1.0, 2, 3, 4] * 5, "a[b]<c": [1, 0] * 10, ("t", 1): list("xy") * 10, "y": [0, 1] * 10}
    )
    table = Table.from_frame(frame, "y")
    assert conditioned(table).predict_proba(table.features).shape == (20, 2)


# --- soft labels


def test_soft_labels_that_are_certain_are_labels() -> None:
    """A row whose class has probability 1 costs what its label costs."""
    table = mixed_table(np.random.default_rng(0), 60)
    synthetic = table.with_frame(mixed_table(np.random.default_rng(1), 40).frame)
    tuned = []
    for soft in (False, True):
        model = conditioned(table)
        rows = encode_rows(model, synthetic)
        if soft:
            rows = dataclasses.replace(rows, soft=np.eye(2)[rows.labels])
        real = encode_sets(model, RowSets(table)).training
        recipe, rng = Recipe(2, 1e-3, 0.5), np.random.default_rng(0)
        loop.fine_tune(model, RowSets(real, None, rows), TASK, recipe, rng, Resources(100))
        tuned.append(weights_of(model))
    assert all(torch.allclose(hard, soft, atol=1e-6) for hard, soft in zip(*tuned, strict=True))


def test_soft_labels_of_doubt_teach_doubt() -> None:
    """Even odds for the labels must not make the second model sure."""
    table = mixed_table(np.random.default_rng(0), 60)
    sure = {}
    for certainty in (0.5, 1.0):
        model = conditioned(table)
        real, rows = (
            encode_sets(model, RowSets(table)).training,
            encode_rows(model, table),
        )
        rows = dataclasses.replace(
            rows, soft=np.where(np.eye(2)[rows.labels] > 0, certainty, 1 - certainty)
        )
        recipe, rng = Recipe(15, 1e-3, 0.0), np.random.default_rng(0)
        loop.fine_tune(model, RowSets(real, None, rows), TASK, recipe, rng, Resources(100))
        sure[certainty] = model.predict_proba(table.features).max(axis=1).mean()
    assert sure[0.5] < 0.55
    assert sure[1.0] > 0.75


# --- checkpoints


class _Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("hostile code ran"),))


@pytest.mark.parametrize("fault", ["missing", "truncated", "foreign", "hostile"])
def test_a_bad_checkpoint_is_refused_with_its_path(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Path("autogluon_causalmix/weights/mini.safetensors").resolve()
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ("weights.ckpt" if fault == "hostile" else "weights.safetensors")
    if fault == "truncated":
        path.write_bytes(good.read_bytes()[:100_000])
    elif fault == "foreign":
        path.write_text("these are no weights")
    elif fault == "hostile":
        path.write_bytes(pickle.dumps(_Hostile()))
    table = mixed_table(np.random.default_rng(0), 20)
    with pytest.raises(CheckpointError, match="weights"):
        Checkpoint(str(path)).condition(table, n_estimators=1, device="cpu", seed=0)
    assert not (tmp_path / "hostile code ran").exists()


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Make every download fail at once, and the cache empty."""
    import tabpfn.model_loading

    monkeypatch.setenv("TABPFN_MODEL_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tabpfn.model_loading, "get_cache_dir", lambda: tmp_path)
    monkeypatch.setattr(
        tabpfn.model_loading, "download_model", lambda *_, **__: [OSError("no route to the hub")]
    )
    monkeypatch.setattr(published, "hub_failure", lambda _version: "")
    published._fetch.cache_clear()
    yield
    published._fetch.cache_clear()


@pytest.mark.usefixtures("no_hub")
def test_named_weights_out_of_reach_are_an_error_not_a_fallback() -> None:
    with pytest.raises(CheckpointError, match="no route to the hub"):
        TabPFN("v2").condition(
            mixed_table(np.random.default_rng(0), 20), n_estimators=1, device="cpu", seed=0
        )
    with pytest.raises(CheckpointError, match="choose from"):
        TabPFN("v99").condition(
            mixed_table(np.random.default_rng(0), 20), n_estimators=1, device="cpu", seed=0
        )


def test_downloaded_weights_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_hub: None
) -> None:
    import tabpfn.model_loading

    def download(to: Path, **_: object) -> str:
        to.write_bytes(Path("autogluon_causalmix/weights/mini.safetensors").read_bytes())
        return "ok"

    monkeypatch.setattr(tabpfn.model_loading, "download_model", download)
    monkeypatch.setattr(
        tabpfn.model_loading,
        "resolve_model_path",
        lambda *_, **__: (
            [tmp_path / "v2.safetensors"],
            [tmp_path],
            ["v2.safetensors"],
            "classifier",
        ),
    )
    table = mixed_table(np.random.default_rng(0), 20)
    model = TabPFN("v2").condition(table, n_estimators=1, device="cpu", seed=0)
    assert model.facts.name == "tabpfn-v2"


def test_an_unreachable_hub_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAUSALMIX_OFFLINE")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    assert "127.0.0.1:9" in published.hub_failure("v2")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in published.hub_failure("v2")
    monkeypatch.setenv("CAUSALMIX_OFFLINE", "1")
    assert "CAUSALMIX_OFFLINE" in published.hub_failure("v2")


# --- the loop


def test_fine_tuning_learns_what_the_pretrained_weights_do_not_know() -> None:
    """The parity of two signs: hopeless in context for `mini`, learnable with gradients."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 2)), columns=["a", "b"])
    table = Table.from_frame(frame.assign(y=((frame["a"] > 0) ^ (frame["b"] > 0)).astype(int)), "y")
    real, validation = table.take(np.arange(250)), table.take(np.arange(250, 400))
    model = conditioned(real)
    tuned = run(model, real, validation, steps=40, learning_rate=3e-4)
    assert tuned.kept_step > 0
    assert tuned.pretrained is not None
    assert tuned.tuned is not None
    assert tuned.tuned.log_loss < tuned.pretrained.log_loss - 0.05
    both = Mixture(conditioned(real), model, tuned.share).predict_proba(validation.features)
    losses = TASK.row_losses(both, class_codes(model, validation))
    assert losses.mean() == pytest.approx(tuned.tuned.log_loss, abs=1e-5), (
        "the weights are those that were evaluated"
    )


def test_the_candidate_is_the_mean_of_all_weights_of_the_run() -> None:
    table = mixed_table(np.random.default_rng(0), 60)
    stepped, tuned = conditioned(table), conditioned(table)
    rows = encode_sets(stepped, RowSets(table))
    training = Training(stepped, rows, TASK, Recipe(5, 1e-3), np.random.default_rng(0))
    passed = [weights_of(stepped)]
    for _ in range(5):
        assert training.advance()
        passed.append(weights_of(stepped))
    run(tuned, table, None, steps=5, learning_rate=1e-3)
    for i, kept in enumerate(weights_of(tuned)):
        mean = torch.stack([weights[i].double() for weights in passed]).mean(0)
        torch.testing.assert_close(kept.double(), mean, atol=1e-6, rtol=1e-5)
    assert not torch.equal(passed[-1][0], weights_of(tuned)[0])


def test_evaluating_the_mean_does_not_disturb_the_run() -> None:
    """Twenty evaluations or one: the same weights after the same steps."""
    table = mixed_table(np.random.default_rng(0), 60)
    model = conditioned(table)
    rows = encode_sets(model, RowSets(table))
    training = Training(model, rows, TASK, Recipe(3, 1e-3), np.random.default_rng(0))
    training.advance()
    before = weights_of(model)
    with training.averaged():
        assert not torch.equal(weights_of(model)[0], before[0])
    assert all(torch.equal(now, then) for now, then in zip(weights_of(model), before, strict=True))


def test_a_run_that_does_not_help_ends_early() -> None:
    """Labels drawn by coin: nothing can be learned, so 60 steps are enough to see it."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(70, 2)), columns=list("ab"))
    table = Table.from_frame(frame.assign(y=rng.integers(2, size=70)), "y")
    real, validation = table.take(np.arange(40)), table.take(np.arange(40, 70))
    tuned = run(conditioned(real), real, validation, 400, learning_rate=3e-4, seconds=1000)
    assert 60 <= tuned.curve[-1].step < 400
    assert tuned.notes == []


def test_weights_that_fine_tuning_ruins_are_not_kept() -> None:
    table = mixed_table(np.random.default_rng(0), 120)
    real, validation = table.take(np.arange(80)), table.take(np.arange(80, 120))
    model = conditioned(real)
    before = weights_of(model)
    tuned = run(model, real, validation, steps=4, learning_rate=0.5)
    assert tuned.kept_step == 0
    assert all(torch.equal(now, then) for now, then in zip(weights_of(model), before, strict=True))
    assert "gain of -" in tuned.reason


def test_the_same_seed_gives_the_same_weights_and_leaves_global_randomness_alone() -> None:
    table = mixed_table(np.random.default_rng(0), 60)
    first, second = conditioned(table), conditioned(table)
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # type: ignore[index]  # noqa: NPY002
    run(first, table, None, steps=3, learning_rate=1e-3)
    run(second, table, None, steps=3, learning_rate=1e-3)
    assert all(
        torch.equal(a, b) for a, b in zip(weights_of(first), weights_of(second), strict=True)
    )
    np.testing.assert_array_equal(numpy_state, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002
    assert torch.equal(torch_state, torch.get_rng_state())


def test_a_run_ends_within_its_time_and_says_so() -> None:
    table = mixed_table(np.random.default_rng(0), 120)
    tuned = run(conditioned(table), table, None, steps=100_000, learning_rate=1e-4, seconds=3.0)
    assert 0 < tuned.kept_step < 100_000
    assert "time was used up" in tuned.notes[0]


@dataclass
class _SmallMemory:
    """A model on a device that holds `rows` rows."""

    model: TabPFNContext
    rows: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def logits(
        self, view: int, context: torch.Tensor, labels: torch.Tensor, query: torch.Tensor
    ) -> torch.Tensor:
        if context.shape[1] + query.shape[1] > self.rows:
            raise torch.OutOfMemoryError("planted")
        return self.model.logits(view, context, labels, query)


@pytest.mark.parametrize(
    ("capacity", "steps_done", "note"), [(70, 2, "cut to 50 rows"), (5, 0, "not even a small")]
)
def test_out_of_memory_halves_the_episode_then_gives_up(
    capacity: int, steps_done: int, note: str
) -> None:
    table = mixed_table(np.random.default_rng(0), 100)
    small = _SmallMemory(conditioned(table), capacity)
    tuned = run(small, table, None, steps=2, learning_rate=1e-4)  # type: ignore[arg-type]
    assert tuned.kept_step == steps_done
    assert any(note in sentence for sentence in tuned.notes)


def fail_to_allocate() -> None:
    """Ask the CPU's own allocator for more than there is."""
    torch.empty(2**60)


@dataclasses.dataclass
class _SmallHost(_SmallMemory):
    """A machine whose host memory, not a GPU's, is too small."""

    def logits(
        self, view: int, context: torch.Tensor, labels: torch.Tensor, query: torch.Tensor
    ) -> torch.Tensor:
        if context.shape[1] + query.shape[1] > self.rows:
            fail_to_allocate()
        return self.model.logits(view, context, labels, query)


def test_a_failed_allocation_on_the_cpu_halves_the_episode_too() -> None:
    table = mixed_table(np.random.default_rng(0), 100)
    small = _SmallHost(conditioned(table), 70)
    tuned = run(small, table, None, steps=2, learning_rate=1e-4)  # type: ignore[arg-type]
    assert tuned.kept_step == 2
    assert any("cut to 50 rows" in sentence for sentence in tuned.notes)


def test_out_of_memory_in_the_evaluation_keeps_the_pretrained_weights() -> None:
    """The validation rows do not fit beside the context, the episodes would."""
    table = mixed_table(np.random.default_rng(0), 160)
    real, validation = table.take(np.arange(60)), table.take(np.arange(60, 160))
    model = conditioned(real)
    before = weights_of(model)
    small = _SmallHost(model, 70)
    tuned = run(small, real, validation, steps=4, learning_rate=1e-2)  # type: ignore[arg-type]
    assert tuned.kept_step == 0
    assert any("out of memory while the weights of step 0" in note for note in tuned.notes)
    assert all(torch.equal(now, then) for now, then in zip(weights_of(model), before, strict=True))


@pytest.mark.parametrize(("sound", "kept"), [(0, 0), (1, 1)])
def test_a_loss_that_is_no_number_ends_the_run_and_is_said(
    monkeypatch: pytest.MonkeyPatch, sound: int, kept: int
) -> None:
    """From some evaluation on, the network is broken."""
    table = mixed_table(np.random.default_rng(0), 80)
    real, validation = table.take(np.arange(60)), table.take(np.arange(60, 80))
    losses, seen = Classification.row_losses, list[int]()

    def broken(task: Classification, *arguments: Any) -> Any:
        seen.append(1)
        return losses(task, *arguments) * (1.0 if len(seen) <= sound else np.nan)

    monkeypatch.setattr(Classification, "row_losses", broken)
    tuned = run(conditioned(real), real, validation, steps=4, learning_rate=1e-3)
    assert (tuned.kept_step, len(tuned.curve)) == (0, kept)
    assert any("is no number: fine-tuning ends" in note for note in tuned.notes)


def test_an_error_that_is_not_about_memory_is_not_taken_for_it() -> None:
    table = mixed_table(np.random.default_rng(0), 40)
    model = conditioned(table)
    model.learning_rate = 1e-4
    model.logits = lambda *_: (_ for _ in ()).throw(RuntimeError("planted"))  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="planted"):
        run(model, table, None, steps=1, learning_rate=1e-4)


@pytest.mark.parametrize("steps", [1, 7, 10, 20, 21, 25, 60, 1001])
def test_at_most_twenty_candidates_are_compared_the_last_step_among_them(steps: int) -> None:
    evaluated = sorted(Recipe(steps, 1e-3).evaluated)
    assert len(evaluated) == min(steps, 20)
    assert evaluated[-1] == steps
    gaps = np.diff([0, *evaluated])
    assert gaps.max() - gaps.min() <= 1, "evenly spread"


def test_steps_done_before_time_ran_out_are_a_candidate() -> None:
    """Time for some of the steps before the first evaluation: what they learned is compared."""
    table = mixed_table(np.random.default_rng(0), 80)
    real, validation = table.take(np.arange(60)), table.take(np.arange(60, 80))
    tuned = run(conditioned(real), real, validation, 100_000, 1e-4, seconds=1.5)
    assert tuned.tuned is not None
    assert 0 < tuned.curve[-1].step < 10_000
    assert tuned.curve[-1].validation_loss is not None


@pytest.mark.parametrize(
    ("held_out", "said"),
    [
        (20, "fine-tuning takes about 65 s if it ends after 60 steps, 260 s if after 240"),
        (0, "fine-tuning takes about 240 s for 240 steps"),
    ],
)
def test_how_long_a_run_takes_is_said_by_its_first_steps(
    monkeypatch: pytest.MonkeyPatch, held_out: int, said: str
) -> None:
    """A step and an evaluation take a second each, the first step fifty."""
    table = mixed_table(np.random.default_rng(0), 60)
    real = table.take(np.arange(60 - held_out))
    validation = table.take(np.arange(60 - held_out, 60)) if held_out else None
    model, seconds = conditioned(real), np.ones(1000)
    seconds[3 if held_out else 1] = 50
    clock = np.cumsum(seconds)
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=iter(clock).__next__))

    def stop(sentence: str) -> None:
        raise KeyboardInterrupt(sentence)

    with pytest.raises(KeyboardInterrupt, match=f"^{said}$"):
        run(model, real, validation, 240, 1e-4, say=stop)
