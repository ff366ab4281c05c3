"""`SCMGenerator` on odd tables, under time pressure, and where discovery loses the label."""

import contextlib
import json
import multiprocessing
import pickle
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from autogluon_causalmix.discovery.controls import NoEdges
from autogluon_causalmix.discovery.protocol import Constraints, EdgeBeliefs
from autogluon_causalmix.errors import ConfigError, OutOfTime, TableError, UnknownPlugin
from autogluon_causalmix.generators import scm
from autogluon_causalmix.generators.contract import description, draw, fit_generator
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.generators.scm import FittedSCMGenerator, SCMGenerator
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table

with warnings.catch_warnings():
    # Importing DoWhy warns about its own dependencies; our own code must not warn.
    warnings.simplefilter("ignore")
    from autogluon_causalmix.scm import label_fallback

OWNER = plugin_registry().of(Generator).get("scm").owner


def generate(
    frame: pd.DataFrame, n_rows: int = 40, seconds: float = 60.0, **options: object
) -> tuple[Table, dict[str, object]]:
    """Fit and draw through the border that checks the rows of every generator."""
    table, rng = Table.from_frame(frame, "y"), np.random.default_rng(0)
    made = plugin_registry().of(Generator).get("scm").create(options)
    fitted = fit_generator(made, table, rng, Resources(seconds), owner=OWNER)
    return draw(fitted, table, n_rows, rng, owner=OWNER), description(fitted, owner=OWNER)


def odd_frame(rows: int) -> pd.DataFrame:
    """Return constants, gaps, copies, keys at 2⁵³, dates, spikes, huge numbers and odd names."""
    rng = np.random.default_rng(rows)
    x = rng.normal(size=rows)
    frame = {
        "constant": np.ones(rows), "empty": np.full(rows, np.nan), "one level": ["a"] * rows,
        "x": x, "copy": 2 * x,
        "gaps": np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows)),
        "count": rng.integers(0, 5, rows),
        "key": rng.integers(2**53, 2**53 + 9, rows), "name": [f"v{i}" for i in range(rows)],
        "flag": rng.random(rows) < 0.5, "day": pd.date_range("2020", periods=rows),
        "nullable": pd.Series(rng.integers(0, 9, rows), dtype="Int64").mask(rng.random(rows) < 0.2),
        "category": pd.Categorical(rng.choice(list("abc"), rows), categories=list("zabc")),
        "spike": np.where(rng.random(rows) < 0.6, 0, rng.exponential(size=rows)),
        "huge": rng.normal(size=rows) * 1e300, 5: rng.normal(size=rows),
    }  # fmt: skip
    label = np.where(x + 0.5 * rng.normal(size=rows) > 0, "p", "q")
    label[0] = "one row only"
    return pd.DataFrame(frame).assign(y=label)


@pytest.mark.parametrize("rows", [1, 2, 3, 10, 19, 20, 25, 60])
def test_scm__odd_columns_and_few_rows__keeps_the_contract(rows: int) -> None:
    drawn, said = generate(odd_frame(rows))
    assert (drawn.frame["constant"] == 1).all()
    assert drawn.frame["empty"].isna().all()
    assert (
        drawn.frame["huge"]
        .between(odd_frame(rows)["huge"].min(), odd_frame(rows)["huge"].max())
        .all()
    )
    notes = said["notes"]
    assert isinstance(notes, list)
    assert any("too few for discovery" in note for note in notes) == (rows < 20)


def test_scm__more_columns_than_rows__keeps_the_contract() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(25, 60)), columns=[f"x{i}" for i in range(60)])
    drawn, _ = generate(frame.assign(y=(frame["x0"] > 0).astype(int)))
    assert drawn.frame.shape == (40, 61)


def test_scm__more_rows_than_are_learned_from__every_class_and_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scm, "MOST_ROWS", 300)
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    label = np.where(x + rng.normal(size=3000) > 0, "p", "q").astype(object)
    label[1234] = "one row only"
    table = Table.from_frame(pd.DataFrame({"x": x, "y": label}), "y")
    fitted = SCMGenerator(graphs=1).fit(table, rng, Resources(60.0))
    learned = fitted.chosen.model.table
    assert 300 <= len(learned) <= 303
    assert set(learned.classes) == {"p", "q", "one row only"}
    assert any(f"learned from {len(learned)} of 3000 rows" in note for note in fitted.notes)
    drawn = fitted.sample(2000, rng).frame
    assert abs((drawn["y"] == "p").mean() - 0.5) < 0.1
    few = SCMGenerator(graphs=1).fit(table.take(np.arange(300)), rng, Resources(60.0))
    assert not any("learned from" in note for note in few.notes)


@st.composite
def frames(
    draw: st.DrawFn, rows: st.SearchStrategy[int], columns: st.SearchStrategy[int]
) -> pd.DataFrame:
    """Return a table of any mix of columns."""
    n_rows, n_columns = draw(rows), draw(columns)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    makers: dict[str, Callable[[], object]] = {
        "normal": lambda: rng.normal(size=n_rows),
        "tails": lambda: rng.standard_cauchy(size=n_rows),
        "extreme": lambda: rng.choice([-1e308, -1e-308, 0.0, 5e-324, 1e308], size=n_rows),
        "gaps": lambda: np.where(
            rng.random(n_rows) < rng.random(), np.nan, rng.normal(size=n_rows)
        ),
        "integer": lambda: rng.integers(-3, 4, size=n_rows),
        "wide": lambda: rng.integers(-(2**62), 2**62, size=n_rows),
        "constant": lambda: np.zeros(n_rows), "flag": lambda: rng.random(n_rows) < 0.2,
        "level": lambda: rng.choice(list("abcdefgh"), size=n_rows),
        "name": lambda: rng.integers(9, size=n_rows).astype(str),
        "level gaps": lambda: pd.Series(rng.choice(list("ab"), size=n_rows)).mask(
            rng.random(n_rows) < 0.4
        ),
    }  # fmt: skip
    kinds = rng.choice(sorted(makers), size=n_columns)
    frame = pd.DataFrame({f"{kind}{place}": makers[kind]() for place, kind in enumerate(kinds)})
    if draw(st.booleans()):
        frame["copy"] = frame.iloc[:, 0]
    return frame.assign(y=rng.choice(["a", "b", "c"], p=[0.6, 0.37, 0.03], size=n_rows))


@settings(max_examples=15)
@given(frames(st.integers(1, 45), st.integers(1, 7)), st.sampled_from(["boss", "pc+fci"]))
def test_scm__any_small_table__valid_rows_or_a_typed_refusal(
    frame: pd.DataFrame, name: str
) -> None:
    try:
        drawn, _ = generate(frame, n_rows=7, discoverer={"name": name, "bootstraps": 2}, graphs=2)
    except TableError:
        return
    for column in drawn.frame.select_dtypes("number"):
        present, real = drawn.frame[column].dropna(), frame[column].dropna()
        if present.empty:
            continue
        # Whole numbers that span more than 2⁵³ are rounded as floats; see test_table.py.
        slack = (int(real.max()) - int(real.min())) // 2**52 if real.dtype == "int64" else 0
        assert present.min() + slack >= real.min()
        assert present.max() - slack <= real.max()


@pytest.mark.slow
@settings(max_examples=400)
@given(frames(st.integers(1, 45), st.integers(1, 7)), st.sampled_from(["boss", "pc+fci"]))
def test_scm__many_small_tables__valid_rows_or_a_typed_refusal(
    frame: pd.DataFrame, name: str
) -> None:
    generate(frame, n_rows=3, discoverer={"name": name, "bootstraps": 2}, graphs=2)


@pytest.mark.slow
# Shrinking an example that runs into the limit would take hours.
@settings(max_examples=12, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(
    frames(st.sampled_from([1, 30, 300, 5000]), st.sampled_from([1, 20, 32, 100, 300])),
    st.sampled_from(["boss", "pc+fci"]),
)
def test_scm__any_size__valid_rows_or_a_typed_refusal_in_time(
    frame: pd.DataFrame, name: str
) -> None:
    started, threads = time.monotonic(), threading.active_count()
    with contextlib.suppress(OutOfTime, TableError):
        generate(frame, n_rows=50, seconds=5.0, discoverer=name)
    # Straight lines on 300 columns are granted seconds of their own.
    assert time.monotonic() - started < 20.0
    assert threading.active_count() == threads
    assert not multiprocessing.active_children()


def noisy_copies(rows: int = 300) -> pd.DataFrame:
    """Return eight noisy copies of one cause of the label.

    Tests separate most of them from the label; together they predict it.
    """
    rng = np.random.default_rng(1)
    cause = rng.normal(size=rows)
    frame = pd.DataFrame({f"x{i}": cause + rng.normal(size=rows) for i in range(8)})
    return frame.assign(y=np.where(cause + 0.3 * rng.normal(size=rows) > 0, "yes", "no"))


def test_scm__graph_without_the_label__connects_it_and_says_so() -> None:
    _, said = generate(noisy_copies(), discoverer="no-edges")
    label, notes = said["label"], said["notes"]
    assert isinstance(label, dict)
    assert isinstance(notes, list)
    assert label["graph"] != "discovered"
    assert label["auc_synthetic"] - 0.5 > 0.8 * (label["auc_real"] - 0.5)
    assert "lose the label" in notes[0]
    assert notes[-1] == f"rows are drawn from the graph: {label['graph']}"
    graph = said["graph"]
    assert isinstance(graph, dict)
    added = {frozenset(edge) for edge in graph["added"]}
    # The label is the ninth column; no other has edges.
    assert added == {frozenset([node, 8]) for node in range(8)}
    assert f"{label['auc_synthetic']:.3f}" in graph["note"]


def test_scm__same_seed__same_rows_and_another_seed_others() -> None:
    frame, generator = noisy_copies(100), SCMGenerator(graphs=2)
    table = Table.from_frame(frame, "y")
    drawn = [
        generator.fit(table, np.random.default_rng(seed), Resources(60.0))
        .sample(20, np.random.default_rng(seed))
        .frame
        for seed in (3, 3, 4)
    ]
    assert drawn[0].equals(drawn[1])
    assert not drawn[0].equals(drawn[2])


def notes_of(fitted: FittedSCMGenerator) -> list[str]:
    notes = fitted.describe()["notes"]
    assert isinstance(notes, list)
    return notes


def test_scm__no_time__a_star_and_straight_lines_and_a_note_on_both() -> None:
    table = Table.from_frame(noisy_copies(), "y")
    fitted = SCMGenerator().fit(table, np.random.default_rng(0), Resources(0.0))
    notes = notes_of(fitted)
    assert any("the graph is a star around the target" in note for note in notes)
    assert any("straight lines stand in" in note for note in notes)
    assert notes[-1] == "rows are drawn from the graph: edges at the label only"
    learners = {mechanism.learner for mechanism in fitted.chosen.model.mechanisms.values()}
    assert learners <= {"linear", "empirical"}


@dataclass(frozen=True)
class Slow:
    """A discoverer that uses up all the time of the generator."""

    def discover(
        self,
        table: Table,
        constraints: Constraints,
        rng: np.random.Generator,
        resources: Resources,
    ) -> EdgeBeliefs:
        time.sleep(2.0 * resources.seconds)
        return NoEdges().discover(table, constraints, rng, resources)


def test_scm__no_time_for_mechanisms__straight_lines_and_a_note() -> None:
    table = Table.from_frame(noisy_copies(), "y")
    generator = SCMGenerator(discoverer=f"{__name__}:Slow")
    notes = notes_of(generator.fit(table, np.random.default_rng(0), Resources(0.2)))
    assert len(notes) == 2
    assert "straight lines stand in" in notes[0]


def test_scm__no_time_for_a_second_graph__the_first_and_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def late(beliefs: EdgeBeliefs, table: Table) -> EdgeBeliefs:
        raise OutOfTime("adding edges took too long")

    monkeypatch.setattr(label_fallback, "connect_label", late)
    table = Table.from_frame(noisy_copies(), "y")
    generator = SCMGenerator(discoverer="no-edges")
    notes = notes_of(generator.fit(table, np.random.default_rng(0), Resources(60.0)))
    assert "lose the label" in notes[0]
    assert notes[1:] == [
        "adding edges took too long; no graph with more edges was tried",
        "rows are drawn from the graph: discovered",
    ]


def test_scm__label_as_sink__causes_nothing() -> None:
    fitted = SCMGenerator(label="sink", graphs=3).fit(
        Table.from_frame(noisy_copies(), "y"), np.random.default_rng(0), Resources(60.0)
    )
    assert not any(dag[8].any() for dag in fitted.chosen.model.dags)


def test_scm__describe__is_json_and_pickles() -> None:
    table = Table.from_frame(noisy_copies(60), "y")
    fitted = SCMGenerator(graphs=1).fit(table, np.random.default_rng(0), Resources(60.0))
    said = json.loads(json.dumps(dict(fitted.describe()), allow_nan=False))
    assert said["graph"]["nodes"] == list(table.frame.columns)
    assert np.shape(said["graph"]["probability"]) == (9, 9)
    assert set(said["mechanisms"]) == set(table.frame.columns)
    again: FittedSCMGenerator = pickle.loads(pickle.dumps(fitted))
    assert again.sample(5, np.random.default_rng(0)).frame.equals(
        fitted.sample(5, np.random.default_rng(0)).frame
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"discoverer": "oracle"}, UnknownPlugin, "no discoverer 'oracle'"),
        ({"discoverer": {"name": "pc+fci", "alpha": 2.0}}, ConfigError, "'alpha' must be in"),
        ({"discoverer": {"name": "pc+fci", "speed": 1}}, ConfigError, "has no option 'speed'"),
        ({"graphs": 0}, ConfigError, "'graphs' must be at least 1"),
        ({"required": [["x0", "zebra"]]}, ConfigError, "'zebra', which is no column"),
        ({"required": [["y", "x0"]], "label": "sink"}, ConfigError, "is required, but"),
    ],
)
def test_scm__bad_option__one_clear_message(
    options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plugin_registry().of(Generator).get("scm").create(options).fit(
            Table.from_frame(noisy_copies(60), "y"), np.random.default_rng(0), Resources(60.0)
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"graphs": 0}, "'graphs' must be at least 1"),
        ({"mechanism": "pfn", "weighting": "likelihood"}, "leave 'weighting' out"),
        ({"discoverer": {"name": 3}}, "a plugin is named by a string"),
        ({"backbone": {"version": "v2"}}, "a plugin is named by a string or by a dict"),
        ({"required": [["a", "b"]], "forbidden": [["a", "b"]]}, "'a' → 'b' is required, but"),
        ({"required": [["a", "b"]], "tiers": [["b"], ["a"]]}, "'a' → 'b' is required, but"),
        ({"required": [["a", "b"], ["b", "c"], ["c", "a"]]}, "the required edges form a cycle"),
    ],
)
def test_scm__options_wrong_on_any_table__refused_before_a_fit(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        plugin_registry().of(Generator).get("scm").create(options)
