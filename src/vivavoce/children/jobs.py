"""Jobs for child processes that come with an open file: a line of JSON over a UNIX socket, and a descriptor beside it.

A child never opens what somebody sent by its path: it has no path of anything.
"""

from __future__ import annotations

import io
import json
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

MAX_LINE_BYTES = 64 * 1024

_IN_MEMORY_BYTES = 1024 * 1024
"""Files that may only be in memory are copied up to this size; larger ones are on the disk (forms), or copied all the same."""


def send_job(channel: socket.socket, job: dict[str, Any], descriptor: int) -> None:
    """Raises ``OSError`` when the child has gone."""
    socket.send_fds(channel, [json.dumps(job).encode() + b"\n"], [descriptor])


def receive_job(channel: socket.socket) -> tuple[dict[str, Any], BinaryIO] | None:
    """The child's side: the job, and the file at its beginning; None when the server has gone."""
    line, descriptors = b"", list[int]()
    while not line.endswith(b"\n"):
        piece, received, _, _ = socket.recv_fds(channel, MAX_LINE_BYTES, 1)
        descriptors += received
        line += piece
        if not piece or len(line) > MAX_LINE_BYTES:
            return None
    job: dict[str, Any] = json.loads(line)
    return job, io.BufferedReader(_Positioned(descriptors[0]))


class _Positioned(io.RawIOBase):
    """A file that keeps its own position: the descriptor's is shared with the server, which may go on reading it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = 0

    def fileno(self) -> int:
        """The descriptor, for its size."""
        return self._descriptor

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """As any file."""
        base = (0, self._at, os.fstat(self._descriptor).st_size)[whence]
        if base + offset < 0:
            raise OSError("before the beginning of the file")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """As any file."""
        data = os.pread(self._descriptor, len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the descriptor, too."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()


@contextmanager
def descriptor_of(source: bytes | BinaryIO | Path) -> Iterator[int]:
    """What a child can read of ``source``, all of it whatever its position. Raises ``OSError``."""
    if isinstance(source, Path):
        opened = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield opened
        finally:
            os.close(opened)
        return
    if not isinstance(source, bytes):
        size = source.seek(0, io.SEEK_END)
        if size > _IN_MEMORY_BYTES and (on_disk := _fileno(source)) is not None:
            source.flush()
            yield on_disk
            return
        source.seek(0)
        source = source.read()
    with _copied(source) as copy:
        yield copy.fileno()


def _fileno(file: BinaryIO) -> int | None:
    try:
        return file.fileno()
    except OSError:
        return None


def _copied(data: bytes) -> BinaryIO:
    if sys.platform == "linux":
        copy: BinaryIO = os.fdopen(os.memfd_create("recording", os.MFD_CLOEXEC), "w+b")
    else:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    copy.write(data)
    copy.flush()
    return copy
