"""The reports of a predictor: names of classes and categories, and what no graph may hold."""

import time
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from autogluon.tabular import TabularPredictor

from autogluon_causalmix import CausalMixModel, report_of
from autogluon_causalmix.comparison import compare
from autogluon_causalmix.derived import Derived
from autogluon_causalmix.errors import CausalMixError
from autogluon_causalmix.reports import reports_of
from autogluon_causalmix.table import Table

QUICK: dict[str, Any] = {
    "backbone": "mini",
    "generator": {"name": "scm", "discoverer": "target-star", "graphs": 1},
    "finetune_steps": 1,
    "n_estimators": 1,
}
WORDS = ("below the mean of all", "about the mean of all", "above the mean of all")


def told(rows: int = 90, seed: int = 0) -> pd.DataFrame:
    """Return rows with a text of words, a date, and a category, of which the label depends."""
    rng = np.random.default_rng(seed)
    number = rng.normal(size=rows)
    color = rng.choice(["amber", "blue", "grey"], rows)
    words = [" ".join(rng.choice(["good", "bad", "old", "new"], 4)) for _ in range(rows)]
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")
    return pd.DataFrame(
        {
            "number": number,
            "color": pd.Categorical(color),
            "smokes": rng.choice(["no", "yes"], rows),
            "words": words,
            "day": days,
            "label": np.where(number + (color == "blue") > 0.5, "sick", "well"),
        }
    )


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> TabularPredictor:
    path = str(tmp_path_factory.mktemp("predictor"))
    return TabularPredictor("label", path=path, verbosity=0).fit(
        told(), hyperparameters={CausalMixModel: QUICK}, raise_on_model_failure=True
    )


def test_names_of_categories_and_classes_stand_in_the_report(predictor: TabularPredictor) -> None:
    found = {each.column: each.labels for each in report_of(predictor).marginals}
    assert set(found["color"]) == {"amber", "blue", "grey"}
    assert found["smokes"] == ["not yes", "yes"]
    assert set(found["label"]) == {"sick", "well"}


def test_what_is_made_from_text_and_dates_is_no_node(predictor: TabularPredictor) -> None:
    report = report_of(predictor)
    assert report.generator is not None
    graph: Any = report.generator.description["graph"]
    assert set(graph["nodes"]) == {"number", "color", "smokes", "day", "label"}
    assert any("features made from text" in note for note in report.notes)
    columns = {each.column for each in report.marginals}
    assert "day.month" in columns
    assert any(name.startswith("__nlp__.") for name in columns)


def test_a_notebook_shows_report_and_pictures(predictor: TabularPredictor, tmp_path: Path) -> None:
    report = report_of(predictor)
    assert len(repr(report)) < 200
    assert report.reason in unescape(report._repr_html_())
    for picture in (report.draw_graph(), report.draw_curve(), report.draw_marginals()):
        assert picture._repr_svg_().startswith("<?xml")
    report.write_page(tmp_path / "page.html")
    assert report.reason in unescape((tmp_path / "page.html").read_text())


def test_a_graph_needs_nodes_and_probabilities_alone(predictor: TabularPredictor) -> None:
    """As the protocol of generators says."""
    report = report_of(predictor)
    assert report.generator is not None
    graph = {"nodes": ["a", "label"], "probability": [[0.0, 0.9], [0.0, 0.0]]}
    described = report.generator.model_copy(update={"description": {"graph": graph}})
    drawn = report.model_copy(update={"generator": described}).draw_graph()
    assert drawn._repr_svg_().startswith("<?xml")


def test_a_report_that_is_not_there_is_one_error_with_those_that_are(
    predictor: TabularPredictor,
) -> None:
    assert list(reports_of(predictor)) == ["CausalMix"]
    with pytest.raises(CausalMixError, match=r"no CausalMix model 'GBM'; it has \['CausalMix'\]"):
        report_of(predictor, "GBM")


def test_parts_of_drawn_dates_are_those_of_the_dates_and_text_is_of_a_row_of_the_class() -> None:
    rng = np.random.default_rng(0)
    days = pd.date_range("2019-03-30", periods=60, freq="37D")
    label = rng.choice(["a", "b"], 60)
    frame = pd.DataFrame(
        {
            "day": days.astype("int64"),
            "day.month": days.month.astype("int64"),
            "first": (label == "a").astype("int8"),  # two parts of one text, told by the class
            "second": (label == "b").astype("int8"),
            "label": label,
        }
    )
    real = Table.from_frame(frame, "label")
    made = Derived({"day.month": ("day", "month")}, ("first", "second"))
    drawn = made.without(real).take(rng.integers(0, 60, 500))
    rows = made.complete(drawn, real, rng).frame
    assert rows.dtypes.equals(frame.dtypes)
    assert (rows["day.month"] == pd.to_datetime(rows["day"]).dt.month).all()
    assert ((rows["first"] == 1) == (rows["label"] == "a")).all()
    assert ((rows["second"] == 1) == (rows["label"] == "b")).all()


@pytest.mark.slow
def test_words_of_a_comparison_are_categories_not_parts_of_words(tmp_path: Path) -> None:
    frame = told().assign(level=np.resize(WORDS, 90)).drop(columns=["words", "day"])
    done = compare(frame, None, "label", QUICK | {"generator": "bootstrap"}, tmp_path)
    assert {each.column for each in done.reports["CausalMix"].marginals} == set(frame)
    (level,) = [each for each in done.reports["CausalMix"].marginals if each.column == "level"]
    assert set(level.labels) == set(WORDS)


@pytest.mark.slow
def test_an_arm_for_which_memory_is_short_is_left_out_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimates = [
        CausalMixModel._estimate_memory_usage_static(X=told(), hyperparameters=QUICK | tuning)
        for tuning in ({"finetune": False}, {})
    ]
    monkeypatch.setattr(
        "autogluon.common.utils.resource_utils.ResourceManager._get_available_virtual_mem",
        lambda: np.mean(estimates) / 0.9,  # AutoGluon's margin
    )
    done = compare(told(), None, "label", QUICK, tmp_path)
    assert list(done.reports) == ["zero-shot"]
    assert sum("was left out" in note for note in done.notes) == 3


@pytest.mark.slow
def test_no_arm_at_all_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(CausalMixError, match="fitted no arm: too little time or memory"):
        compare(told(), None, "label", QUICK | {"ag.max_memory_usage_ratio": 1e-9}, tmp_path)


@pytest.mark.slow
def test_arms_without_time_for_their_predictions_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = CausalMixModel._predict_proba

    def slow(self: CausalMixModel, X: pd.DataFrame, **kwargs: Any) -> Any:
        time.sleep(3)
        return predict(self, X, **kwargs)

    monkeypatch.setattr(CausalMixModel, "_predict_proba", slow)
    said: list[str] = []
    done = compare(told(), None, "label", QUICK, tmp_path, time_limit=10, say=said.append)
    assert list(done.reports) == ["zero-shot"]
    assert any("no time for the 3 other arms: each takes 6 s at least" in each for each in said)
