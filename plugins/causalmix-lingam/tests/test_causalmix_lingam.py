"""LiNGAM against linear models whose directions are known."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from causalmix_lingam import DirectLiNGAM

from autogluon_causalmix import augment
from autogluon_causalmix.plugin import Constraints, Discoverer, EdgeBeliefs, Resources, Table
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.testing import check_discoverer, toy_tables

COLUMNS = ["a", "b", "c"]


def chain(order: Sequence[str], noise: str = "uniform", n_rows: int = 1000) -> Table:
    """A linear chain over `COLUMNS` in this order, and a label that has nothing to do with it."""
    rng = np.random.default_rng(0)
    draw = {
        "uniform": lambda: rng.uniform(-1, 1, n_rows),
        "normal": lambda: rng.normal(size=n_rows),
    }
    values = {order[0]: draw[noise]()}
    for cause, effect in pairwise(order):
        values[effect] = 0.9 * values[cause] + 0.6 * draw[noise]()
    frame = pd.DataFrame({name: values[name] for name in COLUMNS})
    return Table.from_frame(frame.assign(y=rng.integers(2, size=n_rows)), "y")


def found(table: Table, constraints: Constraints | None = None, **options: Any) -> EdgeBeliefs:
    constraints = constraints or Constraints.none(len(table.columns))
    return DirectLiNGAM(**options).discover(
        table, constraints, np.random.default_rng(0), Resources(60.0)
    )


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_directions_of_a_chain_with_uniform_noise_are_found_whatever_the_order_of_columns(
    order: str,
) -> None:
    belief = found(chain(order)).probability
    first, middle, last = (COLUMNS.index(name) for name in order)
    assert belief[first, middle] > 0.9
    assert belief[middle, last] > 0.9
    assert belief[middle, first] + belief[last, middle] + belief[last, first] < 0.1
    assert belief[first, last] < 0.5
    assert belief[3].max() <= 0.5  # the label causes nothing


def test_with_gaussian_noise_the_edges_are_found_but_no_direction_is_certain() -> None:
    beliefs = [found(chain(order, "normal"), bootstraps=30).probability for order in ("abc", "cba")]
    for belief in beliefs:
        assert belief[0, 1] + belief[1, 0] > 0.9
        assert belief[1, 2] + belief[2, 1] > 0.9
    forward = beliefs[0][0, 1] + beliefs[0][1, 2], beliefs[1][2, 1] + beliefs[1][1, 0]
    assert max(forward) < 1.9  # 2 with uniform noise


def test_knowledge_turns_the_order_and_not_only_the_edge() -> None:
    allowed = Constraints.none(4).allowed.copy()
    allowed[0, 1] = allowed[0, 2] = allowed[0, 3] = (
        False  # a, the first of the chain, has no effect
    )
    belief = found(chain("abc"), Constraints(allowed, np.zeros((4, 4), dtype=bool))).probability
    assert belief[1, 0] > 0.9
    assert belief[0].max() == 0


def test_a_column_that_must_come_later_does_although_a_third_could_be_between() -> None:
    allowed = Constraints.none(4).allowed.copy()
    allowed[0, 1] = False  # the path a → c → b stays possible, but b → a is the only direct edge
    belief = found(chain("abc"), Constraints(allowed, np.zeros((4, 4), dtype=bool))).probability
    assert belief[0, 1] == 0
    assert belief[1, 0] > 0.9


def test_one_way_edges_in_a_cycle_are_no_order_and_are_kept_to() -> None:
    allowed = Constraints.none(4).allowed.copy()
    allowed[[1, 2, 0], [0, 1, 2]] = False  # left are a → b → c → a, and the label
    belief = found(chain("abc"), Constraints(allowed, np.zeros((4, 4), dtype=bool))).probability
    assert not belief[~allowed].any()
    assert belief[0, 1] > 0.9
    assert belief[1, 2] > 0.9


def test_columns_that_others_determine_and_missing_cells_are_noted() -> None:
    table = chain("abc")
    frame = table.frame.assign(twice=2 * table.frame["a"], one=1.0)
    frame["colour"] = np.random.default_rng(1).choice(["red", "green", "blue"], len(frame))
    frame.loc[:9, "b"] = np.nan
    beliefs = found(Table.from_frame(frame, "y"), bootstraps=2)
    reason = "is constant or a linear function of columns before it: LiNGAM finds no edges of it"
    assert beliefs.notes == (
        "LiNGAM takes the mean of column 'b' for its missing cells",
        "LiNGAM takes the codes of the categories of 'colour' for numbers",
        f"column 'twice' {reason}",
        f"column 'one' {reason}",
    )
    assert beliefs.probability[4:6].sum() == beliefs.probability[:, 4:6].sum() == 0


def test_few_rows_give_required_edges_alone() -> None:
    required = np.zeros((4, 4), dtype=bool)
    required[0, 3] = True
    allowed = Constraints.none(4).allowed.copy()
    allowed[3, 0] = False
    beliefs = found(chain("abc", n_rows=15), Constraints(allowed, required))
    assert np.array_equal(beliefs.probability, required)
    assert beliefs.notes == ("15 rows are too few for LiNGAM: no edges but required ones",)


def test_little_time_leaves_fewer_bootstraps_and_a_note() -> None:
    table = chain("abc", n_rows=5000)
    beliefs = DirectLiNGAM(1000).discover(
        table, Constraints.none(4), np.random.default_rng(0), Resources(0.5)
    )
    assert 1 <= len(beliefs.graphs) < 1000
    assert beliefs.notes[-1].startswith("time is nearly up: LiNGAM was run on")


def test_it_keeps_the_contract_of_discoverers() -> None:
    check_discoverer(DirectLiNGAM(bootstraps=3))


@pytest.mark.parametrize("label", ["node", "sink"])
def test_the_installed_package_serves_the_causal_generator(label: str) -> None:
    entry = plugin_registry().of(Discoverer).get("lingam")
    assert (entry.owner.plugin, entry.owner.distribution) == ("lingam", "causalmix-lingam")
    frame = toy_tables()["mixed types"].frame
    scm = {
        "name": "scm",
        "graphs": 2,
        "label": label,
        "discoverer": {"name": "lingam", "bootstraps": 2},
    }
    assert augment(frame, "label", 20, generator=scm).shape == (20, 5)
