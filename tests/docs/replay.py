"""Plays an ``events`` block of the documentation over a socket and compares what the server sends with what is written.

The lines of a block (the page explains them to its readers in the same words):

* ``C> GET /v1/realtime?…`` opens a connection; without it the block begins on one for ``step-audio-2``;
* ``C> TYPE {…}`` sends an event, ``C> input_audio_buffer.append (1000 ms of speech)`` sends audio in pieces of 20 ms;
* ``S> TYPE {…}`` is the next event, with at least these fields; ``…`` after the type means one or more of it, ``A / B …`` any
  mix of both, ``[TYPE …]`` any number or none, until the client speaks;
* a ``"$name"`` stands for a value: the first time it is learned, from then on it is compared, or sent;
* ``C> (the connection breaks)``, ``S> (close 1001)`` and ``S> (HTTP 404 model_not_found)`` are what they say.

Deltas of a reply that is under way may go on arriving after a ``C>`` line, as they do for every client.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from docs.markdown import Block
from running import silence, tone

Json = dict[str, Any]

DEFAULT = "/v1/realtime?model=step-audio-2"
COUGH_MS = 40
"""Loud enough for the fake voice activity detector, too short for the fake recogniser."""

_AUDIO = re.compile(r"\((\d+) ms of (speech|silence)\)|\((a cough)\)")
_COMMENT = re.compile(r"\s+#.*$")
_REFUSED = re.compile(r"\(HTTP (\d+) (\w+)\)")
_CLOSED = re.compile(r"\(close (\d+)\)")


class MismatchError(AssertionError):
    """The server did not send what the page says."""


def lines(text: str) -> Iterator[tuple[str, str]]:
    """``C`` or ``S`` and what follows, with what is written on indented lines joined on."""
    said: list[str] = []
    for line in text.splitlines():
        line = _COMMENT.sub("", line)
        if line.startswith(("C> ", "S> ")):
            said.append(line)
        elif line.strip():
            assert said, f"not a line of an event sequence: {line}"
            said[-1] += " " + line.strip()
    return ((line[0], line[3:].strip()) for line in said)


@dataclass
class Replay:
    """One block on one server, done in ``within_s`` seconds: ``seen`` holds every server event in order."""

    address: str
    within_s: float = 60.0
    names: dict[str, Any] = field(default_factory=dict)
    seen: list[Json] = field(default_factory=list)
    _socket: ClientConnection | None = None
    _refused: InvalidStatus | None = None
    _flowing: frozenset[str] = frozenset()
    _permitted: frozenset[str] = frozenset()
    _ahead: Json | None = None

    async def run(self, block: Block) -> None:
        """Raises ``MismatchError`` at the first line that is not so, also when events are left over."""
        try:
            async with asyncio.timeout(self.within_s):
                for side, line in lines(block.text):
                    try:
                        await (self._say(line) if side == "C" else self._expect(line))
                    except MismatchError as error:
                        raise MismatchError(f"at '{side}> {line}': {error}") from error
                await self._nothing_left()
        except TimeoutError:
            raise MismatchError(f"the server is silent after {self.kinds}") from None
        finally:
            if self._socket is not None:
                await self._socket.close()

    @property
    def kinds(self) -> list[str]:
        """The types of what came."""
        return [event["type"] for event in self.seen]

    # ---- the client

    async def _say(self, line: str) -> None:
        self._flowing, self._permitted = self._flowing | self._permitted, frozenset()
        if line.startswith("GET "):
            await self._open(line.removeprefix("GET "))
        elif line == "(the connection breaks)":
            (await self._connection()).transport.abort()
            self._socket = None
        elif line.startswith("input_audio_buffer.append") and (audio := _AUDIO.search(line)):
            await self._append(*audio.groups())
        else:
            kind, _, rest = line.partition(" ")
            await self._send({"type": kind, **self._filled(json.loads(rest or "{}"))})

    async def _open(self, target: str) -> None:
        target = re.sub(r"\$\w+", lambda name: str(self.names[name[0]]), target)
        if self._socket is not None:
            await self._socket.close()
        self._refused = None
        try:
            self._socket = await connect(self.address + target, max_size=None)
        except InvalidStatus as refused:
            self._refused = refused

    async def _connection(self) -> ClientConnection:
        if self._socket is None:
            await self._open(DEFAULT)
        assert self._socket is not None, self._refused
        return self._socket

    async def _send(self, event: Json) -> None:
        await (await self._connection()).send(json.dumps(event))

    async def _append(self, milliseconds: str | None, kind: str | None, cough: str | None) -> None:
        loud = COUGH_MS if cough else int(milliseconds or 0)
        pcm = silence(loud) if kind == "silence" else tone(loud)
        if cough:
            pcm += silence(100)
        for at in range(0, len(pcm), 960):
            audio = base64.b64encode(pcm[at : at + 960]).decode()
            await self._send({"type": "input_audio_buffer.append", "audio": audio})

    # ---- the server

    async def _expect(self, line: str) -> None:
        if refused := _REFUSED.fullmatch(line):
            if self._refused is None:
                raise MismatchError("the connection was let in")
            body = json.loads(self._refused.response.body or b"{}")
            self._same((self._refused.response.status_code, body["error"]["code"]), (int(refused[1]), refused[2]))
        elif closed := _CLOSED.fullmatch(line):
            self._same(await self._close_code(), int(closed[1]))
        else:
            await self._expect_events(line)

    async def _expect_events(self, line: str) -> None:
        head, brace, rest = line.partition("{")
        wanted = json.loads(brace + rest) if brace else {}
        kinds = frozenset(re.findall(r"[\w.]+", head.replace("…", "")))
        if head.startswith("["):
            self._permitted |= kinds
            return
        unseen = set(kinds)
        while True:
            event = await self._next()
            if event["type"] in kinds:
                unseen.discard(event["type"])
                self._match(event, wanted, event["type"])
                if "…" not in head:
                    self._flowing = frozenset()
                    return
            elif not unseen:
                self._ahead = event
                self.seen.pop()
                break
            elif event["type"] not in self._flowing | self._permitted:
                raise MismatchError(f"{event} came instead")
            if not unseen and await self._quiet():
                break
        self._flowing = kinds

    async def _quiet(self) -> bool:
        """Whether nothing has come yet: then it is the client's turn, and more of the same may follow."""
        try:
            async with asyncio.timeout(0.02):
                self._ahead = await self._next()
        except TimeoutError:
            return True
        self.seen.pop()
        return False

    async def _next(self) -> Json:
        event, self._ahead = self._ahead, None
        if event is None:
            event = json.loads(await (await self._connection()).recv())
        self.seen.append(event)
        return event

    async def _close_code(self) -> int | None:
        try:
            while True:
                event = await self._next()
                if event["type"] not in self._flowing | self._permitted:
                    raise MismatchError(f"{event} came instead")
        except ConnectionClosed as closed:
            self._socket = None
            return closed.rcvd.code if closed.rcvd else None

    async def _nothing_left(self) -> None:
        """The answer to a question nobody asks is the next thing that comes."""
        if self._socket is None:
            return
        await self._send({"type": "docs.question", "event_id": "the end"})
        while (event := await self._next())["type"] in self._flowing | self._permitted:
            pass
        self.seen.pop()
        if event.get("error", {}).get("event_id") != "the end":
            raise MismatchError(f"{event} is not on the page")

    # ---- values

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner) for inner in value]
        return self.names[value] if isinstance(value, str) and value.startswith("$") else value

    def _match(self, real: Any, wanted: Any, where: str) -> None:
        if isinstance(wanted, str) and wanted.startswith("$"):
            self._same(real, self.names.setdefault(wanted, real), where)
        elif isinstance(wanted, dict) and isinstance(real, dict):
            for key, inner in wanted.items():
                if key not in real:
                    raise MismatchError(f"{where} has no '{key}': {real}")
                self._match(real[key], inner, f"{where}.{key}")
        elif isinstance(wanted, list) and isinstance(real, list):
            self._same(len(real), len(wanted), f"length of {where}")
            for index, (inner, expected) in enumerate(zip(real, wanted, strict=True)):
                self._match(inner, expected, f"{where}[{index}]")
        else:
            self._same(real, wanted, where)

    def _same(self, real: Any, wanted: Any, where: str = "") -> None:
        if real != wanted:
            raise MismatchError(f"{where} is {real!r}, not {wanted!r}")
