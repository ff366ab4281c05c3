"""CausalMix inside the real TabArena. Run by ``make benchmarks-test``, which installs it."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tabarena.benchmark.experiment import TabArenaV0pt1ExperimentBundle, YamlExperimentSerializer
from tabarena.contexts import AbstractArenaContext, TabArenaContext
from tabarena.models.utils import get_configs_generator_from_name, get_model_info_from_name
from tabarena.utils.config_utils import AGConfigGenerator, ConfigGenerator

from autogluon_causalmix import CausalMixModel
from autogluon_causalmix.arms import ARMS
from autogluon_causalmix.tabarena import BACKBONES, CONSTRAINTS, ArmGenerator, label, register
from benchmarks.study.tables import load
from benchmarks.tabarena.__main__ import parser, suite_jobs
from benchmarks.tabarena.board import finished, leaderboard, missing, place_of
from benchmarks.tabarena.entrants import bagged, entrants
from benchmarks.tabarena.tasks import Shape, collect, prepare

pytestmark = pytest.mark.filterwarnings("ignore")  # TabArena's own
SETTINGS: dict[str, Any] = {"folds": 2, "time_limit": 600.0, "num_cpus": 1}
BOTH = [(arm, backbone) for arm in ARMS for backbone in BACKBONES]


class FailsInAFold(CausalMixModel):
    """Raises where there are validation rows."""

    ag_key, ag_name = "FAILS-IN-A-FOLD", "FailsInAFold"

    def _fit(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("X_val") is not None:
            raise RuntimeError("planted in a fold")
        super()._fit(*args, **kwargs)


class FailsInTheRefit(CausalMixModel):
    """Raises where there are none."""

    ag_key, ag_name = "FAILS-IN-THE-REFIT", "FailsInTheRefit"

    def _fit(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("X_val") is None:
            raise RuntimeError("planted in the refit")
        super()._fit(*args, **kwargs)


@pytest.mark.parametrize(("arm", "backbone"), BOTH)
def test_every_arm_is_known_by_name_and_keeps_its_arm_and_backbone(arm: str, backbone: str) -> None:
    register()
    register()
    info = get_model_info_from_name(label(arm, backbone))
    assert info.method_metadata.display_name == label(arm, backbone)
    assert (info.prefetch_weights is None) == (backbone == "mini")
    first, *drawn = info.search_space.generate_all_configs_lst(2)
    assert len(drawn) == 2
    for config in (first, *drawn):
        own = {name: value for name, value in config.items() if name != "ag_args"}
        options = CausalMixModel.check(own)
        plain = CausalMixModel.check({**ARMS[arm], "backbone": backbone})
        assert (options.backbone, options.generator, options.finetune) == (
            plain.backbone, plain.generator, plain.finetune
        )  # fmt: skip
    assert CausalMixModel.check({k: v for k, v in first.items() if k != "ag_args"}) == plain


def test_more_configurations_than_there_are_is_one_clear_error() -> None:
    assert len(ArmGenerator("CausalMix", "mini").get_searcher_configs(200)) == 200
    with pytest.raises(ValueError, match="'zero-shot' has less than 200 random configurations"):
        ArmGenerator("zero-shot", "mini").get_searcher_configs(200)


def test_results_of_two_arms_never_share_a_folder() -> None:
    """TabArena caches results by the experiment's name, and by default names all arms alike."""
    names = {bagged(ArmGenerator(*both), **SETTINGS).name for both in BOTH}
    assert len(names) == len(BOTH)
    plain = {
        bagged(AGConfigGenerator(CausalMixModel, manual_configs=[ARMS[arm]]), **SETTINGS).name
        for arm in ARMS
    }
    assert len(plain) == 1, "else ArmGenerator has become needless"


def test_an_experiment_survives_yaml(tmp_path: Path) -> None:
    register()
    bundle = TabArenaV0pt1ExperimentBundle(
        models=[(label("bootstrap", "mini"), 1)],
        custom_model_constraints={"CAUSALMIX": CONSTRAINTS},
    )
    before = bundle.build_experiments()
    path = tmp_path / "experiments.yaml"
    YamlExperimentSerializer.to_yaml(experiments=before, path=str(path))
    after = YamlExperimentSerializer.from_yaml(path=str(path))
    assert [one.name for one in after] == [one.name for one in before]
    assert all(one.method_kwargs["model_cls"] is CausalMixModel for one in after)


@pytest.mark.parametrize("suite", ["lite", "full"])
def test_the_published_suite_is_the_recorded_list_of_tasks(suite: str) -> None:
    with (Path(__file__).parent / "data" / "tabarena_tasks.csv").open(encoding="utf-8") as file:
        recorded = {row["dataset"]: int(row["splits"]) for row in csv.DictReader(file)}
    known = entrants(["CausalMix"], ["mini"], [], **SETTINGS)
    jobs = suite_jobs(suite, known, TabArenaContext(methods=[]))
    counted = pd.Series([job.task.dataset for job in jobs]).value_counts().to_dict()
    assert counted == (dict.fromkeys(recorded, 1) if suite == "lite" else recorded)


def test_a_sampled_table_has_every_class_in_every_fold() -> None:
    (table,) = load(None, ["digits"])
    shape = Shape(splits=3, folds=4, rows=150)
    made = prepare(table, shape)
    assert made.labels.value_counts().min() >= shape.splits * shape.folds
    assert len(made.rows) <= 150


@pytest.mark.slow
def test_a_leaderboard_names_its_arms_and_a_rerun_fits_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.tabarena.__main__ import own_tables

    given = parser().parse_args(
        f"--tables iris --rows 60 --splits 2 --folds 2 --no-plot --out {tmp_path}".split()
    )
    known = entrants(["zero-shot"], ["mini"], ["Linear"], **SETTINGS)
    own_tables(given, known)
    first = capsys.readouterr().out
    assert label("zero-shot", "mini") in first.splitlines()[-1] + first.splitlines()[-2]
    single = pd.read_csv(tmp_path / "board" / "results.csv")
    assert len(single) == 4
    assert (single["metric_error"] < 0.7).all(), "far below the loss of a guess, log(3)"
    told = pd.read_csv(tmp_path / "board" / "verdicts.csv")
    assert set(told["entrant"]) == {label("zero-shot", "mini")}
    assert list(told["kept"]) == ["pretrained", "pretrained"]
    assert list(told["folds"]) == [2, 2]
    assert list(told["folds_with_synthetic_rows"]) == [0, 0]
    assert not told["cut"].any()

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a finished job was fitted again")

    monkeypatch.setattr(CausalMixModel, "_fit", refuse)
    own_tables(given, known)
    assert capsys.readouterr().out.splitlines()[-2:] == first.splitlines()[-2:]


@pytest.mark.slow
@pytest.mark.parametrize("broken", [FailsInAFold, FailsInTheRefit])
def test_a_failure_is_missing_and_said_and_the_others_are_compared(
    broken: type[CausalMixModel], tmp_path: Path
) -> None:
    quick = {"backbone": "mini", "finetune": False}
    made = {
        name: bagged(ConfigGenerator({}, cls, manual_configs=[{**quick, **own}]), **SETTINGS)
        for name, cls, own in (
            ("one view", CausalMixModel, {"n_estimators": 1}),
            ("broken", broken, {}),
        )
    }
    made["linear"] = bagged(get_configs_generator_from_name("Linear"), **SETTINGS)
    shape = Shape(2, 2, 60)
    tables = [prepare(table, shape) for table in load(None, ["iris"])]
    tasks, collection = collect(tables, shape, tmp_path / "tasks")
    context = AbstractArenaContext(task_metadata=collection, methods=[])
    jobs = {name: context.build_jobs([experiment]) for name, experiment in made.items()}
    results = {
        name: context.run_jobs(
            own, expname=tmp_path / "fits", register=False, user_tasks=tasks, debug_mode=True,
            raise_on_failure=False,
        )
        for name, own in jobs.items()
    }  # fmt: skip
    (table,) = {job.task.dataset for job in jobs["linear"]}
    assert missing(results, jobs) == {"broken": [(table, 0), (table, 1)]}
    board = leaderboard(results, collection, tmp_path / "board", plot=False)
    assert board is not None
    assert set(board["method"]) == {"one view (default)", "linear (default)"}
    one, other = (
        {
            name: [row for row in own if place_of(row) == (table, split)]
            for name, own in results.items()
        }
        for split in range(2)
    )
    leaderboard(one, collection, tmp_path / "elsewhere", plot=False)
    beside = pd.read_csv(tmp_path / "elsewhere" / "results.csv")
    joined = leaderboard(other, collection, tmp_path / "joined", False, [beside])
    assert joined is not None
    pd.testing.assert_frame_equal(joined, board)
    with pytest.raises(ValueError, match="has two results on split 0 of"):
        leaderboard(one, collection, tmp_path / "twice", False, [beside])
    results["linear"].pop()
    assert len(finished(results)) == 1, "only the split that both have is compared"
    assert leaderboard({"linear": results["linear"]}, collection, tmp_path, plot=False) is None
