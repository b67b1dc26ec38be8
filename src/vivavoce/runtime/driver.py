"""Drives one session: frames in, frames out, and the engines' work between.

The session decides, the driver carries out. All of it lives in one task group: when the session ends, its work ends, and
every seat and slot is free again. Connections come and go: usually there is one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, aclosing, suppress
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Protocol

import msgspec

from vivavoce.engines.base import LanguageModel
from vivavoce.errors import ClientError, EngineError, RateLimitError
from vivavoce.protocol.client_events import AnyClientEvent, AudioAppend
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.ending import Work, expired, nothing_said, worked
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.line import MOST_BYTES, Line
from vivavoce.runtime.long_audio import transcribed
from vivavoce.runtime.lookups import Lookups
from vivavoce.runtime.readings import Readings
from vivavoce.runtime.reply import ReplyRequest, read_prompt, reply
from vivavoce.runtime.scheduling import Whose
from vivavoce.session.session import Session
from vivavoce.session.signals import (
    Connected,
    Disconnected,
    Ended,
    Expiring,
    FinishReading,
    Heard,
    Listen,
    ListTools,
    Noticed,
    Output,
    Overhear,
    Prefill,
    Recognised,
    RecognitionFailed,
    Refused,
    Replied,
    ReplyFailed,
    Scored,
    ScoreTurn,
    Send,
    Signal,
    StartReply,
    StopReply,
    Tick,
    ToolsListed,
    ToolsNotListed,
    Transcribe,
    WakeAt,
)
from vivavoce.token_estimates import estimate_tokens
from vivavoce.tools.mcp.connection import ToolServerError
from vivavoce.tools.offering import SessionTools
from vivavoce.types import GenerationEnd, ReplyEvent, Speech, TranscribeOptions

log = logging.getLogger(__name__)

APPEND_SLICE_BYTES = 96_000
"""Two seconds of PCM16 at 24 kHz: longer appends are taken in slices, so that no other session waits for them."""

LARGE_FRAME = 256 * 1024
"""Frames of this size and more are parsed off the event loop."""

NOTICE_S = 60.0
"""So long before its end a session announces it; a short one when half of its time is over."""

FAREWELL_S = 1.0
"""How long a session that ends waits for its client to take the news."""

AUDIO_AHEAD_MS = 20_000
"""Speech made but not sent; beyond that the reply road waits."""


class Meter(Protocol):
    """Counts the tokens of whoever this conversation is for."""

    def require(self) -> None:
        """Raises ``RateLimitError`` when none are left at the moment."""

    def spend(self, tokens: int) -> None:
        """So many have been used, in and out."""


class Driver:
    """Runs one session. ``lifetime_s`` is how long it may last, ``idle_s`` how long its client may send nothing while nothing
    is being done for it, ``keep_frames`` how much a lost client can have again: with what waits, ``keep_bytes`` at most.

    ``usable`` raises ``ClientError`` for a voice the session's owner may not use, and readies one that they may.
    """

    def __init__(
        self,
        session: Session,
        translator: Translator,
        engines: Engines,
        model: LanguageModel,
        seat: int,
        *,
        owner: str,
        lifetime_s: float,
        idle_s: float,
        keep_frames: int = 0,
        keep_bytes: int = MOST_BYTES,
        meter: Meter,
        tools: SessionTools,
        usable: Callable[[str], Awaitable[str]],
    ) -> None:
        self._session = session
        self._translator = translator
        self._engines = engines
        self._model = model
        self.seat = seat
        self._lifetime_s = lifetime_s
        self._idle_s = idle_s
        self._active_at = monotonic()
        self.used = False
        self._meter = meter
        self._tools = tools
        tools.notify = self._notice
        self._lookups = Lookups(session, usable, tools, model)
        self._ears = engines.ears
        self._speech = engines.ears.detector.open()
        self.line = Line(keep=keep_frames, most_bytes=keep_bytes)
        self._whose = Whose(owner, session.id)
        self._attended, self._attending = ExitStack(), False
        self._to_hear: deque[Listen] = deque()
        self._readings = Readings(engines.recognition, self._whose, take=self._take, spawn=self._spawn)
        self._thinking: asyncio.Task[None] | None = None
        self._wake_at: float | None = None
        self._rescheduled = asyncio.Event()
        self._drained = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._closing = asyncio.Event()
        self._ending = asyncio.Event()
        self._farewell: Ended | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connection: object = None
        self.expired: ClientError | None = None

    @property
    def session_id(self) -> str:
        """Whose life this is."""
        return self._session.id

    async def live(self) -> None:
        """From the first event to ``end`` or the end of its lifetime. Raises what is no client's and no engine's fault."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._spawn(self._pace)
                self._spawn(self._end_when_idle)
                self._carry_out(self._session.open())
                await self._until_ended()
                for task in tuple(self._tasks):
                    task.cancel()
        finally:
            self._let_go()
            self._ending.set()

    def _let_go(self) -> None:
        """Break the cycles of references there are, so that all a conversation kept is free as soon as it is over."""
        self._tools.close()
        self._readings.close()
        self._attention(False)
        self._thinking = None
        self._tasks.clear()

    @property
    def ending(self) -> bool:
        """Whether the session is over, or about to be."""
        return self._closing.is_set() or self._ending.is_set()

    def end(self) -> None:
        """Stop all work."""
        self._closing.set()
        self._ending.set()

    def end_with(self, farewell: Ended) -> None:
        """Stop all work as soon as the client has taken what it is told at the end, or a moment has passed."""
        self._farewell = farewell
        self._closing.set()

    @property
    def silent_s(self) -> float:
        """For how long the client has sent nothing, and nothing was being done for it."""
        return monotonic() - self._active_at if self._quiet.is_set() else 0.0

    def end_silent(self, why: str) -> None:
        """End a session nobody uses; the client is told why."""
        self.expired = ClientError(why, code="session_idle")
        self.end_with(Ended(self.expired, told=True))

    async def until_quiet(self) -> None:
        """Until no response is in progress, and no turn of the user's waits for its transcript."""
        await self._quiet.wait()

    async def serve(self, frames: AsyncIterator[str | bytes], send: Callable[[str], Awaitable[None]]) -> None:
        """Talk to one connection until its frames end, or the session does.

        ``send`` raises ``ConnectionError`` when the connection has broken, which is one way for it to end.
        """
        mine = self._connection = object()
        if not self.ending:
            self._take(Connected())
        reading = asyncio.ensure_future(self._read(frames))
        writing = asyncio.ensure_future(self.line.carry(send))
        ending = asyncio.ensure_future(self._until_ending())
        try:
            done, _ = await asyncio.wait({reading, writing, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reading, writing, ending):
                task.cancel()
            await asyncio.gather(reading, writing, ending, return_exceptions=True)
            if self._connection is mine and not self.ending:
                self._take(Disconnected())
        broken = writing in done and isinstance(writing.exception(), ConnectionError)
        for task in done - {writing} if broken else done:
            task.result()

    async def _until_ending(self) -> None:
        await self._ending.wait()

    async def _until_ended(self) -> None:
        notice_s = min(NOTICE_S, self._lifetime_s / 2)
        if not await self._closes_within(self._lifetime_s - notice_s):
            self._take(Expiring(notice_s))
            if not await self._closes_within(notice_s):
                self.expired = expired(self._lifetime_s)
                self.end_with(Ended(self.expired, told=True))
        if self._farewell is not None and not self._ending.is_set():
            self._take(self._farewell)
            told, gone = asyncio.ensure_future(self.line.drained()), asyncio.ensure_future(self._until_ending())
            await asyncio.wait({told, gone}, timeout=FAREWELL_S, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            gone.cancel()

    async def _end_when_idle(self) -> None:
        while (left_s := self._idle_s - self.silent_s) > 0:  # noqa: ASYNC110 (no event)
            await asyncio.sleep(left_s)
        self.end_silent(nothing_said(self._idle_s))

    async def _closes_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        return self._closing.is_set()

    async def _read(self, frames: AsyncIterator[str | bytes]) -> None:
        async for frame in frames:
            await self.line.room()
            await self._frame(frame)

    # ---- in

    async def _frame(self, frame: str | bytes) -> None:
        self._active_at, self.used = monotonic(), True
        try:
            if len(frame) >= LARGE_FRAME:
                event = await asyncio.to_thread(self._translator.decode, frame)
            else:
                event = self._translator.decode(frame)
        except ClientError as error:
            self._take(Refused(error))
            return
        refusal = await self._lookups.refusal(event, frame)
        if refusal is not None:
            self._take(Refused(refusal))
            return
        for _ in self._session.decode_ahead(event):
            await asyncio.sleep(0)
        slices = self._sliced(event)
        for piece in slices:
            self._take(piece)
            while self._to_hear:
                await self._listen(self._to_hear.popleft())
            if len(slices) > 1:
                await asyncio.sleep(0)

    def _sliced(self, event: AnyClientEvent) -> Sequence[Signal]:
        """The event, a long append in slices; as every event, it is taken whole or refused with one error."""
        if not isinstance(event, AudioAppend) or len(event.audio) <= APPEND_SLICE_BYTES:
            return [event]
        try:
            self._session.check_append(event)
        except ClientError as error:
            error.event_id = event.event_id
            return [Refused(error)]
        return [
            msgspec.structs.replace(event, audio=event.audio[at : at + APPEND_SLICE_BYTES])
            for at in range(0, len(event.audio), APPEND_SLICE_BYTES)
        ]

    async def _listen(self, listen: Listen) -> None:
        probabilities = [await self._ears.probability(self._speech, frame) for frame in listen.frames.frames]
        self._take(Heard(listen.frames.position, probabilities))

    def _take(self, signal: Signal) -> None:
        self._carry_out(self._session.receive(signal, monotonic()))
        if self._session.replying.queued_ms < AUDIO_AHEAD_MS:
            self._drained.set()
        self._attention(self._session.hearing.attends or self._session.replying.active)
        if self._session.replying.active or self._session.hearing.transcripts:
            self._quiet.clear()
        elif not self._quiet.is_set():
            self._active_at = monotonic()
            self._quiet.set()

    def _attention(self, wanted: bool) -> None:
        """While the user speaks or is being answered, others' long work at the recogniser is put off."""
        if not wanted:
            self._attended.close()
        elif not self._attending:
            self._attended.enter_context(self._engines.recognition.attended(self._whose))
        self._attending = wanted

    # ---- out

    def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(event=event):
                    for frame in self._translator.encode(event):
                        self.line.post(frame)
                case Listen():
                    self._to_hear.append(output)
                case ScoreTurn():
                    self._spawn(partial(self._score, output))
                case Overhear():
                    self._readings.ask(output)
                case FinishReading():
                    self._readings.finish(output)
                case Transcribe():
                    self._spawn(partial(self._transcribe, output))
                case StartReply():
                    self._think(partial(self._reply, output))
                case StopReply():
                    self._stop_thinking()
                case Prefill():
                    self._think(partial(self._prefill, output))
                case ListTools():
                    self._spawn(partial(self._list_tools, output))
                case WakeAt(at=at):
                    if self._wake_at is None or at < self._wake_at:  # one woken too early says anew when to be woken
                        self._wake_at = at
                        self._rescheduled.set()

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

    def _think(self, work: Work) -> None:
        """The language model's slot does one thing at a time; a reply displaces a prefill."""
        self._stop_thinking()
        self._thinking = self._spawn(work)

    def _stop_thinking(self) -> None:
        if self._thinking is not None:
            self._thinking.cancel()
            self._thinking = None
            self._drained.set()

    async def _score(self, work: ScoreTurn) -> None:
        probability = None
        try:
            probability = await self._engines.turn_scorer.score(work.samples)
        except EngineError as error:
            log.warning("session %s: %s", self._session.id, error)
        self._take(Scored(work.item_id, work.voiced_until, probability))

    async def _transcribe(self, work: Transcribe) -> None:
        options = TranscribeOptions(work.language, work.prompt)
        events = transcribed(
            self._engines.recognition, self._engines.ears, work.samples, options, self._whose, live=work.live
        )
        try:
            async with aclosing(events):
                async for event in events:
                    self._take(Recognised(work.item_id, work.content_index, event))
        except EngineError as error:
            log.warning("session %s: item %s: %s", self._session.id, work.item_id, error)
            self._take(RecognitionFailed(work.item_id, work.content_index, error.message))

    async def _reply(self, work: StartReply) -> None:
        owed = 0

        async def emit(event: ReplyEvent) -> None:
            nonlocal owed
            self._take(Replied(work.response_id, event))
            if isinstance(event, GenerationEnd):
                owed = 0
                self._meter.spend(event.input_tokens + event.output_tokens)
            if isinstance(event, Speech) and self._session.replying.queued_ms >= AUDIO_AHEAD_MS:
                self._drained.clear()
                await self._drained.wait()

        options = replace(work.options, slot=self.seat)
        try:
            self._meter.require()
            owed = sum(map(estimate_tokens, work.messages))
            options, server = await self._tools.for_reply(
                work.messages, options, work.tools, work.calls, work.language, work.tool_tokens
            )
            request = ReplyRequest(work.messages, options, work.voice, work.language, work.speed, work.begun, server)
            await reply(request, self._model, self._engines.speaker, emit)
        except EngineError as error:
            log.warning("session %s: response %s: %s", self._session.id, work.response_id, error)
            self._take(ReplyFailed(work.response_id, error.message))
        except RateLimitError as error:
            self._take(ReplyFailed(work.response_id, error.message, error.code, error.type))
        finally:
            if owed:  # it was cut short, which must not make prompts free
                self._meter.spend(owed)

    async def _prefill(self, work: Prefill) -> None:
        try:
            options = replace(work.options, slot=self.seat)
            options = await self._tools.for_prefill(options, work.tools, work.tool_tokens)
            await read_prompt(work.messages, options, self._model)
        except EngineError as error:
            log.warning("session %s: prefill: %s", self._session.id, error)

    async def _list_tools(self, work: ListTools) -> None:
        try:
            self._take(ToolsListed(work.item_id, await self._tools.listed(work.tool)))
        except ToolServerError as error:
            log.warning("session %s: %s", self._session.id, error)
            self._take(ToolsNotListed(work.item_id, str(error)))

    def _notice(self, text: str) -> None:
        if not self.ending:
            self._take(Noticed(text))

    def _spawn(self, work: Work) -> asyncio.Task[None]:
        task = self._group.create_task(worked(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
