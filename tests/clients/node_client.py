"""openai-node from Python: installed with npm as its lock says, run for one scenario at a time."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

SOURCES = Path(__file__).with_name("node")
LOCK = "package-lock.json"
SCRIPT = "realtime.mjs"
HTTP_SCRIPT = "http.mjs"
AGENTS_SCRIPT = "agents.mjs"
CHUNK_BYTES = 9_600  # 200 ms of PCM16 at 24 kHz
OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH")


@dataclass(frozen=True)
class NodeClient:
    """The folder the packages are installed in."""

    folder: Path

    async def run(
        self,
        scenario: str,
        *,
        ga: bool,
        transport: str,
        port: int,
        cert: Path,
        model: str,
        recordings: Iterable[bytes] = (),
    ) -> list[dict[str, Any]]:
        """The events of a scenario of ``realtime.mjs``, which trusts the server by ``cert``."""
        said = [
            [base64.b64encode(audio[at : at + CHUNK_BYTES]).decode() for at in range(0, len(audio), CHUNK_BYTES)]
            for audio in recordings
        ]
        node = await asyncio.create_subprocess_exec(
            "node",
            str(self.folder / SCRIPT),
            scenario,
            "ga" if ga else "beta",
            transport,
            f"https://localhost:{port}/v1",
            model,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": str(cert)},
        )
        try:
            async with asyncio.timeout(90):
                out, err = await node.communicate("\n".join(map(json.dumps, said)).encode())
        except TimeoutError:
            node.kill()
            out, err = await node.communicate()
            last = out.decode().splitlines()[-3:]
            raise AssertionError(f"{scenario} did not end; its last events: {last}") from None
        assert node.returncode == 0, err.decode()
        return [json.loads(line) for line in out.decode().splitlines()]


def install(cache: Path | None) -> NodeClient:
    """Install what the lock names into ``cache``, unless it is there already; skips where that cannot be done."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            pytest.skip(f"openai-node needs {command}, which is not installed")
    if cache is None:
        pytest.skip("openai-node is installed into pytest's cache, which is switched off")
    installed = cache / "installed"
    lock = (SOURCES / LOCK).read_text()
    with FileLock(cache / "lock"):
        for name in ("package.json", LOCK, SCRIPT, HTTP_SCRIPT, AGENTS_SCRIPT):
            shutil.copy(SOURCES / name, cache)
        if not installed.exists() or installed.read_text() != lock:
            _npm_ci(cache)
            installed.write_text(lock)
    return NodeClient(cache)


def _npm_ci(folder: Path) -> None:
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode and any(reason in done.stderr for reason in OFFLINE):
        pytest.skip(f"openai-node cannot be installed without a network: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
