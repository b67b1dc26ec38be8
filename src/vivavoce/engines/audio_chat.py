"""A model that hears for itself: it answers the sound of a turn, not our transcript of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from typing_extensions import override

from vivavoce.engines.base import LanguageModel, SpeechOutput
from vivavoce.types import GenerationEvent, GenerationOptions, Message


class AudioChat(LanguageModel, Protocol):
    """A ``LanguageModel`` that hears, and may speak.

    The user's newest ``audio_turns`` messages have ``audio`` (16 kHz) beside their content; the others, and those that were
    typed, are read. The content of the newest may be empty: then the reply is made while our recogniser is still at work.

    A reply that is heard (``GenerationOptions.voice``) comes in the model's own voice where it ``speaks``: as ``SpokenText``
    with ``SpokenAudio`` (``sound``) or ``SpokenTokens`` (``tokens``, which need the decoder that the configuration names).
    Whatever comes as ``TextDelta`` is read out by our speakers. One without a ``voice`` is text.
    """

    audio_turns: int = 1
    speaks: SpeechOutput = "none"

    @override
    def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Yield thoughts, words, sound and tool calls, then exactly one ``GenerationEnd``. Raises ``EngineError``."""
