"""scikit-learn's own checks, and what they do not look at."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from autogluon_causalmix import CausalMixClassifier
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.errors import ConfigError

PLAIN: dict[str, Any] = {"backbone": "mini", "finetune": False, "n_estimators": 1}
LAST_DIGITS = "the last digits of 32-bit sums depend on how many rows are predicted at once"


def rows(n_rows: int = 120) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    color, number = rng.choice(["red", "blue"], n_rows), rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {"color": color, "number": np.where(rng.random(n_rows) < 0.1, np.nan, number)}
    )
    return frame, pd.Series(np.where((number > 0) ^ (color == "red"), "sick", "well"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_it_keeps_scikit_learns_contract() -> None:
    expected = dict.fromkeys(
        ("check_methods_subset_invariance", "check_methods_sample_order_invariance"), LAST_DIGITS
    )
    found = check_estimator(
        CausalMixClassifier(**PLAIN), expected_failed_checks=expected, on_skip=None
    )
    assert {each["status"] for each in found} <= {"passed", "xfail", "skipped"}


def test_columns_of_text_and_gaps_are_learned_from_and_labels_keep_their_names() -> None:
    X, y = rows()
    model = CausalMixClassifier(**PLAIN).fit(X, y)
    assert list(model.classes_) == ["sick", "well"]
    assert model.score(X, y) > 0.75
    assert model.report_.kept == "pretrained"
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_fit_with_rows_of_a_generator_is_that_of_the_method() -> None:
    X, y = rows()
    options = PLAIN | {"finetune": True, "finetune_steps": 2, "generator": "bootstrap"}
    report = CausalMixClassifier(**options).fit(X, y).report_
    assert report.rows.synthetic == 2 * report.rows.real
    assert report.steps == 2
    (target,) = [each for each in report.marginals if each.column == "target"]
    assert set(target.labels) == {"sick", "well"}


def test_it_can_be_searched_over_and_refuses_what_it_does_not_know() -> None:
    X, y = rows(60)
    assert np.isfinite(cross_val_score(CausalMixClassifier(**PLAIN), X, y, cv=2)).all()
    with pytest.raises(ConfigError, match="'finetune_steps'"):
        CausalMixClassifier(finetune_steps=-1).fit(X, y)


def test_defaults_are_those_of_the_model() -> None:
    own, models = CausalMixClassifier().get_params(), Hyperparameters()
    assert Hyperparameters.parse(
        {name: value for name, value in own.items() if hasattr(models, name) and value is not None}
    ) == Hyperparameters.parse({"time_limit": own["time_limit"]})
