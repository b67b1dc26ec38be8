"""One request to the native server, in a thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from vivavoce.engines.llama.native import ENGINE
from vivavoce.errors import EngineError

log = logging.getLogger(__name__)

Ask: TypeAlias = Callable[[Mapping[str, Any], Callable[[dict[str, Any]], bool]], None]
"""Who is asked: one request to the native server, and who gets its chunks."""


class NativeCall:
    """One native call. Runs in a thread and hands its chunks to the loop; ``None`` comes last.

    What has to be done in its slot ``before`` it, or ``behind`` one that has read its whole prompt, only saves time: where it
    fails, that is logged, and the call is as good.

    The queue needs no bound of its own: a reply has ``max_tokens`` chunks, a prompt one for each batch.
    """

    def __init__(
        self,
        ask: Ask,
        request: Mapping[str, Any],
        *,
        before: Callable[[], None] | None = None,
        behind: Callable[[], None] | None = None,
    ) -> None:
        self.chunks: asyncio.Queue[Mapping[str, Any] | EngineError | None] = asyncio.Queue()
        self._ask = ask
        self._request = request
        self._before, self._behind = before, behind
        self._loop = asyncio.get_running_loop()
        self._stopped = self._has_read = False

    def run(self) -> None:
        """Block until the reply is complete or stopped. Never raises: a failure goes into the queue."""
        try:
            if not self._stopped:
                _tried(self._before)
                self._ask(self._request, self._receive)
            if self._has_read:
                _tried(self._behind)
        except Exception as error:  # noqa: BLE001 - whatever the library raises is raised again by the reader
            self._hand_over(EngineError(ENGINE, f"generation failed: {error}"))
        self._hand_over(None)

    def stop(self) -> None:
        """Make the call return at its next chunk."""
        self._stopped = True

    def _receive(self, chunk: Mapping[str, Any]) -> bool:
        progress = chunk.get("prompt_progress")
        self._has_read = self._has_read or (progress is not None and progress["processed"] >= progress["total"])
        if not self._stopped:
            self._hand_over(chunk)
        return self._stopped

    def _hand_over(self, item: Mapping[str, Any] | EngineError | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self.chunks.put_nowait, item)
        except RuntimeError:  # the loop is closed: nobody reads any more
            self._stopped = True


def _tried(step: Callable[[], None] | None) -> None:
    """Do what only saves time."""
    try:
        if step is not None:
            step()
    except EngineError as error:
        log.warning("what a slot has read could not be copied: %s", error)
