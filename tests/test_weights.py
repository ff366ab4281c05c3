"""Fetching weights: from wherever pip is pointed, never a broken cache; and what `auto` takes."""

import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from autogluon_causalmix.backbones import auto, pip_index, tabpfn_v1_weights
from autogluon_causalmix.backbones import weights as hub
from autogluon_causalmix.backbones.archive import Archive, fetch_from_archive
from autogluon_causalmix.backbones.auto import AutoBackbone
from autogluon_causalmix.backbones.published import prefetch_weights
from autogluon_causalmix.backbones.tabpfn import TabPFN
from autogluon_causalmix.backbones.tabpfn_v1 import TabPFNv1
from autogluon_causalmix.backbones.tabpfn_v1_network import TabPFNv1Network
from autogluon_causalmix.backbones.tabpfn_v1_weights import read_checkpoint
from autogluon_causalmix.errors import CheckpointError
from autogluon_causalmix.table import Table

MEMBER = "fake-0.1/fake/weights.cpkt"
FILENAME = "fake-0.1.tar.gz"
MARKER = "/tmp/the setup of an archive was run"


def packed(weights: dict[str, torch.Tensor], padding: int) -> tuple[bytes, Archive]:
    """Return an archive of the published form, with random bytes beside the weights."""
    checkpoint = io.BytesIO()
    torch.save(({f"module.{name}": weight for name, weight in weights.items()}, None), checkpoint)
    members = {
        MEMBER: checkpoint.getvalue(),
        "fake-0.1/padding": random.Random(0).randbytes(padding),
        "fake-0.1/setup.py": f"open({MARKER!r}, 'w')".encode(),
        "../outside": b"a member that would leave the folder",
    }
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    made = content.getvalue()
    digest = sha256(made).hexdigest()
    return made, Archive("fake", FILENAME, len(made), digest, MEMBER)


PLAIN = {"a": torch.zeros(500_000), "b": torch.arange(5.0)}
CONTENT, ARCHIVE = packed(PLAIN, padding=1_000_000)


@dataclass
class Index:
    """A package index on this machine, which can misbehave."""

    content: bytes = CONTENT
    filename: str = FILENAME
    knows_ranges: bool = True
    breaks_after: int | None = None
    pause: float = 0.0
    as_json: bool = True
    user: str = ""
    asked: list[str] = field(default_factory=list)
    ranges: list[int] = field(default_factory=list)
    address: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = urlsplit(request.path).path  # a proxy is asked for a whole address
        self.asked.append(path)
        given = request.headers.get("Authorization", "")
        if self.user and given != self.user:
            request.send_error(401)
        elif path == "/simple/fake/":
            self._page(request)
        elif path == f"/files/{self.filename}":
            self._file(request)
        else:
            request.send_error(404)

    def _page(self, request: BaseHTTPRequestHandler) -> None:
        link = f"/files/{self.filename}"
        if self.as_json:
            body, kind = (
                json.dumps({"files": [{"url": link}]}),
                "application/vnd.pypi.simple.v1+json",
            )
        else:
            body = f'<base href="/files/"><a href="{self.filename}#sha256=0">it</a>'
            kind = "text/html"
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.end_headers()
        request.wfile.write(body.encode())

    def _file(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range", "")
        start = (
            int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.knows_ranges else 0
        )
        self.ranges.append(start)
        rest = self.content[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        sent = rest if self.breaks_after is None else rest[: self.breaks_after]
        for position in range(0, len(sent), 50_000):
            request.wfile.write(sent[position : position + 50_000])
            time.sleep(self.pause)
        request.close_connection = True


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index that pip is pointed to, and nothing else."""
    served = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                served.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_HEAD = do_GET  # noqa: N815 - the name that the server calls

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    served.address = f"http://127.0.0.1:{server.server_port}"
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{served.address}/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("CAUSALMIX_OFFLINE", raising=False)
    yield served
    server.shutdown()
    server.server_close()


def fetched(folder: Path, archive: Archive = ARCHIVE) -> Path:
    return fetch_from_archive(archive, folder / "fake.safetensors", read_checkpoint)


def assert_whole(path: Path) -> None:
    """Require the weights, and no other trace of the archive."""
    found = load_file(path)
    assert {name: weight.tolist() for name, weight in found.items()} == {
        name: weight.tolist() for name, weight in PLAIN.items()
    }
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert not Path(MARKER).exists()


# --- where it is fetched from


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "html"])
def test_weights_come_from_the_index_of_pip(index: Index, tmp_path: Path, as_json: bool) -> None:
    index.as_json = as_json
    assert_whole(fetched(tmp_path))
    assert index.asked == ["/simple/fake/", f"/files/{FILENAME}"]


def test_a_second_fetch_asks_nobody_and_is_quick(index: Index, tmp_path: Path) -> None:
    path = fetched(tmp_path)
    index.asked.clear()
    begin = time.perf_counter()
    assert fetched(tmp_path) == path
    assert time.perf_counter() - begin < 0.2
    assert index.asked == []


def test_a_folder_of_find_links_is_enough_and_needs_no_network(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / FILENAME).write_bytes(CONTENT)
    monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path / 'empty'} {tmp_path / 'links'}")
    monkeypatch.setenv("CAUSALMIX_OFFLINE", "1")
    assert_whole(fetched(tmp_path / "cache"))
    assert index.asked == []


def test_a_mirror_in_a_folder_serves_as_extra_index(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "mirror" / "simple" / "fake" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f'<a href="../../files/{FILENAME}">it</a>')
    (tmp_path / "mirror" / "files").mkdir()
    (tmp_path / "mirror" / "files" / FILENAME).write_bytes(CONTENT)
    monkeypatch.setenv("PIP_NO_INDEX", "0")
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.address}/elsewhere")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", (tmp_path / "mirror" / "simple").as_uri())
    assert_whole(fetched(tmp_path / "cache"))


def test_files_of_pip_count_and_its_variables_win(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[global]\nindex-url = https://file.example/simple\ntimeout = 7\n"
        "extra-index-url =\n    https://one.example/simple\n    https://two.example/simple/\n"
        "[download]\ncert = /a/bundle.pem\n[list]\nindex-url = https://list.example/simple\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.delenv("PIP_INDEX_URL")
    found = pip_index.pip_index()
    others = ("https://one.example/simple", "https://two.example/simple")
    assert found.indexes == ("https://file.example/simple", *others)
    assert found.settings["timeout"] == "7"
    assert found.settings["cert"] == "/a/bundle.pem"
    monkeypatch.setenv("PIP_INDEX_URL", "https://variable.example/simple")
    assert pip_index.pip_index().indexes == ("https://variable.example/simple", *others)
    monkeypatch.setenv("PIP_NO_INDEX", "true")
    assert pip_index.pip_index().indexes == ()


def test_settings_that_pip_cannot_read_are_an_error_and_not_left_out(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text("index-url = without a section\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    with pytest.raises(CheckpointError, match="pip cannot read its settings: .*pip.conf"):
        fetched(tmp_path / "cache")
    assert index.asked == []


def test_without_pip_its_variables_still_count(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert pip_index.pip_index().indexes == (f"{index.address}/simple",)


def test_the_proxy_of_pip_is_asked(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://index.invalid/simple")
    monkeypatch.setenv("PIP_PROXY", index.address)
    assert_whole(fetched(tmp_path))


def test_a_password_in_the_address_goes_to_its_host_and_into_no_message(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.user = "Basic bWU6c2VjcmV0"  # me:secret
    address = index.address.replace("//", "//me:secret@")
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
    assert_whole(fetched(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/elsewhere")
    with pytest.raises(CheckpointError) as raised:
        fetched(tmp_path / "other")
    assert "secret" not in str(raised.value)
    assert index.address in str(raised.value)


# --- what can go wrong


def test_an_index_that_is_away_is_one_line_that_names_it(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"http://127.0.0.1:9/simple {index.address}/other")
    index.filename = "another.tar.gz"
    with pytest.raises(CheckpointError) as raised:
        fetched(tmp_path)
    told = str(raised.value)
    assert told.count("\n") == 0
    assert f"{index.address}/simple/fake/: it lists no such file" in told
    assert "http://127.0.0.1:9/simple/fake/: it cannot be reached" in told
    assert f"{index.address}/other/fake/: it answers 404" in told
    assert not list(tmp_path.glob("*.safetensors"))


def test_offline_no_index_is_asked(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUSALMIX_OFFLINE", "1")
    with pytest.raises(CheckpointError, match="CAUSALMIX_OFFLINE is set"):
        fetched(tmp_path)
    assert index.asked == []


def test_wrong_bytes_are_never_opened_nor_kept(index: Index, tmp_path: Path) -> None:
    for wrong in (CONTENT[:-1] + b"?", CONTENT + b"and more", b"<html>log in first</html>"):
        index.content = wrong.ljust(len(CONTENT), b" ")
        with pytest.raises(CheckpointError, match="is another file .* and was removed"):
            fetched(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} <= {"fake.lock"}
    index.content = CONTENT
    assert_whole(fetched(tmp_path))


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_connection_goes_on_where_it_was(
    index: Index, tmp_path: Path, knows_ranges: bool
) -> None:
    index.knows_ranges, index.breaks_after = knows_ranges, 300_000
    if knows_ranges:  # opened again as long as it brings anything
        assert_whole(fetched(tmp_path))
        assert index.ranges == sorted(index.ranges)
        assert index.ranges[-1] > 500_000
        return
    with pytest.raises(CheckpointError, match="broke off after [0-9,]+ of .* goes on from there"):
        fetched(tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))
    index.breaks_after = None
    assert_whole(fetched(tmp_path))


DRIVER = """
import json, os, resource, signal, sys, time, random
from pathlib import Path
from autogluon_causalmix.backbones.archive import Archive, fetch_from_archive
from autogluon_causalmix.backbones.tabpfn_v1_weights import read_checkpoint
from autogluon_causalmix.errors import CheckpointError
import autogluon_causalmix.backbones.tabpfn_v1_network, safetensors.torch, requests

given, archive = json.loads(sys.argv[1]), Archive(*json.loads(sys.argv[2]))

def child(path, limit):
    pid = os.fork()
    if pid:
        return pid
    try:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        fetch_from_archive(archive, Path(path), read_checkpoint)
        code = 0
    except CheckpointError as error:
        print(error, flush=True)
        code = 2
    except BaseException as error:
        print("unexpected", repr(error), flush=True)
        code = 3
    os._exit(code)

begun = time.monotonic()
if given["what"] == "kill":
    os.waitpid(child(given["path"] + ".first", 0), 0)
    whole = time.monotonic() - begun
    rng = random.Random(0)
    for _ in range(20):
        pid = child(given["path"], 0)
        time.sleep(rng.uniform(0.0, whole))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        if os.path.exists(given["path"]):
            first = Path(given["path"] + ".first").read_bytes()
            print("whole" if Path(given["path"]).read_bytes() == first else "broken")
            os.remove(given["path"])
        else:
            print("absent")
else:
    pids = [child(given["path"], given["limit"]) for _ in range(given["n"])]
    print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids])
"""


def driven(what: str, path: Path, n: int = 1, limit: int = 0) -> list[str]:
    """Run fetches in processes of their own, and return what they print."""
    given = {"what": what, "path": str(path), "n": n, "limit": limit}
    archive = [ARCHIVE.project, ARCHIVE.filename, ARCHIVE.size, ARCHIVE.sha256, ARCHIVE.member]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(given), json.dumps(archive)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.slow
def test_killed_at_random_moments_it_never_leaves_a_broken_file(
    index: Index, tmp_path: Path
) -> None:
    index.pause = 0.02
    path = tmp_path / "fake.safetensors"
    states = driven("kill", path)
    assert len(states) == 20
    assert "broken" not in states
    assert states.count("absent") > 5, "most were killed midway"
    assert max(index.ranges) > 0, "downloads went on where they were cut"
    (tmp_path / "fake.safetensors.first").unlink()
    index.pause = 0.0
    assert load_file(fetched(tmp_path))["b"].tolist() == PLAIN["b"].tolist()
    left = {each.name for each in tmp_path.iterdir()}
    assert left <= {"fake.safetensors", "fake.lock", "fake.safetensors.lock"}


@pytest.mark.slow
def test_of_two_processes_at_once_one_fetches_and_both_have_it(
    index: Index, tmp_path: Path
) -> None:
    index.pause = 0.02
    path = tmp_path / "fake.safetensors"
    assert driven("fetch", path, n=3) == ["[0, 0, 0]"]
    assert_whole(path)
    assert index.ranges == [0]


@pytest.mark.slow
@pytest.mark.parametrize("limit", [400_000, 1_400_000], ids=["in the download", "in the weights"])
def test_a_full_disk_is_one_line_and_no_broken_file(
    index: Index, tmp_path: Path, limit: int
) -> None:
    path = tmp_path / "fake.safetensors"
    told = driven("fetch", path, limit=limit)
    assert told[-1] == "[2]"
    assert len(told) == 2
    assert f"fake.safetensors cannot be kept in {tmp_path}" in told[0]
    assert {each.name for each in tmp_path.iterdir()} <= {"fake.lock", f"{FILENAME}.part"}
    assert_whole(fetched(tmp_path))


def test_a_cache_that_cannot_be_written_to_is_one_line(index: Index, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("where the folder should be")
    with pytest.raises(CheckpointError, match="cannot be kept in"):
        fetched(tmp_path / "file")


# --- by name


def test_weights_that_nobody_publishes_are_refused_by_name() -> None:
    with pytest.raises(
        CheckpointError, match=r"no weights 'tabpfn-v99'; choose from \['tabpfn-v1'"
    ):
        prefetch_weights("tabpfn-v99")


# --- auto


@pytest.fixture
def tiny_v1(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """Make the index hold a tiny TabPFN v1 and the caches empty; returns what forgets a choice."""
    torch.manual_seed(0)
    network = TabPFNv1Network(width=8, hidden=16, depth=1)
    for weight in network.parameters():
        torch.nn.init.normal_(weight)
    index.content, archive = packed(dict(network.state_dict()), padding=1000)
    monkeypatch.setattr(tabpfn_v1_weights, "ARCHIVE", archive)
    monkeypatch.setattr(auto, "ARCHIVE", archive)
    monkeypatch.setenv("CAUSALMIX_CACHE", str(tmp_path / "v1"))
    monkeypatch.setattr(auto, "hub_path", lambda version: tmp_path / f"{version}.safetensors")
    monkeypatch.setattr(hub, "hub_path", lambda version: tmp_path / f"{version}.safetensors")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    def forget() -> None:
        auto.choose.cache_clear()
        hub._fetch.cache_clear()

    forget()
    yield forget
    forget()


def table() -> Table:
    rng = np.random.default_rng(0)
    return Table.from_frame(pd.DataFrame({"x": rng.normal(size=30), "y": np.arange(30) % 2}), "y")


def ran() -> tuple[str, str]:
    model = AutoBackbone().condition(table(), n_estimators=1, device="cpu", seed=0)
    assert model.predict_proba(table().features).shape == (30, 2)
    return model.facts.name, model.notes[0]


@pytest.mark.usefixtures("tiny_v1")
def test_auto_takes_v1_from_the_index_where_the_hub_is_away(index: Index) -> None:
    name, note = ran()
    assert name == "tabpfn-v1"
    assert "'auto' took the weights of 'tabpfn-v1', for want of better ones (tabpfn-v2: " in note
    assert "127.0.0.1:9" in note
    index.asked.clear()
    assert ran() == (name, note), "decided once"
    estimate = AutoBackbone().memory(4500, 19, tuning=True)
    assert estimate == TabPFNv1().memory(4500, 19, tuning=True)
    assert estimate < TabPFN("v2").memory(4500, 19, tuning=True)
    assert index.asked == []


def test_auto_takes_what_is_cached_without_asking(
    index: Index, tmp_path: Path, tiny_v1: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran()
    index.asked.clear()
    tiny_v1()
    monkeypatch.setenv("CAUSALMIX_OFFLINE", "1")
    assert ran()[0] == "tabpfn-v1"
    (tmp_path / "v2.safetensors").write_bytes(
        Path("autogluon_causalmix/weights/mini.safetensors").read_bytes()
    )
    tiny_v1()
    name, note = ran()
    assert name == "tabpfn-v2"
    assert note == "the backbone 'auto' took the weights of 'tabpfn-v2'"
    assert index.asked == []


@pytest.mark.usefixtures("tiny_v1")
def test_auto_takes_mini_and_says_why_where_nothing_is_in_reach(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUSALMIX_OFFLINE", "1")
    name, note = ran()
    assert name == "mini"
    assert "tabpfn-v2: CAUSALMIX_OFFLINE is set; tabpfn-v1: CAUSALMIX_OFFLINE is set" in note
    assert "far weaker" in note
    assert index.asked == []


@pytest.mark.usefixtures("tiny_v1")
def test_auto_goes_on_to_mini_where_the_index_holds_another_file(index: Index) -> None:
    index.content = index.content[:-1] + b"?"
    name, note = ran()
    assert name == "mini"
    assert "is another file" in note


@pytest.mark.usefixtures("tiny_v1")
def test_auto_takes_v2_where_the_hub_hands_it_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tabpfn.model_loading

    def download(to: Path, **_: object) -> str:
        to.write_bytes(Path("autogluon_causalmix/weights/mini.safetensors").read_bytes())
        return "ok"

    for module in (auto, hub):
        monkeypatch.setattr(module, "hub_failure", lambda _version: "")
    monkeypatch.setattr(tabpfn.model_loading, "download_model", download)
    assert ran()[0] == "tabpfn-v2"


@pytest.mark.usefixtures("tiny_v1")
def test_a_hub_that_answers_and_refuses_the_file_is_out_of_reach_at_once(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", index.address)
    begin = time.monotonic()
    with pytest.raises(CheckpointError, match=r"nor within reach .*v2-clf.*: it answers 404"):
        hub.fetch_weights("v2")
    assert time.monotonic() - begin < hub.HUB_SECONDS
    assert len(index.asked) == 1


@pytest.mark.usefixtures("tiny_v1")
def test_auto_decides_within_three_seconds_where_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hub and index accept a connection and never say a word."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
        begin = time.monotonic()
        family, sentence = auto.choose()
        assert time.monotonic() - begin < 3.0
    assert type(family).__name__ == "Mini"
    assert "tabpfn-v1: no answer within 2.5 s" in sentence


def test_interrupting_a_fetch_leaves_the_lock_free(index: Index, tmp_path: Path) -> None:
    """Ctrl-C in one process must not keep the others waiting."""
    index.pause = 0.5

    def interrupt() -> None:
        while not index.ranges:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        fetched(tmp_path)
    index.pause = 0.0
    assert_whole(fetched(tmp_path))
