"""What a server takes, and whether it is back to where it was."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil

from vivavoce.cli.local_server import free_port

READY_WITHIN_S = 300.0
MAX_GROWTH: Mapping[str, float] = {"files": 10, "threads": 4, "tasks": 2, "children": 3, "places": 0, "rows": 0}
"""How much more there may be afterwards. Up to five child processes are kept, which are not all needed at once before it was
crowded; each holds two files. Other pools may keep one or two open."""

MAX_MEMORY_GROWTH, MAX_MEMORY_GROWTH_MB = 0.10, 30.0
"""Memory may have grown by the larger of the two: allocators keep what they had."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The server's own memory, open files, threads and tasks; its child processes; places taken; rows of all tables."""

    memory_mb: float
    files: int
    threads: int
    tasks: int
    children: int
    places: int
    rows: int


def judged(before: Figures, after: Figures) -> list[str]:
    """The names of what is not back to where it was."""
    wrong = [name for name, growth in MAX_GROWTH.items() if getattr(after, name) > getattr(before, name) + growth]
    if after.memory_mb > before.memory_mb + max(before.memory_mb * MAX_MEMORY_GROWTH, MAX_MEMORY_GROWTH_MB):
        wrong.insert(0, "memory_mb")
    if after.rows < before.rows:
        wrong.append("rows")
    return wrong


def table(before: Figures, after: Figures, wrong: list[str]) -> str:
    """Both, side by side."""
    lines = [f"{'':12}{'before':>10}{'after':>10}"]
    for name, was in asdict(before).items():
        mark = "  not back" if name in wrong else ""
        lines.append(f"{name:12}{was:>10.5g}{getattr(after, name):>10.5g}{mark}")
    return "\n".join(lines)


class Server:
    """A server in a process of its own. ``database`` is its file of rows."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, key: str, folder: Path) -> None:
        self._process = psutil.Process(process.pid)
        self.port = port
        self.database = folder / "vivavoce.db"
        self._tasks = folder / "tasks"
        self._http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=60
        )

    @classmethod
    @asynccontextmanager
    async def started(cls, folder: Path, engines: str, sessions: int, keys: Mapping[str, str]) -> AsyncIterator[Server]:
        """Ready to talk; ended afterwards."""
        port = free_port()
        environment = {
            **os.environ,
            **{f"VIVAVOCE_AUTH__KEYS__{owner.upper()}": key for owner, key in keys.items()},
            "VIVAVOCE_STORAGE__URL": f"sqlite:///{folder / 'vivavoce.db'}",
            "VIVAVOCE_STORAGE__BLOBS": str(folder / "blobs"),
            "VIVAVOCE_LIMITS__SESSIONS": str(sessions),
            "SOAK_TASKS": str(folder / "tasks"),
        }
        program = str(Path(__file__).with_name("soak_server.py"))
        command = [
            sys.executable,
            program,
            "serve",
            "--engines",
            engines,
            "--port",
            str(port),
            "--log-level",
            "warning",
        ]
        with (folder / "log").open("wb") as log:
            process = await asyncio.to_thread(
                lambda: subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            )
        server = cls(process, port, next(iter(keys.values())), folder)
        try:
            await server._ready(process)
            yield server
        finally:
            await server._http.aclose()
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, 30)
            process.kill()
            process.wait()

    def memory_mb(self) -> float:
        """The server's own memory now."""
        return float(self._process.memory_info().rss) / 1e6

    async def figures(self, rows: int) -> Figures:
        """What it takes now."""
        health = (await self._http.get("/health", headers={"Connection": "close"})).json()
        tasks = await self._count_tasks()
        with self._process.oneshot():
            return Figures(
                self.memory_mb(),
                self._process.num_fds(),
                self._process.num_threads(),
                tasks,
                len(self._process.children(recursive=True)),
                health["sessions"]["live"],
                rows,
            )

    async def _count_tasks(self) -> int:
        self._tasks.unlink(missing_ok=True)
        self._process.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(60):
            while not self._tasks.exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.05)
        return int(self._tasks.read_text())

    async def _ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if (await self._http.get("/health")).status_code == 200:
                    return
            await asyncio.sleep(0.2)
        raise RuntimeError("the server did not start")
