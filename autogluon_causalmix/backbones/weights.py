"""Files of weights, and those of the hub: where they are and how `tabpfn` fetches them."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from autogluon_causalmix.backbones.offline import OFFLINE, is_offline
from autogluon_causalmix.errors import CheckpointError

PERMISSIVE = {"v2": "Prior Labs License (Apache 2.0 with attribution)"}
NON_COMMERCIAL = "Prior Labs non-commercial license"

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
    from tabpfn.model_loading import download_model

    known = hub_versions()
    if version not in known:
        return f"tabpfn knows no version {version!r}; choose from {list(known)}"
    path = hub_path(version)
    if path.exists():
        return path
    missing = f"the weights of TabPFN {version} are neither in {path.parent} nor within reach"
    unreachable = hub_failure(version)
    if unreachable:
        return f"{missing} ({unreachable})"
    with quiet():
        outcome = download_model(
            path, version=ModelVersion(version), which="classifier", model_name=path.name
        )
    if outcome == "ok":
        return path
    reason = "; ".join(first_line(error) for error in outcome) or "the download failed"
    return f"{missing} ({reason})"


def hub_versions() -> tuple[str, ...]:
    """Return the versions that `tabpfn` knows."""
    silence_telemetry()
    from tabpfn.constants import ModelVersion

    return tuple(str(member.value) for member in ModelVersion)


def hub_path(version: str) -> Path:
    """Return where `tabpfn` keeps the classifier weights of a version."""
    silence_telemetry()
    from tabpfn.model_loading import resolve_model_path

    paths, _, _, _ = resolve_model_path(None, which="classifier", version=version)
    return Path(paths[0])


def hub_failure(version: str) -> str:
    """Return why the hub does not hand out a published TabPFN, empty where it may."""
    from tabpfn.constants import ModelVersion
    from tabpfn.model_loading import ModelType, _get_model_source

    source = _get_model_source(ModelVersion(version), ModelType.CLASSIFIER)
    return file_failure(source.repo_id, source.default_filename)


def file_failure(repository: str, filename: str) -> str:
    """Return why the hub does not hand out a file, empty where it may.

    Asked first, because the download itself takes half a minute to give up.
    """
    if is_offline():
        return f"{OFFLINE} is set"
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen  # loads ssl

    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    # The address is the one that huggingface_hub itself opens.
    address = f"{ENDPOINT}/{repository}/resolve/main/{filename}"
    try:
        with urlopen(Request(address, method="HEAD"), timeout=HUB_SECONDS):  # noqa: S310
            return ""
    except HTTPError as error:
        is_licence = error.code in (401, 403)  # which the user is asked to accept
        return "" if is_licence else f"{address}: it answers {error.code}"
    except OSError as error:
        return f"{ENDPOINT}: {error}"


def fetch_from_hub(repository: str, filename: str) -> Path:
    """Return the path of a file in the cache of `huggingface_hub`, downloaded first if need be.

    Raises
    ------
    CheckpointError
        It is neither cached nor within reach.
    """
    from huggingface_hub import hf_hub_download

    if (path := cached_path(repository, filename)) is not None:
        return path
    failure = file_failure(repository, filename)
    if not failure:
        try:
            return Path(hf_hub_download(repository, filename))
        except Exception as error:  # noqa: BLE001 - a border: networks fail in many ways
            failure = first_line(error)
    raise CheckpointError(
        f"the weights {filename} of {repository} are neither cached nor within reach ({failure})"
    )


def cached_path(repository: str, filename: str) -> Path | None:
    """Return where `huggingface_hub` keeps a file, None where it does not have it."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, filename)
    return Path(found) if isinstance(found, str) else None


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
