"""The one road from messages to speech: tokens → clauses → audio, all streaming and overlapped.

Realtime and Chat Completions both answer through ``reply``. The first clause is spoken while the rest is still being
generated; the edge between the two is bounded, so a language model that runs far ahead of the synthesizer waits. What a model
speaks for itself takes the same way, as sound.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import count
from typing import TypeAlias

from vivavoce.audio.resample import Resampler
from vivavoce.conduct.model import PersonaModel
from vivavoce.conduct.origin_claims import OriginModel
from vivavoce.engines.base import LanguageModel, Synthesizer
from vivavoce.errors import EngineError
from vivavoce.runtime.clause_synthesis import ClauseSynthesizer, ReadableClauses
from vivavoce.runtime.own_voice import ClauseEnd, OwnVoice
from vivavoce.runtime.reasoning import ReasoningModel
from vivavoce.sound import SpokenAudio, SpokenText, SpokenTokens
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
    Samples,
    SpeakOptions,
    Speech,
    SpeechFlush,
    TextDelta,
)

Emit: TypeAlias = Callable[[ReplyEvent], Awaitable[None]]

ClauseSound: TypeAlias = "tuple[int, Clause | Samples | ClauseEnd]"
"""What is to be heard of a clause, by its number: all of it, to be read; or its sound, piece by piece, and its end."""

CLAUSES_AHEAD = 32
"""Clauses generated but not spoken, or pieces of their sound; beyond that generation waits for the synthesizer."""


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
    clauses: asyncio.Queue[ClauseSound | None] = asyncio.Queue(CLAUSES_AHEAD)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_write(_own_prefix(request, model), model, synthesizer.rate_hz, clauses, emit))
            speaking = group.create_task(_speak(request, synthesizer, clauses, emit))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    await emit(ReplyEnd(speaking.result()))


def _own_prefix(request: ReplyRequest, model: LanguageModel) -> ReplyRequest:
    """A reply that the model speaks itself goes on where its sound stopped: the model says the ``prefix`` again."""
    if model.speaks == "none" or request.voice is None or not (request.messages and request.prefix):
        return request
    *before, begun = request.messages
    heard = begun.content.removesuffix(request.prefix).rstrip()
    if not heard:
        return replace(
            request, messages=before, options=replace(request.options, continue_last_message=False), prefix=""
        )
    return replace(request, messages=(*before, replace(begun, content=heard)), prefix="")


async def read_prompt(messages: Sequence[Message], options: GenerationOptions, model: LanguageModel) -> None:
    """Read a prompt into its slot's cache, so that the reply to come has only the new words to read.

    ``options`` tell the tools the reply will have (``with_tools``).

    Raises ``EngineError``.
    """
    async with aclosing(model.generate(messages, replace(options, max_tokens=0))) as events:
        async for _ in events:
            pass


async def _write(
    request: ReplyRequest, model: LanguageModel, rate_hz: int, clauses: asyncio.Queue[ClauseSound | None], emit: Emit
) -> None:
    """Text into clauses, numbered from 0."""
    writing = _Writing(request.language, rate_hz, clauses, emit)
    if request.prefix:
        await writing.write(request.prefix)
    end: GenerationEnd | None = None
    if request.messages:
        async with aclosing(answer_events(request, model)) as events:
            async for event in events:
                match event:
                    case TextDelta(text=text):
                        await writing.write(text)
                    case SpeechFlush():
                        await writing.flush()
                    case SpokenText(text=text):
                        await writing.own_words(text)
                    case SpokenAudio():
                        await writing.own_sound(event)
                    case SpokenTokens():
                        raise EngineError("language model", "speaks in tokens, and no decoder is named for it")
                    case Filler(text=text):
                        await writing.fill(text)
                    case GenerationEnd():
                        end = event
                    case _:
                        await emit(event)
    await writing.flush()
    if model.speaks != "none":
        # A reply whose end is told has all its sound: what is unheard of it need not be made again.
        await clauses.join()
    await clauses.put(None)
    if end is not None:
        await emit(end)


def answer_events(request: ReplyRequest, model: LanguageModel) -> AsyncGenerator[LoopEvent, None]:
    """What the model yields in words, held to its manner, with or without tools of the server. Raises ``EngineError``."""
    answering: LanguageModel = ReasoningModel(model)
    if request.server_tools is not None and request.server_tools.manner is not None:
        answering = PersonaModel(answering, request.server_tools.manner)
    truthful = OriginModel(
        answering, request.messages, request.server_tools.context.language if request.server_tools else request.language
    )
    options = replace(request.options, voice=None if truthful.asked else request.voice)
    if request.server_tools is None or request.server_tools.idle:
        return truthful.generate(request.messages, options)
    loop = ToolLoop(truthful, request.server_tools, speaks=request.voice is not None)
    return loop.events(request.messages, options)


class _Writing:
    """The text of one reply on its way into numbered clauses; what the model speaks itself, at ``rate_hz``."""

    def __init__(
        self, language: Language, rate_hz: int, clauses: asyncio.Queue[ClauseSound | None], emit: Emit
    ) -> None:
        self._language = language
        self._rate_hz = rate_hz
        self._clauses = clauses
        self._emit = emit
        self._splitter = ClauseSplitter(language, first_forced=FIRST_FORCED_REPLY)
        self._numbers = count()
        self._end = ""
        self._own: OwnVoice | None = None
        self._own_clauses: deque[tuple[int, Clause]] = deque()
        self._resampler: tuple[int, Resampler] | None = None

    async def write(self, text: str) -> None:
        """More of it."""
        if self._own is not None:
            await self.flush()
        await self._write(TextDelta(text))

    async def fill(self, text: str) -> None:
        """A sentence of its own, spoken now: nobody knows when the next words come."""
        await self.flush()
        separator = "" if not self._end or self._end[-1:].isspace() or not text.isascii() else " "
        await self._write(TextDelta(separator + text, filler=True))
        await self.flush()

    async def own_words(self, text: str) -> None:
        """More of it, which the model speaks itself."""
        own = await self._own_voice()
        self._end = text or self._end
        await self._emit(TextDelta(text))
        for clause in own.words(text):
            await self._sound(clause)

    async def own_sound(self, sound: SpokenAudio) -> None:
        """More of how the model speaks it."""
        own = await self._own_voice()
        if self._resampler is None or self._resampler[0] != sound.rate_hz:
            self._resampler = sound.rate_hz, Resampler(sound.rate_hz, self._rate_hz)
        for piece in own.sound(self._resampler[1].push(sound.samples)):
            await self._sound(piece)

    async def flush(self) -> None:
        """What is held back waits no longer."""
        await self._queue(self._splitter.flush())
        self._splitter = ClauseSplitter(self._language, first_forced=FIRST_FORCED_REPLY)
        if self._own is not None:
            await self._end_own_voice(self._own)

    async def _write(self, delta: TextDelta) -> None:
        self._end = delta.text or self._end
        await self._emit(delta)
        await self._queue(self._splitter.push(delta.text))

    async def _queue(self, clauses: Sequence[Clause]) -> None:
        for clause in clauses:
            await self._clauses.put((await self._numbered(clause), clause))

    async def _numbered(self, clause: Clause) -> int:
        index = next(self._numbers)
        await self._emit(ClauseCut(index, clause.text))
        return index

    async def _own_voice(self) -> OwnVoice:
        """The model speaks, behind what is written."""
        if self._own is None:
            await self.flush()
            self._own = OwnVoice(self._language, self._rate_hz)
        return self._own

    async def _sound(self, piece: Clause | Samples | ClauseEnd) -> None:
        if isinstance(piece, Clause):
            self._own_clauses.append((await self._numbered(piece), piece))
            return
        await self._clauses.put((self._own_clauses[0][0], piece))
        if isinstance(piece, ClauseEnd):
            self._own_clauses.popleft()

    async def _end_own_voice(self, own: OwnVoice) -> None:
        """Words that came without any sound are read out."""
        self._own = None
        if self._resampler is not None and own.sounded:
            for piece in own.sound(self._resampler[1].flush()):
                await self._sound(piece)
        for last in own.finish():
            await self._sound(last)
        while self._own_clauses:
            await self._clauses.put(self._own_clauses.popleft())


async def _speak(
    request: ReplyRequest, synthesizer: Synthesizer, clauses: asyncio.Queue[ClauseSound | None], emit: Emit
) -> tuple[str, ...]:
    """All clauses as speech; what the voice could not do."""
    voice = ClauseSynthesizer(synthesizer)
    undone: dict[str, None] = {}
    reader = ReadableClauses(synthesizer.voices.get(request.voice or ""), request.language)
    while (entry := await clauses.get()) is not None:
        index, spoken = entry
        if isinstance(spoken, Clause):
            if request.voice is not None and (readable := reader.readable(spoken)).spoken:
                options = SpeakOptions(request.voice, readable.language, request.speed, request.style)
                async with aclosing(voice.speak_with_pauses(readable, options)) as pieces:
                    async for samples in pieces:
                        await emit(Speech(index, samples))
                undone.update(dict.fromkeys(voice.left_undone(options)))
        elif not isinstance(spoken, ClauseEnd):
            await emit(Speech(index, spoken))
        if isinstance(spoken, Clause | ClauseEnd):
            await emit(ClauseSpoken(index))
        clauses.task_done()
    voice.finish()
    return (*reader.not_applied, *undone) if request.voice is not None else ()
