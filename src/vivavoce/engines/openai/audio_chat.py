"""Models that hear, behind OpenAI-style ``/chat/completions``: Step-Audio, Qwen-Omni, gpt-audio.

[tiers.served_by.step-audio-2-mini]
audio_chat = "mini"

[engines.audio_chats.mini]
engine = "openai"
decoder = "token2wav"
settings = { url = "http://10.0.0.5:8000/v1", model = "step-audio-2-mini", family = "step-audio-2" }
"""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from math import ceil
from typing import Any

from typing_extensions import override

from vivavoce.audio.encoding import wav_header
from vivavoce.audio.pcm import BYTES_PER_SAMPLE
from vivavoce.engines.audio_chat import AudioChat
from vivavoce.engines.base import EngineContext, needs_weights
from vivavoce.engines.chat_fields import call_fields
from vivavoce.engines.openai.audio_families import AudioChatSettings
from vivavoce.engines.openai.audio_stream import AudioChatReader
from vivavoce.engines.openai.chat_request import GO_ON, chat_body, rendered
from vivavoce.engines.openai.chat_stream import ChatReader
from vivavoce.engines.openai.discovery import Endpoint
from vivavoce.engines.openai.language_model import OpenAILanguageModel, loaded
from vivavoce.engines.openai.thoughts import ThoughtSplitter
from vivavoce.engines.remote.client import RemoteClient
from vivavoce.sound import MessageAudio
from vivavoce.types import GenerationEnd, GenerationEvent, GenerationOptions, Message, ThinkingDelta

THINK, THOUGHT = "<think>", "</think>"


class OpenAIAudioChat(OpenAILanguageModel, AudioChat):
    """``AudioChat`` over HTTP. It thinks if and as its model does, not because a tier wants it to."""

    def __init__(
        self, client: RemoteClient, settings: AudioChatSettings, *, capacity: int, endpoint: Endpoint | None
    ) -> None:
        super().__init__(client, settings, capacity=capacity, endpoint=endpoint)
        self.features = settings.features | {"thinking"}
        self.audio_turns, self.speaks = settings.audio_turns, settings.speaks
        self._audio = settings
        self._wire = settings.wire

    @override
    async def sentence_end(self, messages: Sequence[Message], options: GenerationOptions) -> float | None:
        """Turns are heard there, not read."""
        return None

    # ---- one reply

    @override
    async def _adapted(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """One reply; where the family thinks in a request of its own, that comes first."""
        thought, spent = "", GenerationEnd("stop")
        if self._wire.thinks_first and options.max_tokens > 1 and not options.continue_last_message:
            async with aclosing(super()._adapted(*self._to_think(messages, options))) as thinking:
                async for event in thinking:
                    if isinstance(event, ThinkingDelta):
                        thought += event.text
                        yield event
                    elif isinstance(event, GenerationEnd):
                        spent = event
        async with aclosing(super()._adapted(*self._opened(messages, options, thought))) as answer:
            async for event in answer:
                yield _with_cost_of(spent, event) if isinstance(event, GenerationEnd) else event

    def _to_think(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> tuple[Sequence[Message], GenerationOptions]:
        """The request for thoughts (chat reference, 9.3)."""
        thinking = replace(
            options, max_tokens=self._audio.thinking_tokens, stop=(*options.stop, THOUGHT), tool_choice="none",
            schema=None, logprobs=None, continue_last_message=True, voice=None,
        )  # fmt: skip
        return (*messages, Message("assistant", THINK)), thinking

    def _opened(
        self, messages: Sequence[Message], options: GenerationOptions, thought: str
    ) -> tuple[Sequence[Message], GenerationOptions]:
        """The request for the answer. The assistant's turn begins with what is thought, and the mark that has it spoken."""
        opening = f"{THINK}{thought}{THOUGHT}\n\n" if thought else ""
        if self._is_spoken(options):
            opening += self._wire.opening
        if not opening:
            return messages, options
        if options.continue_last_message:  # words alone cannot be gone on from in sound
            messages = (*messages, Message("system", GO_ON))
        return (*messages, Message("assistant", opening)), replace(options, continue_last_message=True)

    def _is_spoken(self, options: GenerationOptions) -> bool:
        return self.speaks != "none" and options.voice is not None

    @override
    def _reader(self, messages: Sequence[Message], options: GenerationOptions) -> ChatReader:
        plain = super()._reader(messages, options)
        thinks = options.continue_last_message and messages[-1].content == THINK
        return AudioChatReader(
            plain.names,
            plain.forbidden,
            ThoughtSplitter(opened=True) if thinks else plain.thoughts,
            parallel=plain.parallel,
            logprobs=plain.logprobs,
            json_answer=plain.json_answer,
            spoken=self._is_spoken(options),
            rate_hz=self._audio.rate_hz,
        )

    # ---- what is asked

    @override
    def _body(self, messages: Sequence[Message], options: GenerationOptions) -> dict[str, Any]:
        settings = self._audio
        if self._wire.thinks_first:  # in a request of its own
            settings = settings.model_copy(update={"thinking_tokens": 0})
        body = chat_body(messages, options, settings, self._conventions, self._rendered)
        modalities = self._modalities(messages, options)
        return {name: value for name, value in modalities.items() if name not in settings.omit} | body

    def _modalities(self, messages: Sequence[Message], options: GenerationOptions) -> dict[str, Any]:
        """What is to be answered in, where that is said beside the messages."""
        if self.speaks != "sound":
            return {}
        silent = not any(message.audio is not None for message in messages)
        if not (self._is_spoken(options) or (self._wire.needs_sound and silent)):
            return {"modalities": ["text"]}
        audio = {"voice": self._voice(options.voice), "format": self._wire.audio_format}
        return {"modalities": ["text", "audio"], **({"audio": audio} if self._wire.audio_format else {})}

    def _voice(self, name: str | None) -> str | None:
        """The model's own voice in place of one of ours."""
        settings = self._audio
        return settings.voices.get(name or "") or settings.voice or self._wire.voice or name

    def _rendered(self, message: Message) -> dict[str, Any]:
        """A message with what is heard of it before what is written."""
        settings = self._audio
        if message.role == "user" and message.audio is not None:
            text = [{"type": "text", "text": message.audio.text}] if message.audio.text else []
            return {"role": settings.roles.get("user", "user"), "content": [*self._clips(message.audio), *text]}
        if message.role == "tool" and self._wire.text_parts:
            content = [{"type": "text", "text": message.content}]
            return {"role": settings.roles.get("tool", "tool"), "content": content} | call_fields(message)
        return rendered(message, settings)

    def _clips(self, audio: MessageAudio) -> Iterator[dict[str, Any]]:
        """Its sound, in parts that are not too long for the model."""
        wire = self._wire
        for pcm in (piece for clip in audio.clips for piece in _pieces(clip, audio.rate_hz, wire.clip_s)):
            wav = wav_header(audio.rate_hz, len(pcm)) + pcm
            data = {"data": wire.prefix + base64.b64encode(wav).decode()}
            yield {"type": "input_audio", "input_audio": data | ({"format": "wav"} if wire.format else {})}


def _pieces(clip: bytes, rate_hz: int, most_s: float | None) -> Iterator[bytes]:
    """A clip in equally long pieces of at most ``most_s``: a last one of some milliseconds is too short to be heard."""
    samples = len(clip) // BYTES_PER_SAMPLE
    count = 1 if most_s is None else max(ceil(samples / (most_s * rate_hz)), 1)
    size = ceil(samples / count) * BYTES_PER_SAMPLE
    return (clip[at : at + size] for at in range(0, len(clip), size or 1))


def _with_cost_of(thinking: GenerationEnd, end: GenerationEnd) -> GenerationEnd:
    """The end of an answer that was thought about before: the prompt counts once, what was written twice."""
    if not thinking.input_tokens:
        return end
    return replace(
        end,
        input_tokens=thinking.input_tokens,
        cached_tokens=thinking.cached_tokens,
        output_tokens=thinking.output_tokens + end.output_tokens,
    )


def _weights(settings: Mapping[str, Any]) -> Sequence[str]:
    AudioChatSettings.model_validate(settings)
    return ()


@needs_weights(_weights)
def load(context: EngineContext) -> OpenAIAudioChat:
    """Entry point. Asks the endpoint about itself; one that is away now may be there later.

    Raises ``pydantic.ValidationError`` for settings that do not fit.
    """
    settings = AudioChatSettings.model_validate(context.settings)
    return loaded(
        context,
        settings,
        lambda client, endpoint: OpenAIAudioChat(client, settings, capacity=context.capacity, endpoint=endpoint),
    )
