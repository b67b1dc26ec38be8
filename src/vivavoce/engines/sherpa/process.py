"""The server's side of a process that runs a model: started when needed, ended when it fails or does not stop."""

from __future__ import annotations

import logging
import os
import queue
import re
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, cast

from vivavoce.children.command import ChildDiedError, ChildOvertimeError
from vivavoce.children.frames import Frame
from vivavoce.children.process import ChildProcess
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
whoever comes next never waits for more than twice what was needed.
"""

MAX_STOP_S = 10.0
"""And at most: a cold disk makes loading slow, not the model."""

MAX_LOG_BYTES = 1024 * 1024
"""Of what a process prints, in bytes: sherpa-onnx prints a line or two for every request."""

TICK_S = 0.05


@dataclass(frozen=True, slots=True)
class ChildModel:
    """What a process loads.

    ``name`` is the kind of model, ``module`` what the process runs, ``files`` are the paths by sherpa-onnx's name of each, and
    ``options`` what is told beside them.
    """

    name: str
    module: str
    files: Mapping[str, str]
    threads: int
    options: Mapping[str, Any] = field(default_factory=dict)


class ModelProcess:
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
            raise EngineError(self._model.name, "is closed")
        if self._child is not None and self._child.is_alive:
            return self._loaded(unwanted) if self._loading else 0
        self.end()
        self._log.seek(0)
        self._log.truncate()
        self._frames = queue.SimpleQueue()
        model = self._model
        self._child = ChildProcess(model.module, model.files.values(), self._log)
        threading.Thread(target=_read, args=(self._child, self._frames), daemon=True, name=model.name).start()
        self._say({"family": model.name, "files": dict(model.files), "threads": model.threads, **model.options})
        self._loading = True
        self._started = time.monotonic()
        return self._loaded(unwanted)

    def _loaded(self, unwanted: Callable[[], bool]) -> int:
        """Wait for the model. When nobody wants it any more it goes on loading, for whoever comes next."""
        header, _ = self._next(START_S, lambda: self._closed or unwanted())
        self._loading = False
        self._patience_s = min(MAX_STOP_S, max(STOP_S, time.monotonic() - self._started))
        return cast(int, header["rate_hz"])

    def ask(self, request: dict[str, Any], samples: Samples) -> dict[str, Any]:
        """What the process answers to a request about ``samples``, in one frame. Raises ``EngineError``.

        A process that dies is replaced once.
        """
        try:
            header, _ = self._asked(request, samples)
        except EndedError:
            header, _ = self._asked(request, samples)
        if "error" in header:
            raise EngineError(self._model.name, header["error"])
        return header

    def _asked(self, request: dict[str, Any], samples: Samples) -> Frame:
        try:
            self.start()
        except UnwantedError:
            raise EngineError(self._model.name, "is closed") from None
        frame = self._send_request(request, samples, lambda: self._closed)
        if frame is None:
            raise EngineError(self._model.name, "is closed")
        return frame

    def _send_request(self, request: dict[str, Any], clip: Samples, unwanted: Callable[[], bool]) -> Frame | None:
        """Ask; the first frame of the answer, or None when nobody wants it any more."""
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
        except UnwantedError:
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
        except (EngineError, UnwantedError):
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
                raise UnwantedError
            try:
                frame = self._frames.get(timeout=TICK_S)
            except queue.Empty:
                if time.monotonic() < deadline:
                    continue
                self.end()
                raise EngineError(self._model.name, "its process did not answer", retriable=True) from None
            if frame is None:
                raise self._ended()
            return frame

    def _ended(self) -> EngineError:
        loading = self._number == 0
        self.end()
        if self._closed:
            return EngineError(self._model.name, "is closed")
        self._log.seek(0)
        last = self._log.read()[-2000:].decode(errors="replace").strip().splitlines()
        # Once it has been asked something, what it prints may hold words of users.
        reason = " / ".join(last[-3:])[:1000] if loading else _kind(last)
        logger.warning("the process of %s ended: %s", self._model.name, reason)
        return EndedError(self._model.name, "its process ended", retriable=True)


class EndedError(EngineError):
    """The process ended by itself. Why is in the log: clients need not know where the server's files are."""


class UnwantedError(Exception):
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
