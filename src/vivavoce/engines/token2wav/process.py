"""The server's side of the process that decodes: started when needed, ended when it fails; its frames are handed on."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivavoce.children.command import ChildDiedError, ChildOvertimeError
from vivavoce.children.process import ChildProcess
from vivavoce.errors import EngineError
from vivavoce.types import Samples

logger = logging.getLogger(__name__)

ENGINE = "token2wav"

START_S = 300.0
"""PyTorch and 1.2 GB of files are read in seconds; a cold disk takes more."""


@dataclass(frozen=True, slots=True)
class ChildModel:
    """What a process loads: ``files`` by their published names."""

    files: Mapping[str, Path]
    threads: int
    steps: int
    chunk_tokens: int
    cached_voices: int


class DecodingProcess:
    """One process at a time. Its methods block; they are called by one thread, ``kill`` and ``interrupt`` by any.

    Another thread reads what the process says: ``heard`` gets each frame, ``died`` is called when it ends by itself.
    Neither may block.
    """

    def __init__(
        self, model: ChildModel, heard: Callable[[dict[str, Any], Samples], None], died: Callable[[], None]
    ) -> None:
        self._model = model
        self._heard = heard
        self._died = died
        self._child: ChildProcess | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process there is."""
        return None if self._child is None else self._child.pid

    def start(self) -> None:
        """Load the networks, unless they are loaded. Raises ``EngineError``."""
        if self._child is not None and self._child.is_alive:
            return
        self.end()
        if self._closed:
            raise EngineError(ENGINE, "is closed")
        child = ChildProcess("vivavoce.engines.token2wav.child", self._model.files.values())
        self._child = child
        loaded: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(child, loaded), daemon=True, name=ENGINE).start()
        self.say(
            {
                "files": {name: str(path) for name, path in self._model.files.items()},
                "threads": self._model.threads,
                "steps": self._model.steps,
                "chunk_tokens": self._model.chunk_tokens,
                "cached_voices": self._model.cached_voices,
            }
        )
        try:
            problem = loaded.get(timeout=START_S)
        except queue.Empty:
            problem = f"its process was not ready within {START_S:.0f} s"
        if problem is not None:
            self.end()
            raise EngineError(ENGINE, "is closed" if self._closed else problem)

    def say(self, header: dict[str, Any], samples: Samples | None = None) -> None:
        """Send a frame. Raises ``EngineError`` when the process has gone."""
        if self._child is None:
            raise died_error()
        try:
            self._child.send_frame(header, samples)
        except OSError as error:
            raise died_error() from error

    def _read(self, child: ChildProcess, loaded: queue.SimpleQueue[str | None]) -> None:
        """Hand on what ``child`` says, to the end; the first frame tells whether it has loaded its networks."""
        try:
            first, _ = child.next()
            loaded.put(first.get("error"))
            while "error" not in first:
                self._heard(*child.next())
        except (ChildDiedError, ChildOvertimeError, OSError) as error:
            loaded.put("its process ended while it loaded the files")
            if child is self._child and not self._closed:
                logger.warning("the process of %s %s", ENGINE, error)
                self._died()

    def end(self) -> None:
        """End the process, if there is one."""
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def close(self) -> None:
        """As ``end``, for good."""
        self._closed = True
        self.end()

    def kill(self) -> None:
        """Whatever the process does, it ends, as if by itself."""
        if (child := self._child) is not None:
            child.kill()

    def interrupt(self) -> None:
        """As ``kill``, and there will not be another."""
        self._closed = True
        self.kill()


def died_error() -> EngineError:
    """The process ended by itself; the next reply starts another."""
    return EngineError(ENGINE, "its process ended", retriable=True)
