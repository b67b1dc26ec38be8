"""The chunks of a chat completion that speaks, as events. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vivavoce.engines.openai.audio_marks import AudioMarks
from vivavoce.engines.openai.chat_stream import ChatReader, NoChunkError
from vivavoce.engines.openai.wav_stream import NoAudioError, PcmReader
from vivavoce.sound import SpokenAudio, SpokenText, SpokenTokens
from vivavoce.types import GenerationEvent, TextDelta


@dataclass(slots=True)
class AudioChatReader(ChatReader):
    """Reads one reply whose words and sound come beside each other.

    Sound is ``delta.audio`` (OpenAI, StepFun, Qwen), the content of chunks of the modality ``audio`` (vLLM-Omni), or the
    codec's tokens, in ``delta.tts_content`` (StepFun's vLLM) or among the words. ``rate_hz`` is that of headerless sound.
    What is not ``spoken`` has its words only, whatever sound comes with them.
    """

    spoken: bool = False
    rate_hz: int = 24_000
    _pcm: PcmReader = field(init=False)
    _base64: str = ""
    _marks: AudioMarks = field(default_factory=AudioMarks)
    _sounds: int = 0

    def __post_init__(self) -> None:
        ChatReader.__post_init__(self)  # not super(): slots make another class of this one
        self._pcm = PcmReader(self.rate_hz)

    @property
    def progress(self) -> int:
        """Sound counts, too."""
        return self.characters + self._sounds

    def feed(self, chunk: Mapping[str, Any]) -> Iterator[GenerationEvent]:
        """What a chunk adds. Raises ``NoChunkError`` and ``OtherSideError``."""
        for event in ChatReader.feed(self, chunk):
            yield from self._voiced(event)

    def finish(self) -> Iterator[GenerationEvent]:
        """What is left when all chunks have come. Raises ``NoChunkError``."""
        for event in ChatReader.finish(self):
            yield from self._voiced(event)
        if held := self._marks.finish():
            yield self._words(held)

    # ---- inside

    def _chunk(self, chunk: Mapping[str, Any]) -> Iterator[GenerationEvent]:
        if chunk.get("modality") == "audio":
            for choice in chunk.get("choices") or ():
                yield from self._sound((choice.get("delta") or {}).get("content"))
                self.complete = self.complete or bool(choice.get("finish_reason"))
            chunk = {**chunk, "choices": ()}
        yield from ChatReader._chunk(self, chunk)

    def _choice(self, choice: Mapping[str, Any]) -> Iterator[GenerationEvent]:
        delta = choice.get("delta") or choice.get("message") or {}
        audio, interleaved = delta.get("audio") or {}, delta.get("tts_content") or {}
        if words := (audio.get("transcript") or "") + (interleaved.get("tts_text") or ""):
            self.characters += len(words)
            yield TextDelta(words)
        if tokens := interleaved.get("tts_audio"):
            yield TextDelta(tokens)
        yield from self._sound(audio.get("data"))
        yield from ChatReader._choice(self, choice)

    def _sound(self, data: str | None) -> Iterator[SpokenAudio]:
        """PCM16 in base64, which may be cut anywhere; with a header where a file begins."""
        self._base64 += data or ""
        whole = len(self._base64) - len(self._base64) % 4
        if not whole:
            return
        encoded, self._base64 = self._base64[:whole], self._base64[whole:]
        try:
            content = base64.b64decode(encoded, validate=True)
            if content.startswith(b"RIFF"):
                self._pcm = PcmReader(self.rate_hz)
            samples = self._pcm.feed(content)
        except (binascii.Error, NoAudioError) as error:
            raise NoChunkError(f"sound that is none: {error}") from error
        self._sounds += 1
        if len(samples) and self.spoken:
            yield SpokenAudio(samples, self._pcm.rate_hz)

    def _voiced(self, event: GenerationEvent) -> Iterator[GenerationEvent]:
        """Words without the marks among them, which are sound or say what follows."""
        if not isinstance(event, TextDelta):
            yield event
            return
        for part in self._marks.feed(event.text):
            if isinstance(part, str):
                yield self._words(part)
            else:
                self._sounds += 1
                if self.spoken:
                    yield SpokenTokens(part)

    def _words(self, text: str) -> TextDelta | SpokenText:
        return SpokenText(text) if self.spoken else TextDelta(text)
