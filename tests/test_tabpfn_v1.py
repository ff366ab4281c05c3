"""TabPFN v1: equal to the original code, sound where the original has no answer."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import platformdirs
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from autogluon_causalmix.backbones import in_parts
from autogluon_causalmix.backbones.protocol import MOST_VALUES
from autogluon_causalmix.backbones.tabpfn_v1 import COLUMNS_SHOWN, LEARNING_RATE, TabPFNv1
from autogluon_causalmix.backbones.tabpfn_v1_context import TabPFNv1Context
from autogluon_causalmix.backbones.tabpfn_v1_network import TabPFNv1Network, network_of
from autogluon_causalmix.backbones.tabpfn_v1_numbers import Numbering
from autogluon_causalmix.backbones.tabpfn_v1_views import View, fit_views
from autogluon_causalmix.backbones.tabpfn_v1_weights import LICENSE, NAME
from autogluon_causalmix.backbones.weights import Weights
from autogluon_causalmix.column import Column
from autogluon_causalmix.errors import BackboneError, CheckpointError
from autogluon_causalmix.finetuning import training
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import RowSets, encode_sets
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import check_backbone, toy_tables

RECORDED = Path(__file__).parent / "data" / "tabpfn_v1.npz"
TABLES = ("flowers", "tumours", "heavy tails")
N_CONTEXT, N_VIEWS = 40, 10
FETCHED = platformdirs.user_cache_path("autogluon-causalmix", appauthor=False) / "weights"
PUBLISHED = Path(os.environ.get("CAUSALMIX_V1", FETCHED / "tabpfn-v1.safetensors"))

Arrays = Mapping[str, NDArray[np.float64]]


@pytest.fixture(scope="module")
def recorded() -> Iterator[Arrays]:
    """The original code's inputs and outputs; see data/record_tabpfn_v1.py."""
    with np.load(RECORDED) as arrays:
        yield dict(arrays)


def numeric(n_columns: int) -> tuple[Column, ...]:
    return tuple(Column(f"x{i}", np.dtype(float), None, 0) for i in range(n_columns))


def seen_by(recorded: Arrays, table: str, view: int) -> NDArray[np.float64]:
    """Return what the original handed to its network, (rows, 100)."""
    rows = recorded[f"{table}/seen"][:, view]
    return np.pad(rows, ((0, 0), (0, 100 - rows.shape[1])))


def rotation_of(recorded: Arrays, table: str, view: int) -> int:
    """Return the rotation of columns that the original drew: one for each pair of views."""
    view -= view % 2  # the one without a power transform
    seen = seen_by(recorded, table, view)
    gaps = [
        np.abs(own_view(recorded, table, view, rotation).encode(recorded[f"{table}/x"]) - seen)
        for rotation in range(recorded[f"{table}/x"].shape[1])
    ]
    return int(np.argmin([gap.max() for gap in gaps]))


def own_view(recorded: Arrays, table: str, view: int, rotation: int) -> View:
    x, y = recorded[f"{table}/x"], recorded[f"{table}/y"]
    labels = recorded[f"{table}/labels"][:, view]
    n_classes = int(y.max()) + 1
    shift = int(labels[0] - y[0]) % n_classes
    return View.fit(
        x[:N_CONTEXT],
        numeric(x.shape[1]),
        power=view % 2 == 1,
        one_hot=True,
        class_shift=shift,
        rng=np.random.default_rng(0),
        rotation=rotation,
    )


def compared(
    recorded: Arrays, table: str, network: torch.nn.Module, kind: str
) -> tuple[float, float]:
    """Return the largest differences to the original's logits and probabilities.

    From the raw table on: our preprocessing, our network, our averaging over views.
    """
    x, y = recorded[f"{table}/x"], recorded[f"{table}/y"].astype(int)
    n_classes = int(y.max()) + 1
    views = [
        own_view(recorded, table, view, rotation_of(recorded, table, view))
        for view in range(N_VIEWS)
    ]
    model = TabPFNv1Context.__new__(TabPFNv1Context)
    model.views, model.classes, model._network = views, np.arange(n_classes, dtype=object), network
    logits, gaps = [], []
    for number, view in enumerate(views):
        rows = torch.as_tensor(view.encode(x))[None]
        known, asked = rows[:, :N_CONTEXT], rows[:, N_CONTEXT:]
        with torch.no_grad():
            own = model.logits(number, known, torch.as_tensor(y[None, :N_CONTEXT]), asked)[0]
        original = recorded[f"{table}/{kind}/logits"][:, number]
        order = (np.arange(n_classes) + view.class_shift) % n_classes
        gaps.append(np.abs(own.numpy() - original[:, order]).max())
        logits.append(own)
    averaged = model.probabilities(torch.stack(logits)).numpy()
    gap = np.abs(averaged - recorded[f"{table}/{kind}/probabilities"]).max()
    return float(max(gaps)), float(gap)


@pytest.mark.parametrize("table", TABLES)
def test_inputs_of_the_network_are_those_of_the_original_code(recorded: Arrays, table: str) -> None:
    for view in range(N_VIEWS):
        rotation = rotation_of(recorded, table, view)
        own = own_view(recorded, table, view, rotation).encode(recorded[f"{table}/x"])
        assert np.abs(own - seen_by(recorded, table, view)).max() < 1e-5


@pytest.mark.parametrize("table", TABLES)
def test_logits_are_those_of_the_original_code(recorded: Arrays, table: str) -> None:
    network = network_of(
        {
            name.removeprefix("weights/"): torch.as_tensor(array).double()
            for name, array in recorded.items()
            if name.startswith("weights/")
        }
    )
    assert max(compared(recorded, table, network, "tiny")) < 1e-6


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="the published weights are not on this machine")
@pytest.mark.parametrize("table", TABLES)
def test_logits_of_the_published_weights_are_those_of_the_original_code(
    recorded: Arrays, table: str
) -> None:
    network = network_of(load_file(PUBLISHED)).double()
    assert max(compared(recorded, table, network, "published")) < 1e-5


# --- a small network with random weights stands for the published one


@dataclass(frozen=True)
class Tiny(TabPFNv1):
    """TabPFN v1's code with the weights of a file."""

    path: str = ""

    def weights(self) -> Weights:
        return Weights(Path(self.path), NAME, LICENSE, LEARNING_RATE)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    torch.manual_seed(0)
    network = TabPFNv1Network(width=16, hidden=24, depth=2)
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_file(network.state_dict(), path)
    return Tiny(str(path))


def conditioned(backbone: TabPFNv1, table: Table, views: int = 4) -> TabPFNv1Context:
    return backbone.condition(table, n_estimators=views, device="cpu", seed=0)


def test_it_keeps_the_contract_of_backbones(tiny: Tiny) -> None:
    check_backbone(tiny)


def mixed(rows: int = 60, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=rows),
            "colour": rng.choice(["red", "green", "blue"], rows),
            "city": rng.choice([f"city {i}" for i in range(8)], rows),
            "y": rng.choice(["a", "b", "c"], rows),
        }
    )
    frame.loc[rng.random(rows) < 0.2, ["number", "colour"]] = None
    return Table.from_frame(frame, "y")


def test_the_order_of_query_rows_and_their_company_change_nothing(tiny: Tiny) -> None:
    table = mixed()
    model = conditioned(tiny, table)
    together = model.predict_proba(table.features)
    backwards = model.predict_proba(table.features[::-1])[::-1]
    np.testing.assert_allclose(together, backwards, atol=1e-6)


def test_logits_of_an_episode_of_the_whole_table_are_the_predictions(tiny: Tiny) -> None:
    table, new = mixed(), mixed(20, seed=1)
    model = conditioned(tiny, table)
    labels = torch.as_tensor(table.targets.astype("int64"))[None]
    with torch.no_grad():
        logits = [
            model.logits(view, rows[None], labels, query[None])[0]
            for view, (rows, query) in enumerate(
                zip(model.encode_context(), model.encode(new.features), strict=True)
            )
        ]
    own = model.probabilities(torch.stack(logits)).numpy()
    np.testing.assert_allclose(own, model.predict_proba(new.features), atol=1e-6)


def test_gradients_reach_every_weight(tiny: Tiny) -> None:
    table = mixed()
    model = conditioned(tiny, table, views=1)
    rows, labels = model.encode_context()[0], torch.as_tensor(table.targets.astype("int64"))
    logits = model.logits(0, rows[None, :40], labels[None, :40], rows[None, 40:])
    torch.autograd.backward(torch.nn.functional.cross_entropy(logits[0], labels[40:]))
    assert [name for name, w in model.network.named_parameters() if w.grad is None] == []


def test_a_category_that_no_context_row_has_is_a_missing_value(tiny: Tiny) -> None:
    table = mixed()
    model = conditioned(tiny, table)
    unseen, missing = table.features.head(5).copy(), table.features.head(5).copy()
    unseen["city"] = "nowhere"
    missing["city"] = None
    np.testing.assert_array_equal(model.predict_proba(unseen), model.predict_proba(missing))


def test_levels_are_numbered_at_random_not_by_their_names() -> None:
    table = mixed(200)
    shown = fit_views(table.encode()[:, :3], table.feature_columns, 3, 64, seed=0)
    ranks = np.array([view.numbering.orders[2] for view in shown], dtype=float)[:, :8]
    assert np.abs(ranks.mean(axis=0) - 3.5).max() < 1.2, "every level is as often low as high"


@pytest.mark.parametrize("n_columns", [1, 99, 100, 101, 250])
def test_any_number_of_columns_fits(tiny: Tiny, n_columns: int) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        rng.normal(size=(30, n_columns)), columns=[f"x{i}" for i in range(n_columns)]
    )
    table = Table.from_frame(frame.assign(y=np.arange(30) % 2), "y")
    model = conditioned(tiny, table)
    assert [rows.shape for rows in model.encode_context()] == [(30, 100)] * 4
    shown = [set(view.shown) for view in model.views]
    assert {len(columns) for columns in shown} == {min(n_columns, 100)}
    if n_columns > 101:
        assert len(set.union(*shown)) > 150, "each view sees others"


@pytest.mark.parametrize(
    "values",
    [
        [1e308, -1e308, 1e300, 0.0] * 5,
        [1e-12, 2e-12, 3e-12, 5e-12] * 5,
        [0.0] * 19 + [1e6],
        [np.nan] * 18 + [1.0, 2.0],
        list(np.exp(np.arange(20) * 5.0)),
    ],
    ids=["huge", "tiny", "one far away", "nearly all missing", "exponential"],
)
def test_numbers_of_any_scale_stay_finite_and_are_seen(values: list[float]) -> None:
    rows = np.array(values)[:, None]
    for view in fit_views(rows, numeric(1), 2, 4, seed=0):
        shown = view.encode(np.vstack([rows, [[-1e308]], [[1e308]], [[np.nan]]]))
        assert np.isfinite(shown).all()
        assert shown[:20].std() > 0.1, "the column is not erased"


def test_levels_get_columns_of_their_own_where_they_are_few_and_fit() -> None:
    table = mixed(200)
    rows, columns = table.encode()[:, :3], table.feature_columns

    def n_columns(most: int, one_hot: bool) -> int:
        rng = np.random.default_rng(0)
        fitted = Numbering.fit(rows, columns, rng, most_columns=most, one_hot=one_hot)
        return len(fitted.encode(rows).T)

    assert n_columns(100, one_hot=True) == 1 + 3 + 1  # number, colours, city
    assert n_columns(100, one_hot=False) == 1 + 1 + 1
    assert n_columns(4, one_hot=True) == 1 + 1 + 1, "five columns do not fit into four"


def test_more_than_ten_classes_are_refused(tiny: Tiny) -> None:
    frame = pd.DataFrame({"x": np.arange(44.0), "y": np.arange(44) % 11})
    with pytest.raises(BackboneError, match="at most 10 classes, and the target 'y' has 11"):
        conditioned(tiny, Table.from_frame(frame, "y"))


def test_ten_classes_and_one_row_of_context_work(tiny: Tiny) -> None:
    ten = Table.from_frame(pd.DataFrame({"x": np.arange(20.0), "y": np.arange(20) % 10}), "y")
    assert conditioned(tiny, ten).predict_proba(ten.features).shape == (20, 10)
    one = conditioned(tiny, ten.take(np.array([3]))).predict_proba(ten.features)
    np.testing.assert_allclose(one, 1.0)


def test_many_rows_are_predicted_in_parts(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    table = mixed()
    model = conditioned(tiny, table)
    at_once = model.predict_proba(table.features)
    monkeypatch.setattr(in_parts, "MOST_QUERIES", 7)
    np.testing.assert_allclose(model.predict_proba(table.features), at_once, atol=1e-6)


def test_conditioning_twice_needs_the_weights_in_memory_once(tiny: Tiny) -> None:
    """They stay in the file until they are changed, and a change reaches no other model."""
    table = toy_tables()["mixed types"]
    one, other = conditioned(tiny, table), conditioned(tiny, table)
    before = other.network.state_dict()["encoder.weight"].clone()
    with torch.no_grad():
        for weight in one.network.parameters():
            weight.add_(1.0)
    assert torch.equal(other.network.state_dict()["encoder.weight"], before)
    fresh = conditioned(tiny, table).network.state_dict()["encoder.weight"]
    assert torch.equal(fresh, before), "the file is as it was"


@pytest.mark.parametrize("fault", ["cut short", "of another model", "no safetensors"])
def test_a_broken_file_is_one_error_that_says_the_way_out(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(TabPFNv1Network(8, 16, 1).state_dict(), path)
    if fault == "cut short":
        path.write_bytes(path.read_bytes()[:-100])
    elif fault == "of another model":
        save_file({"weight": torch.zeros(3)}, path)
    else:
        path.write_bytes(b"<html>not found</html>")
    with pytest.raises(CheckpointError, match=r"weights.safetensors cannot be used .*; remove it"):
        conditioned(Tiny(str(path)), mixed())


def test_memory_grows_with_rows_up_to_the_largest_episode() -> None:
    backbone, most = TabPFNv1(), MOST_VALUES // COLUMNS_SHOWN
    assert backbone.memory(most, 5, tuning=True) == backbone.memory(9 * most, 5, tuning=True)
    assert backbone.memory(most, 5, tuning=False) < backbone.memory(9 * most, 5, tuning=False)


def test_a_step_in_bfloat16_has_the_gradient_of_single_precision(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = mixed()

    def gradient(lower: bool) -> torch.Tensor:
        monkeypatch.setattr(training, "computes_in_bfloat16", lambda _: lower)
        model, rng = conditioned(tiny, table), np.random.default_rng(0)
        rows = encode_sets(model, RowSets(table))
        steps = training.Training(model, rows, table.task, Recipe(1, 1e-4), rng)
        assert steps.advance()
        assert {weight.dtype for weight in steps.weights} == {torch.float32}
        gradients = [weight.grad for weight in steps.weights if weight.grad is not None]
        return torch.cat([gradient.flatten() for gradient in gradients])

    lower, single = gradient(lower=True), gradient(lower=False)
    assert not torch.equal(lower, single)
    assert torch.cosine_similarity(lower, single, dim=0) > 0.99
    assert abs(lower.norm() / single.norm() - 1) < 0.02
