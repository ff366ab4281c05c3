"""The one parser of hyperparameters."""

import json

import numpy as np
import pytest

from autogluon_causalmix.config import Hyperparameters
from autogluon_causalmix.errors import ConfigError


@pytest.mark.parametrize(
    ("written", "name", "options"),
    [
        ("mini", "mini", {}),
        ("tabpfn-v2", "tabpfn-v2", {}),
        ({"name": "tabpfn-v2"}, "tabpfn-v2", {}),
        ({"name": "tabpfn", "version": "v3"}, "tabpfn", {"version": "v3"}),
    ],
)
def test_a_bare_string_is_short_for_a_name(
    written: object, name: str, options: dict[str, object]
) -> None:
    backbone = Hyperparameters.parse({"backbone": written}).backbone
    assert (backbone.name, backbone.options) == (name, options)


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    given = {
        "finetune_steps": np.int64(7),
        "n_estimators": np.int32(2),
        "member_steps": (np.int8(3),),
    }
    parsed = Hyperparameters.parse(given)
    assert json.loads(parsed.model_dump_json())["finetune_steps"] == 7
    assert (parsed.n_estimators, parsed.member_steps) == (2, (3,))


def test_defaults_survive_json() -> None:
    dumped = json.loads(json.dumps(Hyperparameters().model_dump(mode="json")))
    assert Hyperparameters.parse(dumped) == Hyperparameters()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stpes": 3}, "no hyperparameter 'stpes'; choose from .*'finetune_steps'"),
        ({"mixing": {"rate": 1}}, "no hyperparameter 'mixing.rate'; choose from .*'ratio'"),
        ({"mixing": {"role": "context"}}, "'mixing.role'.*'query' or 'episode'.*got 'context'"),
        ({"finetune_steps": "many"}, "'finetune_steps'.*got 'many'"),
        ({"finetune": 1}, "'finetune'.*boolean.*got 1"),
        ({"n_estimators": 0}, "'n_estimators'.*greater than or equal to 1, got 0"),
        ({"generator": 3}, "'generator'.*got 3"),
        ({"generator": {"options": {}}}, "'generator.name'"),
        ({"random_state": -1}, "'random_state'.*greater than or equal to 0, got -1"),
        ({"random_state": 2**32}, "'random_state'.*less than or equal to 4294967295"),
        ({"random_state": True}, "'random_state'.*got True"),
        ({"backbone": "my/w.ckpt"}, "'name': 'tabpfn-checkpoint', 'path': 'my/w.ckpt'"),
        ({"backbone": "my/w.safetensors"}, "does not say whose weights it holds"),
    ],
)
def test_a_refusal_names_the_hyperparameter_the_rule_and_the_value(
    given: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Hyperparameters.parse(given)
