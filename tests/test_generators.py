"""Every registered generator passes; each clause of `check_generator` catches its fault."""

import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from sklearn.model_selection import KFold, train_test_split

from autogluon_causalmix import testing
from autogluon_causalmix.errors import OutOfTime
from autogluon_causalmix.generators.bootstrap import Bootstrap
from autogluon_causalmix.generators.protocol import Generator
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import check_generator, linear_scm, mixed_scm, toy_tables

SLOW = {"pfn", "scm", "tabebm"}  # learn a graph, or ask a network, for each toy table
QUICK: dict[str, dict[str, object]] = {
    "pfn": {"order": "random", "backbone": "mini"},
    "tabebm": {"steps": 2, "backbone": "mini"},
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name in plugin_registry().of(Generator).names
    ],
)
def test_every_registered_generator_keeps_the_contract(name: str) -> None:
    check_generator(plugin_registry().of(Generator).get(name).create(QUICK.get(name, {})))


def test_bootstrap_draws_real_rows_each_equally_often() -> None:
    table = Table.from_frame(pd.DataFrame({"key": range(50), "y": [0, 1] * 25}), "y")
    fitted = Bootstrap().fit(table, np.random.default_rng(0), Resources(1.0))
    drawn = fitted.sample(50_000, np.random.default_rng(1)).frame
    assert (drawn["y"] == drawn["key"] % 2).all()
    counts = drawn["key"].value_counts()
    assert len(counts) == 50
    # A count is binomial with mean 1000 and standard deviation 31; five of them are never left by
    # chance.
    assert (counts - 1000).abs().max() < 155


def sound(fitted: "Fitted", rng: np.random.Generator) -> None:
    """Draw as the bootstrap does."""


@dataclass
class Fitted:
    """The bootstrap with a place for one fault: what `fault` returns is returned, if anything."""

    table: Table
    fault: Callable[["Fitted", np.random.Generator], Table | None] = sound
    said: object = field(default_factory=dict)
    calls: int = 0

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        drawn = self.fault(self, rng)
        return (
            self.table.take(rng.integers(len(self.table), size=n_rows)) if drawn is None else drawn
        )

    def describe(self) -> Any:
        return self.said


@dataclass
class Forgetful(Fitted):
    """Loses its state when pickled."""

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "calls": 0}


@dataclass
class Faulty:
    """A generator whose fit is any function."""

    fit_: Callable[[Table, np.random.Generator, Resources], Any]

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> Any:
        return self.fit_(table, rng, resources)


def with_fault(fault: Callable[[Fitted, np.random.Generator], Table | None]) -> Faulty:
    return Faulty(partial(fit_with, fault))


def fit_with(fault: Any, table: Table, rng: np.random.Generator, resources: Resources) -> Fitted:
    return Fitted(table, fault)


def other_rows(fitted: Fitted, rng: np.random.Generator) -> None:
    rng.bit_generator.state = np.random.default_rng().bit_generator.state


def skip_as_often_as_called(fitted: Fitted, rng: np.random.Generator) -> None:
    fitted.calls += 1
    rng.random(fitted.calls)


def skip_if_fresh(fitted: Fitted, rng: np.random.Generator) -> None:
    rng.random(fitted.calls)


def real_rows(fitted: Fitted, rng: np.random.Generator) -> Table:
    return fitted.table


def as_many_as_ever(fitted: Fitted, rng: np.random.Generator) -> Table:
    return fitted.table.take(rng.integers(len(fitted.table), size=len(fitted.table) + 7))


def overwrite(fitted: Fitted, rng: np.random.Generator) -> None:
    fitted.table.frame["number"] = 0.0


def draw_from_numpy(fitted: Fitted, rng: np.random.Generator) -> None:
    np.random.random()  # noqa: NPY002 - the fault


def draw_from_python(fitted: Fitted, rng: np.random.Generator) -> None:
    random.random()


def draw_from_torch(fitted: Fitted, rng: np.random.Generator) -> None:
    torch.rand(1)


def ignore_rng(fitted: Fitted, rng: np.random.Generator) -> None:
    rng.bit_generator.state = np.random.default_rng(0).bit_generator.state


def print_a_line(fitted: Fitted, rng: np.random.Generator) -> None:
    print("epoch 1")  # noqa: T201 - the fault


def write_a_progress_bar(fitted: Fitted, rng: np.random.Generator) -> None:
    sys.stderr.write("\r 50%|█████     |")


THREADS_END = threading.Event()


def start_a_thread(fitted: Fitted, rng: np.random.Generator) -> None:
    threading.Thread(target=THREADS_END.wait, name="watcher", daemon=True).start()


def set_torch_threads(fitted: Fitted, rng: np.random.Generator) -> None:
    torch.set_num_threads(torch.get_num_threads() + 1)


GPU_MEMORY = {"allocation.all.allocated": 3}


def take_memory_of_a_gpu(fitted: Fitted, rng: np.random.Generator) -> None:
    GPU_MEMORY["allocation.all.allocated"] += 1  # what torch.zeros(1, device="cuda") does to it


def fit_overwriting(table: Table, rng: np.random.Generator, resources: Resources) -> Fitted:
    table.frame.loc[0, "number"] = 0.0
    return Fitted(table)


def fit_to_shuffled_rows(table: Table, rng: np.random.Generator, resources: Resources) -> Fitted:
    return Fitted(table.take(np.random.default_rng().permutation(len(table))))


def fit_forgetful(table: Table, rng: np.random.Generator, resources: Resources) -> Fitted:
    return Forgetful(table, skip_if_fresh, calls=1)


def fit_unpicklable(table: Table, rng: np.random.Generator, resources: Resources) -> Fitted:
    return Fitted(table, lambda fitted, rng: None)


def fit_saying_a_set(table: Table, rng: np.random.Generator, resources: Resources) -> Fitted:
    return Fitted(table, said={"edges": {1}})


def fit_saying_edges(table: Table, rng: np.random.Generator, resources: Resources) -> Fitted:
    return Fitted(table, said={"graph": {"edges": [["number", "label"]]}})


@dataclass
class Inattentive(Fitted):
    """Says that it draws the rows of a class, and draws those of all."""

    def can_condition(self, where: object) -> bool:
        return True

    def sample_where(self, n_rows: int, rng: np.random.Generator, where: object) -> Table:
        return self.sample(n_rows, rng)


def fit_inattentive(table: Table, rng: np.random.Generator, resources: Resources) -> Fitted:
    return Inattentive(table)


def fit_nothing(table: Table, rng: np.random.Generator, resources: Resources) -> None:
    """Return nothing to sample from."""


def fit_too_long(table: Table, rng: np.random.Generator, resources: Resources) -> None:
    raise OutOfTime("the graph took too long")


FAULTS = {
    "its own randomness in sample": (
        with_fault(other_rows),
        "one fitted generator drew other rows from an equal rng",
    ),
    "state in sample": (
        with_fault(skip_as_often_as_called),
        "one fitted generator drew other rows from an equal rng",
    ),
    "its own randomness in fit": (
        Faulty(fit_to_shuffled_rows),
        "fitted twice with an equal rng, it drew other rows",
    ),
    "numpy's global state": (
        with_fault(draw_from_numpy),
        "it moved the global random state of ['numpy.random']",
    ),
    "python's global state": (
        with_fault(draw_from_python),
        "it moved the global random state of ['random']",
    ),
    "torch's global state": (
        with_fault(draw_from_torch),
        "it moved the global random state of ['torch']",
    ),
    "overwrites in fit": (Faulty(fit_overwriting), "it modified the table it was given"),
    "overwrites in sample": (with_fault(overwrite), "it modified the table it was given"),
    "deals out the real rows": (with_fault(real_rows), "it returned 60 rows, not 67"),
    "asked for one row": (with_fault(as_many_as_ever), "it returned 67 rows, not 1"),
    "cannot be pickled": (Faulty(fit_unpicklable), "Fitted cannot be pickled, as ray workers need"),
    "forgets": (
        Faulty(fit_forgetful),
        "after pickling it drew other rows; keep all state in the object",
    ),
    "the generator cannot be pickled": (
        Faulty(lambda *_: Fitted(_[0])),
        "Faulty cannot be pickled, as ray workers need",
    ),
    "says what is no JSON": (
        Faulty(fit_saying_a_set),
        "raised TypeError: Object of type set is not JSON serializable",
    ),
    "describes a graph in its own format": (
        Faulty(fit_saying_edges),
        "Fitted.describe describes a graph without 'nodes', with ['edges']; describe it as",
    ),
    "draws rows of other classes": (
        Faulty(fit_inattentive),
        "Inattentive.sample_where (plugin 'under test' of this package 0) broke the contract",
    ),
    "fits to nothing": (
        Faulty(fit_nothing),
        "raised AttributeError: 'NoneType' object has no attribute 'sample'",
    ),
    "ignores rng": (with_fault(ignore_rng), "it drew the same rows from another rng"),
    "prints": (with_fault(print_a_line), "it wrote to standard output: 'epoch 1 epoch 1"),
    "shows a progress bar": (with_fault(write_a_progress_bar), "it wrote to standard error: '50%|"),
    "leaves a thread": (with_fault(start_a_thread), "it left threads running: ['watcher'"),
    "sets the threads of torch": (
        with_fault(set_torch_threads),
        "'torch'] for the whole process; use `with threadpoolctl.threadpool_limits(",
    ),
    "takes a GPU": (
        with_fault(take_memory_of_a_gpu),
        'it used a GPU, but resources.device was "cpu"; put networks on resources.device',
    ),
    "is never done": (Faulty(fit_too_long), "the graph took too long"),
}


@pytest.fixture
def threads_as_before() -> Iterator[None]:
    """End and put back what a fault may have started and changed."""
    before = torch.get_num_threads()
    THREADS_END.clear()
    yield
    torch.set_num_threads(before)
    THREADS_END.set()


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch count the memory of a GPU that need not be there."""
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "memory_stats", lambda: GPU_MEMORY)


@pytest.mark.usefixtures("threads_as_before", "gpu")
@pytest.mark.parametrize(("generator", "complaint"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_caught_and_named(generator: Faulty, complaint: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(complaint)) as error:
        check_generator(generator)
    assert str(error.value).startswith("Faulty on the table 'mixed types': ")


# What a first draft of a generator does, and stumbles over.
FIRST_DRAFTS: dict[str, Callable[[Table], object]] = {
    "mixed types": lambda table: table.frame.astype("float64"),
    "missing values": lambda table: table.frame["whole"].astype("int64"),
    "constant columns": lambda table: np.linalg.inv(np.cov(table.encode().T)),
    "a class with one row": lambda table: train_test_split(table.frame, stratify=table.labels),
    "dtypes": lambda table: torch.tensor(table.features.drop(columns="word").to_numpy()),
    "odd names": lambda table: ", ".join(table.frame.columns.tolist()),
    "two rows": lambda table: list(KFold(3).split(table.frame)),
}


@pytest.mark.parametrize("name", toy_tables())
def test_each_toy_table_catches_who_has_not_thought_of_it(name: str) -> None:
    def fit(table: Table, rng: np.random.Generator, resources: Resources) -> None:
        FIRST_DRAFTS[name](table)

    with pytest.raises(AssertionError, match=f"Faulty on the table {name!r}: it raised "):
        check_generator(Faulty(fit), {name: toy_tables()[name]})


@dataclass
class Capped(Fitted):
    """Has a stock of 100 rows."""

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        return super().sample(min(n_rows, 100), rng)


def test_many_rows_must_be_drawn_too() -> None:
    with pytest.raises(AssertionError, match="it returned 100 rows, not 500"):
        check_generator(Faulty(lambda table, rng, resources: Capped(table)))


@dataclass
class Averaging(Fitted):
    """Draws the mean of two real rows, without a look at the grid of a column."""

    def sample(self, n_rows: int, rng: np.random.Generator) -> Table:
        pairs = rng.integers(len(self.table), size=(2, n_rows))
        one, other = (self.table.take(rows).frame for rows in pairs)
        return self.table.with_frame(one.assign(visits=(one["visits"] + other["visits"]) / 2))


def test_fractions_of_whole_numbers_are_caught() -> None:
    visits = [1.0, 2.0, np.nan, 5.0]
    table = Table.from_frame(pd.DataFrame({"visits": visits, "y": [0, 1, 0, 1]}), "y")
    with pytest.raises(
        AssertionError,
        match=r"'visits': column 'visits' is \d\.5, but its real values are whole; decode floats",
    ):
        check_generator(Faulty(lambda table, rng, resources: Averaging(table)), {"visits": table})


def needs_two_classes(table: Table, *_: object) -> None:
    assert table.labels.nunique() > 1, "one class"


def has_no_gaps_in_numbers(table: Table, *_: object) -> None:
    assert "visits" not in table.frame or table.frame["visits"].notna().all(), "a gap"


@pytest.mark.parametrize(
    ("name", "stumble", "reason"),
    [
        ("one class", needs_two_classes, "one class"),
        ("whole numbers with gaps", has_no_gaps_in_numbers, "a gap"),
    ],
)
def test_two_more_tables_catch_who_has_not_thought_of_them(
    name: str, stumble: Callable[..., None], reason: str
) -> None:
    complaint = f"Stumbling on the table {name!r}: {reason}"
    with pytest.raises(AssertionError, match=complaint):
        check_generator(Stumbling(stumble))


@dataclass
class Stumbling(Faulty):
    """The bootstrap, after a look at the table."""

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> Any:
        self.fit_(table, rng, resources)
        return Fitted(table)


@dataclass(frozen=True)
class WithOptions(Bootstrap):
    """The bootstrap with options that do nothing."""

    scale: int = 1
    bounds: Any = ()
    hidden: Any = None


@pytest.mark.parametrize(
    ("generator", "complaint"),
    [
        (WithOptions(hidden={1}), "'hidden' is no JSON, as options are: Object of type set is not"),
        (WithOptions(bounds=(1, 2)), r"'bounds' is (1, 2), but [1, 2] when it is read from JSON"),
        (WithOptions(scale=0.5), "option 'scale' should be a valid integer, got 0.5"),  # type: ignore[arg-type]
    ],
)
def test_options_must_come_back_from_json(generator: WithOptions, complaint: str) -> None:
    tables = {"two rows": toy_tables()["two rows"]}
    with pytest.raises(AssertionError, match=re.escape(complaint)) as error:
        check_generator(generator, tables)
    assert str(error.value).startswith("the options of WithOptions: ")


def test_own_tables_take_the_place_of_the_toys() -> None:
    with pytest.raises(AssertionError, match="Faulty on the table 'mine': it moved the global"):
        check_generator(
            with_fault(draw_from_python), {"mine": linear_scm(20, np.random.default_rng(0))[0]}
        )


def fit_forever_on_many_rows(
    table: Table, rng: np.random.Generator, resources: Resources
) -> Fitted:
    while len(table) > 100:
        time.sleep(0.01)
    return Fitted(table)


def fit_until_out_of_time(table: Table, rng: np.random.Generator, resources: Resources) -> Fitted:
    while len(table) > 100:
        time.sleep(0.01)
        if resources.remaining() < 0:
            raise OutOfTime("enough")
    return Fitted(table)


class Patient:
    """Gives up when its time is over."""

    def fit(self, table: Table, rng: np.random.Generator, resources: Resources) -> Fitted:
        return fit_until_out_of_time(table, rng, resources)


def test_a_short_time_must_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing.generators, "SHORT", 0.1)
    monkeypatch.setattr(testing.generators, "GRACE", 0.5)
    check_generator(Patient())
    with pytest.raises(
        AssertionError,
        match="Faulty with 0.1 s: still fitting after 0.5 s; look at resources",
    ):
        check_generator(Faulty(fit_forever_on_many_rows))


def partial_correlation(columns: npt.NDArray[np.float64], i: int, j: int) -> float:
    precision = np.linalg.inv(np.corrcoef(columns.T))
    return float(-precision[i, j] / np.sqrt(precision[i, i] * precision[j, j]))


def test_linear_scm_is_the_model_it_claims_to_be() -> None:
    table, causes = linear_scm(20_000, np.random.default_rng(0))
    numbers = table.frame[["a", "b", "c", "d"]].to_numpy()
    assert np.corrcoef(numbers[:, 0], numbers[:, 1])[0, 1] == pytest.approx(0.8, abs=0.02)
    assert np.corrcoef(numbers[:, 0], numbers[:, 2])[0, 1] == pytest.approx(0.0, abs=0.03)
    assert np.corrcoef(numbers[:, 1], numbers[:, 2])[0, 1] == pytest.approx(0.0, abs=0.03)
    assert (
        abs(partial_correlation(numbers, 1, 2)) > 0.5
    )  # a collider: given d, its causes go together
    assert partial_correlation(numbers, 0, 3) == pytest.approx(0.0, abs=0.03)
    assert causes.sum() == 4
    assert np.trace(np.linalg.matrix_power(causes.astype(int), 5)) == 0  # acyclic
    likelihood = 1 / (1 + np.exp(-2 * table.frame["d"]))
    for low, high in [(0.0, 0.2), (0.4, 0.6), (0.8, 1.0)]:
        band = likelihood.between(low, high)
        assert table.labels[band].mean() == pytest.approx(likelihood[band].mean(), abs=0.03)


def test_mixed_scm_is_the_model_it_claims_to_be() -> None:
    table, causes = mixed_scm(20_000, np.random.default_rng(0))
    frame = table.frame
    assert table.problem_type == "multiclass"
    assert table.categorical == ("region", "smoker")
    noise = frame["income"] - 20 - 6 * frame["region"].cat.codes - 0.3 * (frame["age"] - 49)
    assert noise.mean() == pytest.approx(0.0, abs=0.1)
    assert noise.std() == pytest.approx(4.0, abs=0.1)
    assert (
        frame.groupby("region", observed=True)["age"].mean().std() < 0.5
    )  # causes of income, not of each other
    assert frame["smoker"][frame["age"] < 30].mean() > 0.8
    odds = np.log(
        frame["risk"].eq("high")[frame["smoker"]].mean()
        / frame["risk"].eq("middle")[frame["smoker"]].mean()
    )
    assert odds == pytest.approx(2.0, abs=0.1)
    assert causes.sum() == 5
    assert np.trace(np.linalg.matrix_power(causes.astype(int), 5)) == 0


@pytest.mark.parametrize("simulate", [linear_scm, mixed_scm])
def test_simulators_take_all_randomness_from_rng(
    simulate: Callable[..., tuple[Table, Any]],
) -> None:
    first, second, other = (
        simulate(50, np.random.default_rng(seed))[0].frame for seed in (0, 0, 1)
    )
    assert first.equals(second)
    assert not first.equals(other)
