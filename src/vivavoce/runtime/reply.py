"""The one road from messages to speech: tokens → clauses → audio, all streaming and overlapped.

Realtime and Chat Completions both answer through ``reply``. The first clause is spoken while the rest is still being
generated; the edge between the two is bounded, so a language model that runs far ahead of the speaker waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeAlias

from vivavoce.engines.base import LanguageModel, Speaker
from vivavoce.runtime.clauses import Clause, ClauseSplitter
from vivavoce.types import (
    ClauseCut,
    GenerationEnd,
    GenerationOptions,
    Language,
    Message,
    ReplyEvent,
    Speech,
    TextDelta,
    ToolCall,
)

Emit: TypeAlias = Callable[[ReplyEvent], Awaitable[None]]

CLAUSES_AHEAD = 32
"""Clauses generated but not spoken; beyond that generation waits for the speaker."""


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """What to answer, and how. Without a ``voice`` the reply is text only; ``language`` is the user's."""

    messages: Sequence[Message]
    options: GenerationOptions
    voice: str | None = None
    language: Language = "en"
    speed: float = 1.0


async def reply(request: ReplyRequest, model: LanguageModel, speaker: Speaker, emit: Emit) -> None:
    """Answer ``request``, calling ``emit`` for each ``ReplyEvent`` in order, ``GenerationEnd`` last.

    Cancelling the task stops generation and synthesis within one step of each. Raises ``EngineError``.
    """
    clauses: asyncio.Queue[tuple[int, Clause] | None] = asyncio.Queue(CLAUSES_AHEAD)
    try:
        async with asyncio.TaskGroup() as group:
            generation = group.create_task(_generate(request, model, clauses, emit))
            group.create_task(_speak(request, speaker, clauses, emit))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    await emit(generation.result())


async def read_prompt(messages: Sequence[Message], options: GenerationOptions, model: LanguageModel) -> None:
    """Read a prompt into its slot's cache, so that the reply to come has only the new words to read.

    Raises ``EngineError``.
    """
    async with aclosing(model.generate(messages, replace(options, max_tokens=0))) as events:
        async for _ in events:
            pass


async def _generate(
    request: ReplyRequest, model: LanguageModel, clauses: asyncio.Queue[tuple[int, Clause] | None], emit: Emit
) -> GenerationEnd:
    splitter = ClauseSplitter(language=request.language)
    count = 0
    end = GenerationEnd("stop")
    async with aclosing(model.generate(request.messages, request.options)) as events:
        async for event in events:
            match event:
                case TextDelta(text=text):
                    await emit(event)
                    for clause in splitter.push(text):
                        await _cut(count, clause, clauses, emit)
                        count += 1
                case ToolCall():
                    await emit(event)
                case GenerationEnd():
                    end = event
    for clause in splitter.flush():
        await _cut(count, clause, clauses, emit)
        count += 1
    await clauses.put(None)
    return end


async def _cut(index: int, clause: Clause, clauses: asyncio.Queue[tuple[int, Clause] | None], emit: Emit) -> None:
    await emit(ClauseCut(index, clause.text))
    await clauses.put((index, clause))


async def _speak(
    request: ReplyRequest, speaker: Speaker, clauses: asyncio.Queue[tuple[int, Clause] | None], emit: Emit
) -> None:
    while (entry := await clauses.get()) is not None:
        index, clause = entry
        if request.voice is None or not clause.spoken:
            continue
        pieces = speaker.speak(clause.spoken, voice=request.voice, language=clause.language, speed=request.speed)
        async with aclosing(pieces):
            async for samples in pieces:
                await emit(Speech(index, samples))
