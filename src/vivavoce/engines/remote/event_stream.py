"""Server-sent events as chat completions, transcriptions and speech send them: JSON objects in ``data`` lines. Pure.

Of the format (WHATWG, "Server-sent events") these servers use ``data`` and comments; ``event`` repeats what the data says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

END = "[DONE]"
MAX_BYTES = 8 * 1024 * 1024
"""Of one event; a server that sends more without an end is not to fill the memory."""


class NoEventError(ValueError):
    """What came is no event stream of JSON objects."""


class EventStreamReader:
    """Bytes in, objects out. ``done``: the end was marked."""

    def __init__(self) -> None:
        self._buffer = b""
        self._data: list[str] = []
        self.done = False

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """More of the stream. Raises ``NoEventError``."""
        self._buffer += data
        while not self.done and (end := _line_end(self._buffer)) is not None:
            line, self._buffer = self._buffer[: end[0]], self._buffer[end[1] :]
            yield from self._line(line)
        if len(self._buffer) > MAX_BYTES:
            raise NoEventError("an event that is too long")

    def finish(self) -> Iterator[dict[str, Any]]:
        """The stream has ended: what is left of it is an event if it is whole. Raises ``NoEventError``."""
        line, self._buffer = self._buffer, b""
        if not self.done:
            yield from self._line(line)
            yield from self._line(b"")

    def _line(self, line: bytes) -> Iterator[dict[str, Any]]:
        """Events end with an empty line; some servers leave it out between two that fill a line each."""
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise NoEventError("an event that is no UTF-8") from error
        field, _, value = text.partition(":")
        if field == "data":
            if self._data and (event := _whole(self._data)) is not None:
                self._data = []
                yield event
            self._data.append(value.removeprefix(" "))
            self.done = self._data == [END]
        elif not text and self._data:
            data, self._data = self._data, []
            if (event := _whole(data)) is None:
                raise NoEventError("an event that is no JSON object")
            yield event


def _line_end(buffer: bytes) -> tuple[int, int] | None:
    """Where the first line ends, and the next one begins."""
    at = buffer.find(b"\n")
    if at < 0:
        return None
    return at - (buffer[at - 1 : at] == b"\r"), at + 1


def _whole(data: list[str]) -> dict[str, Any] | None:
    try:
        event = json.loads("\n".join(data))
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
