"""TabICL: the adapter on small random checkpoints of the real format."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from autogluon_causalmix.backbones import tabicl_weights
from autogluon_causalmix.backbones import weights as hub
from autogluon_causalmix.backbones.tabicl import TabICL
from autogluon_causalmix.errors import CheckpointError, ConfigError
from autogluon_causalmix.model import CausalMixModel
from autogluon_causalmix.table import Table
from autogluon_causalmix.testing import check_backbone

INSTALLED = importlib.util.find_spec("tabicl") is not None
with_tabicl = pytest.mark.skipif(not INSTALLED, reason="tabicl is not installed")

SMALL: dict[str, Any] = {
    "max_classes": 10,
    "embed_dim": 16,
    "col_num_blocks": 1,
    "col_nhead": 2,
    "col_num_inds": 4,
    "row_num_blocks": 1,
    "row_nhead": 2,
    "row_num_cls": 2,
    "icl_num_blocks": 1,
    "icl_nhead": 2,
    "zero_init": False,
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small network with random weights, in the format of the published files."""
    module = pytest.importorskip("tabicl._model.tabicl")
    torch.manual_seed(0)
    network = module.TabICL(**SMALL)
    for weight in network.parameters():
        if not weight.any():  # as a fresh network has some, through which no gradient passes
            torch.nn.init.normal_(weight, std=0.05)
    path = tmp_path_factory.mktemp("tabicl") / "small.ckpt"
    torch.save({"config": SMALL, "state_dict": network.state_dict()}, path)
    return str(path)


def numbers() -> Table:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 4)), columns=list("abcd"))
    return Table.from_frame(frame.assign(y=np.arange(40) % 3), "y")


def conditioned(path: str, table: Table, views: int = 4) -> Any:
    return TabICL(path=path).condition(table, n_estimators=views, device="cpu", seed=0)


@pytest.mark.slow
@with_tabicl
def test_it_keeps_the_contract_of_backbones(checkpoint: str) -> None:
    check_backbone(TabICL(path=checkpoint))


@with_tabicl
def test_it_predicts_what_tabicl_predicts(checkpoint: str) -> None:
    from tabicl import TabICLClassifier

    table = numbers()
    ours = conditioned(checkpoint, table).predict_proba(table.features)
    theirs = TabICLClassifier(
        n_estimators=4, model_path=checkpoint, random_state=0, device="cpu"
    ).fit(table.features.to_numpy(), table.labels.to_numpy())
    np.testing.assert_allclose(ours, theirs.predict_proba(table.features.to_numpy()), atol=1e-5)
    assert np.ptp(ours, axis=0).max() > 1e-3, "the rows differ"


@with_tabicl
def test_exported_weights_are_read_by_tabicl(checkpoint: str, tmp_path: Path) -> None:
    table = numbers()
    model = conditioned(checkpoint, table)
    with torch.no_grad():
        for weight in model.network.parameters():
            weight.mul_(1.1)
    model.export_weights(tmp_path / "tuned.ckpt")
    again = conditioned(str(tmp_path / "tuned.ckpt"), table)
    predicted = again.predict_proba(table.features)
    np.testing.assert_allclose(predicted, model.predict_proba(table.features), atol=1e-6)
    with pytest.raises(ConfigError, match=r"must end in '.ckpt'"):
        model.export_weights(tmp_path / "tuned.safetensors")


@with_tabicl
def test_a_broken_file_is_one_error_that_says_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "broken.ckpt").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match="cannot be used as TabICL weights"):
        conditioned(str(tmp_path / "broken.ckpt"), numbers())
    with pytest.raises(CheckpointError, match="there is no file of weights at"):
        TabICL(path=str(tmp_path / "missing.ckpt"))
    with pytest.raises(ConfigError, match=r"no version 'v9'; choose from \['v1', 'v1.1', 'v2'\]"):
        TabICL("v9")


def test_weights_out_of_reach_are_an_error_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUSALMIX_OFFLINE", "1")
    monkeypatch.setattr(hub, "cached_path", lambda *_: None)
    with pytest.raises(CheckpointError, match=r"tabicl-classifier-v2-20260212.ckpt of jingang/"):
        tabicl_weights.fetch("v2")


@pytest.mark.skipif(INSTALLED, reason="tabicl is installed")
def test_without_its_package_the_way_out_is_named() -> None:
    with pytest.raises(ConfigError, match=r"pip install 'autogluon-causalmix\[tabicl\]'"):
        CausalMixModel.check({"backbone": "tabicl"})
