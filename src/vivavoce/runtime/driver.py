"""Drives one session: frames in, frames out, and the engines' work between.

The session decides, the driver carries out. All of it lives in one task group: when the session ends, its work ends, and
every slot is free again. Connections come and go: usually there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from time import monotonic

from vivavoce.engines.base import LanguageModel
from vivavoce.engines.realtime.base import RealtimeEngine
from vivavoce.errors import ClientError
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.engine_work import EngineWork
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.frame_reader import FrameReader
from vivavoce.runtime.lookups import Lookups
from vivavoce.runtime.replay_buffer import MAX_BYTES, ReplayBuffer
from vivavoce.runtime.reply_run import TokenQuota
from vivavoce.runtime.session_end import Work, expired, inactivity_reason, run_work
from vivavoce.scheduling import WorkOwner
from vivavoce.session.inputs import Connected, Disconnected, Ended, Expiring, Notification, SessionInput, TimerFired
from vivavoce.session.outputs import Listen, Output, Send, WakeAt
from vivavoce.session.session import Session
from vivavoce.tools.session_tools import SessionTools
from vivavoce.waiting import first_of

NOTICE_S = 60.0
"""So long before its end a session announces it; a short one when half of its time is over."""

FINAL_DELIVERY_TIMEOUT_S = 1.0
"""How long a session that ends waits for its client to take the news."""


class Driver:
    """Runs one session. ``lifetime_s`` is how long it may last, ``idle_s`` how long its client may send nothing while nothing
    is being done for it, ``keep_frames`` how much a lost client can have again: with what waits, ``keep_bytes`` at most.

    ``resolve_voice`` raises ``ClientError`` for a voice the session's owner may not use, and readies one that they may.
    """

    def __init__(
        self,
        session: Session,
        translator: Translator,
        engines: Engines,
        model: LanguageModel,
        slot: int,
        *,
        owner: str,
        lifetime_s: float,
        idle_s: float,
        keep_frames: int = 0,
        keep_bytes: int = MAX_BYTES,
        token_quota: TokenQuota,
        tools: SessionTools,
        resolve_voice: Callable[[str], Awaitable[str]],
        realtime: RealtimeEngine | None = None,
    ) -> None:
        """``realtime`` answers in the place of ``model`` and the synthesizer."""
        self._session = session
        self._translator = translator
        self.slot = slot
        self._lifetime_s = lifetime_s
        self._idle_s = idle_s
        self._active_at = monotonic()
        self.used = False
        self._tools = tools
        tools.notify_with(self._notice)
        lookups = Lookups(session, resolve_voice, tools, model)
        self._reader = FrameReader(session, translator, lookups, engines.vad, self._receive)
        self._work = EngineWork(
            WorkOwner(owner, session.id),
            engines,
            model,
            slot,
            token_quota=token_quota,
            tools=tools,
            receive=self._receive,
            spawn=self._spawn,
            realtime=realtime,
        )
        self.replay_buffer = ReplayBuffer(keep_frames=keep_frames, max_bytes=keep_bytes)
        self._wake_at: float | None = None
        self._rescheduled = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._closing = asyncio.Event()
        self._ending = asyncio.Event()
        self._final_input: Ended | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connection: object = None
        self.expired: ClientError | None = None

    @property
    def session_id(self) -> str:
        """The id of the session it drives."""
        return self._session.id

    async def run(self) -> None:
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
            self._release()
            self._ending.set()

    def _release(self) -> None:
        """Break the cycles of references there are, so that all a conversation kept is free as soon as it is over."""
        self._tools.close()
        self._work.close()
        self._reader.close()
        self._tasks.clear()

    @property
    def ending(self) -> bool:
        """Whether the session is over, or about to be."""
        return self._closing.is_set() or self._ending.is_set()

    def end(self) -> None:
        """Stop all work."""
        self._closing.set()
        self._ending.set()

    def end_with(self, final_input: Ended) -> None:
        """Stop all work as soon as the client has taken what it is told at the end, or a moment has passed."""
        self._final_input = final_input
        self._closing.set()

    @property
    def inactive_s(self) -> float:
        """For how long the client has sent nothing, and nothing was being done for it."""
        return monotonic() - self._active_at if self._quiet.is_set() else 0.0

    def end_inactive(self, reason: str) -> None:
        """End a session nobody uses; the client is told why."""
        self.expired = ClientError(reason, code="session_idle")
        self.end_with(Ended(self.expired, send_error=True))

    async def wait_until_drained(self) -> None:
        """Until no response is in progress, and no turn of the user's waits for its transcript."""
        await self._quiet.wait()

    async def serve(self, frames: AsyncIterator[str | bytes], send: Callable[[str], Awaitable[None]]) -> None:
        """Talk to one connection until its frames end, or the session does.

        ``send`` raises ``ConnectionError`` when the connection has broken, which is one way for it to end.
        """
        token = self._connection = object()
        if not self.ending:
            self._receive(Connected())
        try:
            tasks = await first_of(self._read(frames), self.replay_buffer.deliver(send), self._until_ending())
        finally:
            if self._connection is token and not self.ending:
                self._receive(Disconnected())
        for task in tasks:  # what is raised here would keep them, and with them the conversation, in its traceback
            failure = None if task.cancelled() else task.exception()
            if failure is not None and not isinstance(failure, ConnectionError):
                raise failure

    async def _until_ending(self) -> None:
        await self._ending.wait()

    async def _until_ended(self) -> None:
        notice_s = min(NOTICE_S, self._lifetime_s / 2)
        if not await self._closes_within(self._lifetime_s - notice_s):
            self._receive(Expiring(notice_s))
            if not await self._closes_within(notice_s):
                self.expired = expired(self._lifetime_s)
                self.end_with(Ended(self.expired, send_error=True))
        if self._final_input is not None and not self._ending.is_set():
            self._receive(self._final_input)
            await first_of(self.replay_buffer.drain(), self._until_ending(), within_s=FINAL_DELIVERY_TIMEOUT_S)

    async def _end_when_idle(self) -> None:
        while (left_s := self._idle_s - self.inactive_s) > 0:  # noqa: ASYNC110 (no event)
            await asyncio.sleep(left_s)
        self.end_inactive(inactivity_reason(self._idle_s))

    async def _closes_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        return self._closing.is_set()

    async def _read(self, frames: AsyncIterator[str | bytes]) -> None:
        async for frame in frames:
            await self.replay_buffer.wait_for_room()
            self._active_at, self.used = monotonic(), True
            await self._reader.read(frame)

    # ---- the session

    def _receive(self, session_input: SessionInput) -> None:
        self._carry_out(self._session.receive(session_input, monotonic()))
        status = self._session.status
        self._work.follow(status)
        if not status.quiet:
            self._quiet.clear()
        elif not self._quiet.is_set():
            self._active_at = monotonic()
            self._quiet.set()

    def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(event=event):
                    for frame in self._translator.encode(event):
                        self.replay_buffer.post(frame)
                case Listen():
                    self._reader.listen(output)
                case WakeAt(at=at):
                    if self._wake_at is None or at < self._wake_at:  # one woken too early says anew when to be woken
                        self._wake_at = at
                        self._rescheduled.set()
                case _:
                    self._work.carry_out(output)

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
                self._receive(TimerFired())

    def _notice(self, text: str) -> None:
        if not self.ending:
            self._receive(Notification(text))

    def _spawn(self, work: Work) -> asyncio.Task[None]:
        task = self._group.create_task(run_work(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
