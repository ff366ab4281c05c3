"""Every published file of weights by name: whether it is here, and how to get it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autogluon_causalmix.backbones import mitra_weights as mitra
from autogluon_causalmix.backbones import tabicl_weights as tabicl
from autogluon_causalmix.backbones import tabpfn_v1_weights as tabpfn_v1
from autogluon_causalmix.backbones.archive import OnBytes
from autogluon_causalmix.backbones.weights import (
    NON_COMMERCIAL,
    PERMISSIVE,
    cached_path,
    fetch_weights,
    hub_path,
    hub_versions,
)
from autogluon_causalmix.errors import CheckpointError

HUB_PREFIX = "tabpfn-"
"""Before the version of weights that `tabpfn` fetches from its hub."""


@dataclass(frozen=True)
class Published:
    """A file of weights that can be fetched.

    Attributes
    ----------
    name : str
        As in the list of weights; for most also the name of a backbone.
    license : str
        Of the weights.
    source : str
        Where they are fetched from.
    path : pathlib.Path
        Where they are kept.
    fetch : callable
        Fetches them unless they are there; gets a callable for the progress in bytes.
    """

    name: str
    license: str
    source: str
    path: Path
    fetch: Callable[[OnBytes], Path]


def published() -> Iterator[Published]:
    """Yield all weights; those of the hub in the order that `tabpfn` lists them."""
    yield _of_the_index()
    for version in hub_versions():
        yield _of_the_hub(version)
    for version in tabicl.FILES:
        yield _of_tabicl(version)
    yield _of_mitra()


def prefetch_weights(
    name: str = tabpfn_v1.NAME, on_bytes: OnBytes = lambda _done, _size: None
) -> Path:
    """Return the file of weights of a name, fetched first if it is not here; for harnesses.

    Parameters
    ----------
    name : str
        ``"tabpfn-v1"``, from the package index that pip is configured with, or
        ``"tabpfn-<version>"`` for any version that `tabpfn` knows, ``"tabicl-v2"`` and others, or
        ``"mitra"``, from their hubs.
    on_bytes : callable
        Gets the bytes that are there and those that there will be; of the index only.

    Raises
    ------
    CheckpointError
        There are no weights of that name, or they are neither here nor within reach.

    Examples
    --------
    >>> prefetch_weights("tabpfn-v1")  # doctest: +SKIP
    PosixPath('/home/me/.cache/autogluon-causalmix/weights/tabpfn-v1.safetensors')
    """
    if name == tabpfn_v1.NAME:  # without `tabpfn`, which takes seconds to import
        return _of_the_index().fetch(on_bytes)
    found = {weights.name: weights for weights in published()}
    if name not in found:
        raise CheckpointError(f"there are no weights {name!r}; choose from {list(found)}")
    return found[name].fetch(on_bytes)


def _of_the_index() -> Published:
    return Published(
        tabpfn_v1.NAME,
        tabpfn_v1.LICENSE,
        "package index",
        tabpfn_v1.weights_path(),
        tabpfn_v1.fetch,
    )


def _of_the_hub(version: str) -> Published:
    return Published(
        f"{HUB_PREFIX}{version}",
        PERMISSIVE.get(version, NON_COMMERCIAL),
        "tabpfn's hub",
        hub_path(version),
        lambda _: fetch_weights(version),
    )


def _of_tabicl(version: str) -> Published:
    filename = tabicl.FILES[version]
    return Published(
        f"tabicl-{version}",
        tabicl.LICENSE,
        "TabICL's hub",
        cached_path(tabicl.REPOSITORY, filename) or Path(filename),
        lambda _: tabicl.fetch(version),
    )


def _of_mitra() -> Published:
    return Published(
        mitra.NAME,
        mitra.LICENSE,
        "Mitra's hub",
        cached_path(mitra.REPOSITORY, mitra.WEIGHTS) or Path(mitra.WEIGHTS),
        lambda _: mitra.fetch(),
    )
