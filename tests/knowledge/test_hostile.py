"""Documents that are too large, locked, broken or meant to do harm: each ends with a clear status, while the server goes on to
answer others, in bounded memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

import httpx
import psutil
import pytest

from . import documents
from .served import served

MIB = 1024 * 1024
SETTLED_S = 120
PAUSE_S = 0.05
"""Between questions: whoever asks without a pause leaves little to a reading process, which makes way for all others."""

MAX_SERVER_MIB = 160
"""More than the server had before: a file is streamed to the disk, and read by another process."""

MAX_READER_MIB = 300
"""What a reading process may have, so that it is used up soon."""


def junk(path: Path) -> Path:
    path.write_bytes(bytes(range(256)) * 4096)
    return path


def junk_behind_a_head(path: Path) -> Path:
    path.write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 4096)
    return path


def endless_markdown(path: Path) -> Path:
    """Small elements without number: each takes a hundred times its length in memory."""
    path.write_bytes(b"*a* [b](c)\n" * 1_000_000)
    return path


CASES: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "large.pdf": (lambda path: documents.large_pdf(path, 64 * MIB), "completed", ""),
    "pictures.pdf": (lambda path: documents.heavy_pdf(path, 63), "completed", ""),
    "locked.pdf": (lambda path: documents.pdf(path, password="x"), "invalid_file", "password"),
    "bomb.docx": (documents.bomb, "invalid_file", "unpacks to far more"),
    "bomb.xlsx": (documents.lying_sheet, "invalid_file", "damaged"),
    "far.xlsx": (documents.far_sheet, "invalid_file", "memory"),
    "macros.docx": (documents.with_macros, "unsupported_file", "macros"),
    "endless.md": (endless_markdown, "invalid_file", "memory"),
    "broken.pdf": (junk_behind_a_head, "invalid_file", "damaged"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, psutil.Process]]:
    folder = tmp_path_factory.mktemp("server")
    settings = {"VIVAVOCE_KNOWLEDGE__PARSING_MEMORY_MB": str(MAX_READER_MIB)}
    with served(folder, f"sqlite:///{folder / 'vivavoce.db'}", **settings) as (client, process):
        yield client, psutil.Process(process.pid)


def new_store(client: httpx.Client, name: str) -> str:
    return str(client.post("/v1/vector_stores", json={"name": name}).json()["id"])


def put(client: httpx.Client, store: str, path: Path) -> str:
    with path.open("rb") as content:
        form = {"file": (path.name, content)}
        made = client.post("/v1/files", data={"purpose": "retrieval-text"}, files=form, timeout=120)
    assert made.status_code == 200, made.text
    file = str(made.json()["id"])
    client.post(f"/v1/vector_stores/{store}/files", json={"file_id": file})
    return file


def peak_mib(process: psutil.Process) -> float:
    """The most memory a process ever had; on systems that do not keep it, what it has."""
    with suppress(OSError, psutil.Error):
        if sys.platform == "linux":
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
        return float(process.memory_info().rss) / MIB
    return 0.0


@pytest.fixture(scope="module")
def others(server: tuple[httpx.Client, psutil.Process], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Somebody else's store, in use."""
    client, _ = server
    store, path = new_store(client, "others"), tmp_path_factory.mktemp("others") / "terms.md"
    path.write_text("# Returns\n\nGoods can be returned within thirty days.\n")
    file = put(client, store, path)
    settled(client, store, file, lambda: None)
    return store


def settled(client: httpx.Client, store: str, file: str, meanwhile: Callable[[], None]) -> dict[str, object]:
    deadline = time.monotonic() + SETTLED_S
    while True:
        row: dict[str, object] = client.get(f"/v1/vector_stores/{store}/files/{file}").json()
        if row["status"] != "in_progress":
            return row
        assert time.monotonic() < deadline, row
        meanwhile()
        time.sleep(PAUSE_S)


@pytest.mark.parametrize("name", CASES)
def test_ends_with_a_clear_status_and_disturbs_nobody(
    server: tuple[httpx.Client, psutil.Process], others: str, tmp_path: Path, name: str
) -> None:
    client, process = server
    make, outcome, words = CASES[name]
    path = make(tmp_path / name)
    before, readers, waited = peak_mib(process), [0.0], list[float]()

    def ask() -> None:
        began = time.perf_counter()
        found = client.post(f"/v1/vector_stores/{others}/search", json={"query": "When can goods be returned?"})
        assert "thirty days" in found.json()["data"][0]["content"][0]["text"]
        assert client.get("/health").status_code == 200
        waited.append(time.perf_counter() - began)
        readers.extend(peak_mib(child) for child in process.children())

    store = new_store(client, "hostile")
    row = settled(client, store, put(client, store, path), ask)
    ask()
    if outcome == "completed":
        assert row["status"] == "completed", row
    else:
        error = row["last_error"]
        assert isinstance(error, dict), row
        assert (row["status"], error["code"]) == ("failed", outcome)
        assert words in error["message"]
        assert len(error["message"]) > 20
    more = peak_mib(process) - before
    figures = f"server {more:+.0f} MiB, reader {max(readers):.0f} MiB, search and health {median(waited) * 1000:.0f} ms"
    print(f"\n{name}: {row['status']}, {figures}: {row['last_error']}")
    assert more < MAX_SERVER_MIB
    assert max(readers) < MAX_READER_MIB
    assert median(waited) < 1


def test_what_is_no_document_at_all_is_refused_when_it_comes(
    server: tuple[httpx.Client, psutil.Process], tmp_path: Path
) -> None:
    client, _ = server
    content = junk(tmp_path / "junk.pdf").read_bytes()
    refused = client.post("/v1/files", data={"purpose": "retrieval-text"}, files={"file": ("junk.pdf", content)})
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert (error["code"], error["param"]) == ("unsupported_file_type", "file")
