"""A model that hears how long it was spoken to, and says so in tokens of a codec; and a decoder that hums them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace

import numpy as np
from typing_extensions import override

from vivavoce.engines.audio_chat import AudioChat
from vivavoce.engines.audio_tokens import AudioTokenDecoder, AudioTokenOptions
from vivavoce.engines.base import SpeechOutput
from vivavoce.engines.fake.language_model import FakeLanguageModel
from vivavoce.sound import SpokenText, SpokenTokens
from vivavoce.types import GenerationEvent, GenerationOptions, Message, Samples, TextDelta

TOKEN_MS = 40
"""Of sound, as of Step-Audio's codec: 25 tokens are a second."""

TOKENS_PER_CHARACTER = 2


class FakeAudioChat(FakeLanguageModel, AudioChat):
    """Repeats what it was told, and of what it heard how long it was: ``You said: 1200 ms of sound.``

    What is heard of it is two tokens a character, the number of the character.
    """

    def __init__(self, capacity: int, speaks: SpeechOutput = "tokens", audio_turns: int = 1) -> None:
        super().__init__(capacity)
        self.speaks = speaks
        self.audio_turns = audio_turns

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """As the fake language model; words that are heard with their tokens."""
        heard = [_heard(message) for message in messages]
        spoken = self.speaks == "tokens" and options.voice is not None
        async with aclosing(super().generate(heard, options)) as events:
            async for event in events:
                if spoken and isinstance(event, TextDelta):
                    yield SpokenText(event.text)
                    yield SpokenTokens(tuple(ord(character) % 6561 for character in event.text * TOKENS_PER_CHARACTER))
                else:
                    yield event


def _heard(message: Message) -> Message:
    if message.audio is None:
        return message
    text = f"{message.audio.text} {round(message.audio.seconds * 10) * 100} ms of sound.".strip()
    return replace(message, content=text)


class FakeAudioTokenDecoder(AudioTokenDecoder):
    """Hums ``TOKEN_MS`` a token."""

    rate_hz = 24_000

    @property
    @override
    def voices(self) -> Collection[str]:
        return ("fake",)

    @override
    async def decode(
        self, tokens: AsyncIterator[Sequence[int]], options: AudioTokenOptions
    ) -> AsyncGenerator[Samples, None]:
        """A run at a time."""
        async for run in tokens:
            at = np.arange(len(run) * TOKEN_MS * self.rate_hz // 1000)
            yield (0.3 * np.sin(2 * np.pi * 220 * at / self.rate_hz)).astype(np.float32)

    @override
    def close(self) -> None:
        pass
