"""A session's commands to the engines: carried out beside each other, their answers brought back to the session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import ExitStack, aclosing
from dataclasses import replace
from functools import partial
from typing import assert_never

from vivavoce.engines.base import LanguageModel
from vivavoce.engines.realtime.base import RealtimeEngine
from vivavoce.errors import EngineError
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.long_audio import transcribe_turn
from vivavoce.runtime.partial_transcriber import PartialTranscriber
from vivavoce.runtime.relay import Relay
from vivavoce.runtime.reply import read_prompt
from vivavoce.runtime.reply_run import ReplyMakers, ReplyRun, TokenQuota, last_of_user
from vivavoce.runtime.session_end import Work, ignore, refuse_work
from vivavoce.scheduling import WorkOwner
from vivavoce.session.inputs import (
    Recognised,
    RecognitionFailed,
    Scored,
    SentenceScored,
    SessionInput,
    ToolsListed,
    ToolsNotListed,
)
from vivavoce.session.outputs import (
    AwaitPartialTranscript,
    CutReply,
    DropPreparation,
    EndTurnAudio,
    EngineCommand,
    HearItem,
    HearTurn,
    ListTools,
    Prefill,
    PrepareReply,
    ScoreTurn,
    StartReply,
    StopReply,
    Transcribe,
    TranscribePartially,
)
from vivavoce.session.status import SessionStatus
from vivavoce.tools.mcp.address import McpServerError
from vivavoce.tools.session_tools import SessionTools
from vivavoce.turns.unfinished_words import without_final_mark
from vivavoce.types import TranscribeOptions

log = logging.getLogger(__name__)

AUDIO_AHEAD_MS = 20_000
"""Speech made but not sent; beyond that the reply pipeline waits."""


class EngineWork:
    """What the engines do for one conversation: the language model's ``slot`` does one thing at a time, all else goes beside.

    ``receive`` gets the engines' answers; ``spawn`` runs a task as long as the conversation. ``realtime`` takes the place of
    the language model and the synthesizer.
    """

    def __init__(
        self,
        owner: WorkOwner,
        engines: Engines,
        model: LanguageModel,
        slot: int,
        *,
        token_quota: TokenQuota,
        tools: SessionTools,
        receive: Callable[[SessionInput], None],
        spawn: Callable[[Work], asyncio.Task[None]],
        realtime: RealtimeEngine | None = None,
    ) -> None:
        self._relay: Relay | None = None
        if realtime is not None:
            self._relay = Relay(realtime, engines.recognition.rate_hz, receive=receive, spawn=spawn)
        self._owner = owner
        self._engines = engines
        self._model = model
        self._slot = slot
        self._tools = tools
        self._makers = ReplyMakers(str(owner.work), engines, model, slot, tools, token_quota, self._relay)
        self._receive = receive
        self._spawn = spawn
        self._partials = PartialTranscriber(engines.recognition, owner, receive=receive, spawn=spawn)
        self._interactive, self._is_interactive = ExitStack(), False
        self._generation: asyncio.Task[None] | None = None
        self._prepared: ReplyRun | None = None
        self._discarded = 0
        self._queued_ms = 0
        self._drained = asyncio.Event()

    def carry_out(self, command: EngineCommand) -> None:
        """Begin the work, or end it."""
        if self._relay is not None and self._relay.carry_out(command):
            return
        match command:
            case ScoreTurn():
                self._spawn(partial(self._score, command))
            case TranscribePartially():
                self._partials.request(command)
            case AwaitPartialTranscript():
                self._partials.finish(command)
            case Transcribe():
                self._spawn(partial(self._transcribe, command))
            case StartReply():
                self._start_reply(command)
            case StopReply():
                self._stop_generation()
            case PrepareReply():
                self._prepare_reply(command)
            case DropPreparation():
                self._drop_preparation()
            case Prefill():
                self._generate(partial(self._prefill, command))
            case ListTools():
                self._spawn(partial(self._list_tools, command))
            case HearTurn() | EndTurnAudio() | HearItem() | CutReply():
                pass  # nobody hears for themselves
            case _:
                assert_never(command)

    def follow(self, status: SessionStatus) -> None:
        """How the session stands now: a reply far ahead of its client waits, others' long work waits for interactive work."""
        self._queued_ms = status.queued_ms
        if status.queued_ms < AUDIO_AHEAD_MS:
            self._drained.set()
        if status.interactive != self._is_interactive:
            self._set_interactive(status.interactive)

    def close(self) -> None:
        """The conversation is over: nothing here holds it any more."""
        self._partials.close()
        if self._relay is not None:
            self._relay.close()
        self._set_interactive(False)
        self._drop_preparation()
        self._generation = None
        self._receive, self._spawn = ignore, refuse_work

    def _set_interactive(self, interactive: bool) -> None:
        """While the user speaks or is being answered, others' long work at the recogniser is put off."""
        if not interactive:
            self._interactive.close()
        elif not self._is_interactive:
            self._interactive.enter_context(self._engines.recognition.interactive(self._owner))
        self._is_interactive = interactive

    # ---- the language model

    def _generate(self, work: Work) -> None:
        """The language model's slot does one thing at a time; a reply displaces a prefill."""
        self._stop_generation()
        self._generation = self._spawn(work)

    def _stop_generation(self) -> None:
        if self._prepared is not None:
            self._engines.preparations.ended(self._drop_preparation, used=False)
            self._prepared = None
            self._discarded += 1
        if self._generation is not None:
            self._generation.cancel()
            self._generation = None
            self._drained.set()

    def _start_reply(self, work: StartReply) -> None:
        prepared = self._prepared
        if prepared is not None and prepared.answers(work):
            self._prepared = None
            self._engines.preparations.ended(self._drop_preparation, used=True)
            self._spawn(partial(_release, prepared, work))
        else:
            self._generate(self._run(work).run)

    def _prepare_reply(self, command: PrepareReply) -> None:
        """Make the reply to what the user seems to have said, and hold it back. While others are answered, or where replies
        cost money, only the prompt is read.
        """
        self._stop_generation()
        if self._model.speculative and self._engines.preparations.admit(self._drop_preparation):
            self._prepared = self._run(command.work)
            self._generation = self._spawn(partial(self._prepare, command, self._prepared))
        else:
            work = command.work
            self._generate(partial(self._prefill, Prefill(work.messages, work.options, work.tools, work.tool_tokens)))

    async def _prepare(self, command: PrepareReply, prepared: ReplyRun) -> None:
        if command.score_sentence:
            await self._score_sentence(command)
        await prepared.run()

    async def _score_sentence(self, command: PrepareReply) -> None:
        last = last_of_user(command.work.messages) or 0
        *before, said = command.work.messages[: last + 1]
        words = replace(said, content=without_final_mark(said.content))
        try:
            probability = await self._model.sentence_end(
                (*before, words), replace(command.work.options, slot=self._slot)
            )
        except EngineError as error:
            log.warning("session %s: %s", self._owner.work, error)
        else:
            self._receive(SentenceScored(command.item_id, command.voiced_until, probability))

    def _drop_preparation(self) -> None:
        if self._prepared is not None:
            self._stop_generation()

    def _run(self, work: StartReply) -> ReplyRun:
        return ReplyRun(
            work,
            self._makers,
            lambda session_input: self._receive(session_input),
            self._wait_for_room,
            self._take_discarded,
        )

    def _take_discarded(self) -> int:
        discarded, self._discarded = self._discarded, 0
        return discarded

    async def _wait_for_room(self) -> None:
        if self._queued_ms >= AUDIO_AHEAD_MS:
            self._drained.clear()
            await self._drained.wait()

    async def _prefill(self, work: Prefill) -> None:
        try:
            options = replace(work.options, slot=self._slot)
            options = await self._tools.for_prefill(options, work.tools, work.tool_tokens)
            await read_prompt(work.messages, options, self._model)
        except EngineError as error:
            log.warning("session %s: prefill: %s", self._owner.work, error)

    # ---- what goes beside

    async def _score(self, work: ScoreTurn) -> None:
        probability = None
        try:
            probability = await self._engines.turn_scorer.score(work.samples)
        except EngineError as error:
            log.warning("session %s: %s", self._owner.work, error)
        self._receive(Scored(work.item_id, work.voiced_until, probability))

    async def _transcribe(self, work: Transcribe) -> None:
        if self._relay is not None and await self._relay.transcribe(work):
            return
        options = TranscribeOptions(work.language, work.prompt, encoding=work.perceive)
        events = transcribe_turn(
            self._engines.recognition, self._engines.vad, work.samples, options, self._owner, live=work.live
        )
        try:
            async with aclosing(events):
                async for event in events:
                    self._receive(Recognised(work.item_id, work.content_index, event))
        except EngineError as error:
            log.warning("session %s: item %s: %s", self._owner.work, work.item_id, error)
            self._receive(RecognitionFailed(work.item_id, work.content_index, str(error)))

    async def _list_tools(self, work: ListTools) -> None:
        try:
            self._receive(ToolsListed(work.item_id, await self._tools.listed(work.tool)))
        except McpServerError as error:
            log.warning("session %s: %s", self._owner.work, error)
            self._receive(ToolsNotListed(work.item_id, str(error)))


async def _release(prepared: ReplyRun, work: StartReply) -> None:
    """In a task of its own, because the session is not told anything while it tells what to do."""
    prepared.release(work)
