"""One connection to a hosted Realtime API and what is known of its other end: the session, the items, the reply in progress."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from time import monotonic
from typing import Any

from vivavoce.engines.realtime.errors import essential, is_empty_buffer, said_error
from vivavoce.engines.realtime.far_reply import FarReply
from vivavoce.engines.realtime.history import within
from vivavoce.engines.realtime.mirror import Create, Delete, FarItem, Mirror, calls_known
from vivavoce.engines.realtime.shapes import ROOT, Shapes, event_name
from vivavoce.engines.realtime.socket import HostedSocket, open_socket
from vivavoce.engines.remote.client import RemoteClient
from vivavoce.engines.remote.errors import RemoteError
from vivavoce.hosted import HistoryEntry, HistoryOutput, HostedSetup
from vivavoce.ids import random_id

log = logging.getLogger(__name__)

BYTES_PER_MS = 48
"""PCM16 at 24 kHz, both ways."""

APPEND_BYTES = 500 * BYTES_PER_MS
"""Of one append."""

STOP_S = 3.0
"""How long a reply may take to end that was told to."""

REMEMBERED_EVENTS = 256
"""Of ours, whose refusal can be told apart."""

OVER = ("response.done", "response.cancelled")
"""The second is promised by StepFun's reference, and described nowhere."""

MAX_TRANSCRIPTS = 16
"""Of how many items it is kept what is told of their words."""

_TRANSCRIPTION = "conversation.item.input_audio_transcription."


class Line:
    """Made by ``open_line``. ``failure`` says why it is of no use any more, once it is not."""

    def __init__(self, socket: HostedSocket, client: RemoteClient, shapes: Shapes) -> None:
        self._socket = socket
        self._client = client
        self._shapes = shapes
        self.mirror = Mirror()
        self.failure: RemoteError | None = None
        self.buffered: str | None = None
        self._transcripts: dict[str, asyncio.Queue[dict[str, Any] | RemoteError]] = {}
        self._told: dict[str, Any] | None = None
        self._omitted: set[str] = set()
        self._unnamed: deque[FarItem] = deque()
        self._asked: dict[str, tuple[str, FarItem | None]] = {}
        self._reply: FarReply | None = None
        self._changed = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @property
    def age_s(self) -> float:
        """How long it has been open."""
        return monotonic() - self._socket.opened_at

    @property
    def busy(self) -> bool:
        """Whether a reply is in progress."""
        return self._reply is not None and not self._reply.over.is_set()

    @property
    def told(self) -> bool:
        """Whether the other side knows how replies are to be."""
        return self._told is not None

    async def close(self) -> None:
        """Hang up."""
        self._reader.cancel()
        self._fail(RemoteError(self._client.engine, "hung up"))
        await self._socket.close()

    # ---- what is said there

    async def tell(self, setup: HostedSetup) -> None:
        """Say how replies are to be, as far as that is news: a voice may be refused once it has spoken.

        Raises ``RemoteError``.
        """
        session, told = self._shapes.session(setup), self._told or {}
        news = {name: value for name, value in session.items() if name == "type" or told.get(name, ...) != value}
        if session != told:
            self._told = session
            await self._send("session.update", None, session=news)

    async def append(self, key: str, audio: bytes) -> None:
        """More of a turn (PCM16 at 24 kHz). Raises ``RemoteError``."""
        self.buffered = key
        for start in range(0, len(audio), APPEND_BYTES):
            piece = base64.b64encode(audio[start : start + APPEND_BYTES]).decode()
            await self._socket.send({"type": "input_audio_buffer.append", "audio": piece})

    async def commit(self) -> None:
        """The turn that was appended is over, and an item. Raises ``RemoteError``."""
        item = FarItem(self.buffered or "", "message", "user")
        self.buffered = None
        self.mirror.add(item)
        await self._send("input_audio_buffer.commit", item)
        self._unnamed.append(item)

    async def clear(self) -> None:
        """The turn that was appended is void. Raises ``RemoteError``."""
        self.buffered = None
        await self._socket.send({"type": "input_audio_buffer.clear"})

    async def begin(self, history: Sequence[HistoryEntry], most_tokens: int, audio: Mapping[str, bytes]) -> None:
        """Tell what was said before this connection, the newest of it in about ``most_tokens``. Raises ``RemoteError``."""
        told = within(history, most_tokens, audio)
        self._omitted = {entry.key for entry in history} - {entry.key for entry in told}
        await self.make_same(told, audio)

    async def make_same(
        self, history: Sequence[HistoryEntry], audio: Mapping[str, bytes], response_id: str | None = None
    ) -> None:
        """Have the other side's items tell ``history``, of which ``audio`` is what some messages sound like.

        What was left out at the beginning stays out; ``response_id`` is of a response that goes on. Raises ``RemoteError``.
        """
        history = [entry for entry in history if entry.key not in self._omitted]
        behind: dict[FarItem | None, FarItem] = {}
        for step in self.mirror.steps(history, response_id):
            match step:
                case Delete(item=item):
                    self.mirror.items.remove(item)
                    await self._send("conversation.item.delete", None, item_id=await self.id_of(item))
                case Create(entry=entry, after=after, between=between):
                    answers = isinstance(entry, HistoryOutput) and entry.call_id in calls_known(self.mirror)
                    shape = self._shapes.item(entry, audio.get(entry.key), answers=answers)
                    if shape is not None:
                        last = behind.get(after, after)
                        behind[after] = await self._create(entry.key, shape, last, between=between)

    async def cut(self, response_id: str, played_ms: int) -> None:
        """Have only the first ``played_ms`` of what was said in a response of ours kept. Raises ``RemoteError``."""
        if self._reply is not None and self._reply.response_id == response_id:
            await self.stop(self._reply)
        start_ms = 0.0
        for item in self.mirror.spoken_in(response_id):
            heard_ms, start_ms = played_ms - start_ms, start_ms + item.audio_ms
            if heard_ms <= 0:
                item.void = True  # deleted with the next reply, when it is not in the making any more
            elif heard_ms < item.audio_ms and item.id is not None:
                where = {"item_id": item.id, "content_index": item.content_index}
                await self._send("conversation.item.truncate", item, **where, audio_end_ms=int(heard_ms))

    # ---- a reply

    async def respond(self, response_id: str) -> FarReply:
        """Have a response made to what is there. Raises ``RemoteError``, also when the one before it does not end."""
        if self._reply is not None:
            try:
                async with asyncio.timeout(STOP_S):
                    await self._reply.over.wait()
            except TimeoutError as error:
                late = RemoteError(self._client.engine, "did not stop when it was told to", away=True, repeatable=True)
                raise self._fail(late) from error
        self._require_open()
        reply = self._reply = FarReply(response_id)
        await self._send("response.create", None)
        return reply

    async def stop(self, reply: FarReply) -> None:
        """Nothing more of this reply is wanted. Raises ``RemoteError``."""
        if not reply.stopped and not reply.over.is_set() and self.failure is None:
            reply.stopped = True
            of_id = {} if reply.id is None or self._shapes.dialect == "stepfun" else {"response_id": reply.id}
            await self._socket.send({"type": "response.cancel", "event_id": random_id("evt"), **of_id})

    async def events_of(self, reply: FarReply) -> AsyncGenerator[dict[str, Any], None]:
        """What is told of it, ``response.done`` last, each within its time. Raises ``RemoteError``."""
        settings, begun = self._client.settings, False
        until = monotonic() + settings.first_s
        while True:
            try:
                async with asyncio.timeout(max(until - monotonic(), 0.0)):
                    event = await reply.next()
            except TimeoutError as error:
                late = f"sent nothing more for {settings.between_s:g} s" if begun else "did not begin to answer in time"
                raise self._fail(self._error(late, away=True)) from error
            if event["type"].endswith((".delta", ".done")):
                begun = True
                self._client.answers()
            yield event  # whoever is given it may take their time
            until = monotonic() + settings.between_s if begun else until
            if event["type"] in OVER:
                return

    # ---- what is heard from there

    async def _read(self) -> None:
        try:
            async for event in self._socket.events():
                self._take({**event, "type": event_name(event["type"])})
        except RemoteError as error:
            self._fail(error)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            log.warning("%s sent an event that cannot be understood: %s", self._client.engine, type(error).__name__)
            self._fail(self._error("sent an event that cannot be understood", away=True))

    def _take(self, event: dict[str, Any]) -> None:
        kind: str = event["type"]
        if kind == "error":
            self._refused(event)
        elif kind == "input_audio_buffer.committed":
            self._named(str(event["item_id"]), "message", "user")
        elif kind == "conversation.item.created":
            item = event["item"]
            self._named(str(item["id"]), str(item.get("type", "message")), item.get("role"))
        elif kind.startswith(_TRANSCRIPTION):
            self.transcript_of(str(event["item_id"])).put_nowait(event)
        elif kind.startswith("response."):
            self._of_reply(kind, event)
        self._changed.set()

    def transcript_of(self, item_id: str) -> asyncio.Queue[dict[str, Any] | RemoteError]:
        """What is told of the words of an item of the other side's."""
        queue = self._transcripts.setdefault(item_id, asyncio.Queue())
        while len(self._transcripts) > MAX_TRANSCRIPTS:
            self._transcripts.pop(next(iter(self._transcripts)))
        return queue

    def _of_reply(self, kind: str, event: dict[str, Any]) -> None:
        reply = self._reply
        if reply is None or reply.over.is_set():
            return
        response = event.get("response")
        far_id = event.get("response_id") or (response.get("id") if isinstance(response, dict) else None)
        if kind == "response.created":
            reply.id = reply.id or str(far_id)
        if far_id is not None and str(far_id) != reply.id:
            return
        if kind == "response.output_item.added":
            self._made(reply, event["item"])
        elif kind == "response.audio.delta" and (item := self.mirror.by_id(str(event.get("item_id")))) is not None:
            item.audio_ms += len(event["delta"]) * 3 / 4 / BYTES_PER_MS
            item.content_index = int(event.get("content_index") or 0)
        if kind in OVER:
            reply.over.set()
        if not (reply.stopped or reply.put(event)):
            self._fail(self._error("sends more than can be kept"))

    def _made(self, reply: FarReply, item: Mapping[str, Any]) -> None:
        """An item of the reply. The announcement that it is part of the conversation may have come before."""
        call = item.get("type") == "function_call"
        far = self.mirror.by_id(str(item["id"])) or FarItem("", str(item.get("type", "message")), item.get("role"))
        far.id, far.response_id = str(item["id"]), reply.response_id
        far.key = f"call:{item.get('call_id')}" if call else ""
        if far not in self.mirror.items:
            self.mirror.add(far)

    def _named(self, item_id: str, kind: str, role: str | None) -> None:
        """The other side tells the id of an item: of the oldest one of ours without, if it is of this kind."""
        if self.mirror.by_id(item_id) is not None or not self._unnamed:
            return
        oldest = self._unnamed[0]
        if oldest.type == kind and (oldest.role == "assistant") == (role == "assistant"):  # StepFun's echo is not exact
            self._unnamed.popleft().id = item_id

    def _refused(self, event: Mapping[str, Any]) -> None:
        """An ``error`` event. One about what a reply rests on ends the line: nobody knows what the other side has now."""
        error = event.get("error")
        error = error if isinstance(error, Mapping) else event  # StepFun's guide prints it flat
        log.warning("%s: %s", self._client.engine, self._client.harmless(str(dict(error)))[:500])
        kind, item = self._asked.pop(str(error.get("event_id")), ("", None))
        if kind == "conversation.item.truncate" and item is not None:
            item.uncut = True
        elif kind == "input_audio_buffer.commit" and item is not None and is_empty_buffer(error):
            self._unnamed.remove(item)
            self.mirror.items.remove(item)
        elif kind == "conversation.item.delete" or not essential(error):
            pass
        elif kind or (self._reply is not None and not (self._reply.over.is_set() or self._reply.stopped)):
            self._fail(said_error(self._client.engine, error))

    # ---- inside

    async def _create(self, key: str, shape: dict[str, Any], after: FarItem | None, *, between: bool) -> FarItem:
        item = FarItem(key, str(shape["type"]), shape.get("role"))
        where = {"previous_item_id": ROOT if after is None else await self.id_of(after)} if between else {}
        if where.get("previous_item_id") == ROOT and self._shapes.dialect == "stepfun":
            where, between = {}, False  # refused there: it comes last
        self.mirror.add(item, after, between=between)
        self._unnamed.append(item)
        await self._send("conversation.item.create", item, **where, item=shape)
        return item

    async def id_of(self, item: FarItem) -> str:
        """The other side's id of an item, once it has told it. Raises ``RemoteError``."""
        try:
            async with asyncio.timeout(self._client.settings.between_s):
                while item.id is None:
                    self._require_open()
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise self._fail(self._error("does not tell what it has taken in", away=True)) from error
        return item.id

    async def _send(self, kind: str, about: FarItem | None, **fields: Any) -> None:
        """Send an event whose refusal matters; ``about`` is the item it is about. Raises ``RemoteError``."""
        self._require_open()
        event_id = random_id("evt")
        self._asked[event_id] = kind, about
        while len(self._asked) > REMEMBERED_EVENTS:
            self._asked.pop(next(iter(self._asked)))
        await self._socket.send({"type": kind, "event_id": event_id, **fields})

    def _require_open(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _error(self, message: str, *, away: bool = False) -> RemoteError:
        return RemoteError(self._client.engine, message, away=away, retriable=True)

    def _fail(self, error: RemoteError) -> RemoteError:
        """The line is of no use any more; whoever waits for something is told. Returns ``error``."""
        if self.failure is None:
            self.failure = error
            self._changed.set()
            if self._reply is not None and not self._reply.over.is_set():
                self._reply.fail(error)
            for queue in self._transcripts.values():
                queue.put_nowait(error)
        return error


async def open_line(client: RemoteClient, shapes: Shapes) -> Line:
    """Connect. Raises ``RemoteError``."""
    return Line(await open_socket(client, shapes.headers), client, shapes)
