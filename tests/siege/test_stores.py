"""The store goes and comes back under a running server: locked, killed, full. Nothing that was acknowledged is lost, everything
goes on without a restart, and readiness tells the truth all the while."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from postgres import Postgres, programs, running_postgres
from running import RunningServer, running
from vivavoce import supervision
from vivavoce.config import load_config
from vivavoce.http import readiness
from vivavoce.knowledge import ingest
from vivavoce.store import database as database_module

WITHIN_S = 30.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is tried again soon, and nothing is remembered long."""
    monkeypatch.setattr(supervision, "FIRST_RETRY_S", 0.1)
    monkeypatch.setattr(supervision, "MAX_RETRY_S", 0.2)
    monkeypatch.setattr(ingest, "RETRY_S", 1)
    monkeypatch.setattr(readiness, "STORE_CHECK_INTERVAL_S", 0.0)
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.5)


@contextmanager
def serving(url: str, blobs: Path, **settings: Any) -> Iterator[tuple[RunningServer, httpx.Client]]:
    storage = {"url": url, "blobs": str(blobs)}
    config = load_config({"storage": storage, "net": {"allow_private": True}, **settings}, profile="fake")
    with running(config) as server, httpx.Client(base_url=f"{server.http}/v1", timeout=30) as client:
        yield server, client


def ready(server: RunningServer) -> tuple[int, dict[str, str]]:
    """The status of ``/readyz``, and the reasons of what fails."""
    answer = httpx.get(f"{server.http}/readyz", timeout=30)
    checks = answer.json()["checks"]
    return answer.status_code, {name: check["reason"] for name, check in checks.items() if not check["ok"]}


def until(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def upload(client: httpx.Client, content: bytes, purpose: str = "retrieval-text") -> httpx.Response:
    extension = "txt" if purpose == "retrieval-text" else "wav"
    return client.post("/files", data={"purpose": purpose}, files={"file": (f"a.{extension}", content)})


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def recording() -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(b"\x00\x40\x00\xc0" * 16_000)
    return held.getvalue()


@pytest.fixture(scope="module")
def mortal_postgres() -> Iterator[Postgres]:
    """A PostgreSQL that may be killed."""
    binaries = programs()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed")
    with running_postgres(binaries) as started:
        yield started


def test_a_killed_postgresql_comes_back_and_all_work_goes_on(mortal_postgres: Postgres, tmp_path: Path) -> None:
    """Before, ingest and recordings were dead for ever, and nothing showed it."""
    with serving(mortal_postgres.new_database(), tmp_path / "blobs") as (server, client), ExitStack() as stack:
        assert ready(server) == (200, {})
        kept = upload(client, b"The harbour closes at nine.").json()["id"]
        sound = upload(client, recording(), "storage").json()["id"]
        shelf = client.post("/vector_stores", json={"name": "harbour"}).json()["id"]
        talking = stack.enter_context(connect(f"{server.ws}/v1/realtime?model=step-audio-2"))
        mortal_postgres.stop()
        try:
            assert reply(talking, "Are you there?") == "You said: Are you there?"
            with pytest.raises(InvalidStatus) as denied:
                connect(f"{server.ws}/v1/realtime?model=step-audio-2")
            assert denied.value.response.status_code == 503
            answer = client.get("/files")
            assert refused(answer) == (503, "store_busy")
            assert int(answer.headers["retry-after"]) > 0
            assert refused(upload(client, b"lost?")) == (503, "store_busy")
            until(lambda: {"store", "worker ingest", "worker recordings 1"} <= set(ready(server)[1]))
            assert ready(server)[0] == 503
            assert httpx.get(f"{server.http}/livez").status_code == 200
            assert httpx.get(f"{server.http}/health").status_code == 200
            assert 'vivavoce_worker_up{worker="ingest"} 0' in httpx.get(f"{server.http}/metrics").text
        finally:
            mortal_postgres.start()
        until(lambda: ready(server) == (200, {}))
        assert kept in {file["id"] for file in client.get("/files").json()["data"]}
        put = client.post(f"/vector_stores/{shelf}/files", json={"file_id": kept})
        assert put.status_code == 200, put.text
        until(lambda: client.get(f"/vector_stores/{shelf}/files/{kept}").json()["status"] == "completed")
        transcribe(server, client, sound)
        assert reply(talking, "And now?") == "You said: And now?"


def test_a_postgresql_that_says_nothing_is_not_waited_for(
    mortal_postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, a request waited for it as long as its client did."""
    monkeypatch.setattr(database_module, "READ_TIMEOUT_S", 0.5)
    monkeypatch.setattr(database_module, "WRITE_TIMEOUT_S", 0.5)
    monkeypatch.setattr(readiness, "STORE_TIMEOUT_S", 0.4)
    with serving(mortal_postgres.new_database(), tmp_path / "blobs") as (server, client):
        kept = upload(client, b"The harbour closes at nine.").json()["id"]
        with mortal_postgres.silent():
            began = time.monotonic()
            assert refused(client.get("/files")) == (503, "store_busy")
            assert refused(upload(client, b"no")) == (503, "store_busy")
            assert time.monotonic() - began < 12  # the driver takes two seconds to give up a connection
            assert ready(server)[1]["store"] in ("no answer", "store_busy")
        until(lambda: ready(server) == (200, {}))
        assert client.get(f"/files/{kept}/content").content == b"The harbour closes at nine."


def transcribe(server: RunningServer, client: httpx.Client, sound: str) -> None:
    """Have a recording read in the background, and wait until it is."""
    task = client.post(
        "/audio/asr/file/submit",
        json={
            "audio": {"url": f"{server.http}/v1/files/{sound}/content", "format": "wav"},
            "request": {"model_name": "step-asr"},
        },
    )
    assert task.status_code == 200, task.text

    def done() -> bool:
        result = client.post("/audio/asr/file/query", json={"task_id": task.json()["task_id"]}).json()
        assert result["status"] != "FAILED", result
        return bool(result["status"] == "SUCCEEDED")

    until(done)


def reply(talking: ClientConnection, words: str) -> str:
    """What a conversation answers, as text."""
    content = [{"type": "input_text", "text": words}]
    item = {"type": "message", "role": "user", "content": content}
    talking.send(json.dumps({"type": "conversation.item.create", "item": item}))
    talking.send(json.dumps({"type": "response.create", "response": {"modalities": ["text"]}}))
    while (event := json.loads(talking.recv(timeout=20)))["type"] != "response.done":
        assert event["type"] != "error", event
    return str(event["response"]["output"][0]["content"][0]["text"])


@pytest.mark.parametrize("jump_s", [-20 * 3600, 20 * 3600])
def test_a_clock_that_is_set_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_s: int) -> None:
    """Before, documents waited for leases that would end in a day, or were read twice at once."""
    real = time.time
    with serving(f"sqlite:///{tmp_path / 'vivavoce.db'}", tmp_path / "blobs") as (server, client), ExitStack() as stack:
        talking = stack.enter_context(connect(f"{server.ws}/v1/realtime?model=step-audio-2"))
        mine = [upload(client, b"The harbour closes at nine. " * 1_000).json()["id"] for _ in range(3)]
        sound = upload(client, recording(), "storage").json()["id"]
        shelf = client.post("/vector_stores", json={"name": "harbour"}).json()["id"]
        client.post(f"/vector_stores/{shelf}/files", json={"files": [{"file_id": one} for one in mine]})
        monkeypatch.setattr(time, "time", lambda: real() + jump_s)
        transcribe(server, client, sound)

        def read() -> bool:
            counts = client.get(f"/vector_stores/{shelf}").json()["file_counts"]
            assert counts["failed"] == 0
            return bool(counts["completed"] == 3)

        until(read)
        assert reply(talking, "And now?") == "You said: And now?"
        assert upload(client, b"later").status_code == 200
        assert ready(server) == (200, {})


def test_readers_do_not_wait_for_a_writer_that_never_ends(tmp_path: Path) -> None:
    """Before, fifteen writers that waited took every connection there was, and readers hung for half a minute."""
    file = tmp_path / "vivavoce.db"
    with serving(f"sqlite:///{file}", tmp_path / "blobs") as (server, client):
        kept = upload(client, b"The harbour closes at nine.").json()["id"]
        with sqlite3.connect(file, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = upload(client, b"no")
            assert refused(answer) == (503, "store_busy")
            assert int(answer.headers["retry-after"]) > 0
            took = []
            for _ in range(3):  # a busy machine may take as long, but not each time
                began = time.monotonic()
                assert client.get(f"/files/{kept}/content").content == b"The harbour closes at nine."
                took.append(time.monotonic() - began)
            assert min(took) < database_module.BUSY_TIMEOUT_S, took
            until(lambda: "worker ingest" in ready(server)[1])
            other.execute("ROLLBACK")
        other.close()
        until(lambda: ready(server) == (200, {}))
        assert upload(client, b"yes").status_code == 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MB."""
    mount, folder = shutil.which("mount"), tmp_path / "disk"
    folder.mkdir()
    if mount is None or os.getuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


def test_on_a_full_disk_things_are_refused_and_deleted_and_go_on_when_there_is_room(small_disk: Path) -> None:
    """Before, one second without room ended ingest for ever, uploads were 500s, and nothing could be deleted."""
    with serving(f"sqlite:///{small_disk / 'vivavoce.db'}", small_disk / "blobs") as (server, client):
        mine = [upload(client, b"The harbour closes at nine. " * 100).json()["id"] for _ in range(3)]
        shelf = client.post("/vector_stores", json={"name": "harbour"}).json()["id"]
        ballast = fill(small_disk)
        assert refused(upload(client, b"x" * 500_000)) == (507, "insufficient_storage")
        until(lambda: ready(server) == (503, {"store": "insufficient_storage"}))
        assert client.get(f"/files/{mine[0]}/content").status_code == 200
        assert client.delete(f"/files/{mine[0]}").status_code == 200
        assert client.get(f"/files/{mine[0]}").status_code == 404
        assert client.delete(f"/files/{mine[1]}").status_code == 200
        assert refused(upload(client, b"y")) == (507, "insufficient_storage")
        ballast.unlink()
        until(lambda: ready(server) == (200, {}))
        assert upload(client, b"There is room again.").status_code == 200
        assert client.post(f"/vector_stores/{shelf}/files", json={"file_id": mine[2]}).status_code == 200
        until(lambda: client.get(f"/vector_stores/{shelf}/files/{mine[2]}").json()["status"] == "completed")


def test_a_document_that_met_a_full_disk_is_read_when_there_is_room(small_disk: Path) -> None:
    """It is no fault of the document's: it does not fail."""
    with serving(f"sqlite:///{small_disk / 'vivavoce.db'}", small_disk / "blobs") as (server, client):
        mine = upload(client, b"The harbour closes at nine. " * 4_000).json()["id"]
        shelf = client.post("/vector_stores", json={"name": "harbour"}).json()["id"]
        put = client.post(f"/vector_stores/{shelf}/files", json={"file_id": mine})
        ballast = fill(small_disk)
        assert put.status_code == 200
        until(lambda: ready(server)[0] == 503)
        assert client.get(f"/vector_stores/{shelf}/files/{mine}").json()["status"] == "in_progress"
        ballast.unlink()
        until(lambda: client.get(f"/vector_stores/{shelf}/files/{mine}").json()["status"] == "completed")
        assert ready(server) == (200, {})
