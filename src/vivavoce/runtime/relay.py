"""A hosted Realtime API in the place of recogniser, language model and speaker: one conversation's part of it.

The session stays what it is: it ends turns, interrupts, paces and keeps the history. What it would have the engines do with a
turn's audio and with its answer is done by the other side; the server's tools run here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from vivavoce.engines.realtime.base import HostedConversation, RealtimeEngine
from vivavoce.errors import EngineError
from vivavoce.hosted import HistoryCall, HistoryEntry, HistoryOutput, HostedEvent, HostedReply, HostedSetup, HostedTurn
from vivavoce.runtime.session_end import Work, ignore, refuse_work
from vivavoce.session.inputs import PartialTranscript, Recognised, SessionInput
from vivavoce.session.outputs import (
    AwaitPartialTranscript,
    CutReply,
    DropPreparation,
    EndTurnAudio,
    EngineCommand,
    HearItem,
    HearTurn,
    Prefill,
    PrepareReply,
    StartReply,
    StopReply,
    Transcribe,
    TranscribePartially,
)
from vivavoce.sound import Spoken
from vivavoce.tools.loop import ToolLoop
from vivavoce.tools.silence import Filler
from vivavoce.tools.tool_run import ToolRun
from vivavoce.types import GenerationOptions, Message, ModelAid, ReplyEnd, ReplyEvent, SpeechFlush

log = logging.getLogger(__name__)

AIDS: frozenset[ModelAid] = frozenset({"guard"})
"""A large model gets its tools as they are; untrusted text is no reason to call them."""

CONTINUE = (
    "You were interrupted by a noise, not by the person. Go on with your last message exactly where it stops, and repeat "
    "nothing of it."
)
"""Stands behind the instructions of a reply that goes on."""


class Relay:
    """One conversation over ``engine``, which hears at ``hearing_hz``.

    ``receive`` gets what the session is told; ``spawn`` runs a task as long as the conversation.
    """

    def __init__(
        self,
        engine: RealtimeEngine,
        hearing_hz: int,
        *,
        receive: Callable[[SessionInput], None],
        spawn: Callable[[Work], asyncio.Task[None]],
    ) -> None:
        self._engine = engine
        self._conversation = engine.open(hearing_hz)
        self._receive = receive
        self._spawn = spawn
        self._begun = False
        self._turns: set[str] = set()

    def carry_out(self, command: EngineCommand) -> bool:
        """Do what is the other side's part of a command. Whether that is all there is to do."""
        if not self._begun:
            self._begun = True
            self._spawn(self._conversation.run)
        match command:
            case HearTurn(item_id=item_id, samples=samples):
                self._turns.add(item_id)
                self._conversation.hear(item_id, samples)
            case EndTurnAudio(item_id=item_id, step=step):
                self._conversation.end_turn(item_id, dropped=step == "dropped")
            case HearItem(item_id=item_id, samples=samples):
                self._conversation.hear_item(item_id, samples)
            case Prefill(hosted=turn, options=options) if turn is not None:
                self._conversation.prepare(setup_of(turn, options), turn.history)
            case CutReply(response_id=response_id, played_ms=played_ms):
                self._conversation.cut(response_id, played_ms)
            case StopReply(response_id=response_id, played_ms=int(heard_ms)):
                self._conversation.cut(response_id, heard_ms)
                return False
            case PrepareReply() | DropPreparation():
                pass  # a reply there costs money before anybody wants it
            case TranscribePartially() if self._engine.transcribes:
                pass  # the other side reads a turn when it is over
            case AwaitPartialTranscript(item_id=item_id, until=until) if self._engine.transcribes:
                self._spawn(partial(self._nothing_read, item_id, until))
            case _:
                return False
        return True

    def close(self) -> None:
        """The conversation is over: nothing here holds it any more."""
        self._receive, self._spawn = ignore, refuse_work

    async def reply(
        self,
        work: StartReply,
        response_id: str,
        options: GenerationOptions,
        server_tools: ToolRun,
        emit: Callable[[ReplyEvent], Awaitable[None]],
    ) -> None:
        """Answer ``work``, calling ``emit`` for each event in order, ``ReplyEnd`` last; the server's tools run in between.

        Raises ``EngineError``.
        """
        if work.hosted is None:
            raise RuntimeError("the session does not know that an engine keeps the conversation")
        messages = work.messages or (Message("user", ""),)
        model = _HostedModel(self._engine, self._conversation, response_id, work.hosted, len(messages))
        loop = ToolLoop(model, server_tools, speaks=False, reads_along=False)
        async with aclosing(loop.events(messages, replace(options, continue_last_message=False))) as events:
            async for event in events:
                if not isinstance(event, Filler | SpeechFlush | Spoken):  # its sound comes as `Speech`
                    await emit(event)
        await emit(ReplyEnd())

    async def transcribe(self, work: Transcribe) -> bool:
        """Have a turn written down by the other side, if that is its part. Whether it was; else it is to be read here."""
        if not self._engine.transcribes or work.item_id not in self._turns:
            return False
        self._turns.discard(work.item_id)
        try:
            async with aclosing(self._conversation.transcript(work.item_id, work.language)) as events:
                async for event in events:
                    self._receive(Recognised(work.item_id, work.content_index, event))
        except EngineError as error:
            log.warning("item %s: %s; it is read here", work.item_id, error)
            return False
        return True

    # ---- inside

    async def _nothing_read(self, item_id: str, until: int) -> None:
        self._receive(PartialTranscript(item_id, until, None))


class _HostedModel:
    """What the tool loop takes for a language model: each round is a response of the other side's."""

    def __init__(
        self,
        engine: RealtimeEngine,
        conversation: HostedConversation,
        response_id: str,
        turn: HostedTurn,
        prompt_length: int,
    ) -> None:
        self.context_tokens = engine.context_tokens
        self._conversation = conversation
        self._response_id = response_id
        self._turn = turn
        self._prompt_length = prompt_length

    def generate(self, messages: Sequence[Message], options: GenerationOptions) -> AsyncGenerator[HostedEvent, None]:
        """One round. What ``messages`` have beyond the prompt was called and found in this reply. Raises ``EngineError``."""
        found = (entry for message in messages[self._prompt_length :] for entry in _found(message))
        history = (*self._turn.history, *found)
        reply = HostedReply(self._response_id, setup_of(self._turn, options), history, self._turn.apart)
        return self._conversation.reply(reply)


def setup_of(turn: HostedTurn, options: GenerationOptions) -> HostedSetup:
    """How the other side is to reply: tools that are withheld are not told to it."""
    instructions = f"{turn.instructions}\n{CONTINUE}" if turn.continues else turn.instructions
    return HostedSetup(
        instructions,
        turn.voice,
        turn.speed,
        turn.max_tokens,
        tuple(tool for tool in options.tools if tool.name not in options.withheld),
        options.tool_choice,
        options.parallel_tool_calls,
        turn.language,
    )


def _found(message: Message) -> Iterator[HistoryEntry]:
    yield from map(HistoryCall, message.tool_calls)
    if message.role == "tool":
        yield HistoryOutput(str(message.tool_call_id), message.content)
