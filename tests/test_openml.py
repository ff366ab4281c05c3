"""Tables of OpenML, against answers of its server that scikit-learn's own tests recorded."""

import email.message
import gzip
import io
import re
import urllib.request
import urllib.response
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from benchmarks.study.openml import NotFetched, tabarena_numbers
from benchmarks.study.plan import Plan
from benchmarks.study.tables import NoSuchTable, load

ANSWERS = files("sklearn.datasets.tests.data.openml")


class Recorded(urllib.request.HTTPSHandler):
    """Answers from files in place of the network; what is not recorded is a closed door."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def https_open(self, request: urllib.request.Request) -> urllib.response.addinfourl:  # type: ignore[override]
        url = request.full_url
        self.asked.append(url)
        kind = {"features": "api-v1-jdf", "qualities": "api-v1-jdq", "download": "data-v1-dl"}
        found = re.search(r"/(features|qualities|download|data)/(\d+)", url)
        assert found is not None
        name = f"{kind.get(found[1], 'api-v1-jd')}-{found[2]}."
        for folder in ANSWERS.iterdir():
            if folder.is_dir():
                for file in folder.iterdir():
                    if file.name.startswith(name):
                        headers = email.message.Message()
                        content = io.BytesIO(gzip.decompress(file.read_bytes()))
                        answer = urllib.response.addinfourl(content, headers, url, 200)
                        answer.msg = "OK"  # type: ignore[attr-defined]
                        return answer
        raise urllib.error.URLError("no route to host")


@pytest.fixture(autouse=True)
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """Put the recorded answers before the network, and the cache into a new folder."""
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    recorded = Recorded()
    urllib.request.install_opener(urllib.request.build_opener(recorded))
    yield recorded
    urllib.request.install_opener(urllib.request.build_opener())


def test_a_number_of_openml_is_that_table(server: Recorded) -> None:
    (iris,) = load(None, ["openml-61"])
    ours = load_iris()
    assert iris.labels.tolist() == [f"Iris-{ours.target_names[place]}" for place in ours.target]
    values = iris.frame.drop(columns="target").to_numpy(dtype=float)
    # Two rows of scikit-learn's copy differ from the repository's by known errors.
    assert (np.isclose(values, ours.data).all(axis=1)).sum() >= 148
    fetched = len(server.asked)
    (again,) = load(None, ["openml-61"])
    assert len(server.asked) == fetched > 0  # from the cache
    assert again.sha256 == iris.sha256


def test_categories_gaps_and_text_are_read_as_such() -> None:
    (titanic,) = load(None, ["openml-40945"])
    kinds = titanic.frame.dtypes
    assert isinstance(kinds["sex"], pd.CategoricalDtype)
    assert set(titanic.frame["sex"].dropna()) == {"male", "female"}
    assert pd.api.types.is_numeric_dtype(kinds["age"])
    assert titanic.frame["age"].isna().any()
    assert set(titanic.labels) == {"0", "1"}


def test_a_folder_comes_first(tmp_path: Path, server: Recorded) -> None:
    pd.DataFrame({"x": [1, 2], "target": ["a", "b"]}).to_csv(
        tmp_path / "openml-61.csv", index=False
    )
    (table,) = load(tmp_path, ["openml-61"])
    assert table.frame.shape == (2, 2)
    assert not server.asked


@pytest.mark.filterwarnings("ignore")  # scikit-learn tries three times, and says so
def test_what_cannot_be_fetched_says_what_to_do() -> None:
    with pytest.raises(
        NotFetched, match=r"number 46918 .* write the table as tabarena-credit-g.csv"
    ):
        load(None, ["tabarena-credit-g"])
    with pytest.raises(NoSuchTable, match="there is no table 'tabarena-nothing'"):
        load(None, ["tabarena-nothing"])


def test_the_list_of_tabarena_is_that_of_its_tasks() -> None:
    recorded = pd.read_csv(Path(__file__).parent / "data" / "tabarena_tasks.csv")
    assert set(recorded["dataset"]) <= set(tabarena_numbers())
    assert len(set(tabarena_numbers().values())) == 38


def test_a_plan_crosses_fetched_tables(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(
        'study = "benchmarks.zero_shot"\ntables = ["openml-61"]\nsplits = 2\n[arms.mini]\n'
        'backbone = "mini"\n'
    )
    plan = Plan.read(path)
    cells, notes = plan.cells(load(None, plan.tables))
    assert [cell.table.name for cell in cells] == ["openml-61"] * 2
    assert not notes
