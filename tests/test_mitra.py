"""Mitra: the adapter on small random checkpoints of the real format."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from autogluon_causalmix import CausalMixModel
from autogluon_causalmix.backbones import mitra_weights
from autogluon_causalmix.backbones import weights as hub
from autogluon_causalmix.backbones.mitra import Mitra
from autogluon_causalmix.backbones.published import published
from autogluon_causalmix.errors import CheckpointError, ConfigError
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import check_backbone

INSTALLED = importlib.util.find_spec("einx") is not None
with_mitra = pytest.mark.skipif(not INSTALLED, reason="einx is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning"),  # single precision, as ours
    pytest.mark.filterwarnings("ignore:.*pin_memory:UserWarning"),
]


def small_network(folder: Path, task: str = "CLASSIFICATION", outputs: int = 10) -> str:
    """Leave a small network with random weights, in the format of the published one."""
    module = pytest.importorskip("autogluon.tabular.models.mitra._internal.models.tab2d")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = module.Tab2D(16, outputs, 2, 2, task, False, "", device="cpu")
    network.save_pretrained(str(folder))
    return str(folder)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_network(tmp_path_factory.mktemp("mitra"))


def table_of(holes: bool = False) -> Table:
    """Return 40 rows of three classes, with a constant column and maybe with missing numbers."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 4)), columns=list("abcd")).assign(constant=1.0)
    if holes:
        frame.loc[::7, "b"] = np.nan
    return Table.from_frame(frame.assign(y=np.arange(40) % 3), "y")


def conditioned(path: str, table: Table, views: int = 3) -> Any:
    return Mitra(path=path).condition(table, n_estimators=views, device="cpu", seed=0)


@pytest.mark.slow
@with_mitra
def test_it_keeps_the_contract_of_backbones(checkpoint: str) -> None:
    check_backbone(Mitra(path=checkpoint))


def their_classifier(path: str, table: Table, views: int) -> Any:
    """Return AutoGluon's own classifier without fine-tuning, in single precision as ours is."""
    module = pytest.importorskip("autogluon.tabular.models.mitra.sklearn_interface")
    classifier = module.MitraClassifier(
        n_estimators=views, fine_tune=False, hf_model=path, device="cpu", verbose=False
    )
    x, y = table.features.to_numpy(), table.labels.to_numpy()
    classifier.fit(x.copy(), y, x.copy(), y)
    for trainer in classifier.trainers:
        trainer.cfg.hyperparams["precision"] = "float32"
    return classifier


@with_mitra
@pytest.mark.parametrize("holes", [False, True])
def test_it_predicts_what_autogluon_predicts(checkpoint: str, holes: bool) -> None:
    table = table_of(holes)
    model = conditioned(checkpoint, table)
    theirs = their_classifier(checkpoint, table, views=3)
    # the same columns mirrored, which theirs draws from numpy's global generator
    model.mirrors[:, :4] = np.concatenate([t.preprocessor.mirror for t in theirs.trainers])
    ours = model.predict_proba(table.features)
    np.testing.assert_allclose(
        ours, theirs.predict_proba(table.features.to_numpy(copy=True)), atol=1e-5
    )
    assert np.ptp(ours, axis=0).max() > 1e-3, "the rows differ"


@with_mitra
def test_views_differ_and_follow_from_the_seed(checkpoint: str) -> None:
    table = table_of()
    one, same = conditioned(checkpoint, table), conditioned(checkpoint, table)
    np.testing.assert_array_equal(one.mirrors, same.mirrors)
    assert len(np.unique(one.mirrors, axis=0)) == len(one.mirrors)


@with_mitra
def test_exported_weights_are_read_again(checkpoint: str, tmp_path: Path) -> None:
    table = table_of()
    model = conditioned(checkpoint, table)
    with torch.no_grad():
        for weight in model.network.parameters():
            weight.mul_(1.1)
    model.export_weights(tmp_path / "tuned")
    again = conditioned(str(tmp_path / "tuned"), table)
    predicted = again.predict_proba(table.features)
    np.testing.assert_array_equal(predicted, model.predict_proba(table.features))
    assert np.abs(
        predicted - conditioned(checkpoint, table).predict_proba(table.features)
    ).max() > (1e-3)
    with pytest.raises(ConfigError, match="weights of Mitra are a folder"):
        model.export_weights(tmp_path / "tuned" / "config.json")


@with_mitra
def test_autogluons_classifier_predicts_the_same_from_exported_weights(
    checkpoint: str, tmp_path: Path
) -> None:
    table = table_of()
    model = conditioned(checkpoint, table, views=1)
    with torch.no_grad():
        for weight in model.network.parameters():
            weight.mul_(1.1)
    model.export_weights(tmp_path / "tuned")
    theirs = their_classifier(str(tmp_path / "tuned"), table, views=1)
    model.mirrors[:, :4] = theirs.trainers[0].preprocessor.mirror
    np.testing.assert_allclose(
        model.predict_proba(table.features),
        theirs.predict_proba(table.features.to_numpy(copy=True)),
        atol=1e-5,
    )


@with_mitra
def test_a_folder_that_is_no_classifier_is_one_error_that_says_the_way_out(
    checkpoint: str, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=r"there is no file config.json in .*nowhere"):
        Mitra(path=str(tmp_path / "nowhere"))
    shutil.copytree(checkpoint, tmp_path / "broken")
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match="cannot be used as weights of Mitra"):
        conditioned(str(tmp_path / "broken"), table_of())
    regressor = small_network(tmp_path / "regressor", "REGRESSION", outputs=1)
    with pytest.raises(CheckpointError, match="it is one of regression"):
        conditioned(regressor, table_of())


def test_weights_out_of_reach_are_an_error_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUSALMIX_OFFLINE", "1")
    monkeypatch.setattr(hub, "cached_path", lambda *_: None)
    with pytest.raises(CheckpointError, match="config.json of autogluon/mitra-classifier"):
        mitra_weights.fetch()


def test_the_list_of_weights_has_it_with_its_licence() -> None:
    (listed,) = [each for each in published() if each.name == "mitra"]
    assert listed.license == "Apache-2.0"


@pytest.mark.skipif(INSTALLED, reason="einx is installed")
def test_without_its_package_the_way_out_is_named() -> None:
    with pytest.raises(ConfigError, match=r"pip install 'autogluon-causalmix\[mitra\]'"):
        CausalMixModel.check({"backbone": "mitra"})
