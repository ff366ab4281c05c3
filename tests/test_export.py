"""Exported weights: `tabpfn`'s own classifier reads them and predicts the same."""

import dataclasses
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from autogluon_causalmix import CausalMixModel
from autogluon_causalmix.arrays import Matrix
from autogluon_causalmix.backbones.tabpfn import Checkpoint, Mini
from autogluon_causalmix.backbones.tabpfn_context import TabPFNContext
from autogluon_causalmix.errors import BackboneError, ConfigError
from autogluon_causalmix.finetuning.loop import fine_tune
from autogluon_causalmix.finetuning.recipe import Recipe
from autogluon_causalmix.finetuning.rows import RowSets, encode_sets
from autogluon_causalmix.records import BackboneFacts
from autogluon_causalmix.resources import Resources
from autogluon_causalmix.table import Table, encode
from autogluon_causalmix.testing import check_backbone, toy_tables
from autogluon_causalmix.testing.backbones import class_tables


def tuned(backbone: Any, table: Table) -> tuple[TabPFNContext, Matrix]:
    """Return a fine-tuned model, and what it predicted before."""
    model = backbone.condition(table, n_estimators=2, device="cpu", seed=0)
    before = model.predict_proba(table.features)
    rng = np.random.default_rng(0)
    fine_tune(
        model, encode_sets(model, RowSets(table)), table.task, Recipe(3, 1e-3), rng, Resources(60)
    )
    return model, before


def predicted_by_tabpfn(path: Path, table: Table) -> Matrix:
    from tabpfn import TabPFNClassifier

    columns = table.feature_columns
    classifier = TabPFNClassifier(
        model_path=path,
        n_estimators=2,
        categorical_features_indices=[i for i, c in enumerate(columns) if c.is_categorical],
        device="cpu",
        inference_precision=torch.float32,
        ignore_pretraining_limits=True,
        random_state=0,
    )
    features = encode(columns, table.features)
    classifier.fit(features, table.labels.to_numpy())
    return np.asarray(classifier.predict_proba(features))


@pytest.mark.parametrize("name", ["mixed types", "missing values", "a class with one row"])
def test_tabpfn_predicts_the_same_from_the_exported_weights(name: str, tmp_path: Path) -> None:
    table = toy_tables()[name]
    model, before = tuned(Mini(), table)
    model.export_weights(tmp_path / "tuned.safetensors")
    ours = model.predict_proba(table.features)
    assert np.abs(ours - before).max() > 1e-3, "it is not the pretrained network that is compared"
    theirs = predicted_by_tabpfn(tmp_path / "tuned.safetensors", table)
    np.testing.assert_allclose(theirs, ours, atol=1e-6)


ARCHITECTURES = {
    "tabpfn_v2_5": ("TabPFNV2p5Config", {"emsize": 24, "nlayers": 2, "nhead": 2}),
    "tabpfn_v2_6": ("TabPFNV2p6Config", {"emsize": 24, "nlayers": 2, "nhead": 2}),
    "tabpfn_v3": ("TabPFNV3Config", {"nlayers": 2}),
    "tabpfn_v3_5": ("TabPFNV3p5Config", {"nlayers": 2}),
}


def random_checkpoint(architecture: str, folder: Path) -> Checkpoint:
    """Return the backbone of a small network with random weights, in the published format."""
    from tabpfn.checkpoint import save_as_safetensors

    config, sizes = ARCHITECTURES[architecture]
    module = importlib.import_module(f"tabpfn.architectures.{architecture}")
    options = getattr(module, config)(max_num_classes=10, num_buckets=100, **sizes)
    network = module.get_architecture(options)
    for weight in network.parameters():
        if not weight.any():  # as a new network has some, through which no gradient passes
            torch.nn.init.normal_(weight, std=0.05)
    header = {"config": dataclasses.asdict(options), "architecture_name": architecture}
    path = folder / "random.safetensors"
    save_as_safetensors({"state_dict": network.state_dict(), **header}, path)
    return Checkpoint(str(path))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_keeps_the_contract_of_backbones(
    architecture: str, tmp_path: Path
) -> None:
    tables = {"mixed types": toy_tables()["mixed types"], "ten": class_tables()["ten classes"]}
    check_backbone(random_checkpoint(architecture, tmp_path), tables)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_can_be_exported(architecture: str, tmp_path: Path) -> None:
    table = toy_tables()["mixed types"]
    model, _ = tuned(random_checkpoint(architecture, tmp_path), table)
    model.export_weights(tmp_path / "tuned.safetensors")
    theirs = predicted_by_tabpfn(tmp_path / "tuned.safetensors", table)
    np.testing.assert_allclose(theirs, model.predict_proba(table.features), atol=1e-6)


def test_what_v3_5_has_for_regression_alone_is_not_tuned(tmp_path: Path) -> None:
    table = toy_tables()["mixed types"]
    backbone = random_checkpoint("tabpfn_v3_5", tmp_path)
    before = backbone.condition(table, n_estimators=2, device="cpu", seed=0).network.state_dict()
    model, _ = tuned(backbone, table)
    after = model.network.state_dict()
    untouched = {name for name in before if torch.equal(before[name], after[name])}
    frozen = {name for name, w in model.network.named_parameters() if not w.requires_grad}
    assert frozen == untouched & set(dict(model.network.named_parameters()))
    assert "heads.mlp_regression.norm.weight" in frozen


def test_the_backbone_of_checkpoints_reads_what_was_exported(tmp_path: Path) -> None:
    table = toy_tables()["mixed types"]
    model, _ = tuned(Mini(), table)
    path = str(tmp_path / "tuned.safetensors")
    model.export_weights(path)
    again = Checkpoint(path).condition(table, n_estimators=2, device="cpu", seed=0)
    np.testing.assert_array_equal(
        again.predict_proba(table.features), model.predict_proba(table.features)
    )


def test_a_file_that_tabpfn_would_take_for_a_pickle_is_refused(tmp_path: Path) -> None:
    table = toy_tables()["mixed types"]
    model = Mini().condition(table, n_estimators=1, device="cpu", seed=0)
    with pytest.raises(ConfigError, match=r"must end in '.safetensors', got '.*tuned.ckpt'"):
        model.export_weights(tmp_path / "tuned.ckpt")
    assert list(tmp_path.iterdir()) == []


def test_a_fitted_model_of_autogluon_exports_the_weights_it_kept(tmp_path: Path) -> None:
    table = toy_tables()["mixed types"]
    options = {"backbone": "mini", "generator": None, "finetune_steps": 3, "n_estimators": 2}
    model = CausalMixModel(
        path=str(tmp_path / "model"),
        name="CausalMix",
        problem_type="binary",
        hyperparameters=options,
    )
    labels = pd.Series((table.labels == "yes").astype("int64").to_numpy(), name="label")
    model.fit(X=table.features, y=labels, num_cpus=1, num_gpus=0)
    model.save()
    loaded = CausalMixModel.load(model.path)
    loaded.export_weights(tmp_path / "kept.safetensors")
    kept = getattr(model.model, "tuned", model.model).network.state_dict()
    read = Checkpoint(str(tmp_path / "kept.safetensors"))
    network = read.condition(table, n_estimators=1, device="cpu", seed=0).network.state_dict()
    assert kept.keys() == network.keys()
    assert all(torch.equal(kept[name], network[name]) for name in kept)


def test_a_backbone_without_a_format_for_others_says_so(tmp_path: Path) -> None:
    model = CausalMixModel(path=str(tmp_path), name="CausalMix", problem_type="binary")
    foreign: Any = Foreign()
    model.model = foreign
    with pytest.raises(BackboneError, match="the backbone 'foreign' cannot export its weights"):
        model.export_weights(tmp_path / "kept.safetensors")


class Foreign:
    """A model of a backbone that cannot export."""

    facts = BackboneFacts(name="foreign", weights="", sha256="", license="", parameters=0)
