"""A PostgreSQL of the tests' own: Debian's binaries, a temporary folder, a Unix socket."""

from __future__ import annotations

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

DEBIAN = Path("/usr/lib/postgresql")
_names = count(1)


class Postgres:
    """A running cluster."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test_{next(_names)}"
        command = [str(self._programs / "createdb"), "--host", str(self._folder), "--username", "vivavoce", name]
        subprocess.run(command, check=True, capture_output=True)
        return f"postgresql://vivavoce@/{name}?host={quote(str(self._folder))}"


def programs() -> Path | None:
    """The folder of the newest PostgreSQL there is."""
    folders = [folder / "bin" for folder in DEBIAN.glob("*") if (folder / "bin" / "initdb").exists()]
    if folders:
        return max(folders, key=lambda folder: float(folder.parent.name))
    found = shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


@contextmanager
def running_postgres(binaries: Path) -> Iterator[Postgres]:
    """Start one; as another user when this one is root, which PostgreSQL refuses to be."""
    folder = Path(tempfile.mkdtemp(prefix="vivavoce-pg-"))
    user = None
    if os.getuid() == 0:
        user = next(name for name in ("postgres", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()})
        shutil.chown(folder, user)
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [binaries / program, *arguments], user=user, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=60
        )

    try:
        run("initdb", "--pgdata", str(data), "--username", "vivavoce", "--auth", "trust", "--no-sync", "-E", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c max_connections=200"
        run("pg_ctl", "start", "-w", "-D", str(data), "-l", str(folder / "log"), "-o", options)
        try:
            yield Postgres(binaries, folder)
        finally:
            run("pg_ctl", "stop", "-w", "-D", str(data), "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
