"""The one road from messages to speech: tokens → clauses → audio, all streaming and overlapped.

Realtime and Chat Completions both answer through ``reply``. The first clause is spoken while the rest is still being
generated; the edge between the two is bounded, so a language model that runs far ahead of the speaker waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import count
from typing import TypeAlias

from vivavoce.engines.base import LanguageModel, Speaker
from vivavoce.runtime.clauses import Clause, ClauseSplitter
from vivavoce.types import (
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    GenerationOptions,
    Language,
    Message,
    ReplyEnd,
    ReplyEvent,
    Speech,
    TextDelta,
)

Emit: TypeAlias = Callable[[ReplyEvent], Awaitable[None]]

CLAUSES_AHEAD = 32
"""Clauses generated but not spoken; beyond that generation waits for the speaker."""


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """What to answer, and how. Without a ``voice`` the reply is text only; ``language`` is the user's.

    ``begun`` is how the reply begins, written already: it is cut and spoken like the rest. Where nothing is to follow it,
    ``messages`` is empty; else the options say to go on with the last of them.
    """

    messages: Sequence[Message]
    options: GenerationOptions
    voice: str | None = None
    language: Language = "en"
    speed: float = 1.0
    begun: str = ""


async def reply(request: ReplyRequest, model: LanguageModel, speaker: Speaker, emit: Emit) -> None:
    """Answer ``request``, calling ``emit`` for each ``ReplyEvent`` in order, ``ReplyEnd`` last.

    Cancelling the task stops generation and synthesis within one step of each. Raises ``EngineError``.
    """
    clauses: asyncio.Queue[tuple[int, Clause] | None] = asyncio.Queue(CLAUSES_AHEAD)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_write(request, model, clauses, emit))
            group.create_task(_speak(request, speaker, clauses, emit))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    await emit(ReplyEnd())


async def read_prompt(messages: Sequence[Message], options: GenerationOptions, model: LanguageModel) -> None:
    """Read a prompt into its slot's cache, so that the reply to come has only the new words to read.

    Raises ``EngineError``.
    """
    async with aclosing(model.generate(messages, replace(options, max_tokens=0))) as events:
        async for _ in events:
            pass


async def _write(
    request: ReplyRequest, model: LanguageModel, clauses: asyncio.Queue[tuple[int, Clause] | None], emit: Emit
) -> None:
    """Text into clauses, numbered from 0."""
    splitter = ClauseSplitter(language=request.language)
    numbers = count()

    async def write(text: str) -> None:
        await emit(TextDelta(text))
        for clause in splitter.push(text):
            await _cut(next(numbers), clause, clauses, emit)

    if request.begun:
        await write(request.begun)
    end: GenerationEnd | None = None
    if request.messages:
        async with aclosing(model.generate(request.messages, request.options)) as events:
            async for event in events:
                match event:
                    case TextDelta(text=text):
                        await write(text)
                    case GenerationEnd():
                        end = event
                    case _:
                        await emit(event)
    for clause in splitter.flush():
        await _cut(next(numbers), clause, clauses, emit)
    await clauses.put(None)
    if end is not None:
        await emit(end)


async def _cut(index: int, clause: Clause, clauses: asyncio.Queue[tuple[int, Clause] | None], emit: Emit) -> None:
    await emit(ClauseCut(index, clause.text))
    await clauses.put((index, clause))


async def _speak(
    request: ReplyRequest, speaker: Speaker, clauses: asyncio.Queue[tuple[int, Clause] | None], emit: Emit
) -> None:
    while (entry := await clauses.get()) is not None:
        index, clause = entry
        if request.voice is not None and clause.spoken:
            pieces = speaker.speak(clause.spoken, voice=request.voice, language=clause.language, speed=request.speed)
            async with aclosing(pieces):
                async for samples in pieces:
                    await emit(Speech(index, samples))
        await emit(ClauseSpoken(index))
