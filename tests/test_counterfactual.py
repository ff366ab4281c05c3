"""What would have become of given rows: against simulators whose noise is known."""

import logging

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from autogluon_causalmix import augment, counterfactual
from autogluon_causalmix.errors import ConfigError, TableError

EDGES = [["dose", "level"], ["level", "cured"], ["age", "cured"]]
KNOWN = {"name": "scm", "discoverer": "no-edges", "required": EDGES, "graphs": 1}


def world(rows: int, seed: int, dose: float | None = None) -> pd.DataFrame:
    """Return dose → level → cured ← age; with a dose, the same rows had all had it."""
    rng = np.random.default_rng(seed)
    given = rng.normal(size=rows)
    noise, age, luck = rng.normal(size=rows), rng.normal(50, 10, size=rows), rng.random(rows)
    taken = given if dose is None else np.full(rows, dose)
    level = np.sin(taken) + 0.5 * noise
    cured = luck < expit(2 * level + (age - 50) / 10)
    return pd.DataFrame(
        {"dose": taken, "level": level, "age": age, "cured": np.where(cured, "yes", "no")}
    )


def test_a_number_keeps_its_own_noise() -> None:
    real, asked, truth = world(1000, 0), world(200, 1), world(200, 1, dose=1.5)
    found = counterfactual(real, "cured", asked, {"dose": 1.5}, KNOWN)
    # An intervention draws the noise anew: its error is √2 times its spread, .71.
    assert np.sqrt(((found["level"] - truth["level"]) ** 2).mean()) < 0.1
    assert (found["dose"] == 1.5).all()
    drawn = augment(real, "cured", 200, KNOWN, do={"dose": 1.5})
    assert abs(found["level"].mean() - drawn["level"].mean()) < 0.1


def test_probabilities_of_classes_are_those_of_monotone_noise() -> None:
    real, asked = world(3000, 0), world(300, 1)
    found = counterfactual(real, "cured", asked, {"dose": 1.5}, KNOWN)
    truth = world(300, 1, dose=1.5)
    old = expit(2 * asked["level"] + (asked["age"] - 50) / 10).to_numpy()
    new = expit(2 * truth["level"] + (asked["age"] - 50) / 10).to_numpy()
    was = (asked["cured"] == "yes").to_numpy()
    # Given that luck fell below old, or above.
    expected = np.where(was, np.minimum(1, new / old), np.maximum(0, new - old) / (1 - old))
    said = np.array(found.attrs["counterfactual"]["probability"])[:, 1]
    assert np.abs(said - expected).mean() < 0.05
    # What the row itself says matters: without it all would have the probability `new`.
    assert np.abs(new - expected).mean() > 0.1


def test_what_does_not_change_stays_to_the_last_bit() -> None:
    real, asked = world(300, 0), world(40, 1)
    found = counterfactual(real, "cured", asked, {"age": 30.0}, KNOWN)
    pd.testing.assert_frame_equal(found[["dose", "level"]], asked[["dose", "level"]])
    one = asked.iloc[[7]].set_axis(["Ann"])
    same = counterfactual(real, "cured", one, {"dose": float(one["dose"].iloc[0])}, KNOWN)
    pd.testing.assert_frame_equal(same, one)
    gap = asked.assign(level=np.nan)
    kept = counterfactual(real, "cured", gap, {"dose": 1.5}, KNOWN)
    assert kept["level"].isna().all()  # its noise cannot be found
    assert (kept["cured"] == gap["cured"]).all()


def test_counts_keep_their_rank() -> None:
    rng = np.random.default_rng(0)
    dose, rank = rng.integers(0, 2, size=2000), rng.random(2000)
    visits = np.floor(4 * rank).astype(int) + 10 * dose
    ill = np.where(rng.random(2000) < 0.5, "yes", "no")
    frame = pd.DataFrame({"dose": np.array(["no", "yes"])[dose], "visits": visits, "ill": ill})
    known = {"name": "scm", "discoverer": "no-edges", "required": [["dose", "visits"]], "graphs": 1}
    asked = frame[frame["dose"] == "no"].head(100)
    found = counterfactual(frame, "ill", asked, {"dose": "yes"}, known)
    assert found["visits"].dtype == frame["visits"].dtype
    # At the edges of a rank the shares of two samples differ a little.
    assert (found["visits"] == asked["visits"] + 10).mean() > 0.9


def test_only_levels_that_became_more_probable_are_taken() -> None:
    rng = np.random.default_rng(0)
    on = rng.random(4000) < 0.5
    odds = np.where(on[:, None], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1])
    colour = (odds.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
    frame = pd.DataFrame({"on": np.where(on, "1", "0"), "colour": np.array(["r", "g", "b"])[colour],
                          "ill": np.where(rng.random(4000) < 0.5, "y", "n")})  # fmt: skip
    known = {"name": "scm", "discoverer": "no-edges", "required": [["on", "colour"]], "graphs": 1}
    asked = frame[frame["on"] == "0"].head(1000)
    found = counterfactual(frame, "ill", asked, {"on": "1"}, known)["colour"]

    def share(old: str, new: str) -> float:
        return float((found[asked["colour"] == old] == new).mean())

    assert share("b", "b") == 1.0
    # Of .6 red ones, .2 stay and .4 turn blue; green ones stay but for the error of .3.
    assert share("r", "b") == pytest.approx(2 / 3, abs=0.08)
    assert share("g", "g") > 0.85


def test_graphs_that_disagree_on_a_direction_leave_a_range() -> None:
    rng = np.random.default_rng(0)
    dose = rng.normal(size=500)
    ill = np.where(dose + 0.5 * rng.normal(size=500) > 0, "no", "yes")
    frame = pd.DataFrame({"dose": dose, "ill": ill})
    unsure = {"name": "scm", "discoverer": {"name": "random-order", "orders": 40}, "graphs": 8}
    sick = frame[frame["ill"] == "yes"].head(5)
    said = counterfactual(frame, "ill", sick, {"dose": 3.0}, unsure).attrs["counterfactual"]
    # Where the illness causes the dose, another dose cures nobody.
    assert np.array(said["lowest"])[:, 0].max() == 0.0
    assert np.array(said["highest"])[:, 0].min() > 0.9
    assert "cannot be checked" in said["notes"][1]


def test_the_same_seed_gives_the_same_rows() -> None:
    real, asked = world(200, 0), world(50, 1)
    first, again, other = (
        counterfactual(real, "cured", asked, {"dose": 1.5}, KNOWN, seed=seed) for seed in (3, 3, 4)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["cured"].equals(other["cured"])


def test_given_numbers_beyond_the_real_ones_are_said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("autogluon"), "propagate", True)  # AutoGluon's is off
    caplog.set_level(logging.WARNING, "autogluon.causalmix")  # whatever AutoGluon's verbosity is
    real, asked = world(200, 0), world(3, 1)
    asked.loc[1, "level"] = 77.0
    counterfactual(real, "cured", asked, {"dose": -55.0}, KNOWN)
    highest, lowest = real["level"].max(), real["dose"].min()
    assert f"no real row has level as far out as 77.0: the causal models count it as {highest}" in (
        caplog.text
    )
    assert f"no real row has dose as far out as -55.0: the causal models count it as {lowest}" in (
        caplog.text
    )
    assert "has age as far out" not in caplog.text


def test_questions_without_an_answer_say_why() -> None:
    real = world(200, 0).assign(ward=pd.Categorical(["a", "b"] * 100, ["a", "b", "c"]))
    asked = real.head(3)

    def ask(rows: pd.DataFrame, do: dict[str, object], generator: object = KNOWN) -> pd.DataFrame:
        return counterfactual(real, "cured", rows, do, generator)  # type: ignore[arg-type]

    with pytest.raises(ConfigError, match="sets the target 'cured'"):
        ask(asked, {"cured": "yes"})
    with pytest.raises(ConfigError, match="generator that knows causes"):
        ask(asked, {"dose": 1.0}, "bootstrap")
    with pytest.raises(ConfigError, match="row 0 has 'ward' = 'c', which no real row has"):
        ask(asked.assign(ward=pd.Categorical(["c"] * 3, ["a", "b", "c"])), {"dose": 1.0})
    with pytest.raises(ConfigError, match="row 0 has 'ward' = 'd', which no real row has"):
        ask(asked.assign(ward="d"), {"dose": 1.0})
    with pytest.raises(ConfigError, match="a row has no 'cured'"):
        ask(asked.assign(cured=None), {"dose": 1.0})
    with pytest.raises(TableError, match="the rows have no column 'age'"):
        ask(asked.drop(columns="age"), {"dose": 1.0})
    with pytest.raises(TableError, match="not of the table's dtypes"):
        ask(asked.assign(age="old"), {"dose": 1.0})
    whole = real.assign(age=real["age"].round().astype(int))
    with pytest.raises(ConfigError, match="row 1 has 'age' = 40.5: all real rows have whole"):
        counterfactual(whole, "cured", asked.assign(age=[40.0, 40.5, 41.0]), {"dose": 1.0}, KNOWN)
    with pytest.raises(ConfigError, match="at least one row"):
        ask(asked, {})
    with pytest.raises(ConfigError, match="the mechanism 'pfn' does not say"):
        ask(asked, {"dose": 1.0}, {**KNOWN, "mechanism": "pfn", "backbone": "mini"})
