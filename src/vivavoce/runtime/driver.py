"""Drives one session: frames in, frames out, and the engines' work between.

The session decides, the driver carries out. All tasks of a connection live in one task group: when the client goes, all of
it ends, and every seat and slot is free again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from time import monotonic

import msgspec

from vivavoce.engines.base import LanguageModel
from vivavoce.errors import ClientError, EngineError
from vivavoce.protocol.client_events import AnyClientEvent, AudioAppend
from vivavoce.protocol.dialect import Dialect, decode, encode
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.reply import ReplyRequest, read_prompt, reply
from vivavoce.session.session import Session
from vivavoce.session.signals import (
    Heard,
    Listen,
    Output,
    Prefill,
    Recognised,
    RecognitionFailed,
    Refused,
    Replied,
    ReplyFailed,
    Send,
    Signal,
    StartReply,
    StopReply,
    Tick,
    Transcribe,
    WakeAt,
)
from vivavoce.types import ReplyEvent, Speech

log = logging.getLogger(__name__)

OUTBOX_FRAMES = 4096
"""Frames waiting for the socket. Audio is paced, so only a client that stopped reading fills this: it is cut off."""

APPEND_SLICE_BYTES = 96_000
"""Two seconds of PCM16 at 24 kHz: longer appends are taken in slices, so that no other session waits for them."""

LARGE_FRAME = 256 * 1024
"""Frames of this size and more are parsed off the event loop."""

AUDIO_AHEAD_MS = 20_000
"""Speech made but not sent; beyond that the reply road waits."""


class SlowClientError(Exception):
    """The client has stopped reading."""


class Driver:
    """Runs one session over one transport."""

    def __init__(
        self,
        session: Session,
        dialect: Dialect,
        engines: Engines,
        model: LanguageModel,
        seat: int,
        send: Callable[[str], Awaitable[None]],
    ) -> None:
        self._session = session
        self._dialect = dialect
        self._engines = engines
        self._model = model
        self._seat = seat
        self._send = send
        self._speech = engines.speech_detector.open()
        self._outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX_FRAMES)
        self._to_hear: deque[Listen] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thinking: asyncio.Task[None] | None = None
        self._wake_at: float | None = None
        self._rescheduled = asyncio.Event()
        self._drained = asyncio.Event()

    async def run(self, frames: AsyncIterator[str | bytes]) -> None:
        """Serve until the client's frames end. Raises what is neither the client's nor an engine's fault."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._spawn(self._write())
            self._spawn(self._pace())
            self._carry_out(self._session.open())
            async for frame in frames:
                await self._frame(frame)
            for task in tuple(self._tasks):
                task.cancel()

    # ---- in

    async def _frame(self, frame: str | bytes) -> None:
        try:
            if len(frame) >= LARGE_FRAME:
                event = await asyncio.to_thread(decode, frame, self._dialect)
            else:
                event = decode(frame, self._dialect)
        except ClientError as error:
            self._take(Refused(error))
            return
        for piece in _sliced(event):
            self._take(piece)
            while self._to_hear:
                await self._listen(self._to_hear.popleft())

    async def _listen(self, listen: Listen) -> None:
        probabilities = []
        for count, frame in enumerate(listen.frames.frames, 1):
            probabilities.append(self._speech.probability(frame))
            if count % 16 == 0:
                await asyncio.sleep(0)  # a frame takes a tenth of a millisecond; many of them share the loop
        self._take(Heard(listen.frames.position, probabilities))

    def _take(self, signal: Signal) -> None:
        self._carry_out(self._session.receive(signal, monotonic()))
        if self._session.replying.queued_ms < AUDIO_AHEAD_MS:
            self._drained.set()

    # ---- out

    def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(event=event):
                    self._post(encode(event, self._dialect))
                case Listen():
                    self._to_hear.append(output)
                case Transcribe():
                    self._spawn(self._transcribe(output))
                case StartReply():
                    self._think(self._reply(output))
                case StopReply():
                    self._stop_thinking()
                case Prefill():
                    self._think(self._prefill(output))
                case WakeAt(at=at):
                    self._wake_at = at
                    self._rescheduled.set()

    def _post(self, frame: str) -> None:
        try:
            self._outbox.put_nowait(frame)
        except asyncio.QueueFull:
            raise SlowClientError(f"{OUTBOX_FRAMES} frames wait for the client") from None

    async def _write(self) -> None:
        while True:
            await self._send(await self._outbox.get())

    async def _pace(self) -> None:
        """Wake the session whenever audio may leave."""
        while True:
            delay = None if self._wake_at is None else max(self._wake_at - monotonic(), 0.0)
            self._rescheduled.clear()
            try:
                async with asyncio.timeout(delay):
                    await self._rescheduled.wait()
            except TimeoutError:
                self._wake_at = None
                self._take(Tick())

    # ---- engines

    def _think(self, work: Coroutine[None, None, None]) -> None:
        """The language model's slot does one thing at a time; a reply displaces a prefill."""
        self._stop_thinking()
        self._thinking = self._spawn(work)

    def _stop_thinking(self) -> None:
        if self._thinking is not None:
            self._thinking.cancel()
            self._thinking = None
            self._drained.set()

    async def _transcribe(self, work: Transcribe) -> None:
        try:
            async with aclosing(self._engines.recognizer.transcribe(work.samples)) as events:
                async for event in events:
                    self._take(Recognised(work.item_id, work.content_index, event))
        except EngineError as error:
            log.warning("session %s: item %s: %s", self._session.id, work.item_id, error)
            self._take(RecognitionFailed(work.item_id, work.content_index, error.message))

    async def _reply(self, work: StartReply) -> None:
        async def emit(event: ReplyEvent) -> None:
            self._take(Replied(work.response_id, event))
            if isinstance(event, Speech) and self._session.replying.queued_ms >= AUDIO_AHEAD_MS:
                self._drained.clear()
                await self._drained.wait()

        request = ReplyRequest(work.messages, replace(work.options, slot=self._seat), work.voice, work.language)
        try:
            await reply(request, self._model, self._engines.speaker, emit)
        except EngineError as error:
            log.warning("session %s: response %s: %s", self._session.id, work.response_id, error)
            self._take(ReplyFailed(work.response_id, error.message))

    async def _prefill(self, work: Prefill) -> None:
        try:
            await read_prompt(work.messages, replace(work.options, slot=self._seat), self._model)
        except EngineError as error:
            log.warning("session %s: prefill: %s", self._session.id, error)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _sliced(event: AnyClientEvent) -> list[AnyClientEvent]:
    if not isinstance(event, AudioAppend) or len(event.audio) <= APPEND_SLICE_BYTES:
        return [event]
    return [
        msgspec.structs.replace(event, audio=event.audio[at : at + APPEND_SLICE_BYTES])
        for at in range(0, len(event.audio), APPEND_SLICE_BYTES)
    ]
