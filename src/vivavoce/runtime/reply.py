"""The one road from messages to speech: tokens → clauses → audio, all streaming and overlapped.

Realtime and Chat Completions both answer through ``reply``. The first clause is spoken while the rest is still being
generated; the edge between the two is bounded, so a language model that runs far ahead of the synthesizer waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import count
from typing import TypeAlias

from vivavoce.engines.base import LanguageModel, Synthesizer
from vivavoce.conduct.model import PersonaModel
from vivavoce.runtime.clause_synthesis import ClauseSynthesizer, ReadableClauses
from vivavoce.runtime.reasoning import ReasoningModel
from vivavoce.speaking_style import PLAIN, SpeakingStyle
from vivavoce.text.clauses import FIRST_FORCED_REPLY, Clause, ClauseSplitter
from vivavoce.tools.loop import LoopEvent, ToolLoop
from vivavoce.tools.silence import Filler
from vivavoce.tools.tool_run import ToolRun
from vivavoce.types import (
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    GenerationOptions,
    Language,
    Message,
    ReplyEnd,
    ReplyEvent,
    SpeakOptions,
    Speech,
    TextDelta,
)

Emit: TypeAlias = Callable[[ReplyEvent], Awaitable[None]]

CLAUSES_AHEAD = 32
"""Clauses generated but not spoken; beyond that generation waits for the synthesizer."""


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """What to answer, and how. Without a ``voice`` the reply is text only; ``language`` is the user's; ``style`` says how it
    is spoken beside ``speed``.

    ``prefix`` is how the reply begins, written already: it is cut and spoken like the rest. Where nothing is to follow it,
    ``messages`` is empty; else the options say to go on with the last of them. ``server_tools``: the tools that run here.
    """

    messages: Sequence[Message]
    options: GenerationOptions
    voice: str | None = None
    language: Language = "en"
    speed: float = 1.0
    style: SpeakingStyle = PLAIN
    prefix: str = ""
    server_tools: ToolRun | None = None


async def reply(request: ReplyRequest, model: LanguageModel, synthesizer: Synthesizer, emit: Emit) -> None:
    """Answer ``request``, calling ``emit`` for each ``ReplyEvent`` in order, ``ReplyEnd`` last.

    Cancelling the task stops generation and synthesis within one step of each. Raises ``EngineError``.
    """
    clauses: asyncio.Queue[tuple[int, Clause] | None] = asyncio.Queue(CLAUSES_AHEAD)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_write(request, model, clauses, emit))
            speaking = group.create_task(_speak(request, synthesizer, clauses, emit))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    await emit(ReplyEnd(speaking.result()))


async def read_prompt(messages: Sequence[Message], options: GenerationOptions, model: LanguageModel) -> None:
    """Read a prompt into its slot's cache, so that the reply to come has only the new words to read.

    ``options`` tell the tools the reply will have (``with_tools``).

    Raises ``EngineError``.
    """
    async with aclosing(model.generate(messages, replace(options, max_tokens=0))) as events:
        async for _ in events:
            pass


async def _write(
    request: ReplyRequest, model: LanguageModel, clauses: asyncio.Queue[tuple[int, Clause] | None], emit: Emit
) -> None:
    """Text into clauses, numbered from 0."""
    writing = _Writing(request.language, clauses, emit)
    if request.prefix:
        await writing.write(request.prefix)
    end: GenerationEnd | None = None
    if request.messages:
        async with aclosing(_generated(request, model)) as events:
            async for event in events:
                match event:
                    case TextDelta(text=text):
                        await writing.write(text)
                    case Filler(text=text):
                        await writing.fill(text)
                    case GenerationEnd():
                        end = event
                    case _:
                        await emit(event)
    await writing.flush()
    await clauses.put(None)
    if end is not None:
        await emit(end)


def _generated(request: ReplyRequest, model: LanguageModel) -> AsyncGenerator[LoopEvent, None]:
    """What the model yields, with or without tools of the server."""
    answering: LanguageModel = ReasoningModel(model)
    if request.server_tools is not None and request.server_tools.manner is not None:
        answering = PersonaModel(answering, request.server_tools.manner)
    if request.server_tools is None or request.server_tools.idle:
        return answering.generate(request.messages, request.options)
    loop = ToolLoop(answering, request.server_tools, speaks=request.voice is not None)
    return loop.events(request.messages, request.options)


class _Writing:
    """The text of one reply on its way into numbered clauses."""

    def __init__(self, language: Language, clauses: asyncio.Queue[tuple[int, Clause] | None], emit: Emit) -> None:
        self._language = language
        self._clauses = clauses
        self._emit = emit
        self._splitter = ClauseSplitter(language, first_forced=FIRST_FORCED_REPLY)
        self._numbers = count()
        self._end = ""

    async def write(self, text: str) -> None:
        """More of it."""
        self._end = text or self._end
        await self._emit(TextDelta(text))
        await self._queue(self._splitter.push(text))

    async def fill(self, text: str) -> None:
        """A sentence of its own, spoken now: nobody knows when the next words come."""
        await self.flush()
        separator = "" if not self._end or self._end[-1:].isspace() or not text.isascii() else " "
        await self.write(separator + text)
        await self.flush()

    async def flush(self) -> None:
        """What is held back waits no longer."""
        await self._queue(self._splitter.flush())
        self._splitter = ClauseSplitter(self._language, first_forced=FIRST_FORCED_REPLY)

    async def _queue(self, clauses: Sequence[Clause]) -> None:
        for clause in clauses:
            index = next(self._numbers)
            await self._emit(ClauseCut(index, clause.text))
            await self._clauses.put((index, clause))


async def _speak(
    request: ReplyRequest, synthesizer: Synthesizer, clauses: asyncio.Queue[tuple[int, Clause] | None], emit: Emit
) -> tuple[str, ...]:
    """All clauses as speech; what the voice could not do."""
    voice = ClauseSynthesizer(synthesizer)
    undone: dict[str, None] = {}
    reader = ReadableClauses(synthesizer.voices.get(request.voice or ""), request.language)
    while (entry := await clauses.get()) is not None:
        index, clause = entry
        if request.voice is not None and (readable := reader.readable(clause)).spoken:
            options = SpeakOptions(request.voice, readable.language, request.speed, request.style)
            pieces = voice.speak_with_pauses(readable, options)
            async with aclosing(pieces):
                async for samples in pieces:
                    await emit(Speech(index, samples))
            undone.update(dict.fromkeys(voice.left_undone(options)))
        await emit(ClauseSpoken(index))
    voice.finish()
    return (*reader.not_applied, *undone) if request.voice is not None else ()
