"""A model that speaks in the tokens of a codec, with the decoder that makes sound of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from typing_extensions import override

from vivavoce.engines.audio_chat import AudioChat
from vivavoce.engines.audio_tokens import AudioTokenDecoder, AudioTokenOptions
from vivavoce.engines.base import LanguageModel
from vivavoce.sound import SpokenAudio, SpokenTokens
from vivavoce.types import GenerationEnd, GenerationEvent, GenerationOptions, Message

EVENTS_AHEAD = 32
"""Events of the model, and pieces of sound, that nobody has taken yet; beyond that model and decoder wait."""

_Outcome: TypeAlias = GenerationEvent | Exception


class DecodedSpeech(AudioChat):
    """``model``, whose replies sound as ``decoder`` makes them. The decoder is closed under its own name."""

    def __init__(self, model: LanguageModel, decoder: AudioTokenDecoder) -> None:
        self.capacity, self.features = model.capacity, model.features
        self.aids, self.speculative = model.aids, model.speculative
        self.audio_turns = model.audio_turns
        self.speaks = "sound"
        self.engine = model
        self._decoder = decoder

    @property
    def context_tokens(self) -> int:  # type: ignore[override]
        """The model's, which may become known later."""
        return self.engine.context_tokens

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """What the model yields, and sound in place of its tokens, decoded beside the writing. Raises ``EngineError``."""
        if options.voice is None:
            async with aclosing(self.engine.generate(messages, options)) as events:
                async for event in events:
                    yield event
            return
        voice = options.voice if options.voice in self._decoder.voices else None
        work = _Decoding(self._decoder, AudioTokenOptions(voice))
        writing = asyncio.create_task(work.write(self.engine.generate(messages, options)))
        speaking = asyncio.create_task(work.speak())
        try:
            while not isinstance(outcome := await work.outcomes.get(), GenerationEnd):
                if isinstance(outcome, Exception):
                    raise outcome
                yield outcome
            yield outcome
        finally:
            for task in (writing, speaking):
                task.cancel()
            await asyncio.gather(writing, speaking, return_exceptions=True)

    @override
    async def count_tokens(self, messages: Sequence[Message], options: GenerationOptions) -> int:
        return await self.engine.count_tokens(messages, options)

    @override
    async def sentence_end(self, messages: Sequence[Message], options: GenerationOptions) -> float | None:
        return await self.engine.sentence_end(messages, options)

    @override
    def close(self) -> Awaitable[None] | None:
        return self.engine.close()


@dataclass(slots=True)
class _Decoding:
    """One reply: its model and its decoder at work beside each other. ``outcomes`` ends with the end, or a failure."""

    decoder: AudioTokenDecoder
    options: AudioTokenOptions
    outcomes: asyncio.Queue[_Outcome] = field(default_factory=lambda: asyncio.Queue(EVENTS_AHEAD))
    _tokens: asyncio.Queue[tuple[int, ...] | None] = field(default_factory=lambda: asyncio.Queue(EVENTS_AHEAD))
    _spoken: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, events: AsyncGenerator[GenerationEvent, None]) -> None:
        """Read the model to its end, which is told when all is spoken."""
        end = GenerationEnd("stop")
        try:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, SpokenTokens):
                        await self._tokens.put(event.tokens)
                    elif isinstance(event, GenerationEnd):
                        end = event
                    else:
                        await self.outcomes.put(event)
            await self._tokens.put(None)
            await self._spoken.wait()
            await self.outcomes.put(end)
        except Exception as error:  # noqa: BLE001 (raised again by the reader)
            await self.outcomes.put(error)

    async def speak(self) -> None:
        """Decode all there is; nothing is asked of the decoder before the first token."""
        try:
            first = await self._tokens.get()
            if first is not None:
                async for samples in self.decoder.decode(self._runs(first), self.options):
                    await self.outcomes.put(SpokenAudio(samples, self.decoder.rate_hz))
            self._spoken.set()
        except Exception as error:  # noqa: BLE001 (raised again by the reader)
            await self.outcomes.put(error)

    async def _runs(self, first: tuple[int, ...]) -> AsyncIterator[Sequence[int]]:
        run: tuple[int, ...] | None = first
        while run is not None:
            yield run
            run = await self._tokens.get()
