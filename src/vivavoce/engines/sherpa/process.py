"""The server's side of the process that clones: started when needed, ended when it fails or does not stop."""

from __future__ import annotations

import logging
import os
import queue
import re
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

from vivavoce.children.command import ChildDiedError, ChildOvertimeError
from vivavoce.children.frames import Frame
from vivavoce.children.process import ChildProcess
from vivavoce.engines.sherpa.families import Family
from vivavoce.errors import EngineError
from vivavoce.types import Samples

logger = logging.getLogger(__name__)

START_S = 120.0
"""Loading takes a second or two; a cold disk more."""

PIECE_S = 60.0
"""A process that says nothing for so long is ended."""

STOP_S = 1.0
"""How long a process may take to leave off before it is ended, at least.

It leaves off between two pieces. A new one has to load the model first, so it gets as long as that took: whatever it does,
the next clause never waits for more than twice what was needed.
"""

MAX_STOP_S = 10.0
"""And at most: a cold disk makes loading slow, not the model."""

MAX_LOG_BYTES = 1024 * 1024
"""Of what a process prints, in bytes: sherpa-onnx prints a line or two for every request."""

TICK_S = 0.05


@dataclass(frozen=True, slots=True)
class ChildModel:
    """What a process loads."""

    family: Family
    files: dict[str, str]
    threads: int


class CloningProcess:
    """One process at a time; a thread of it reads what it says. Its methods block, and one thread calls them."""

    def __init__(self, model: ChildModel) -> None:
        self._model = model
        self._child: ChildProcess | None = None
        self._frames: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the engine
        self._number = 0
        self._loading = False
        self._closed = False
        self._started = 0.0
        self._patience_s = STOP_S

    @property
    def pid(self) -> int | None:
        """The process there is."""
        return None if self._child is None else self._child.pid

    def start(self, unwanted: Callable[[], bool] = lambda: False) -> int:
        """Load the model, unless it is loaded; its rate in Hz if it was not, else 0. Raises ``EngineError``."""
        if self._closed:
            raise EngineError(self._model.family.name, "is closed")
        if self._child is not None and self._child.is_alive:
            return self._loaded(unwanted) if self._loading else 0
        self.end()
        self._log.seek(0)
        self._log.truncate()
        self._frames = queue.SimpleQueue()
        self._child = ChildProcess("vivavoce.engines.sherpa.child", self._model.files.values(), self._log)
        threading.Thread(target=_read, args=(self._child, self._frames), daemon=True, name="cloning").start()
        self._say({"family": self._model.family.name, "files": self._model.files, "threads": self._model.threads})
        self._loading = True
        self._started = time.monotonic()
        return self._loaded(unwanted)

    def _loaded(self, unwanted: Callable[[], bool]) -> int:
        """Wait for the model. When nobody wants it any more it goes on loading, for whoever comes next."""
        header, _ = self._next(START_S, lambda: self._closed or unwanted())
        self._loading = False
        self._patience_s = min(MAX_STOP_S, max(STOP_S, time.monotonic() - self._started))
        return cast(int, header["rate_hz"])

    def speak(
        self, request: dict[str, Any], clip: Samples, unwanted: Callable[[], bool]
    ) -> Generator[tuple[int, Samples], None, None]:
        """The speech of the request's pieces, each with its place, until it is ``unwanted``. Raises ``EngineError``.

        A process that dies is replaced once, and the new one goes on with the piece that was not made.
        """
        done = 0
        for last_try in (False, True):
            remaining = {**request, "pieces": request["pieces"][done:]}
            offset = done
            try:
                for place, samples in self._synthesized(remaining, clip, unwanted):
                    yield offset + place, samples
                    done = offset + place + 1
                return
            except _EndedError:
                if last_try:
                    raise
                if done == len(request["pieces"]):
                    return

    def _synthesized(
        self, request: dict[str, Any], clip: Samples, unwanted: Callable[[], bool]
    ) -> Iterator[tuple[int, Samples]]:
        """As ``speak``, of one process. Raises ``EngineError``, ``_EndedError`` when the process ended by itself."""
        try:
            self.start(unwanted)
        except _UnwantedError:
            return
        frame = self._send_request(request, clip, unwanted)
        while frame is not None:
            header, samples = frame
            if "error" in header:
                raise EngineError(self._model.family.name, header["error"])
            if "end" in header:
                return
            try:
                yield header["piece"], samples
            except GeneratorExit:
                self._stop()  # or what it still says would be taken for the next answer
                raise
            frame = self._next_frame(unwanted)

    def _send_request(self, request: dict[str, Any], clip: Samples, unwanted: Callable[[], bool]) -> Frame | None:
        self._number += 1
        if self._log.seek(0, os.SEEK_CUR) > MAX_LOG_BYTES:  # it writes where we are
            self._log.seek(0)
            self._log.truncate()
        self._say({**request, "number": self._number}, clip)
        return self._next_frame(unwanted)

    def _next_frame(self, unwanted: Callable[[], bool]) -> Frame | None:
        """What the process says next; None when nobody wants to hear it."""
        try:
            return self._next(PIECE_S, unwanted)
        except _UnwantedError:
            self._stop()
            return None

    def end(self) -> None:
        """End the process, if there is one."""
        child, self._child = self._child, None
        self._loading = False
        if child is not None:
            child.end()

    def close(self) -> None:
        """As ``end``, for good."""
        self._closed = True
        with closing(self._log):
            self.end()

    def interrupt(self) -> None:
        """From another thread: whatever the process does, it ends."""
        self._closed = True
        if (child := self._child) is not None:
            child.kill()

    def _stop(self) -> None:
        """Let the process leave off what nobody wants any more; end it when it does not in time."""
        deadline = time.monotonic() + self._patience_s
        try:
            self._say({"stop": self._number})
            while True:
                header, _ = self._next(deadline - time.monotonic(), lambda: self._closed)
                if "end" in header or "error" in header:
                    return
        except (EngineError, _UnwantedError):
            self.end()

    def _say(self, header: dict[str, Any], samples: Samples | None = None) -> None:
        assert self._child is not None
        try:
            self._child.send_frame(header, samples)
        except OSError as error:
            raise self._ended() from error

    def _next(self, within_s: float, unwanted: Callable[[], bool]) -> Frame:
        deadline = time.monotonic() + within_s
        while True:
            if unwanted():
                raise _UnwantedError
            try:
                frame = self._frames.get(timeout=TICK_S)
            except queue.Empty:
                if time.monotonic() < deadline:
                    continue
                self.end()
                raise EngineError(self._model.family.name, "its process did not answer", retriable=True) from None
            if frame is None:
                raise self._ended()
            return frame

    def _ended(self) -> EngineError:
        loading = self._number == 0
        self.end()
        if self._closed:
            return EngineError(self._model.family.name, "is closed")
        self._log.seek(0)
        last = self._log.read()[-2000:].decode(errors="replace").strip().splitlines()
        # Once it has been asked something, what it prints may hold words of users.
        reason = " / ".join(last[-3:])[:1000] if loading else _kind(last)
        logger.warning("the process of %s ended: %s", self._model.family.name, reason)
        return _EndedError(self._model.family.name, "its process ended", retriable=True)


class _EndedError(EngineError):
    """The process ended by itself. Why is in the log: clients need not know where the server's files are."""


class _UnwantedError(Exception):
    """Nobody waits for the answer any more."""


def _kind(lines: list[str]) -> str:
    """The kind of the last error among ``lines``, without its message."""
    kinds = [match[1] for line in lines if (match := re.match(r"(?:\w+\.)*(\w+(?:Error|Exception))\b", line))]
    return kinds[-1] if kinds else "no Python error"


def _read(child: ChildProcess, frames: queue.SimpleQueue[Frame | None]) -> None:
    try:
        while True:
            frames.put(child.next())
    except (ChildDiedError, ChildOvertimeError, OSError):
        frames.put(None)
