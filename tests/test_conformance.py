"""The checks for authors of discoverers and backbones: what is registered passes, faults do not."""

import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from autogluon_causalmix import testing
from autogluon_causalmix.backbones.tabpfn import Mini
from autogluon_causalmix.backbones.tabpfn_context import TabPFNContext
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.discovery.beliefs import EdgeBeliefs
from autogluon_causalmix.discovery.controls import TargetStar
from autogluon_causalmix.discovery.knowledge import Constraints
from autogluon_causalmix.discovery.protocol import Discoverer
from autogluon_causalmix.errors import BackboneError, CheckpointError, DiscovererError
from autogluon_causalmix.generation import augment
from autogluon_causalmix.method import fit
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import check_backbone, check_discoverer, toy_tables
from autogluon_causalmix.testing.backbones import class_tables
from autogluon_causalmix.testing.memory import memory_used

# --- discoverers


@pytest.mark.parametrize("name", plugin_registry().of(Discoverer).names)
def test_every_registered_discoverer_passes(name: str) -> None:
    entry = plugin_registry().of(Discoverer).get(name)
    quick = {"bootstraps": 2} if "bootstraps" in entry.options() else {}
    tables = {key: toy_tables()[key] for key in ("mixed types", "constant columns", "two rows")}
    check_discoverer(entry.create(quick), tables)


@dataclass(frozen=True)
class Faulty:
    """A star around the target, with one fault."""

    fault: Callable[[Table, EdgeBeliefs], EdgeBeliefs]

    def discover(
        self, table: Table, constraints: Constraints, rng: np.random.Generator, resources: Resources
    ) -> EdgeBeliefs:
        return self.fault(table, TargetStar().discover(table, constraints, rng, resources))


def half_an_edge(table: Table, found: EdgeBeliefs) -> EdgeBeliefs:
    return replace(found, graphs=found.graphs / 2)


def from_python(table: Table, found: EdgeBeliefs) -> EdgeBeliefs:
    random.random()
    return found


def another_each_time(table: Table, found: EdgeBeliefs) -> EdgeBeliefs:
    n_graphs = time.perf_counter_ns() % 1000 + 1
    return replace(found, graphs=np.repeat(found.graphs, n_graphs, axis=0))


def raises(table: Table, found: EdgeBeliefs) -> EdgeBeliefs:
    raise KeyError("planted")


def never_ends(table: Table, found: EdgeBeliefs) -> EdgeBeliefs:
    while len(table) > 100:
        time.sleep(0.01)
    return found


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (half_an_edge, "'mixed types': the discoverer of .* neither 1"),
        (from_python, r"it moved the global random state of \['random'\]"),
        (another_each_time, "run twice with an equal rng, it found other edges"),
        (raises, "Faulty.discover .* raised KeyError: 'planted'"),
        (lambda table, found: found, "Faulty cannot be pickled"),
        (never_ends, "Faulty with 0.1 s: still searching after 0.5 s"),
    ],
)
def test_a_faulty_discoverer_is_caught_and_the_fault_named(
    fault: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing.discoverers, "SHORT", 0.1)
    monkeypatch.setattr(testing.discoverers, "GRACE", 0.5)
    with pytest.raises(AssertionError, match=said):
        check_discoverer(Faulty(fault))


def test_a_bad_discoverer_inside_the_scm_generator_is_named_in_a_typed_error() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=60), "y": rng.choice(["a", "b"], 60)})
    path = f"{__name__}:Nonsense"
    with pytest.raises(DiscovererError, match=f"{__name__}:Nonsense'.* returned list"):
        augment(frame, "y", 5, generator={"name": "scm", "discoverer": path})


class Nonsense:
    """Returns a list where beliefs are asked for."""

    def discover(self, *_: object) -> Any:
        return [1, 2, 3]


# --- backbones


@pytest.mark.slow
def test_mini_passes_on_all_toy_tables() -> None:
    check_backbone(Mini())


@dataclass(frozen=True)
class FaultyBackbone:
    """`Mini`, with one fault in the model it returns."""

    fault: Callable[[TabPFNContext, Table], Any] = lambda model, table: model

    def condition(self, table: Table, *, n_estimators: int, device: str, seed: int) -> Any:
        model = Mini().condition(table, n_estimators=n_estimators, device=device, seed=seed)
        return self.fault(model, table)

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        return Mini().memory(rows, columns, tuning=tuning)


class Wrapped(TabPFNContext):
    """A conditioned `mini` whose predictions can be bent."""

    bend: Callable[[np.ndarray, pd.DataFrame], np.ndarray]

    def predict_proba(self, features: pd.DataFrame) -> Any:
        return self.bend(super().predict_proba(features), features)


def bent(how: Callable[[Any, pd.DataFrame], Any]) -> Callable[[TabPFNContext, Table], Any]:
    def fault(model: TabPFNContext, table: Table) -> Wrapped:
        other = Wrapped.__new__(Wrapped)
        other.__dict__ = {**model.__dict__, "bend": how}
        return other

    return fault


def without_classes(model: TabPFNContext, table: Table) -> Any:
    model.classes = model.classes[:1]
    return model


def in_the_order_of_the_index(predicted: Any, features: pd.DataFrame) -> Any:
    return predicted[np.argsort(features.index)]


CALLS = itertools.count()


def another_last_bit(predicted: Any, features: pd.DataFrame) -> Any:
    return predicted * (1 + 1e-12 * next(CALLS))


def missing_spreads(predicted: Any, features: pd.DataFrame) -> Any:
    return predicted * np.where(features.isna().all(axis=1), np.nan, 1)[:, None]


def unseen_is_a_sign(predicted: Any, features: pd.DataFrame) -> Any:
    return predicted[:, ::-1] if features["colour"].eq("never seen").any() else predicted


class Detached(TabPFNContext):
    """Computes logits without gradients."""

    def logits(self, *arguments: Any) -> torch.Tensor:
        return super().logits(*arguments).detach()


class Wild(TabPFNContext):
    """Has an unused branch whose gradient is infinite: ``torch.where`` multiplies it by zero."""

    def logits(self, *arguments: Any) -> torch.Tensor:
        out = super().logits(*arguments)
        return torch.where(out.abs() < 1e9, out, (out - out).sqrt())


class Noisy(TabPFNContext):
    """Draws from torch's global generator while it is tuned, as dropout does."""

    def logits(self, *arguments: Any) -> torch.Tensor:
        out = super().logits(*arguments)
        return out * (1 + 1e-6 * torch.rand(())) if torch.is_grad_enabled() else out


class Filling(TabPFNContext):
    """Fills the gaps in the caller's own rows."""

    def predict_proba(self, features: pd.DataFrame) -> Any:
        predicted = super().predict_proba(features)
        features["number"] = 0.0
        return predicted


class Moved(TabPFNContext):
    """Forgets its views when it is moved."""

    def to(self, device: str) -> None:
        self.moved = True

    def predict_proba(self, features: pd.DataFrame) -> Any:
        predicted = super().predict_proba(features)
        return predicted[:, ::-1] if hasattr(self, "moved") else predicted


class Elsewhere(TabPFNContext):
    """Says that it is on another device than the one it was moved to."""

    def to(self, device: str) -> None:
        self.moved = True

    @property
    def device(self) -> str:
        return "cuda" if hasattr(self, "moved") else "cpu"


def of(kind: type[TabPFNContext]) -> Callable[[TabPFNContext, Table], Any]:
    def fault(model: TabPFNContext, table: Table) -> TabPFNContext:
        other = kind.__new__(kind)
        other.__dict__ = model.__dict__
        return other

    return fault


def frozen(model: TabPFNContext, table: Table) -> Any:
    model.network.requires_grad_(False)
    return model


def spare_weight(model: TabPFNContext, table: Table) -> Any:
    model.network.register_parameter("spare", torch.nn.Parameter(torch.ones(2)))
    return model


CLASSIFIERS: dict[int, Any] = {}


def one_for_all(model: TabPFNContext, table: Table) -> Any:
    model.classifier = CLASSIFIERS.setdefault(len(table), model.classifier)
    return model


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda model, table: [model], "returned list, which lacks"),
        (without_classes, "returned a model of the classes"),
        (bent(lambda p, _: p[:, :1]), r"has shape \(60, 1\), not \(60, 2\)"),
        (bent(lambda p, _: p * 2), "rows that are no probabilities"),
        (bent(lambda p, f: p if len(f) > 1 else p[:, ::-1]), "otherwise alone than among others"),
        (bent(lambda p, _: p[:, ::-1]), "its views and logits give other predictions"),
        (bent(in_the_order_of_the_index), "in another order its rows are predicted otherwise"),
        (bent(another_last_bit), "conditioned twice with an equal seed, it predicts otherwise"),
        (bent(missing_spreads), "where all cells are missing: .* no probabilities"),
        (bent(unseen_is_a_sign), "categories are not those of the table: it predicts otherwise"),
        (bent(lambda p, _: p), "Wrapped cannot be pickled"),
        (of(Moved), r'after to\("cpu"\) it predicts otherwise'),
        (of(Elsewhere), r'after to\("cpu"\) its device is \'cuda\''),
        (frozen, "its network has no weight to fine-tune"),
        (of(Detached), "its logits do not depend on the weights"),
        (of(Noisy), r"it moved the global random state of \['torch'\]"),
        (of(Filling), "predict_proba modified the rows it was given; work on a copy"),
        (of(Wild), r"the gradients of \['.* are not finite"),
        (one_for_all, "fine-tuning one model changed another"),
    ],
)
def test_a_faulty_backbone_is_caught_and_the_fault_named(fault: Any, said: str) -> None:
    tables = {"mixed types": toy_tables()["mixed types"]}
    with pytest.raises(
        AssertionError, match=f"FaultyBackbone on the table 'mixed types': .*{said}"
    ):
        check_backbone(FaultyBackbone(fault), tables)


def test_a_weight_that_no_logit_uses_is_named() -> None:
    said = r"FaultyBackbone, the network: the gradients of \['spare'\] are zero on all tables"
    with pytest.raises(AssertionError, match=said):
        check_backbone(FaultyBackbone(spare_weight), {"mixed types": toy_tables()["mixed types"]})


class Modest(Mini):
    """Says that it needs a thousandth of what it takes."""

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        return super().memory(rows, columns, tuning=tuning) / 1000


def test_an_estimate_of_memory_far_below_what_a_step_takes_is_refused() -> None:
    said = r"Modest\.memory: a step on 400 rows of ten columns took \d+ MB; it says 0"
    with pytest.raises(AssertionError, match=said):
        check_backbone(Modest(), {"mixed types": toy_tables()["mixed types"]})


def holding(predicted: Any, features: pd.DataFrame) -> Any:
    """Take 300 MB to predict more than a few rows."""
    if len(features) > 30:
        np.ones(300_000_000, dtype="int8").sum()
    return predicted


class Hungry(Mini):
    """Takes more memory than it needs."""

    def condition(self, table: Table, **options: Any) -> Any:
        return bent(holding)(super().condition(table, **options), table)


def test_the_memory_of_a_prediction_is_measured() -> None:
    assert memory_used(Hungry(), 100, 3)[0] == pytest.approx(300e6, rel=0.1)


def two_features(model: TabPFNContext, table: Table) -> Any:
    assert len(table.feature_columns) > 1, "planted"
    return model


def nine_classes(model: TabPFNContext, table: Table) -> Any:
    assert len(table.classes) < 10, "planted"
    return model


def all_levels(model: TabPFNContext, table: Table) -> Any:
    model.classes = np.asarray(table.levels, dtype=object)
    return model


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (two_features, "'one feature': .* raised AssertionError: planted"),
        (nine_classes, "'ten classes': .* raised AssertionError: planted"),
        (all_levels, "'a class without rows': .* returned a model of the classes"),
    ],
)
def test_a_table_that_a_backbone_cannot_take_is_named(fault: Any, said: str) -> None:
    with pytest.raises(AssertionError, match=f"FaultyBackbone on the table {said}"):
        check_backbone(FaultyBackbone(fault), class_tables())


def test_a_bad_backbone_is_named_in_a_typed_error() -> None:
    table = toy_tables()["mixed types"]
    options = Hyperparameters.parse({"backbone": f"{__name__}:Hollow", "generator": None})
    with pytest.raises(BackboneError, match=f"Hollow.condition .*{__name__}.* lacks .*'logits'"):
        fit(table, None, options, Resources(60))


def test_what_a_backbone_raises_becomes_one_error_unless_it_is_about_its_weights() -> None:
    table = toy_tables()["mixed types"]
    for name, error in (
        ("Broken", BackboneError),
        ("Leaving", BackboneError),
        ("Lost", CheckpointError),
    ):
        options = Hyperparameters.parse({"backbone": f"{__name__}:{name}", "generator": None})
        with pytest.raises(error, match="planted"):
            fit(table, None, options, Resources(60))


class Hollow:
    """Returns a model that can do nothing."""

    def condition(self, table: Table, **_: object) -> Any:
        return object()

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        return 1.0


class Broken(Hollow):
    """Raises an error that no protocol allows."""

    def condition(self, table: Table, **_: object) -> Any:
        raise KeyError("planted")


class Leaving(Hollow):
    """Ends the program, as scripts do."""

    def condition(self, table: Table, **_: object) -> Any:
        raise SystemExit("planted")


class Lost(Hollow):
    """Has lost its weights."""

    def condition(self, table: Table, **_: object) -> Any:
        raise CheckpointError("planted")
