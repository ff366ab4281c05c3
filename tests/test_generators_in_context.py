"""The generators that stand on a foundation model: `tabebm` and `pfn`."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from autogluon_causalmix.errors import ConfigError
from autogluon_causalmix.generators.pfn import PFN
from autogluon_causalmix.generators.scm import SCMGenerator
from autogluon_causalmix.generators.tabebm import TabEBM
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table


def blobs(rows: int = 60) -> Table:
    """Return two classes that lie five standard deviations apart, with gaps in one of them."""
    rng = np.random.default_rng(0)
    ill = np.repeat(["no", "yes"], rows // 2)
    frame = pd.DataFrame({"dose": rng.normal(size=rows) + 5 * (ill == "yes")})
    frame["age"] = np.where((ill == "no") & (rng.random(rows) < 0.5), np.nan, rng.normal(size=rows))
    frame["ward"] = np.where(ill == "yes", rng.choice(["a", "c"], rows), "b")
    return Table.from_frame(frame.assign(ill=ill), "ill")


def test_without_steps_and_noise_tabebm_draws_real_rows() -> None:
    table, still = blobs(), TabEBM(steps=1, step=0.0, noise=0.0, start=0.0, backbone="mini")
    drawn = still.fit(table, np.random.default_rng(0), Resources(60.0)).sample(
        90, np.random.default_rng(1)
    )
    real = table.take(np.random.default_rng(1).integers(len(table), size=90))
    pd.testing.assert_frame_equal(drawn.frame, real.frame, rtol=1e-12)


def test_tabebm_keeps_classes_gaps_and_levels_apart() -> None:
    fitted = TabEBM(steps=5, backbone="mini").fit(blobs(), np.random.default_rng(0), Resources(60))
    drawn = fitted.sample(200, np.random.default_rng(1)).frame
    no, yes = (drawn[drawn["ill"] == label] for label in ("no", "yes"))
    assert 3 < yes["dose"].mean() - no["dose"].mean() < 7
    assert 0.2 < no["age"].isna().mean() < 0.8
    assert not yes["age"].isna().any()
    assert set(no["ward"]) == {"b"}
    assert set(yes["ward"]) == {"a", "c"}


@pytest.mark.parametrize("backbone", ["mini"])
def test_langevin_steps_follow_the_gradient_of_the_energy_downhill(backbone: str) -> None:
    fitted = TabEBM(backbone=backbone).fit(blobs(), np.random.default_rng(0), Resources(60.0))
    energy = fitted.energy(np.arange(30))
    rows = np.random.default_rng(1).normal(size=(5, 3))

    def at(points: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return energy.at(torch.as_tensor(points, dtype=torch.float32)).double().numpy()

    gradient, width = energy.gradient(rows), 0.01
    for column in range(3):
        shift = width * np.eye(3)[column]
        slope = (at(rows + shift) - at(rows - shift)) / (2 * width)
        assert gradient[:, column] == pytest.approx(slope, abs=0.02 * np.abs(gradient).max())
    far = np.full((20, 3), 4.0)
    downhill = TabEBM(steps=20, step=0.3, noise=0.0, start=0.0, backbone=backbone)
    moved = replace(fitted, options=downhill).descend(energy, far, np.random.default_rng(2))
    assert at(moved).mean() < at(far).mean()


def test_a_crowded_class_is_said() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"dose": rng.normal(size=560), "ill": ["no"] * 520 + ["yes"] * 40})
    fitted = TabEBM(backbone="mini").fit(Table.from_frame(frame, "ill"), rng, Resources(60.0))
    assert "class 'no' has 520 rows" in str(fitted.describe()["notes"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("short", "whole"),
    [
        (PFN(backbone="mini"), SCMGenerator(graphs=1, mechanism="pfn", backbone="mini")),
        (
            PFN(order="random", graphs=2, backbone="mini"),
            SCMGenerator("random-order", graphs=2, mechanism="pfn", backbone="mini"),
        ),
    ],
    ids=["graph", "random"],
)
def test_pfn_is_short_for_an_option_of_scm(short: PFN, whole: SCMGenerator) -> None:
    first, second = (
        made.fit(blobs(), np.random.default_rng(0), Resources(120.0))
        .sample(30, np.random.default_rng(1))
        .frame
        for made in (short, whole)
    )
    pd.testing.assert_frame_equal(first, second)


def test_a_random_order_takes_no_discoverer() -> None:
    with pytest.raises(ConfigError, match="needs none of"):
        PFN(order="random", discoverer="pc+fci")
