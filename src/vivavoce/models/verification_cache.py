"""Stamps: a note that a file was hashed, so that a start does not hash two gigabytes again.

A stamp holds the file's size, its modification time and the hash found; it counts only while the first two still fit.
Stamps of mounted folders are kept in the store too, for a mount is often read-only.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

_log = logging.getLogger(__name__)


class VerifiedFile(BaseModel):
    """What a file was when it was hashed."""

    model_config = ConfigDict(frozen=True)

    size_bytes: int
    modified_ns: int
    sha256: str


class _StampFile(RootModel[dict[str, VerifiedFile]]):
    pass


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as lower-case hex. Raises ``OSError``."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Replace ``path`` in one step, so that no other process ever reads half of it. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)  # temporary files are private, but a store may be shared by several users
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


class VerificationCache:
    """The stamps of one entry, kept in ``path`` (JSON: file → stamp)."""

    def __init__(self, path: Path, base: Path) -> None:
        self._path = path
        self._base = base
        self._stamps = self._read()

    def sha256(self, file: Path, *, fresh: bool = False) -> str:
        """The file's hash: from its stamp when size and time still fit, else (or if ``fresh``) by reading it.

        Raises ``OSError`` when the file cannot be read.
        """
        status = file.stat()
        cached = self._stamps.get(self._key(file))
        if cached and not fresh and (cached.size_bytes, cached.modified_ns) == (status.st_size, status.st_mtime_ns):
            return cached.sha256
        sha256 = sha256_of(file)
        self._keep(file, VerifiedFile(size_bytes=status.st_size, modified_ns=status.st_mtime_ns, sha256=sha256))
        return sha256

    def record(self, file: Path, sha256: str) -> None:
        """Stamp a file whose hash was just found elsewhere. Raises ``OSError`` when it is not there."""
        status = file.stat()
        self._keep(file, VerifiedFile(size_bytes=status.st_size, modified_ns=status.st_mtime_ns, sha256=sha256))

    def _keep(self, file: Path, stamp: VerifiedFile) -> None:
        if self._stamps.get(self._key(file)) != stamp:
            self._stamps[self._key(file)] = stamp
            self._write()

    def _key(self, file: Path) -> str:
        # Relative inside the store, so that a moved or copied store keeps its stamps.
        return file.relative_to(self._base).as_posix() if file.is_relative_to(self._base) else file.as_posix()

    def _read(self) -> dict[str, VerifiedFile]:
        try:
            return _StampFile.model_validate_json(self._path.read_bytes()).root
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValidationError):
            _log.warning("the verification cache %s cannot be read: the files will be hashed again", self._path)
            return {}

    def _write(self) -> None:
        stamps = {key: stamp.model_dump() for key, stamp in sorted(self._stamps.items())}
        try:
            write_atomically(self._path, json.dumps(stamps, indent=1))
        except OSError as error:
            _log.warning("cannot write the verification cache (%s): the weights are hashed at every start", error)
