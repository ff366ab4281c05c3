"""The prior: reproducible, of the promised shape, with labels that the columns predict."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from benchmarks.pretraining.draws import Draw, Shape, generator
from benchmarks.pretraining.nodes import tree_sums
from benchmarks.pretraining.prior import MAX_CLASSES, Tables, _label, sample_tables


@pytest.fixture(scope="module")
def hard() -> Tables:
    """Sixty tables of the full prior, drawn ten at a time (a batch shares its sizes of layers)."""
    parts = [
        sample_tables(Shape(tables=10, rows=200, columns=12), generator(seed)) for seed in range(12)
    ]
    return Tables(
        **{name: torch.cat([getattr(p, name) for p in parts]) for name in ("x", "y", "categorical")}
    )


@pytest.mark.parametrize("difficulty", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("columns", [2, 7, 45])
def test__sample_tables__any_size__has_shape_and_finite_range(
    columns: int, difficulty: float
) -> None:
    tables = sample_tables(
        Shape(tables=3, rows=64, columns=columns, difficulty=difficulty), generator(1)
    )
    assert tables.x.shape == (3, 64, columns)
    assert tables.y.shape == (3, 64)
    assert tables.categorical.shape == (3, columns)
    assert not tables.x.isinf().any()
    assert 0 <= tables.y.min() <= tables.y.max() < MAX_CLASSES


def test__sample_tables__same_seed__same_bytes() -> None:
    shape = Shape(tables=4, rows=80, columns=9)
    first, again, other = (sample_tables(shape, generator(seed)) for seed in (5, 5, 6))
    assert first.x.numpy().tobytes() == again.x.numpy().tobytes()
    assert torch.equal(first.y, again.y)
    assert not torch.equal(first.y, other.y)


def test__generator__streams__differ() -> None:
    draws = [
        torch.rand(1, generator=generator(seed, stream=stream)).item()
        for seed in (0, 1)
        for stream in (0, 1, 2)
    ]
    assert len(set(draws)) == len(draws)


def test__sample_tables__global_generators__untouched() -> None:
    before, numpy_before = torch.get_rng_state(), numpy_state()
    sample_tables(Shape(tables=4, rows=80, columns=9), generator(0))
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(numpy_before, numpy_state())


def numpy_state() -> NDArray[np.uint32]:
    """Return a copy of the state of NumPy's global generator."""
    state: NDArray[np.uint32] = np.random.get_state(legacy=False)["state"]["key"]  # noqa: NPY002
    return state.copy()


def test__sample_tables__easy__binary_numeric_complete() -> None:
    tables = sample_tables(Shape(tables=60, rows=64, columns=3, difficulty=0.0), generator(2))
    assert tables.y.max() == 1
    assert not tables.categorical.any()
    assert not tables.x.isnan().any()


def test__sample_tables__full_prior__covers_every_number_of_classes(hard: Tables) -> None:
    counts = torch.tensor([len(set(y.tolist())) for y in hard.y])
    assert set(range(2, 9)) <= set(counts.tolist())
    assert 0.3 < (counts == 2).float().mean() < 0.8
    assert (counts >= 2).float().mean() > 0.95


def test__sample_tables__full_prior__misses_some_cells_but_never_a_column(hard: Tables) -> None:
    missing = hard.x.isnan()
    assert 0.005 < missing.float().mean() < 0.1
    assert 0.1 < missing.flatten(1).any(1).float().mean() < 0.5
    assert missing.float().mean(1).max() < 0.95


def test__sample_tables__full_prior__no_column_is_constant(hard: Tables) -> None:
    filled = hard.x.nan_to_num(-1e9)
    assert not (filled == filled[:, :1]).all(1).any()


def test__sample_tables__categorical_columns__hold_few_codes(hard: Tables) -> None:
    codes = hard.x.transpose(1, 2)[hard.categorical]
    assert 0.2 < hard.categorical.float().mean() < 0.6
    assert all(len(column[~column.isnan()].unique()) <= 12 for column in codes)
    known = codes[~codes.isnan()]
    assert torch.equal(known, known.round())


@pytest.mark.parametrize(("difficulty", "least"), [(0.0, 0.15), (1.0, 0.05)])
def test__sample_tables__forest__beats_the_majority_class(difficulty: float, least: float) -> None:
    gains = []
    for seed in range(12):
        tables = sample_tables(
            Shape(tables=1, rows=300, columns=8, difficulty=difficulty), generator(seed)
        )
        x, y = tables.x[0].nan_to_num(-9).numpy(), tables.y[0].numpy()
        forest = RandomForestClassifier(30, random_state=0).fit(x[:200], y[:200])
        gains.append(
            forest.score(x[200:], y[200:]) - np.mean(y[200:] == np.bincount(y[:200]).argmax())
        )
    assert np.mean(gains) > least


def test__tree__values__are_a_function_of_the_splits() -> None:
    draw = Draw(Shape(tables=2, rows=500, columns=4), generator(0))
    values, splits = tree_sums(draw, draw.normal(2, 500, 3), width=6)
    assert splits.any(1).all()
    distinct = [len(set(values[b, :, w].tolist())) for b in range(2) for w in range(6)]
    assert sum(n <= 32 for n in distinct) > 6  # the others are products, as many values as rows


def test__label__children__see_the_class() -> None:
    draw = Draw(Shape(tables=3, rows=400, columns=4), generator(0))
    y, seen = _label(draw, draw.normal(3, 400, 3))
    for labels, value in zip(y, seen, strict=True):
        means = torch.stack([value[labels == k].mean(0) for k in labels.unique()])
        within = torch.cat(
            [value[labels == k] - value[labels == k].mean(0) for k in labels.unique()]
        )
        assert means.var(0).mean() > within.var(0).mean()
