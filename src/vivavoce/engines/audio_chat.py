"""A model that hears for itself: it answers the sound of a turn, not our transcript of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from typing_extensions import override

from vivavoce.engines.base import LanguageModel, SpeechOutput
from vivavoce.types import GenerationEvent, GenerationOptions, Message, ModelAid

_READING_AIDS: frozenset[ModelAid] = frozenset({"relevance", "intents"})
"""Those that read what the user said before the model is asked."""


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


def answers_unread(model: LanguageModel) -> bool:
    """Whether ``model`` can be asked while the user's words are not known yet: it hears them, and nobody else has to read them
    before.
    """
    return model.audio_turns > 0 and not model.aids & _READING_AIDS
