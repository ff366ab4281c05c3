"""ForestDiffusion through the contract of generators, on rows whose relations are known."""

import time

import numpy as np
import pandas as pd
import pytest
from causalmix_forestdiffusion.generator import Feature, ForestDiffusion

from autogluon_causalmix.plugin import Generator, OutOfTime, Resources, Table
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.testing import check_generator, mixed_scm, toy_tables


def test_it_keeps_the_contract() -> None:
    check_generator(ForestDiffusion(levels=3, copies=2, trees=2))


def test_a_long_training_ends_with_its_seconds() -> None:
    table = mixed_scm(600, np.random.default_rng(0))[0]
    started = time.monotonic()
    with pytest.raises(OutOfTime, match="still training after 2 s; give it fewer levels"):
        ForestDiffusion(levels=1000).fit(table, np.random.default_rng(0), Resources(2.0))
    assert time.monotonic() - started < 10


def test_it_learns_a_curve_and_what_goes_with_a_class() -> None:
    rng = np.random.default_rng(0)
    ill = rng.choice(["no", "yes"], size=400, p=[0.8, 0.2])
    dose = rng.uniform(-1, 1, size=400)
    effect = np.where(ill == "yes", 3.0, 0.0) + dose**2 + 0.05 * rng.normal(size=400)
    age = np.where((ill == "yes") & (rng.random(400) < 0.8), np.nan, rng.normal(size=400))
    place = np.where(ill == "yes", rng.choice(["a", "b"], 400), "c")
    columns = {"dose": dose, "effect": effect, "age": age, "place": place, "ill": ill}
    table = Table.from_frame(pd.DataFrame(columns), "ill")
    drawn = ForestDiffusion().fit(table, rng, Resources(300.0)).sample(1000, rng).frame
    healthy, sick = (drawn[drawn["ill"] == label] for label in ("no", "yes"))
    assert len(sick) == pytest.approx(200, abs=60)  # 0.2 of the rows, ± 5 standard deviations
    assert sick["effect"].mean() - healthy["effect"].mean() == pytest.approx(3, abs=0.3)
    assert abs(healthy["effect"].corr(healthy["dose"])) < 0.3  # no line would be seen ...
    assert healthy["effect"].corr(healthy["dose"] ** 2) > 0.8  # ... where there is a parabola
    assert sick["age"].isna().mean() - healthy["age"].isna().mean() > 0.6
    assert set(sick["place"]) == {"a", "b"}
    assert set(healthy["place"]) == {"c"}


@pytest.mark.parametrize("name", toy_tables())
def test_what_the_library_sees_is_read_back(name: str) -> None:
    table = toy_tables()[name]
    for column, cells in zip(table.columns, table.encode().T, strict=True):
        feature = Feature.of(cells, column.is_categorical)
        shown = feature.show(cells)
        assert shown.shape == (len(table), feature.width)
        assert not np.isnan(shown).any()
        np.testing.assert_array_equal(feature.read(shown), cells)


def test_its_name_is_registered() -> None:
    assert "forestdiffusion" in plugin_registry().of(Generator).names
