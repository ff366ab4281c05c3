"""`CausalMixModel` inside AutoGluon: every row of the contract that AutoGluon asks of a model."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from autogluon.core.utils.exceptions import NotEnoughMemoryError
from autogluon.tabular import TabularPredictor

from autogluon_causalmix import CausalMixModel, FitReport, register
from autogluon_causalmix.errors import TableError
from autogluon_causalmix.model import _memory_errors

QUICK: dict[str, Any] = {
    "backbone": "mini",
    "generator": "bootstrap",
    "finetune_steps": 2,
    "n_estimators": 1,
}


def awkward(rows: int, classes: int = 2, seed: int = 0) -> pd.DataFrame:
    """Return a table with every kind of column that AutoGluon hands on, and some it does not."""
    rng = np.random.default_rng(seed)
    number = rng.normal(size=rows)
    frame = pd.DataFrame(
        {
            "number": np.where(rng.random(rows) < 0.2, np.nan, number),
            "category": pd.Categorical(
                np.array(["a", "b", None], dtype=object)[rng.integers(3, size=rows)]
            ),
            "text": rng.choice(["red", "green"], rows),
            "flag": rng.random(rows) < 0.5,
            "day": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.integers(0, 900, rows), unit="D"),
            "constant": 1,
            "empty": np.nan,
            "whole": rng.integers(0, 5, rows),
            "weight": rng.uniform(0.5, 2, rows),
        }
    )
    labels = [f"class {i}" for i in range(classes)]
    return frame.assign(label=np.array(labels)[pd.qcut(number, classes, labels=False)])


def fitted(
    frame: pd.DataFrame, path: Path, hyperparameters: dict[Any, Any], **kwargs: Any
) -> TabularPredictor:
    """Fit a predictor that fails loudly."""
    predictor_options = {name: kwargs.pop(name) for name in ("sample_weight",) if name in kwargs}
    predictor = TabularPredictor("label", path=str(path), verbosity=1, **predictor_options)
    return predictor.fit(
        frame, hyperparameters=hyperparameters, raise_on_model_failure=True, **kwargs
    )


def reports(predictor: TabularPredictor) -> list[FitReport]:
    return [FitReport.read(path) for path in sorted(Path(predictor.path).rglob("fit_report.json"))]


@pytest.mark.slow
@pytest.mark.filterwarnings("error:Mutating a model")
def test_fit_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autogluon.tabular.testing import FitHelper

    monkeypatch.chdir(tmp_path)
    FitHelper.verify_model(
        model_cls=CausalMixModel,
        model_hyperparameters=QUICK,
        bag="first",
        refit_full="first",
        verify_load_wo_cuda=True,
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_awkward_columns_fit_and_predict(classes: int, tmp_path: Path) -> None:
    frame = awkward(60, classes)
    predictor = fitted(frame, tmp_path, {CausalMixModel: QUICK})
    probabilities = predictor.predict_proba(awkward(20, classes, seed=1))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert set(predictor.predict(frame)) <= set(frame["label"])
    one_by_one = pd.concat([predictor.predict_proba(frame.iloc[[row]]) for row in range(5)])
    np.testing.assert_allclose(one_by_one, predictor.predict_proba(frame.iloc[:5]), atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_classes_of_a_backbone_in_another_order_predict_the_same(
    classes: int, tmp_path: Path
) -> None:
    frame = awkward(60, classes)
    predicted = []
    for name in ("mini", "test_in_context:Mirror"):
        options = {**QUICK, "backbone": name, "finetune": False, "generator": None}
        predictor = fitted(frame, tmp_path / name[:4], {CausalMixModel: options})
        predicted.append(predictor.predict_proba(awkward(20, classes, seed=1)))
    pd.testing.assert_frame_equal(*predicted)


def test_the_string_key_and_the_class_are_the_same_model(tmp_path: Path) -> None:
    frame = awkward(40)
    by_class = fitted(frame, tmp_path / "class", {CausalMixModel: QUICK})
    by_string = fitted(frame, tmp_path / "string", {"CAUSALMIX": QUICK})
    pd.testing.assert_frame_equal(by_class.predict_proba(frame), by_string.predict_proba(frame))


@pytest.mark.parametrize(
    "imports",
    [
        "import autogluon_causalmix; from autogluon.tabular import TabularPredictor",
        "from autogluon.tabular import TabularPredictor; import autogluon_causalmix",
        "import autogluon_causalmix; import autogluon.tabular.registry",
        "from autogluon_causalmix import CausalMixModel",
        "from autogluon_causalmix import report_of",
        # as a saved predictor, a spawned process and a worker of ray meet the class
        "import pickle; pickle.loads(b'cautogluon_causalmix.model\\nCausalMixModel\\n.')",
    ],
    ids=["before", "after", "the registry alone", "the class", "a later room", "unpickled"],
)
def test_the_string_key_is_known_in_every_order_of_imports(imports: str) -> None:
    lookup = (
        "from autogluon.tabular.registry import ag_model_registry as registry; "
        "assert registry.key_to_cls('CAUSALMIX').__name__ == 'CausalMixModel'"
    )
    subprocess.run([sys.executable, "-c", f"{imports}; {lookup}"], check=True, timeout=120)


def test_registering_twice_does_nothing() -> None:
    register()
    register()


def test_the_report_is_on_disk_and_in_the_info(tmp_path: Path) -> None:
    predictor = fitted(awkward(60), tmp_path, {CausalMixModel: QUICK})
    (report,) = reports(predictor)
    info = predictor.info()["model_info"]["CausalMix"]["fit_report"]
    assert info == json.loads(report.model_dump_json())
    assert report.generator is not None
    assert report.generator.name == "bootstrap"
    assert report.backbone.name == "mini"
    assert len(report.backbone.sha256) == 64
    assert report.rows.synthetic == 2 * report.rows.real
    assert report.pretrained is not None
    assert report.curve[0].step == 0
    assert {"backbone", "generator", "fine-tuning"} <= set(report.seconds)


def test_no_generator_sees_a_row_that_is_not_for_training(tmp_path: Path) -> None:
    """Validation rows carry a category of their own; no synthetic row may have it."""
    train, tuning = awkward(50), awkward(30, seed=1).assign(category=pd.Categorical(["leak"] * 30))
    predictor = fitted(train, tmp_path, {CausalMixModel: QUICK}, tuning_data=tuning)
    (report,) = reports(predictor)
    assert (report.rows.real, report.rows.validation) == (50, 30)
    (category,) = [marginal for marginal in report.marginals if marginal.column == "category"]
    assert sum(category.synthetic) + category.missing[1] == pytest.approx(1)
    leaked = [
        share
        for label, share in zip(category.labels, category.synthetic, strict=True)
        if "leak" in str(label)
    ]
    assert sum(leaked) == 0


def test_the_same_seed_predicts_the_same_bit_for_bit(tmp_path: Path) -> None:
    frame = awkward(50)
    options = {CausalMixModel: {**QUICK, "generator": "scm", "ag_args_fit": {"num_cpus": 1}}}
    first = fitted(frame, tmp_path / "1", options).predict_proba(frame)
    second = fitted(frame, tmp_path / "2", options).predict_proba(frame)
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_weight_column_is_no_feature_and_its_neglect_is_reported(tmp_path: Path) -> None:
    predictor = fitted(awkward(50), tmp_path, {CausalMixModel: QUICK}, sample_weight="weight")
    (report,) = reports(predictor)
    assert "weight" not in [marginal.column for marginal in report.marginals]
    assert any("sample weights are ignored" in note for note in report.notes)


@pytest.mark.parametrize("rows", [2, 4])
def test_a_handful_of_rows_is_predicted_in_context(rows: int) -> None:
    frame = pd.DataFrame({"x": np.arange(rows, dtype="float64")})
    model = CausalMixModel(hyperparameters=QUICK, path="", name="tiny", problem_type="binary")
    model.fit(X=frame, y=pd.Series(np.arange(rows) % 2), verbosity=0)
    assert model.fit_report.kept == "pretrained"
    assert "fewer than" in model.fit_report.reason
    assert model.predict_proba(frame).shape == (rows,)


def test_a_class_that_the_rows_lack_gets_probability_zero() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=40)})
    model = CausalMixModel(hyperparameters=QUICK, path="", name="gap", problem_type="multiclass")
    model.fit(X=frame, y=pd.Series(rng.choice([0, 2], 40)), num_classes=3, verbosity=0)
    probabilities = model.predict_proba(frame)
    assert probabilities.shape == (40, 3)
    assert (probabilities[:, 1] == 0).all()


def test_without_validation_rows_and_without_a_limit_some_are_held_out() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=60)})
    model = CausalMixModel(hyperparameters=QUICK, path="", name="held", problem_type="binary")
    model.fit(X=frame, y=pd.Series((frame["x"] > 0).astype(int)), time_limit=None, verbosity=0)
    assert model.fit_report.rows.real + model.fit_report.rows.validation == 60
    assert any("held out" in note for note in model.fit_report.notes)


@pytest.mark.slow
def test_bagging_then_refit_takes_the_steps_that_the_folds_found(tmp_path: Path) -> None:
    predictor = fitted(
        awkward(80),
        tmp_path,
        {CausalMixModel: QUICK, "GBM": {"num_boost_round": 5}},
        num_bag_folds=3,
    )
    (path,) = Path(predictor.path).rglob("CausalMix_BAG_L1/S1F1/fit_report.json")
    refitted = FitReport.read(path)
    assert refitted.options["early_stopping"] is False
    assert len(refitted.folds) == 3
    predictor.refit_full()
    assert np.isfinite(predictor.leaderboard(silent=True)["score_val"].dropna()).all()


def test_a_refit_keeps_the_verdicts_of_its_folds(tmp_path: Path) -> None:
    predictor = fitted(awkward(60), tmp_path, {CausalMixModel: QUICK}, num_bag_folds=2)
    (path,) = Path(predictor.path).rglob("CausalMix_BAG_L1/S1F1/fit_report.json")
    refitted = FitReport.read(path)
    assert [verdict.fold for verdict in refitted.folds] == ["S1F1", "S1F2"]
    assert {verdict.generator for verdict in refitted.folds} == {"bootstrap"}
    assert [verdict.rows.validation for verdict in refitted.folds] == [30, 30]
    assert (refitted.rows.real, refitted.rows.validation) == (60, 0)
    share = np.mean([verdict.share for verdict in refitted.folds])
    assert refitted.options["finetune_share"] == pytest.approx(share), "it follows its folds"


@pytest.mark.parametrize(("learning_rate", "kept"), [(0.5, "pretrained"), (3e-4, "fine-tuned")])
def test_a_refit_is_tuned_as_far_as_its_folds_were(
    learning_rate: float, kept: str, tmp_path: Path
) -> None:
    """The sign of a product, which `mini` learns by tuning; a huge rate ruins its weights."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 2)), columns=["a", "b"])
    frame["label"] = np.where((frame["a"] > 0) ^ (frame["b"] > 0), "x", "y")
    options = {
        **QUICK,
        "generator": None,
        "finetune_steps": 30,
        "learning_rate": learning_rate,
        "ag_args_ensemble": {"fold_fitting_strategy": "sequential_local"},
    }
    predictor = fitted(frame, tmp_path, {CausalMixModel: options}, num_bag_folds=2)
    (path,) = Path(predictor.path).rglob("CausalMix_BAG_L1/S1F1/fit_report.json")
    report = FitReport.read(path)
    assert report.kept == kept
    assert {verdict.kept for verdict in report.folds} == {kept}
    assert report.rows.real == len(frame)
    if kept == "pretrained":
        assert "the fits before gave the fine-tuned network a share of 0.0%" in report.reason
    else:
        assert report.kept_step > 0
        assert report.share == pytest.approx(np.mean([verdict.share for verdict in report.folds]))
        assert 0 < report.share < 1
        assert report.kept_step == report.options["finetune_steps"]


@pytest.mark.slow
def test_folds_without_refit_and_a_second_stack_level(tmp_path: Path) -> None:
    options = {**QUICK, "ag_args_ensemble": {"refit_folds": False}}
    predictor = fitted(
        awkward(80), tmp_path, {CausalMixModel: options}, num_bag_folds=2, num_stack_levels=1
    )
    above = [
        FitReport.read(path)
        for path in Path(predictor.path).rglob("CausalMix_BAG_L2/**/fit_report.json")
    ]
    below = [
        FitReport.read(path)
        for path in Path(predictor.path).rglob("CausalMix_BAG_L1/**/fit_report.json")
    ]
    assert len(below) == len(above) == 2
    assert all(report.generator is not None for report in below)
    assert all(
        report.generator is None and "stack level" in " ".join(report.notes) for report in above
    )


@pytest.mark.slow
def test_folds_in_parallel_workers(tmp_path: Path) -> None:
    options = {
        **QUICK,
        "ag_args_ensemble": {"fold_fitting_strategy": "parallel_local", "refit_folds": False},
    }
    predictor = fitted(awkward(60), tmp_path, {CausalMixModel: options}, num_bag_folds=2)
    assert len(reports(predictor)) == 2


@pytest.mark.slow
def test_a_saved_predictor_predicts_the_same_in_a_fresh_process(tmp_path: Path) -> None:
    frame = awkward(50)
    predictor = fitted(frame, tmp_path / "predictor", {CausalMixModel: QUICK})
    frame.to_pickle(tmp_path / "frame.pkl")
    script = (
        "import sys, pandas as pd; from autogluon.tabular import TabularPredictor;"
        "TabularPredictor.load(sys.argv[1]).predict_proba(pd.read_pickle(sys.argv[2])).to_pickle(sys.argv[3])"
    )
    arguments = [str(tmp_path / name) for name in ("predictor", "frame.pkl", "out.pkl")]
    subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    # not bit for bit: the order of sums depends on how many threads share them
    pd.testing.assert_frame_equal(
        pd.read_pickle(tmp_path / "out.pkl"), predictor.predict_proba(frame), rtol=1e-4
    )


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ({"generater": "scm"}, "no hyperparameter 'generater'; choose from"),
        ({"generator": "smote"}, "no generator 'smote'; choose from"),
        ({"backbone": "bert"}, "no backbone 'bert'; choose from"),
        ({"backbone": "nowhere.safetensors"}, "nowhere.safetensors"),
        ({"mixing": {"real_fraction": 2}}, "'mixing.real_fraction'"),
        ({"mixing": {"share": 1}}, "choose from .*real_fraction"),
        ({"learning_rate": "fast"}, "'learning_rate'"),
        ({"generator": {"name": "bootstrap", "scale": 3}}, "no option 'scale'"),
    ],
)
def test_bad_hyperparameters_are_refused_by_name(
    hyperparameters: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(Exception, match=message):
        fitted(awkward(30), tmp_path, {CausalMixModel: hyperparameters})


def test_a_broken_model_leaves_the_others_alone(tmp_path: Path) -> None:
    predictor = TabularPredictor("label", path=str(tmp_path), verbosity=0)
    predictor.fit(
        awkward(40),
        hyperparameters={CausalMixModel: {"generator": "smote"}, "GBM": {"num_boost_round": 3}},
    )
    assert "LightGBM" in predictor.model_names()
    assert "no generator 'smote'" in predictor.model_failures()["exc_str"].iloc[0]


def test_more_classes_than_the_model_takes_are_skipped_not_failed(tmp_path: Path) -> None:
    predictor = TabularPredictor("label", path=str(tmp_path), verbosity=0)
    limited = {**QUICK, "ag_args_fit": {"max_classes": 5}}
    predictor.fit(
        awkward(60, classes=6),
        hyperparameters={CausalMixModel: limited, "GBM": {"num_boost_round": 2}},
    )
    assert not [name for name in predictor.model_names() if "CausalMix" in name]


@pytest.mark.gpu
def test_a_gpu_fits_and_its_model_predicts_on_a_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = awkward(60)
    predictor = fitted(frame, tmp_path, {CausalMixModel: QUICK}, num_gpus=1)
    (report,) = reports(predictor)
    assert report.device == "cuda"
    on_gpu = predictor.predict_proba(frame)
    script = (
        "import sys, pandas as pd; from autogluon.tabular import TabularPredictor;"
        "TabularPredictor.load(sys.argv[1]).predict_proba(pd.read_pickle(sys.argv[2])).to_pickle(sys.argv[3])"
    )
    frame.to_pickle(tmp_path / "frame.pkl")
    arguments = [str(tmp_path), str(tmp_path / "frame.pkl"), str(tmp_path / "out.pkl")]
    hidden = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, env=hidden)
    np.testing.assert_allclose(pd.read_pickle(tmp_path / "out.pkl"), on_gpu, atol=0.02)


def test_a_target_that_is_a_number_is_skipped_with_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frame = awkward(40).assign(label=np.random.default_rng(0).normal(size=40))
    models = {CausalMixModel: QUICK, "GBM": {"num_boost_round": 2}}
    predictor = TabularPredictor("label", path=str(tmp_path), verbosity=2).fit(
        frame, hyperparameters=models, raise_on_model_failure=True
    )
    assert "CausalMix" not in predictor.model_names()
    assert any("Skipping CausalMix" in line and "'regression'" in line for line in caplog.messages)


def test_memory_is_that_of_the_named_backbone_however_it_is_named() -> None:
    """`mini` takes a fraction of what a published TabPFN takes."""
    X = pd.DataFrame(np.zeros((2000, 40)))

    def estimate(**hyperparameters: object) -> int:
        return CausalMixModel._estimate_memory_usage_static(X=X, hyperparameters=hyperparameters)

    assert estimate(backbone="mini") == estimate(backbone={"name": "mini"})
    assert estimate(backbone="tabpfn-v2") == estimate(backbone={"name": "tabpfn-v2"})
    assert estimate(backbone="mini") < 0.5 * estimate(backbone="tabpfn-v2")
    assert estimate(backbone="mini", finetune=False) < estimate(backbone="mini")
    assert estimate() == estimate(backbone="auto")


def test_running_out_of_memory_is_told_in_autogluons_words() -> None:
    with pytest.raises(NotEnoughMemoryError, match="CausalMix ran out of memory"), _memory_errors():
        torch.empty(2**60)
    with pytest.raises(RuntimeError, match="planted"), _memory_errors():
        raise RuntimeError("planted")


def test_an_infinite_value_at_prediction_is_refused_by_column_and_row(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    train = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "b"]).assign(label=[0, 1] * 20)
    predictor = fitted(train, tmp_path, {CausalMixModel: QUICK | {"finetune": False}})
    query = train.drop(columns="label").set_axis(range(100, 140))
    query.loc[117, "b"] = np.inf
    with pytest.raises(TableError, match="column 'b' is inf in row 117; infinite values"):
        predictor.predict_proba(query)
