"""One conversation over a hosted Realtime API: a connection when it is needed, begun again with the history when it is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from time import monotonic

from typing_extensions import override

from vivavoce.engines.realtime.base import HostedConversation
from vivavoce.engines.realtime.far_reply import FarReply
from vivavoce.engines.realtime.line import Line, open_line
from vivavoce.engines.realtime.reply_reader import ReplyReader
from vivavoce.engines.realtime.settings import HostedSettings
from vivavoce.engines.realtime.shapes import Shapes
from vivavoce.engines.realtime.transcripts import transcript_of
from vivavoce.engines.realtime.turn_audio import AudioStore
from vivavoce.engines.remote.client import RemoteClient
from vivavoce.engines.remote.errors import RemoteError
from vivavoce.hosted import HistoryEntry, HostedEvent, HostedReply, HostedSetup
from vivavoce.types import Language, Samples, Transcript, TranscriptDelta

log = logging.getLogger(__name__)


class RelayedConversation(HostedConversation):
    """See ``HostedConversation``. What is sent is sent by one at a time (``_turn``)."""

    def __init__(self, client: RemoteClient, shapes: Shapes, settings: HostedSettings, hearing_hz: int) -> None:
        self._client = client
        self._shapes = shapes
        self._settings = settings
        self._audio = AudioStore(hearing_hz)
        self._line: Line | None = None
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._setup: HostedSetup | None = None
        self._history: Sequence[HistoryEntry] = ()
        self._clauses: tuple[str, int] = ("", 0)
        self._cuts: list[tuple[str, int]] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._over = False

    @override
    async def run(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                try:
                    async with self._turn:
                        await self._keep_up()
                except RemoteError as error:  # the next reply tries at once, and says so
                    log.info("%s; not tried ahead for %g s", error, self._settings.pause_s)
                    await asyncio.sleep(self._settings.pause_s)
        finally:
            self._over = True
            for task in self._leaving:
                task.cancel()
            if self._line is not None:
                await self._line.close()

    @override
    def prepare(self, setup: HostedSetup, history: Sequence[HistoryEntry]) -> None:
        self._setup, self._history = setup, history
        if self._settings.prewarm:
            self._wake.set()

    @override
    def hear(self, item_id: str, samples: Samples) -> None:
        self._audio.add(item_id, samples)
        self._wake.set()

    @override
    def end_turn(self, item_id: str, *, dropped: bool) -> None:
        if dropped:
            self._audio.drop(item_id)
        else:
            self._audio.end(item_id)
        self._wake.set()

    @override
    def hear_item(self, item_id: str, samples: Samples) -> None:
        self._audio.add(item_id, samples, item=True)

    @override
    def cut(self, response_id: str, played_ms: int) -> None:
        self._cuts.append((response_id, played_ms))
        self._wake.set()

    @override
    async def transcript(
        self, item_id: str, language: Language | None
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """Raises ``RemoteError``."""
        async with self._turn:
            line = await self._open_line()
            await self._stream(line)
            if line.buffered == item_id:
                await line.commit()
        item = line.mirror.by_key(item_id)
        if item is None:
            raise RemoteError(self._client.engine, "was not told of the turn", retriable=True)
        async with aclosing(transcript_of(line, item, self._client, language)) as events:
            async for event in events:
                yield event

    @override
    async def reply(self, reply: HostedReply) -> AsyncGenerator[HostedEvent, None]:
        """Raises ``RemoteError``."""
        async with aclosing(self._client.retried(lambda: self._attempt(reply))) as events:
            async for event in events:
                yield event

    # ---- inside

    async def _attempt(self, reply: HostedReply) -> AsyncGenerator[HostedEvent, None]:
        """One attempt. Whoever loses interest while it begins does not leave it half told."""
        beginning = asyncio.create_task(self._begun(reply))
        try:
            line, far = await asyncio.shield(beginning)
        except asyncio.CancelledError:
            self._abandon(beginning, apart=reply.apart)
            raise
        first = self._clauses[1] if self._clauses[0] == reply.response_id else 0
        reader = ReplyReader(self._client.engine, first, speaks=reply.setup.voice is not None)
        try:
            async with aclosing(line.events_of(far)) as events:
                async for event in events:
                    for told in reader.feed(event):
                        yield told
            if not reply.apart:
                self._audio.answered(reply.history)
        except RemoteError as error:
            if error.away:
                self._client.breaker.failed(monotonic(), error.message)
            raise
        finally:
            self._clauses = reply.response_id, reader.clauses
            await self._leave(line, far, apart=reply.apart)

    def _abandon(self, beginning: asyncio.Task[tuple[Line, FarReply]], *, apart: bool) -> None:
        """Nobody wants a reply that is just being begun."""
        if self._over:
            beginning.cancel()
            return

        async def leave() -> None:
            with suppress(RemoteError):
                await self._leave(*await beginning, apart=apart)

        task = asyncio.create_task(leave())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _begun(self, reply: HostedReply) -> tuple[Line, FarReply]:
        """Have the response made. What is apart has a connection of its own: there it cannot touch the conversation."""
        async with self._turn:
            line = await (open_line(self._client, self._shapes) if reply.apart else self._open_line())
            try:
                return line, await self._begin(line, reply)
            except RemoteError:
                if reply.apart:
                    await line.close()
                raise

    async def _begin(self, line: Line, reply: HostedReply) -> FarReply:
        await line.tell(reply.setup)
        audio, history = self._audio.items(), reply.history
        if reply.apart:
            await line.begin(history, self._settings.context_tokens, audio)
            return await line.respond(reply.response_id)
        self._setup, self._history = reply.setup, history
        await self._cut(line)
        await self._stream(line)
        if (key := line.buffered) is not None:
            before = [entry for entry in history if entry.key != key]
            await line.make_same(before, audio, reply.response_id)
            if len(before) < len(history):
                await line.commit()
        await line.make_same(history, audio, reply.response_id)
        return await line.respond(reply.response_id)

    async def _leave(self, line: Line, far: FarReply, *, apart: bool) -> None:
        """Nobody wants more of this reply."""
        if apart:
            await line.close()
            return
        try:
            await line.stop(far)
        except RemoteError as error:
            log.info("%s", error)

    async def _open_line(self) -> Line:
        """The connection, made again if it is lost, or will not last much longer. Raises ``RemoteError``."""
        line = self._line
        young = line is not None and (line.busy or line.age_s < self._settings.session_minutes * 60)
        if line is not None and line.failure is None and young:
            return line
        if line is not None:
            await line.close()
        self._line = None
        self._audio.on_new_line()
        line = self._line = await open_line(self._client, self._shapes)
        if self._setup is not None:
            await line.tell(self._setup)
        await line.begin(self._history, self._settings.context_tokens, self._audio.items())
        return line

    async def _keep_up(self) -> None:
        """Tell the other side what has been noted. One that hangs up as soon as it is called is left alone for a while."""
        line = self._line
        if line is not None and line.failure is not None and line.age_s < self._settings.pause_s:
            return
        streaming = any(turn.sent < len(turn.pcm) for _, turn in self._audio.to_stream())
        if line is None and not streaming and self._setup is None:
            return
        line = await self._open_line()
        if self._setup is not None and not line.told:
            await line.tell(self._setup)
        await self._cut(line)
        await self._stream(line)

    async def _cut(self, line: Line) -> None:
        cuts, self._cuts = self._cuts, []
        for response_id, played_ms in cuts:
            await line.cut(response_id, played_ms)

    async def _stream(self, line: Line) -> None:
        """Send the audio of turns that is new. Raises ``RemoteError``."""
        if line.buffered is not None and self._audio.get(line.buffered) is None:
            await line.clear()
        for item_id, turn in self._audio.to_stream():
            if line.mirror.by_key(item_id) is not None or turn.sent >= len(turn.pcm):
                continue
            if line.buffered not in (None, item_id):
                await line.commit()
            piece = bytes(turn.pcm[turn.sent :])
            turn.sent += len(piece)
            await line.append(item_id, piece)
