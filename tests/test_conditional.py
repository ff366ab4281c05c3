"""Rows of given values, balanced rows, and rows under an intervention."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autogluon_causalmix import augment
from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.errors import ConfigError, GeneratorError, TooRare
from autogluon_causalmix.fitlog import Log
from autogluon_causalmix.generators import conditional
from autogluon_causalmix.generators.protocol import Intervened
from autogluon_causalmix.method import synthesize
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

STAR = {"name": "scm", "discoverer": "target-star", "graphs": 1}


def patients(rows: int = 400, rare: float = 0.1) -> pd.DataFrame:
    """Return a class of a given share that is older and sits in other wards."""
    rng = np.random.default_rng(0)
    ill = np.where(rng.random(rows) < rare, "yes", "no")
    age = rng.normal(40 + 20 * (ill == "yes"), 5)
    ward = np.where(rng.random(rows) < 0.2 + 0.6 * (ill == "yes"), "a", "b")
    return pd.DataFrame({"age": age, "ward": ward, "ill": ill})


@pytest.mark.parametrize("generator", ["bootstrap", "marginals", "perturb", STAR])
def test_balanced_rows_have_equally_many_of_each_class(generator: Any) -> None:
    drawn = augment(patients(), "ill", 301, generator, balance=True)
    counts = drawn["ill"].value_counts()
    assert sorted(counts) == [150, 151]
    # Within a class nothing changes: the simulator's own means and shares.
    means = drawn.groupby("ill")["age"].mean()
    assert means["no"] == pytest.approx(40, abs=2)
    assert means["yes"] == pytest.approx(60, abs=3)
    assert drawn["ill"].head(150).nunique() == 2  # in random order


@pytest.mark.parametrize("generator", ["bootstrap", "marginals", "perturb", STAR])
def test_rows_with_a_value_follow_the_conditional_distribution(generator: Any) -> None:
    drawn = augment(patients(2000, 0.5), "ill", 500, generator, where={"ward": "a"})
    assert set(drawn["ward"]) == {"a"}
    # P(yes | ward a) = .8 × .5 / (.8 × .5 + .2 × .5)
    assert (drawn["ill"] == "yes").mean() == pytest.approx(0.8, abs=0.07)


def test_a_cause_alone_is_set_where_no_row_could_be_drawn() -> None:
    rng = np.random.default_rng(0)
    dose = rng.normal(size=400)
    ill = np.where(dose + 0.5 * rng.normal(size=400) > 0, "no", "yes")
    frame = pd.DataFrame({"dose": dose, "ill": ill})
    known = {"name": "scm", "discoverer": "no-edges", "required": [["dose", "ill"]], "graphs": 1}
    drawn = augment(frame, "ill", 400, known, where={"dose": 0.987654})
    assert (drawn["dose"] == 0.987654).all()
    assert (drawn["ill"] == "no").mean() > 0.9
    with pytest.raises(TooRare, match=r"of 20000 rows drawn by FittedPerturb .* 0 have dose"):
        augment(frame, "ill", 10, "perturb", where={"dose": 0.987654})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"where": {"wrad": "a"}}, "'where' names the column 'wrad'; choose from"),
        ({"where": {"ward": "c"}}, r"'ward' takes one of \['a', 'b'\], got 'c'"),
        ({"where": {"age": "old"}}, "'age' takes a value of float64, got 'old'"),
        ({"where": {"age": None}}, "'age' takes a value of float64, got None"),
        (
            {"do": {"dose": 26}, "generator": STAR},
            "'dose' takes values on the grid of the real ones, the nearest is 30, got 26",
        ),
        ({"where": {"ill": "yes"}, "balance": True}, "'balance' needs all classes"),
        ({"do": {"ward": "a"}, "balance": True}, "give 'do' alone"),
        ({"do": {"ward": "a"}}, "'do' needs a generator that knows causes"),
        ({"do": {"ill": "yes"}, "generator": STAR}, "to get rows of one class, use 'where'"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(arguments: dict[str, Any], said: str) -> None:
    frame = patients(60).assign(dose=np.arange(60) % 8 * 10)
    with pytest.raises(ConfigError, match=said):
        augment(frame, "ill", 5, **{"generator": "bootstrap", **arguments})


def test_the_model_mixes_balanced_rows_and_goes_on_where_a_class_is_too_rare() -> None:
    table = Table.from_frame(patients(100), "ill")

    def mixed(generator: Any) -> tuple[Table | None, list[str]]:
        options = Hyperparameters.parse({"generator": generator, "mixing": {"balance": True}})
        log, rng = Log(), np.random.default_rng(0)
        return synthesize(table, options, rng, Resources(2000.0), log)[0], log.notes

    rows, _ = mixed("bootstrap")
    assert rows is not None
    assert rows.frame["ill"].value_counts().tolist() == [100, 100]
    rows, notes = mixed(f"{__name__}:Lopsided")
    assert rows is None
    assert any("0 have ill = 'yes'" in note and "real rows alone" in note for note in notes)


@pytest.mark.parametrize(("n_rows", "is_lost"), [(200, True), (5, False)])
def test_a_class_that_is_never_drawn_is_said_unless_chance_explains_it(
    n_rows: int,
    is_lost: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("autogluon"), "propagate", True)  # AutoGluon's is off
    caplog.set_level(logging.WARNING, "autogluon.causalmix")  # whatever AutoGluon's verbosity is
    augment(patients(100), "ill", n_rows, Lopsided)
    said = "no drawn row has ill = yes, which 10.0% of the real rows have"
    assert (said in caplog.text) is is_lost


def test_levels_without_rows_do_not_confuse_the_shares_of_classes(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("autogluon"), "propagate", True)  # AutoGluon's is off
    caplog.set_level(logging.WARNING, "autogluon.causalmix")  # whatever AutoGluon's verbosity is
    frame = patients(100)
    frame["ill"] = pd.Categorical(frame["ill"], ["maybe", "no", "yes"])
    augment(frame, "ill", 200, Lopsided)
    assert "no drawn row has ill = yes, which 10.0% of the real rows have" in caplog.text


class Lopsided:
    """Never draws the class that is asked for."""

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "Lopsided":
        self.table = table.take(np.flatnonzero(table.labels == "no"))
        return self

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        return self.table.take(rng.integers(len(self.table), size=n_rows))


@dataclass
class Inattentive:
    """The bootstrap, which says that it draws rows with given values, and does not."""

    intervened: Callable[[Table], Any] = lambda rows: rows
    refusal: Exception | None = None

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> "Inattentive":
        self.table = table
        return self

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        return self.table.take(rng.integers(len(self.table), size=n_rows))

    def can_condition(self, where: object) -> bool:
        if self.refusal is not None:
            raise self.refusal
        return True

    def sample_where(self, n_rows: int, rng: np.random.Generator, where: object) -> Table:
        return self.sample(n_rows, rng)

    def intervene(self, n_rows: int, rng: np.random.Generator, do: Any) -> Any:
        frame = self.sample(n_rows, rng).frame.assign(**do)
        return self.intervened(self.table.with_frame(frame))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"where": {"ward": "a"}}, r"of 60 rows, \d+ have ward = 'a', which was asked for in all"),
        ({"balance": True}, "of 30 rows, .* have ill = '.*', which was asked for in all"),
    ],
)
def test_rows_drawn_directly_must_have_the_values(arguments: dict[str, Any], said: str) -> None:
    named = f"Inattentive.sample_where .*{__name__}:Inattentive.*{said}"
    with pytest.raises(GeneratorError, match=named):
        augment(patients(), "ill", 60, Inattentive(), **arguments)


def test_a_generator_that_cannot_say_what_it_can_draw_is_named() -> None:
    own = Inattentive(refusal=KeyError("planted"))
    with pytest.raises(GeneratorError, match=r"Inattentive.can_condition .* KeyError: 'planted'"):
        augment(patients(), "ill", 60, own, where={"ward": "a"})


HALVES, ONE = np.full((3, 2), 0.5), np.full(3, 1 / 3)


def test_an_intervention_of_a_plugin_that_keeps_to_the_documentation_is_taken() -> None:
    own = Inattentive(lambda rows: Intervened(rows, HALVES, HALVES, ONE))
    drawn = augment(patients(), "ill", 60, own, do={"ward": "a"})
    assert drawn.attrs["intervention"]["shares"] == HALVES.tolist()


@pytest.mark.parametrize(
    ("intervened", "said"),
    [
        (lambda rows: rows, "raised AttributeError"),
        (
            lambda rows: Intervened(
                rows.with_frame(rows.frame.assign(ward="b")), HALVES, HALVES, ONE
            ),
            "of 60 rows, 0 have ward = 'a', which was asked for in all",
        ),
        (lambda rows: Intervened(rows, HALVES[:, :1], HALVES, ONE), r"'shares' .* \(3, 1\)"),
        (lambda rows: Intervened(rows, HALVES, HALVES[0], ONE), r"'untouched' .* \(2,\)"),
        (lambda rows: Intervened(rows, HALVES, HALVES.tolist(), ONE), "'untouched' .* list"),  # type: ignore[arg-type]
        (lambda rows: Intervened(rows, HALVES, HALVES, ONE[:2]), r"'shares' .* not \(2, 2\)"),
        (lambda rows: Intervened(rows, HALVES, HALVES, 3 * ONE), "'weights' .* sum to 1"),
        (lambda rows: Intervened(rows, HALVES * np.nan, HALVES, ONE), "'shares' .* no numbers"),
        (lambda rows: Intervened(rows, HALVES, HALVES, np.ones(0)), r"'shares' .* not \(0, 2\)"),
        (lambda rows: Intervened(rows, HALVES[:1], HALVES[:1], 1.0), "'weights' of shape float"),  # type: ignore[arg-type]
    ],
)
def test_an_intervention_must_set_the_columns_and_say_how_sure_it_is(
    intervened: Any, said: str
) -> None:
    named = f"Inattentive.intervene .*{__name__}:Inattentive.*{said}"
    with pytest.raises(GeneratorError, match=named):
        augment(patients(), "ill", 60, Inattentive(intervened), do={"ward": "a"})


class Recording(Lopsided):
    """Keeps how many rows it was asked for."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        self.sizes.append(n_rows)
        return super().sample(n_rows, rng)


@pytest.mark.parametrize(
    ("cells", "sizes"),
    [
        (None, [200, 200, 400, 800, 1600, 3200, 6400, 7200]),
        (3 * 1000, [200, 200, 400, 800, *[1000] * 18, 400]),
        (1, [200] * 100),
    ],
)
def test_rows_are_drawn_and_looked_at_in_parts_that_fit_into_memory(
    cells: int | None, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if cells is not None:
        monkeypatch.setattr(conditional, "MOST_CELLS", cells)
    own = Recording()
    with pytest.raises(TooRare, match="of 20000 rows drawn by Recording"):
        augment(patients(), "ill", 60, own, where={"ill": "yes"})
    assert own.sizes == sizes


def confounded(rows: int) -> pd.DataFrame:
    """Return z → dose, z → cured, dose → cured: who is well gets a dose, and is cured anyway."""
    rng = np.random.default_rng(1)
    well = rng.random(rows) < 0.5
    dose = (rng.random(rows) < np.where(well, 0.9, 0.1)).astype(int)
    cured = rng.random(rows) < 0.2 + 0.5 * well + 0.1 * dose
    return pd.DataFrame({"well": np.where(well, "y", "n"), "dose": np.where(dose, "d", "0"),
                         "cured": np.where(cured, "y", "n")})  # fmt: skip


def test_an_intervention_is_no_condition() -> None:
    edges = [["well", "dose"], ["well", "cured"], ["dose", "cured"]]
    known = {"name": "scm", "discoverer": "no-edges", "required": edges, "graphs": 2}
    frame = confounded(3000)
    done = augment(frame, "cured", 4000, known, do={"dose": "d"})
    seen = augment(frame, "cured", 4000, known, where={"dose": "d"})
    assert set(done["dose"]) == set(seen["dose"]) == {"d"}
    # do: .2 + .5 × ½ + .1; seen: .2 + .5 × .9 + .1
    assert (done["cured"] == "y").mean() == pytest.approx(0.55, abs=0.04)
    assert (seen["cured"] == "y").mean() == pytest.approx(0.75, abs=0.04)
    assert (done["well"] == "y").mean() == pytest.approx(0.5, abs=0.04)
    said = done.attrs["intervention"]
    assert said["classes"] == ["n", "y"]
    # Each graph draws its functions: their shares vary by .02 about those of the table.
    assert np.array(said["shares"])[:, 1] == pytest.approx([0.55, 0.55], abs=0.06)
    # without: .2 + .5 × ½ + .1 × ½
    assert np.array(said["shares_without"])[:, 1] == pytest.approx([0.5, 0.5], abs=0.04)
    assert "every common cause" in said["notes"][0]


def test_graphs_that_disagree_on_a_direction_spread() -> None:
    rng = np.random.default_rng(0)
    dose = rng.normal(size=500)
    ill = np.where(dose + rng.normal(size=500) > 0, "no", "yes")
    frame = pd.DataFrame({"dose": dose, "ill": ill})
    unsure = {"name": "scm", "discoverer": {"name": "random-order", "orders": 40}, "graphs": 8}
    shares = np.array(
        augment(frame, "ill", 10, unsure, do={"dose": 2.0}).attrs["intervention"]["shares"]
    )[:, 0]
    # Where the label causes the dose, setting the dose changes nothing.
    assert shares.min() == pytest.approx(0.5, abs=0.06)
    assert shares.max() > 0.9


def test_an_intervention_beyond_the_real_rows_is_said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("autogluon"), "propagate", True)  # AutoGluon's is off
    caplog.set_level(logging.WARNING, "autogluon.causalmix")  # whatever AutoGluon's verbosity is
    frame = patients(200, 0.5)
    drawn = augment(frame, "ill", 20, STAR, do={"age": 200.0})
    assert (drawn["age"] == 200).all()
    most = frame["age"].max()
    assert "no real row has age as far out as 200.0: the causal models count it as" in caplog.text
    assert f"count it as {most}" in caplog.text
    assert "P(ill = yes | do(age = 200.0))" in caplog.text
    gaps = frame.assign(age=frame["age"].where(frame["age"] > 40))
    assert augment(gaps, "ill", 50, STAR, do={"age": 50.0})["age"].notna().all()
