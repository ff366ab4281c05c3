"""Where a file of a package is, in the indexes and folders that pip is configured with.

The settings are those that ``pip config list`` prints: of pip's files and of its environment
variables. Nothing that is found is built, imported or executed.
"""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit

from autogluon_causalmix.backbones.offline import OFFLINE, is_offline
from autogluon_causalmix.errors import CheckpointError

if TYPE_CHECKING:
    from requests import Response

DEFAULT_TIMEOUT = 15.0  # seconds, as pip

SIMPLE = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
"""Both forms of an index's page: PEP 691 and PEP 503."""


@dataclass(frozen=True)
class PipIndex:
    """The settings of pip that say where packages come from.

    Attributes
    ----------
    settings : mapping of str to str
        By pip's names without dashes in front, as ``"index-url"``.

    Examples
    --------
    >>> PipIndex({"index-url": "https://one.example/simple/", "find-links": "/wheels"}).indexes
    ('https://one.example/simple',)
    """

    settings: Mapping[str, str]

    @property
    def indexes(self) -> tuple[str, ...]:
        """Addresses of the indexes, none where pip is told to use none."""
        if self.settings.get("no-index", "").lower() in ("1", "true", "yes", "y", "on", "t"):
            return ()
        first = self.settings.get("index-url") or default_index()
        others = self.settings.get("extra-index-url", "").split()
        return tuple(address.rstrip("/") for address in (first, *others) if address)

    @property
    def pages(self) -> tuple[str, ...]:
        """Folders, files and addresses that list packages beside the indexes."""
        return tuple(map(_address, self.settings.get("find-links", "").split()))

    def locate(self, project: str, filename: str) -> str:
        """Return the address of a file of a project; the first page that lists it decides.

        Raises
        ------
        CheckpointError
            No index has it, or none can be reached; the message says of each why.
        """
        failures = []
        for page in (*self.pages, *(f"{index}/{project}/" for index in self.indexes)):
            try:
                found = [link for link in self._links(page) if _name(link) == filename]
            except (OSError, ValueError) as error:  # those of requests are OSErrors
                failures.append(f"{without_password(page)}: {_reason(error)}")
                continue
            if found:
                return _with_password(found[0], page)
            failures.append(f"{without_password(page)}: it lists no such file")
        said = "; ".join(failures) or "pip is configured with no index"
        raise CheckpointError(f"{filename} is not within reach ({said})")

    def get(self, address: str, headers: Mapping[str, str]) -> "Response":
        """Return the answer of a server, of which nothing but the head is read yet.

        Raises
        ------
        requests.RequestException
            It cannot be reached, or answers with an error.
        """
        import requests

        named = self.settings.get
        seconds = float(named("timeout", named("default-timeout", str(DEFAULT_TIMEOUT))))
        # All of them with the call: what a session holds yields to the environment's variables.
        answer = requests.get(
            address,
            headers={"Accept-Encoding": "identity", **headers},  # an archive is compressed already
            stream=True,
            timeout=seconds,
            proxies={scheme: named("proxy", "") for scheme in ("http", "https")}
            if named("proxy")
            else None,
            verify=not self._is_trusted(address) and named("cert", True),
            cert=named("client-cert"),
        )
        answer.raise_for_status()
        return answer

    def _is_trusted(self, address: str) -> bool:
        """Return whether pip is told not to ask this host for a certificate."""
        parts = urlsplit(address)
        hosts = (parts.hostname, parts.netloc.rpartition("@")[2])
        return any(host in hosts for host in self.settings.get("trusted-host", "").split())

    def _links(self, page: str) -> list[str]:
        """Return the addresses that a page or folder lists."""
        if (path := local_path(page)) is not None:
            if path.is_dir() and not (path / "index.html").is_file():
                return [file.as_uri() for file in path.iterdir()]
            path = path / "index.html" if path.is_dir() else path
            if path.suffix not in (".html", ".htm"):  # an archive by its own path
                return [path.as_uri()] if path.is_file() else []
            return _links_of_html(path.read_text(encoding="utf-8"), path.as_uri())
        if is_offline():
            raise ValueError(f"{OFFLINE} is set")
        answer = self.get(page, {"Accept": SIMPLE})
        if "json" in answer.headers.get("Content-Type", ""):
            return [urljoin(answer.url, file["url"]) for file in answer.json()["files"]]
        return _links_of_html(answer.text, answer.url)


@cache
def default_index() -> str:
    """Return the index that pip takes where none is set, empty where there is no pip to say it."""
    if importlib.util.find_spec("pip") is None:
        return ""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join(done.stdout.split())
    found = re.search(r"--index-url <url> .*?\(default (\S+?)\)", said)
    return found.group(1) if found else ""


def pip_index() -> PipIndex:
    """Return the settings that ``pip download`` would use in this environment.

    Without pip, those of its environment variables alone.

    Raises
    ------
    CheckpointError
        pip cannot read its own files.
    """
    if importlib.util.find_spec("pip") is None:
        printed = [
            (f":env:.{name[4:].lower().replace('_', '-')}", value)
            for name, value in os.environ.items()
            if name.startswith("PIP_")
        ]
    else:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = " ".join(done.stderr.split())
            raise CheckpointError(f"pip cannot read its settings: {said}")
        pairs = (line.partition("=") for line in done.stdout.splitlines() if "=" in line)
        printed = [(key, str(ast.literal_eval(value))) for key, _, value in pairs]
    return PipIndex(_effective(printed))


def _effective(printed: list[tuple[str, str]]) -> dict[str, str]:
    """Return the values that win: pip reads its sections in this order, and skips empty ones."""
    effective: dict[str, str] = {}
    for section in ("global.", "download.", ":env:."):
        for key, value in printed:
            if key.startswith(section) and value:
                effective[key.removeprefix(section)] = value
    return effective


def local_path(address: str) -> Path | None:
    """Return the path of a ``file:`` address, None of any other."""
    from urllib.request import url2pathname  # loads ssl

    parts = urlsplit(address)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def without_password(address: str) -> str:
    """Return an address that may be shown.

    Examples
    --------
    >>> without_password("https://me:secret@mirror.example/simple/")
    'https://mirror.example/simple/'
    """
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


class _Anchors(HTMLParser):
    """Collects the links of a page, relative to its base."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the target of an anchor, or the base of all that follow."""
        target = dict(attrs).get("href")
        if target and tag == "base":
            self.base = urljoin(self.base, target)
        elif target and tag == "a":
            self.links.append(urljoin(self.base, target))


def _links_of_html(text: str, base: str) -> list[str]:
    anchors = _Anchors(base)
    anchors.feed(text)
    return anchors.links


def _address(place: str) -> str:
    """Return a place of find-links as an address: pip takes paths and addresses."""
    is_address = "://" in place or place.startswith("file:")
    return place if is_address else Path(place).expanduser().absolute().as_uri()


def _name(link: str) -> str:
    return unquote(urlsplit(urldefrag(link).url).path.rpartition("/")[2])


def _with_password(link: str, page: str) -> str:
    """Return a link without its fragment, with the user of its page where the host is the same."""
    parts, known = urlsplit(urldefrag(link).url), urlsplit(page)
    user, at, _ = known.netloc.rpartition("@")
    if at and "@" not in parts.netloc and parts.netloc == known.netloc.rpartition("@")[2]:
        parts = parts._replace(netloc=f"{user}@{parts.netloc}")
    return urlunsplit(parts)


def _reason(error: Exception) -> str:
    """Return why a page was of no use, in a few words and without its address."""
    from requests import ConnectionError as NoConnection
    from requests import HTTPError, Timeout

    if isinstance(error, HTTPError):
        return f"it answers {getattr(error.response, 'status_code', 'with an error')}"
    if isinstance(error, Timeout):
        return "it does not answer in time"
    if isinstance(error, NoConnection):
        return "it cannot be reached"
    return getattr(error, "strerror", None) or str(error)
