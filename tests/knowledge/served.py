"""A server in a process of its own: to be killed, or to be measured."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from vivavoce.cli.local_server import free_port


@contextmanager
def served(folder: Path, database_url: str, **settings: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """A server in a process of its own, ready. ``settings`` are variables of its environment."""
    port = free_port()
    storage = settings | {"VIVAVOCE_STORAGE__URL": database_url, "VIVAVOCE_STORAGE__BLOBS": str(folder / "blobs")}
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
