"""SMOTE and its kin on rows whose neighbours are known."""

import numpy as np
import pandas as pd
import pytest
from causalmix_imblearn import SMOTENC, FittedSMOTENC
from imblearn.pipeline import make_pipeline  # type: ignore[import-untyped]
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from autogluon_causalmix import Augmenter, augment
from autogluon_causalmix.plugin import Generator, Resources, Table
from autogluon_causalmix.plugins import plugin_registry
from autogluon_causalmix.testing import check_generator, linear_scm, mixed_scm, toy_tables


def fitted(frame: pd.DataFrame, neighbors: int = 5) -> FittedSMOTENC:
    table = Table.from_frame(frame, "y")
    return SMOTENC(neighbors).fit(table, np.random.default_rng(0), Resources(10.0))


def drawn(frame: pd.DataFrame, n_rows: int, neighbors: int = 5) -> pd.DataFrame:
    return fitted(frame, neighbors).sample(n_rows, np.random.default_rng(1)).frame


def two_clusters(n_rows: int = 400) -> pd.DataFrame:
    """In each class two clusters, 20 apart, each with a colour of its own."""
    rng = np.random.default_rng(0)
    right = rng.random(n_rows) < 0.5
    numbers = rng.normal(size=(n_rows, 2)) + 20 * right[:, None]
    colour = np.where(right, "red", "blue")
    label = rng.choice(["no", "yes"], p=[0.8, 0.2], size=n_rows)
    return pd.DataFrame({"a": numbers[:, 0], "b": numbers[:, 1], "colour": colour, "y": label})


def test_rows_lie_between_neighbours_and_have_their_category() -> None:
    rows = drawn(two_clusters(), 2000)
    right = rows["a"] > 10
    assert rows["colour"].eq("red").equals(right)
    assert (rows["b"] > 10).equals(right)
    assert not rows["a"].between(5, 15).any()
    assert rows["y"].eq("yes").mean() == pytest.approx(0.2, abs=0.04)


def test_a_class_of_two_rows_is_drawn_on_the_line_between_them() -> None:
    frame = two_clusters(40).drop(columns="colour").assign(y="no")
    frame.loc[[0, 1], ["a", "b"]] = [[0.0, 0.0], [1.0, 3.0]]
    frame.loc[[0, 1], "y"] = "yes"
    frame.loc[[0, 1], ["a", "b"]] += 0.0123456789  # no grid of decimals to round to
    rows = drawn(frame, 4000)
    own = rows[rows["y"] == "yes"][["a", "b"]] - 0.0123456789
    assert len(own) > 100
    np.testing.assert_allclose(own["b"], 3 * own["a"], atol=1e-7)
    assert own["a"].min() >= 0
    assert own["a"].max() <= 1
    assert own["a"].std() == pytest.approx(np.sqrt(1 / 12), abs=0.05)  # uniform
    assert fitted(frame).notes == ["class 'yes' has 2 rows: neighbors=1 there"]


def test_neighbours_do_not_depend_on_units() -> None:
    table = linear_scm(200, np.random.default_rng(0))[0].frame.rename(columns={"y": "label"})
    frame = table.assign(y=table["label"]).drop(columns="label")
    metres, kilometres = (drawn(frame.assign(a=frame["a"] * unit), 300) for unit in (1024.0, 1.0))
    np.testing.assert_allclose(metres["a"], 1024 * kilometres["a"], rtol=1e-9)
    np.testing.assert_allclose(metres["b"], kilometres["b"], rtol=1e-9)


@pytest.mark.parametrize(
    ("columns", "method"),
    [
        (["a", "b", "y"], "SMOTE"),
        (["colour", "size", "y"], "SMOTEN"),
        (["a", "colour", "size", "y"], "SMOTENC"),
    ],
)
def test_the_columns_decide_the_method_and_the_report_names_it(
    columns: list[str], method: str
) -> None:
    rng = np.random.default_rng(1)
    frame = two_clusters().assign(size=rng.choice(["s", "m", "l"], 400))
    smote = fitted(frame[columns])
    assert smote.describe()["method"] == method
    rows = smote.sample(500, np.random.default_rng(0)).frame
    for name in set(columns) - {"a", "b"}:
        assert set(rows[name]) <= set(frame[name])


def test_associations_of_a_simulator_with_numbers_and_categories_are_kept() -> None:
    table = mixed_scm(2000, np.random.default_rng(0))[0]
    smote = SMOTENC().fit(table, np.random.default_rng(0), Resources(30.0))
    rows = smote.sample(4000, np.random.default_rng(1)).frame
    for frame in (table.frame, rows):
        income = frame.groupby("region", observed=True)["income"].mean()
        assert income["west"] - income["north"] > 9
        assert frame.groupby("smoker")["age"].mean().diff().iloc[-1] < -20


def test_each_class_keeps_its_gaps_and_the_notes_say_how() -> None:
    rng = np.random.default_rng(0)
    frame = two_clusters(2000)
    often = rng.random(2000) < np.where(frame["y"] == "yes", 0.6, 0.1)
    frame.loc[often, ["a", "colour"]] = None
    smote = fitted(frame)
    rows = smote.sample(4000, np.random.default_rng(1)).frame
    assert rows["a"].isna().equals(rows["colour"].isna())  # gaps of one real row
    shares = rows["a"].isna().groupby(rows["y"]).mean()
    assert shares["yes"] == pytest.approx(0.6, abs=0.06)
    assert shares["no"] == pytest.approx(0.1, abs=0.03)
    assert not rows["b"].isna().any()
    assert [note.split(" were filled")[0] for note in smote.notes] == [
        "missing cells of 'a'",
        "missing cells of 'colour'",
    ]


def test_a_column_that_a_class_lacks_stays_missing_there() -> None:
    frame = two_clusters(100)
    frame.loc[frame["y"] == "yes", "a"] = np.nan
    rows = drawn(frame, 300)
    assert rows["a"].isna().equals(rows["y"].eq("yes"))


def test_a_table_of_one_class_is_drawn() -> None:
    frame = two_clusters(50).assign(y="only")
    assert set(drawn(frame, 30)["y"]) == {"only"}


@pytest.mark.parametrize("neighbors", [1, 5, 100])
def test_it_keeps_the_contract_of_generators(neighbors: int) -> None:
    check_generator(SMOTENC(neighbors))


def test_a_table_of_one_constant_category_is_drawn() -> None:
    table = toy_tables()["constant columns"]
    kept = table.frame[["same", "label"]].rename(columns={"label": "y"})
    assert set(drawn(kept, 20)["same"]) == {"a"}


def test_the_installed_package_is_found_by_its_name() -> None:
    owner = plugin_registry().of(Generator).get("smotenc").owner
    assert (owner.plugin, owner.distribution) == ("imblearn", "causalmix-imblearn")
    frame = mixed_scm(60, np.random.default_rng(0))[0].frame
    assert augment(frame, "risk", 20, generator={"name": "smotenc", "neighbors": 3}).shape == (
        20,
        5,
    )


def test_the_augmenter_is_a_step_of_a_pipeline_that_prediction_skips() -> None:
    frame = two_clusters()
    X, y = frame[["a", "b"]], frame["colour"]
    augmenter = Augmenter(n_rows=200, generator="bootstrap")
    pipeline = make_pipeline(augmenter, KNeighborsClassifier(1))
    assert pipeline.fit(X, y).named_steps["kneighborsclassifier"].n_samples_fit_ == 600
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.99
