"""The server's side of one child process."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

import psutil

from vivavoce.children.command import ChildDiedError, ChildOvertimeError, child_command, child_environment
from vivavoce.children.frames import Frame, read_frame, write_frame
from vivavoce.children.jobs import descriptor_of, send_job
from vivavoce.types import Samples

ENDS_WITHIN_S = 1.0
"""How long a child that says nothing more may take to be gone, before it is ended."""


class ChildProcess:
    """One process that runs ``module``. Its methods block, but ``kill``; what it prints goes to ``errors``."""

    def __init__(
        self, module: str, readable: Iterable[Path | str] = (), errors: int | IO[bytes] = subprocess.DEVNULL
    ) -> None:
        ours, its = socket.socketpair()
        with its:
            try:
                self._process = subprocess.Popen(
                    child_command(module, readable),
                    stdin=its.fileno(),
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=child_environment(),
                )
            except BaseException:
                ours.close()
                raise
        self._channel = ours
        self._stream = ours.makefile("wb")

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return self._process.poll() is None

    def send_frame(self, header: dict[str, Any], samples: Samples | None = None) -> None:
        """Send a frame. Raises ``OSError`` when it has gone."""
        write_frame(self._stream, header, samples)

    def send_job(self, job: dict[str, Any], source: bytes | BinaryIO | Path) -> None:
        """Send a job with a file. Raises ``ChildDiedError``, and ``OSError`` for a file that cannot be opened."""
        with descriptor_of(source) as descriptor:
            try:
                send_job(self._channel, job, descriptor)
            except ConnectionError as error:
                raise self.exit_error() from error

    def next(self) -> Frame:
        """What it says next. Raises ``ChildDiedError``, also for what is no frame, and ``ChildOvertimeError``."""
        assert self._process.stdout is not None
        try:
            frame = read_frame(self._process.stdout)
        except (ValueError, KeyError) as error:
            raise self.exit_error() from error
        if frame is None:
            raise self.exit_error()
        return frame

    def exit_error(self) -> Exception:
        """What it died of; it is ended, if it was not."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDS_WITHIN_S)
        code = self._process.poll()
        self.kill()
        return ChildOvertimeError() if code == -signal.SIGXCPU else ChildDiedError(code)

    def resident_bytes(self) -> int:
        """The memory it has."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0  # it has ended, and shows so with the next job

    def kill(self) -> None:
        """Whatever it does, it ends, and whoever waits for its answer sees that."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def end(self) -> None:
        """As ``kill``, and nothing is left of it."""
        self.kill()
        self._process.wait()
        with suppress(OSError):  # what it was not told any more
            self._stream.close()
        self._channel.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
