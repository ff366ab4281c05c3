"""Where a refit finds the reports of the fits before it, in the folders that AutoGluon makes."""

from pathlib import Path

import pytest

from autogluon_causalmix.errors import CheckpointError
from autogluon_causalmix.records import BackboneFacts, FitReport, GeneratorFacts, RowCounts
from autogluon_causalmix.refit import REPORT_FILE, verdict_of, verdicts_before


def put(folder: Path, step: int) -> FitReport:
    """Write a report that its number of steps tells apart."""
    folder.mkdir(parents=True, exist_ok=True)
    backbone = BackboneFacts(name="mini", weights="", sha256="", license="", parameters=1)
    made = FitReport(
        versions={},
        seed=0,
        device="cpu",
        backbone=backbone,
        generator=GeneratorFacts(
            name="scm", distribution="", version="", options={}, description={}
        ),
        rows=RowCounts(real=30, validation=10, synthetic=60),
        options={},
        seconds={},
        curve=[],
        pretrained=None,
        tuned=None,
        kept="fine-tuned",
        kept_step=step,
        reason=f"reason {step}",
        marginals=[],
        notes=[f"note {step}"],
    )
    made.write(folder / REPORT_FILE)
    return made


def test_a_refit_within_its_bag_finds_the_folds_in_their_order(tmp_path: Path) -> None:
    bag = tmp_path / "models" / "CausalMix_BAG_L1"
    for fold in range(1, 11):
        put(bag / f"S1F{fold}", step=fold)
    put(tmp_path / "models" / "CausalMix_2_BAG_L1" / "S1F1", step=99)
    found = verdicts_before(bag / "S1F1")
    assert [verdict.fold for verdict in found] == [f"S1F{fold}" for fold in range(1, 11)]
    assert [verdict.kept_step for verdict in found] == list(range(1, 11))


def test_refit_full_finds_the_folds_of_the_bag_that_it_was_called_on(tmp_path: Path) -> None:
    put(tmp_path / "CausalMix_BAG_L1" / "S1F1", step=4)
    put(tmp_path / "CausalMix_BAG_L1" / "S1F2", step=6)
    found = verdicts_before(tmp_path / "CausalMix_BAG_L1_FULL" / "S1F1")
    assert [verdict.kept_step for verdict in found] == [4, 6]


def test_refit_full_finds_the_model_that_was_held_out_for(tmp_path: Path) -> None:
    one = put(tmp_path / "CausalMix", step=5)
    put(tmp_path / "CausalMix_2", step=7)
    (found,) = verdicts_before(tmp_path / "CausalMix_FULL")
    assert found == verdict_of(one, "CausalMix")
    assert (found.generator, found.reason, found.notes) == ("scm", "reason 5", ["note 5"])


def test_a_fit_that_nothing_went_before_finds_nothing(tmp_path: Path) -> None:
    put(tmp_path / "CausalMix", step=5)
    assert verdicts_before(tmp_path / "CausalMix") == []


def test_a_damaged_report_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "S1F1", step=1)
    (tmp_path / "S1F1" / REPORT_FILE).write_text("{")
    with pytest.raises(CheckpointError, match="is not a fit report"):
        verdicts_before(tmp_path / "S1F1")
