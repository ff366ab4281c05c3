"""The backbone `auto`: the best published weights within reach, else `mini`.

Decided once a process; see ``docs/decisions/auto-backbone.md``.
"""

import functools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from autogluon_causalmix.backbones.offline import OFFLINE, is_offline
from autogluon_causalmix.backbones.pip_index import pip_index
from autogluon_causalmix.backbones.protocol import InContextModel
from autogluon_causalmix.backbones.tabpfn import Mini, TabPFN
from autogluon_causalmix.backbones.tabpfn_v1 import TabPFNv1
from autogluon_causalmix.backbones.tabpfn_v1_weights import ARCHIVE, weights_path
from autogluon_causalmix.backbones.weights import Weights, hub_failure, hub_path
from autogluon_causalmix.errors import CheckpointError
from autogluon_causalmix.hookspecs import Register, hookimpl
from autogluon_causalmix.table import Table

PATIENCE = 2.5
"""Seconds for hub and index, asked at once, to answer; a whole decision may take three."""

Family = TabPFN | TabPFNv1 | Mini


@dataclass(frozen=True)
class AutoBackbone:
    """TabPFN v2 where its weights are cached or in reach, else TabPFN v1, else `Mini`."""

    def weights(self) -> Weights:
        """Return the weights of the first family that has any."""
        return choose()[0].weights()

    def condition(
        self, table: Table, *, n_estimators: int, device: str, seed: int
    ) -> InContextModel:
        """Load the weights and give them the rows of `table` as context; says which ran."""
        family, sentence = choose()
        model = family.condition(table, n_estimators=n_estimators, device=device, seed=seed)
        model.notes = (sentence, *model.notes)
        return model

    def memory(self, rows: int, columns: int, *, tuning: bool) -> float:
        """Return an upper estimate of the bytes of a pass of the family that is chosen."""
        return choose()[0].memory(rows, columns, tuning=tuning)


@functools.cache
def choose() -> tuple[Family, str]:
    """Return the family whose weights run, fetched if need be, and why it is this one."""
    obstacles, reasons = _obstacles(), []
    for name, family in (("tabpfn-v2", TabPFN("v2")), ("tabpfn-v1", TabPFNv1())):
        try:
            if obstacles[name]:
                raise CheckpointError(obstacles[name])
            family.weights()
        except CheckpointError as error:
            reasons.append(f"{name}: {error}")
        else:
            return family, _sentence(name, reasons)
    return Mini(), f"{_sentence('mini', reasons)}; 'mini' is far weaker than published weights"


def _sentence(name: str, reasons: list[str]) -> str:
    because = f", for want of better ones ({'; '.join(reasons)})" if reasons else ""
    return f"the backbone 'auto' took the weights of {name!r}{because}"


def _obstacles() -> dict[str, str]:
    """Return for each published family why its weights are out of reach, empty where they may be.

    Cached weights need no network, and hub and index are asked at the same time.
    """
    questions: dict[str, Callable[[], str]] = {}
    if not hub_path("v2").exists():
        questions["tabpfn-v2"] = partial(hub_failure, "v2")
    if not weights_path().is_file():
        questions["tabpfn-v1"] = _index_failure
    return {"tabpfn-v2": "", "tabpfn-v1": ""} | _answers(questions, PATIENCE)


def _index_failure() -> str:
    """Return why the package index cannot be asked for TabPFN v1, empty where it has it."""
    if is_offline():
        return f"{OFFLINE} is set"
    try:
        pip_index().locate(ARCHIVE.project, ARCHIVE.filename)
    except CheckpointError as error:
        return str(error)
    return ""


def _answers(questions: Mapping[str, Callable[[], str]], seconds: float) -> dict[str, str]:
    """Ask all at once; who has not answered after so many seconds is out of reach."""
    answers = dict.fromkeys(questions, f"no answer within {seconds} s")

    def ask(name: str, question: Callable[[], str]) -> None:
        try:
            answers[name] = question()
        except Exception as error:  # noqa: BLE001 - a border: networks fail in many ways
            answers[name] = f"{type(error).__name__}: {error}"

    # Daemons: a name server that never answers must not keep the process alive.
    threads = [threading.Thread(target=ask, args=pair, daemon=True) for pair in questions.items()]
    for thread in threads:
        thread.start()
    ends = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(ends - time.monotonic(), 0.0))
    return dict(answers)


@hookimpl
def causalmix_register_backbones(register: Register) -> None:
    """Register the backbone."""
    register("auto", AutoBackbone)
