"""CTGAN and TVAE through the contract of generators, on rows whose relations are known."""

import importlib.metadata
import time

import joblib
import numpy as np
import pandas as pd
import pytest
from causalmix_ctgan import CTGAN, LICENCE, TVAE

from autogluon_causalmix.plugin import Generator, OutOfTime, Resources, Table
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.testing import check_generator, mixed_scm, toy_tables


@pytest.mark.parametrize("made", [CTGAN(epochs=1), TVAE(epochs=1)], ids=["ctgan", "tvae"])
def test_it_keeps_the_contract(made: Generator) -> None:
    check_generator(made)


@pytest.mark.parametrize("made", [CTGAN(epochs=100_000), TVAE(epochs=100_000)])
def test_a_long_training_ends_with_its_seconds_and_no_process_stays(
    made: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []
    monkeypatch.setattr(
        joblib.parallel.LokyBackend, "configure", lambda *_, **__: used.append("processes")
    )
    table = mixed_scm(600, np.random.default_rng(0))[0]  # enough for the library's worker processes
    started = time.monotonic()
    with pytest.raises(OutOfTime, match="still training after 2 s"):
        made.fit(table, np.random.default_rng(0), Resources(2.0))
    assert time.monotonic() - started < 10
    assert used == []


def test_tvae_learns_which_numbers_go_with_a_class_and_where_gaps_are() -> None:
    rng = np.random.default_rng(0)
    ill = rng.choice(["no", "yes"], size=400)
    dose = np.where(ill == "yes", 10.0, 0.0) + rng.normal(size=400)
    age = np.where((ill == "yes") & (rng.random(400) < 0.8), np.nan, rng.normal(size=400))
    table = Table.from_frame(pd.DataFrame({"dose": dose, "age": age, "ill": ill}), "ill")
    fitted = TVAE(epochs=300, batch_size=100).fit(table, rng, Resources(300.0))
    drawn = fitted.sample(1000, rng).frame
    means = drawn.groupby("ill")["dose"].mean()
    assert means["yes"] - means["no"] > 7
    gaps = drawn["age"].isna().groupby(drawn["ill"]).mean()
    assert gaps["yes"] - gaps["no"] > 0.3


def test_rare_gaps_do_not_keep_ctgan_from_learning_the_class() -> None:
    rng = np.random.default_rng(0)
    ill = rng.choice(["no", "yes"], size=400)
    dose = np.where(ill == "yes", 10.0, 0.0) + rng.normal(size=400)
    age = np.where(rng.random(400) < 0.03, np.nan, rng.normal(size=400))
    table = Table.from_frame(pd.DataFrame({"dose": dose, "age": age, "ill": ill}), "ill")
    fitted = CTGAN(epochs=100, batch_size=100).fit(table, rng, Resources(300.0))
    means = fitted.sample(1000, rng).frame.groupby("ill")["dose"].mean()
    assert means["yes"] - means["no"] > 1.5  # 0.7 where gaps were a discrete column


def test_the_licence_is_said_at_the_install_and_in_the_report() -> None:
    told = importlib.metadata.metadata("causalmix-ctgan")["Summary"]
    assert "BUSL-1.1" in told
    assert importlib.metadata.metadata("ctgan")["License-Expression"] == "BUSL-1.1"
    assert "no open-source licence" in LICENCE
    table = toy_tables()["constant columns"]
    fitted = TVAE(epochs=1).fit(table, np.random.default_rng(0), Resources(60.0))
    assert fitted.describe()["notes"] == [LICENCE]


def test_both_names_are_registered() -> None:
    assert {"ctgan", "tvae"} <= set(plugin_registry().of(Generator).names)
