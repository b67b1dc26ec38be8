"""A server killed in the midst of everything: the next one finishes what was acknowledged."""

from __future__ import annotations

import contextlib
import signal
import time
from pathlib import Path
from threading import Thread

import httpx

from knowledge.served import served
from net import pages
from recordings import TWO_PARTS, loudness, wav

WITHIN_S = 60.0
SETTINGS = {"VIVAVOCE_NET__ALLOW_PRIVATE": "true"}


class Acknowledged:
    """What a server has promised to do."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.read: list[str] = []
        self.tasks: list[str] = []


def keep_asking(base: httpx.URL, shelf: str, sound: str, number: int, promised: Acknowledged) -> None:
    """Uploads, documents and recordings until the server is gone."""
    with httpx.Client(base_url=base, timeout=30) as client, contextlib.suppress(httpx.TransportError):
        for n in range(10_000):
            content = f"Row {number}.{n} holds what the list says. ".encode() * 100
            made = client.post("/v1/files", data={"purpose": "retrieval-text"}, files={"file": (f"{n}.txt", content)})
            if made.status_code != 200:
                continue
            file_id = made.json()["id"]
            promised.files[file_id] = content
            if client.post(f"/v1/vector_stores/{shelf}/files", json={"file_id": file_id}).status_code == 200:
                promised.read.append(file_id)
            body = {"audio": {"url": sound, "format": "wav"}, "request": {"model_name": "step-asr"}}
            task = client.post("/v1/audio/asr/file/submit", json=body)
            if task.status_code == 200:
                promised.tasks.append(task.json()["task_id"])


def until_done(client: httpx.Client, shelf: str, promised: Acknowledged) -> None:
    deadline = time.monotonic() + WITHIN_S
    while client.get(f"/v1/vector_stores/{shelf}").json()["file_counts"]["in_progress"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for task_id in promised.tasks:
        while (found := client.post("/v1/audio/asr/file/query", json={"task_id": task_id}).json())[
            "status"
        ] != "SUCCEEDED":
            assert found["status"] != "FAILED", found
            assert time.monotonic() < deadline
            time.sleep(0.05)


def kill_in_the_midst(folder: Path, url: str, sound: str, promised: Acknowledged) -> str:
    """The vector store the documents are for."""
    with served(folder, url, **SETTINGS) as (client, process):
        shelf = str(client.post("/v1/vector_stores", json={"name": "shelves"}).json()["id"])
        asking = [Thread(target=keep_asking, args=(client.base_url, shelf, sound, n, promised)) for n in range(3)]
        for thread in asking:
            thread.start()
        deadline = time.monotonic() + WITHIN_S
        while len(promised.tasks) < 6 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        for thread in asking:
            thread.join(WITHIN_S)
    assert len(promised.tasks) >= 6
    return shelf


def test_killed_during_everything_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    promised, url, web = Acknowledged(), f"sqlite:///{tmp_path / 'vivavoce.db'}", pages.Pages()
    web.put("/a.wav", wav(loudness(*TWO_PARTS)), content_type="audio/wav")
    with pages.served(web) as port:
        shelf = kill_in_the_midst(tmp_path, url, f"http://127.0.0.1:{port}/a.wav", promised)
        with served(tmp_path, url, **SETTINGS) as (client, _):
            until_done(client, shelf, promised)
            for file_id, content in promised.files.items():
                assert client.get(f"/v1/files/{file_id}/content").content == content
            for file_id in promised.read:
                assert client.get(f"/v1/vector_stores/{shelf}/files/{file_id}").json()["status"] == "completed"
            assert client.get("/readyz").status_code == 200
