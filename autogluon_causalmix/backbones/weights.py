"""The published weights of TabPFN: where they are and how they are fetched."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from autogluon_causalmix.errors import CheckpointError

HUB_SECONDS = 3.0  # a hub that takes longer to say hello would take minutes to send the weights


@dataclass(frozen=True)
class Weights:
    """A file of weights, its name and licence, the rate that suits it, and warnings."""

    path: Path
    name: str
    license: str
    learning_rate: float
    notes: tuple[str, ...] = ()


def fetch_weights(version: str) -> Path:
    """Return the path of a published TabPFN's classifier weights, downloaded first if need be.

    Raises
    ------
    CheckpointError
        There is no such version, or the weights are neither cached nor within reach.
    """
    found = _fetch(version)
    if isinstance(found, str):
        raise CheckpointError(found)
    return found


@cache
def _fetch(version: str) -> Path | str:
    """Return the path, or why there is none; tried once a process, as failing is slow."""
    silence_telemetry()
    from tabpfn.constants import ModelVersion
    from tabpfn.model_loading import download_model, resolve_model_path

    known = [str(member.value) for member in ModelVersion]
    if version not in known:
        return f"tabpfn knows no version {version!r}; choose from {known}"
    paths, _, names, _ = resolve_model_path(None, which="classifier", version=version)
    path = Path(paths[0])
    if path.exists():
        return path
    unreachable = _hub_failure()
    if unreachable:
        return (
            f"the weights of TabPFN {version} are neither in {path.parent} nor within reach "
            f"({unreachable})"
        )
    with quiet():
        outcome = download_model(
            path, version=ModelVersion(version), which="classifier", model_name=names[0]
        )
    if outcome == "ok":
        return path
    reason = "; ".join(first_line(error) for error in outcome) or "the download failed"
    return (
        f"the weights of TabPFN {version} are neither in {path.parent} nor within reach ({reason})"
    )


def _hub_failure() -> str:
    """Return why the hub cannot be reached, empty where it can.

    Asked first, because the download itself takes half a minute to give up.
    """
    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    try:
        # The address is the one that huggingface_hub itself opens.
        with urlopen(Request(ENDPOINT, method="HEAD"), timeout=HUB_SECONDS):  # noqa: S310
            return ""
    except HTTPError:  # it answered
        return ""
    except OSError as error:
        return f"{ENDPOINT}: {error}"


def first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return (str(error).splitlines() or [""])[0]


def silence_telemetry() -> None:
    """Turn tabpfn's telemetry off unless the user has spoken on it."""
    os.environ.setdefault("TABPFN_DISABLE_TELEMETRY", "1")


@contextmanager
def quiet() -> Iterator[None]:
    """Hide tabpfn's advice to buy a GPU; it says so at every call."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Running on CPU with more than", category=UserWarning
        )
        yield
