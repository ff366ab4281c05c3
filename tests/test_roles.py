"""Experimental ways for synthetic rows to take part."""

import numpy as np
import pandas as pd
import pytest
import torch

from autogluon_causalmix.backbones.tabpfn import Mini
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import RowSets, encode_sets
from autogluon_causalmix.table import Table
from autogluon_causalmix.task import Classification
from benchmarks.roles import DRAWS, Gated, PosteriorSampler, TwoEpisodes


def test_a_posterior_episode_holds_rows_of_one_causal_model() -> None:
    rng = np.random.default_rng(0)
    synthetic = np.tile([0, 1], 20 * DRAWS)  # blocks of 40 rows
    sampler = PosteriorSampler(Classification(), np.tile([0, 1], 30), synthetic, 0.0, "episode")
    seen = set()
    for _ in range(200):
        episode = sampler.draw(rng, most_rows=100)
        (query,) = episode.queries
        (block,) = {*(episode.context // 40), *(query.rows // 40)}
        seen.add(int(block))
        assert set(synthetic[episode.context]) == {0, 1}
    assert seen == set(range(DRAWS))


def rows_of(sign: float) -> Table:
    """Return rows whose class is that of the sign of x, or its opposite."""
    x = np.linspace(-1, 1, 80)
    return Table.from_frame(pd.DataFrame({"x": x, "y": np.where(sign * x > 0, "a", "b")}), "y")


@pytest.mark.parametrize(("sign", "counts"), [(1.0, True), (-1.0, False)])
def test_the_gate_leaves_out_synthetic_queries_that_teach_the_opposite(
    sign: float, counts: bool
) -> None:
    real = rows_of(1.0)
    model = Mini().condition(real, n_estimators=1, device="cpu", seed=0)
    sets = RowSets(real, None, real.with_frame(rows_of(sign).frame))
    training = Gated(
        model,
        encode_sets(model, sets),
        real.task,
        Recipe(1, 1e-4, 0.5),
        np.random.default_rng(0),
    )
    episode = training.sampler.draw(np.random.default_rng(0), 100)
    whole = super(Gated, training)._loss(episode, 0)
    assert torch.isclose(training._loss(episode, 0), whole) == counts


def test_a_step_on_two_episodes_has_their_mean_loss() -> None:
    real = rows_of(1.0)
    model = Mini().condition(real, n_estimators=1, device="cpu", seed=0)
    rows, recipe = encode_sets(model, RowSets(real)), Recipe(1, 1e-4)
    training = TwoEpisodes(model, rows, real.task, recipe, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    second, first = (training.sampler.draw(rng, training.most_rows) for _ in range(2))
    parts = [super(TwoEpisodes, training)._loss(each, 0) for each in (first, second)]
    assert torch.isclose(training._loss(first, 0), torch.stack(parts).mean())
