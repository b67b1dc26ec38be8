"""A server killed in the middle of reading files: the next one finishes, with no passage twice and none missing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

FILES = 4
PARAGRAPHS = 3000


def long_text(number: int) -> str:
    return "\n\n".join(
        f"Shelf {number} row{n}x holds what the list of row {n} says it holds." for n in range(PARAGRAPHS)
    )


@contextmanager
def served(folder: Path, database_url: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """A server in a process of its own, ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    storage = {"VIVAVOCE_STORAGE__URL": database_url, "VIVAVOCE_STORAGE__BLOBS": str(folder / "blobs")}
    command = [sys.executable, "-m", "vivavoce", "serve", "--engines", "fake", "--port", str(port)]
    with (folder / "log").open("ab") as log, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        process = subprocess.Popen(command, env={**os.environ, **storage}, stdout=log, stderr=log, cwd=folder)
        try:
            deadline = time.monotonic() + 60
            while not ready(client):
                assert process.poll() is None, "the server did not start"
                assert time.monotonic() < deadline, "the server did not become ready"
                time.sleep(0.05)
            yield client, process
        finally:
            process.kill()
            process.wait()


def ready(client: httpx.Client) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return client.get("/health").status_code == 200
    return False


def counts(client: httpx.Client, store: str) -> dict[str, int]:
    return dict(client.get(f"/v1/vector_stores/{store}").json()["file_counts"])


def test_killed_while_it_reads_nothing_is_missing_and_nothing_is_there_twice(tmp_path: Path, database_url: str) -> None:
    with served(tmp_path, database_url) as (client, process):
        store = client.post("/v1/vector_stores", json={"name": "shelves"}).json()["id"]
        files = []
        for number in range(FILES):
            form = {"file": (f"{number}.txt", long_text(number).encode())}
            made = client.post("/v1/files", data={"purpose": "retrieval-text"}, files=form)
            files.append(made.json()["id"])
        client.post(f"/v1/vector_stores/{store}/files", json={"files": [{"file_id": one} for one in files]})
        # In the second file: one is done, and one is half in the index.
        deadline = time.monotonic() + 60
        while counts(client, store)["completed"] < 1:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with served(tmp_path, database_url) as (client, _):
        deadline = time.monotonic() + 120
        while counts(client, store)["in_progress"]:
            assert time.monotonic() < deadline, counts(client, store)
            time.sleep(0.1)
        assert counts(client, store)["completed"] == FILES
        for number, file in enumerate(files):
            content = client.get(f"/v1/vector_stores/{store}/files/{file}/content").json()["data"]
            text = "\n".join(passage["text"] for passage in content)
            row = client.get(f"/v1/vector_stores/{store}/files/{file}").json()
            assert row["passages"] == len(content)
            # Passages overlap by a little: a paragraph is there once or twice, never more.
            assert all(1 <= text.count(f"Shelf {number} row{n}x") <= 2 for n in range(PARAGRAPHS))
