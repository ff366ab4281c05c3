"""The ensemble: pooled predictions, and members that are fine-tuned and judged by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from autogluon.tabular import TabularPredictor

from autogluon_causalmix import CausalMixModel, FitReport
from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.ensemble import Ensemble
from autogluon_causalmix.backbones.ensemble_context import EnsembleContext, pool
from autogluon_causalmix.backbones.protocol import InContextModel
from autogluon_causalmix.backbones.tabpfn import Mini
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.errors import ConfigError, UnknownPlugin
from autogluon_causalmix.method import Fitted, fit
from autogluon_causalmix.report.page import write_page
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.task import Classification
from autogluon_causalmix.testing import check_backbone, toy_tables

MEMBERS = [{"name": "mini"}, {"name": "test_ensemble:Reversed"}]
WILD = [{"name": "mini"}, {"name": "test_ensemble:Reversed", "learning_rate": 1e3}]


@dataclass(frozen=True)
class Reversed:
    """`mini` with other views, and with its classes in the opposite order."""

    learning_rate: float = 3e-4

    def condition(self, table: Table, *, n_estimators: int, device: str, seed: int) -> Any:
        inner = Mini().condition(table, n_estimators=n_estimators, device=device, seed=seed + 1)
        inner.facts = inner.facts.model_copy(update={"name": "reversed"})
        return ReversedModel(inner, self.learning_rate)

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        return Mini().memory(rows, columns, tuning=tuning)


class ReversedModel:
    def __init__(self, inner: InContextModel, learning_rate: float) -> None:
        self.inner, self.learning_rate = inner, learning_rate
        self.facts, self.notes = inner.facts, ("its classes are reversed",)
        self.classes = inner.classes[::-1]

    @property
    def network(self) -> torch.nn.Module:
        return self.inner.network

    @property
    def device(self) -> str:
        return self.inner.device

    def to(self, device: str) -> None:
        self.inner.to(device)

    def encode(self, features: pd.DataFrame) -> Sequence[torch.Tensor]:
        return self.inner.encode(features)

    def encode_context(self) -> Sequence[torch.Tensor]:
        return self.inner.encode_context()

    def logits(
        self, view: int, context: torch.Tensor, labels: torch.Tensor, query: torch.Tensor
    ) -> torch.Tensor:
        return self.inner.logits(view, context, len(self.classes) - 1 - labels, query).flip(-1)

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        return self.inner.probabilities(logits.flip(-1)).flip(-1)

    def predict_proba(self, features: pd.DataFrame) -> Matrix:
        return self.inner.predict_proba(features)[:, ::-1].copy()


def ensemble(members: Sequence[dict[str, Any]] = MEMBERS) -> Ensemble:
    return Ensemble(tuple(members))


def conditioned(table: Table) -> EnsembleContext:
    return ensemble().condition(table, n_estimators=2, device="cpu", seed=0)


def noisy(rows: int = 60) -> Table:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, 2)), columns=["cause", "noise"])
    sign = frame["cause"] + 0.5 * rng.normal(size=rows) > 0
    return Table.from_frame(frame.assign(y=np.where(sign, "b", "a")), "y")


def fitted(table: Table, validation: Table | None = None, **options: Any) -> Fitted:
    given = {
        "backbone": {"name": "ensemble", "backbones": MEMBERS},
        "generator": None,
        "finetune_steps": 2,
        "n_estimators": 1,
    }
    return fit(table, validation, Hyperparameters.parse(given | options), Resources(120))


@pytest.mark.slow
def test_it_keeps_the_contract_of_backbones() -> None:
    tables = toy_tables()
    check_backbone(ensemble(), {name: tables[name] for name in ("mixed types", "missing values")})


def test_probabilities_are_the_geometric_mean_whatever_the_order_of_classes() -> None:
    table = toy_tables()["mixed types"]
    model = conditioned(table)
    first, other = (member.predict_proba(table.features) for member in model.members)
    assert (model.members[1].classes == model.classes[::-1]).all()
    product = np.sqrt(first * other[:, ::-1])
    wanted = product / product.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(table.features), wanted, atol=1e-6)
    assert model.notes == ("reversed: its classes are reversed",)
    assert model.facts.parameters == 2 * model.members[0].facts.parameters


def test_members_together_lose_at_most_the_weighted_mean_of_their_losses() -> None:
    """By Hölder's inequality, row by row."""
    rng = np.random.default_rng(0)
    parts = rng.dirichlet(np.full(4, 0.3), size=(2, 5000)).clip(1e-9)
    parts /= parts.sum(axis=2, keepdims=True)
    labels = rng.integers(4, size=5000)
    task = Classification()
    before, after = (task.row_losses(part, labels) for part in parts)
    for share in (0.1, 0.5, 0.9):
        pooled = pool(torch.from_numpy(parts), (1 - share, share)).numpy()
        losses = task.row_losses(pooled, labels)
        assert (losses <= (1 - share) * before + share * after + 1e-9).all()


def test_a_member_that_is_sure_has_no_veto() -> None:
    table = toy_tables()["mixed types"]
    model = conditioned(table)
    certain = np.tile([1.0, 0.0], (len(table), 1))
    sure: Any = model.members[0]
    sure.predict_proba = lambda _: certain
    predicted = model.predict_proba(table.features)
    assert np.isfinite(predicted).all()
    assert (predicted[:, 0] < 1).all()


def test_steps_of_a_member_reach_its_network_alone() -> None:
    table = noisy()
    result = fitted(table, early_stopping=False, member_steps=(2, 2), member_shares=(1.0, 0.0))
    fresh = conditioned(table)
    tuned, untouched = (
        any(
            not torch.equal(before, after)
            for before, after in zip(
                old.network.state_dict().values(), new.network.state_dict().values(), strict=True
            )
        )
        for old, new in zip(fresh.members, result.model.members, strict=True)  # type: ignore[attr-defined]
    )
    assert tuned
    assert not untouched
    assert [member.kept_step for member in result.report.members] == [2, 0]
    assert [member.kept for member in result.report.members] == ["fine-tuned", "pretrained"]
    assert result.report.kept_step == 2


def test_each_member_has_its_own_verdict_and_the_scores_are_those_of_the_ensemble() -> None:
    table, validation = noisy().take(np.arange(40)), noisy().take(np.arange(40, 60))
    backbone = {"name": "ensemble", "backbones": WILD}
    result = fitted(table, validation, backbone=backbone)
    report = result.report
    first, wild = report.members
    assert wild.kept == "pretrained"  # a rate of 1,000 destroys any network
    assert first.learning_rate < 1 < wild.learning_rate
    assert len(first.curve) == len(wild.curve) == 3
    assert all(f"{each.backbone.name} {each.kept}, " in report.reason for each in report.members)
    predicted = result.model.predict_proba(validation.features)
    codes = pd.Index(result.model.classes).get_indexer(pd.Index(validation.labels))
    scores = table.task.scores(predicted, np.asarray(codes, dtype="int64"))
    assert report.tuned is not None
    assert report.tuned.log_loss == pytest.approx(scores.log_loss, abs=1e-5)
    zero_shot = fitted(table, validation, backbone=backbone, finetune=False).report
    assert report.pretrained == zero_shot.pretrained


def test_the_page_shows_the_run_of_every_member(tmp_path: Path) -> None:
    report = fitted(noisy()).report
    write_page(tmp_path / "page.html", {"CausalMix": report}, title="two")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for member in report.members:
        assert f"Log-loss by step of {member.backbone.name}." in page
        assert f"{member.backbone.name}: the weights of step {member.kept_step} are used." in page


@pytest.mark.parametrize(
    ("members", "said"),
    [(MEMBERS[:1], "at least 2 backbones, got .*mini"), ([], "at least 2 backbones")],
)
def test_an_ensemble_of_one_is_refused(members: list[Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        CausalMixModel.check({"backbone": {"name": "ensemble", "backbones": members}})


def test_an_unknown_member_is_refused_before_any_work() -> None:
    with pytest.raises(UnknownPlugin, match="no backbone 'maxi'"):
        CausalMixModel.check({"backbone": {"name": "ensemble", "backbones": ["mini", "maxi"]}})


def test_steps_for_other_members_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"member_steps has 3 numbers, and .* is 2 network"):
        fitted(noisy(), member_steps=(1, 2, 3))


@pytest.mark.slow
def test_a_refit_takes_the_steps_that_the_folds_found_for_each_member(tmp_path: Path) -> None:
    frame = noisy(80).frame
    options = {
        "backbone": {"name": "ensemble", "backbones": WILD},
        "generator": None,
        "finetune_steps": 2,
        "n_estimators": 1,
    }
    predictor = TabularPredictor("y", path=str(tmp_path), verbosity=0).fit(
        frame,
        hyperparameters={CausalMixModel: options},
        num_bag_folds=2,
        raise_on_model_failure=True,
    )
    (path,) = Path(predictor.path).rglob("S1F1/fit_report.json")
    report = FitReport.read(path)
    assert report.options["early_stopping"] is False
    steps: Any = report.options["member_steps"]
    shares: Any = report.options["member_shares"]
    assert [member.share for member in report.members] == pytest.approx(list(shares))
    assert report.members[0].kept_step == (steps[0] if shares[0] else 0)
    assert shares[1] == 0  # no fold kept what a rate of 1,000 made
    loaded = TabularPredictor.load(str(tmp_path)).predict_proba(frame)
    pd.testing.assert_frame_equal(loaded, predictor.predict_proba(frame))
