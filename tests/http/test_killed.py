"""A server killed in the middle of uploads: what was acknowledged is there, what was not has left nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx
from sqlalchemy import update

from vivavoce.cli.local_server import free_port
from vivavoce.store.database import Database
from vivavoce.store.tables import OrphanBlob


@contextmanager
def served(database_url: str, folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server in a process of its own, ready."""
    port = free_port()
    storage = {"VIVAVOCE_STORAGE__URL": database_url, "VIVAVOCE_STORAGE__BLOBS": str(folder / "blobs")}
    command = [sys.executable, "-m", "vivavoce", "serve", "--engines", "fake", "--port", str(port)]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, env={**os.environ, **storage}, stdout=log, stderr=log, cwd=folder)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(url, process)
            yield url, process
        finally:
            process.kill()
            process.wait()


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server did not start"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/health").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the server did not become ready")


def upload_until_it_ends(url: str, number: int, acknowledged: dict[str, bytes]) -> None:
    """One file after the other, of growing size."""
    with httpx.Client(timeout=60) as client, contextlib.suppress(httpx.TransportError):
        for n in range(10_000):
            content = f"{number}.{n} ".encode() * (1 + 20_000 * (n % 20))
            form = {"file": (f"{number}-{n}.txt", content)}
            made = client.post(f"{url}/v1/files", data={"purpose": "retrieval-text"}, files=form)
            if made.status_code == 200:
                acknowledged[made.json()["id"]] = content


async def make_what_is_loose_old(database_url: str) -> None:
    database = Database(database_url)
    async with database.rows.begin() as session:
        await session.execute(update(OrphanBlob).values(since=1))
    await database.close()


def test_acknowledged_uploads_survive_and_others_leave_nothing(database_url: str, tmp_path: Path) -> None:
    acknowledged: dict[str, bytes] = {}
    with served(database_url, tmp_path) as (url, process):
        uploading = [Thread(target=upload_until_it_ends, args=(url, n, acknowledged)) for n in range(4)]
        for thread in uploading:
            thread.start()
        deadline = time.monotonic() + 60
        while len(acknowledged) < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        for thread in uploading:
            thread.join(60)
    assert len(acknowledged) >= 20
    asyncio.run(make_what_is_loose_old(database_url))
    with served(database_url, tmp_path) as (url, _process), httpx.Client(base_url=url, timeout=60) as client:
        listed = {file["id"] for file in client.get("/v1/files").json()["data"]}
        assert set(acknowledged) <= listed
        for file_id in listed:
            content = client.get(f"/v1/files/{file_id}/content").content
            assert content == acknowledged.get(file_id, content)
            assert len(content) == client.get(f"/v1/files/{file_id}").json()["bytes"]
        on_disk = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
        assert len(on_disk) == len(listed)
