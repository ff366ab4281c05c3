"""The sampler of scikit-learn's and imbalanced-learn's pipelines."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from autogluon_causalmix import Augmenter, augment
from autogluon_causalmix.errors import ConfigError


def rows(n_rows: int = 200) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"color": rng.choice(["red", "blue"], n_rows), "dose": rng.normal(size=n_rows)},
        index=np.arange(n_rows) * 3,
    )
    ill = np.where(frame["dose"] > 0.8, "ill", "well")
    return frame, pd.Series(ill, index=frame.index, name="state")


def test_synthetic_rows_follow_the_real_ones_which_stay_as_they_are() -> None:
    X, y = rows()
    more, labels = Augmenter(n_rows=300, random_state=5).fit_resample(X, y)
    pd.testing.assert_frame_equal(more.head(200), X.reset_index(drop=True))
    pd.testing.assert_series_equal(labels.head(200), y.reset_index(drop=True))
    drawn = augment(X.assign(state=y).reset_index(drop=True), "state", 300, seed=5)
    pd.testing.assert_frame_equal(more.tail(300).reset_index(drop=True), drawn[["color", "dose"]])
    assert labels.tail(300).tolist() == drawn["state"].tolist()
    # The simulator's own rule, which the generator has learned.
    added = more.tail(300).assign(state=labels)
    means = added.groupby("state")["dose"].mean()
    assert means["ill"] > 0.7 > 0 > means["well"]


def test_arrays_stay_arrays_and_classes_can_be_balanced() -> None:
    X, y = rows()
    numbers = X[["dose"]].to_numpy("float32")
    sampler = clone(Augmenter(n_rows=100, generator="bootstrap", balance=True))
    more, labels = sampler.fit_resample(numbers, (y == "ill").to_numpy())
    assert more.dtype == np.float32
    assert labels.dtype == np.bool_
    assert labels[200:].sum() == 50
    _, labels = sampler.fit_resample(X, y.astype("category"))
    assert labels.dtype == "category"


def test_what_is_asked_for_wrongly_is_said() -> None:
    X, y = rows(40)
    with pytest.raises(ConfigError, match="'n_rows'"):
        Augmenter(n_rows=0).fit_resample(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        Augmenter(n_rows=5).fit_resample(X, y.iloc[:-1])
