"""What users own leaves the cache folder, where earlier versions kept it: a cache may be emptied at any time.

Moved are the database, the index of documents, the files and the certificate, each only where the configuration leaves its
place to the defaults; weights stay, since they can be pulled again. A process may be killed at any moment and go on at its
next start: a database is at its new place whole or not at all, files go one by one. Nothing that is there is overwritten.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from vivavoce.config import Config
from vivavoce.errors import StoreError

DATABASE = "vivavoce.db"
BLOBS = "blobs"
CERTIFICATE = "tls"

LOCK_S = 300.0
"""How long a process waits for another one that is moving the same data, perhaps to another disk."""


@dataclass(frozen=True, slots=True)
class Relocation:
    """What was moved, in words, and databases that were left because there is one at the new place already."""

    source: Path
    target: Path
    moved: tuple[str, ...] = ()
    not_moved: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.moved or self.not_moved)

    def __str__(self) -> str:
        sentences = []
        if self.moved:
            sentences.append(
                f"Moved from {self.source} to {self.target}: {', '.join(self.moved)}. "
                "A cache folder may be emptied at any time; weights stay there."
            )
        sentences += [
            f"{path} is not used: there is a database in {self.target}. Delete it if nothing in it is missed."
            for path in self.not_moved
        ]
        return "\n".join(sentences)


@dataclass(frozen=True, slots=True)
class _Item:
    name: str
    description: str
    kind: Literal["database", "folder"]


def index_name(database: Path) -> str:
    """The file name of the SQLite index beside a database."""
    return f"{database.stem}-knowledge.db"


def pending(config: Config) -> list[Path]:
    """What lies in the cache folder and will be moved by ``relocate``, or left because there is one already."""
    return [config.cache_folder / item.name for item in _items(config) if (config.cache_folder / item.name).exists()]


def relocate(config: Config) -> Relocation:
    """Move what an earlier version left in the cache folder; quick when there is nothing. Blocking.

    Raises ``StoreError`` when a database is in use, or cannot be moved; it is then still where it was.
    """
    source, target = config.cache_folder, config.data_folder
    nothing_moved = Relocation(source, target)
    if not pending(config):
        return nothing_moved
    moved: list[str] = []
    not_moved: list[Path] = []
    try:
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(target / ".relocation.lock", timeout=LOCK_S):
            for item in _items(config):
                old, new = source / item.name, target / item.name
                if not old.exists():
                    continue  # another process has moved it meanwhile
                if item.kind == "folder":
                    _move_folder(old, new)
                elif new.exists() and not _same(old, new):
                    not_moved.append(old)
                    continue
                else:
                    _move_database(old, new)
                moved.append(item.description)
    except (OSError, Timeout) as error:
        raise StoreError(
            f"Cannot move the data of earlier versions from {source} to {target}: {error}. "
            f"To keep it where it is, set VIVAVOCE_HOME={source}."
        ) from error
    return Relocation(source, target, tuple(moved), tuple(not_moved))


def _items(config: Config) -> list[_Item]:
    """What has its default place, or none when a folder for everything was named."""
    if config.home is not None or config.cache_folder == config.data_folder:
        return []
    items = []
    if config.storage.url is None:
        items.append(_Item(DATABASE, "the database", "database"))
        if config.knowledge.index is None:
            items.append(_Item(index_name(Path(DATABASE)), "the index of documents", "database"))
    if config.storage.blobs is None:
        items.append(_Item(BLOBS, "files", "folder"))
    if config.tls.self_signed:
        items.append(_Item(CERTIFICATE, "the certificate", "folder"))
    return items


def _move_database(old: Path, new: Path) -> None:
    if not new.exists():
        _settle(old)
        _move_file(old, new)
    for file in (old, *(old.with_name(old.name + end) for end in ("-wal", "-shm", ".lock"))):
        file.unlink(missing_ok=True)


def _settle(database: Path) -> None:
    """Write the log of a database into it, so that it is one file. Raises ``StoreError`` when somebody has it open."""
    try:
        with closing(sqlite3.connect(database, timeout=1.0, isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            raise StoreError(f"{database} cannot be read: {error}. Restore it, or move it away.") from error
        raise StoreError(
            f"{database} is in use by another server. Stop it first: the data of earlier versions is moved out of the cache "
            f"folder at the first start. Or set VIVAVOCE_HOME={database.parent} to keep it there."
        ) from error


def _move_folder(old: Path, new: Path) -> None:
    if old.is_symlink():
        if not new.exists():
            new.symlink_to(old.resolve())
        old.unlink()
        return
    try:
        old.rename(new)  # at once, where it is on the same disk and there is nothing yet
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.ENOTEMPTY, errno.EEXIST):
            raise
    else:
        return
    for folder, _, files in os.walk(old, topdown=False):
        destination = new / Path(folder).relative_to(old)
        destination.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in files:
            if not (destination / name).exists():
                _move_file(Path(folder) / name, destination / name)
            elif _same(Path(folder) / name, destination / name):
                (Path(folder) / name).unlink()
        with suppress(OSError):  # something is left in it
            Path(folder).rmdir()


def _move_file(old: Path, new: Path) -> None:
    """Whole or not at all, also to another disk."""
    try:
        old.rename(new)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    draft = new.with_name(f".{new.name}.moving")
    try:
        shutil.copy2(old, draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.rename(new)
    finally:
        draft.unlink(missing_ok=True)
    old.unlink()


def _same(old: Path, new: Path) -> bool:
    """Whether one is the copy of the other that a killed process had no time to delete."""
    old_stat, new_stat = old.stat(), new.stat()
    return (old_stat.st_size, old_stat.st_mtime_ns) == (new_stat.st_size, new_stat.st_mtime_ns)
