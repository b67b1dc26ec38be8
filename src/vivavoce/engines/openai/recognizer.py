"""Any OpenAI-style ``/audio/transcriptions`` endpoint as a recogniser.

[engines]
recognizer = "far"

[engines.instances.far]
engine = "openai"
settings = { url = "http://10.0.0.5:8000/v1", model = "Systran/faster-whisper-large-v3" }
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from pydantic import Field
from typing_extensions import override

from vivavoce.audio.encoding import wav_header
from vivavoce.audio.pcm import encode_pcm16
from vivavoce.engines.base import EngineContext, Recognizer, needs_weights
from vivavoce.engines.remote.client import Answer, RemoteClient
from vivavoce.engines.remote.errors import RemoteError
from vivavoce.engines.remote.event_stream import EventStreamReader, NoEventError
from vivavoce.engines.remote.settings import RemoteSettings
from vivavoce.text.language_codes import language_code
from vivavoce.text.scripts import written_language
from vivavoce.types import Confidence, Language, Samples, TranscribeOptions, Transcript, TranscriptDelta, Word

log = logging.getLogger(__name__)

RATE_HZ = 16_000

MAX_BYTES = 4 * 1024 * 1024
"""Of a transcript, with the times of its words."""

_TAG = re.compile(r"<\|([^|>]*)\|>")
"""What SenseVoice writes around its text: language, emotion, event."""


class RecognizerSettings(RemoteSettings):
    """Settings of one recogniser elsewhere, beside those of its connection.

    ``stream``: the text is asked for as it is recognised (OpenAI's ``stream``, vLLM). ``parallel`` utterances are heard at
    once. ``words``: the endpoint gives the times of words (``verbose_json``). ``fields`` are put into every form.
    """

    stream: bool = False
    parallel: int = Field(default=4, ge=1)
    words: bool = True
    fields: Mapping[str, str] = Field(default_factory=dict)


class OpenAIRecognizer(Recognizer):
    """``Recognizer`` over HTTP."""

    rate_hz = RATE_HZ

    def __init__(self, client: RemoteClient, settings: RecognizerSettings) -> None:
        self.parallel = settings.parallel
        self._client = client
        self._settings = settings

    @override
    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """The samples go out as a wav file. Raises ``RemoteError``."""
        async with aclosing(self._client.retried(lambda: self._attempt(samples, options))) as events:
            async for event in events:
                yield event

    async def health(self) -> str | None:
        """Why the other side cannot be used now; ``None``: it answers."""
        return await self._client.health()

    @override
    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def _attempt(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        data = encode_pcm16(samples)
        form = {"model": self._settings.model, **_fields(options, self._settings), **self._settings.fields}
        files = {"file": ("audio.wav", wav_header(RATE_HZ, len(data)) + data, "audio/wav")}
        path = "audio/translations" if options.translate else "audio/transcriptions"
        async with self._client.post(path, data=form, files=files) as answer:
            if answer.content_type == "text/event-stream":
                async with aclosing(self._streamed(answer, options)) as events:
                    async for event in events:
                        yield event
            else:
                yield self._transcript(await answer.body(MAX_BYTES), options)

    async def _streamed(
        self, answer: Answer, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        events, text, ended = EventStreamReader(), "", False
        try:
            async with aclosing(answer.pieces()) as pieces:
                async for piece in pieces:
                    for event in events.feed(piece):
                        if error := event.get("error"):
                            raise self._failed(error)
                        delta, whole = _text_of_event(event)
                        text = whole if whole is not None else text + delta
                        ended = ended or whole is not None
                        answer.progressed()
                        if delta:
                            yield TranscriptDelta(delta)
                    if events.done or ended:
                        answer.ends()
        except (NoEventError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise self._garbled() from error
        except RemoteError:
            if not (ended or events.done):
                raise
        if not (ended or events.done):
            raise RemoteError(
                self._client.engine, "broke off in the middle of its answer", away=True, repeatable=True, retriable=True
            )
        yield _transcript({"text": text}, options)

    def _transcript(self, body: bytes, options: TranscribeOptions) -> Transcript:
        try:
            answer = json.loads(body)
            return _transcript(answer if isinstance(answer, dict) else {"text": str(answer)}, options)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._garbled() from error

    def _failed(self, error: Any) -> RemoteError:
        """What the other side says in the middle of its answer is for the log, as with every refusal."""
        engine = self._client.engine
        log.warning("%s: %s", engine, self._client.harmless(json.dumps(error, ensure_ascii=False))[:500])
        return RemoteError(engine, "failed in the middle of its answer", away=True, repeatable=True, retriable=True)

    def _garbled(self) -> RemoteError:
        return RemoteError(self._client.engine, "sent something that is no transcript", away=True)


def _fields(options: TranscribeOptions, settings: RecognizerSettings) -> dict[str, str]:
    words = options.words and settings.words and not options.translate
    fields = {"response_format": "verbose_json" if words else "json"}
    if words:
        fields["timestamp_granularities[]"] = "word"
    if options.language is not None and not options.translate:
        fields["language"] = options.language
    if options.prompt:
        fields["prompt"] = options.prompt
    if options.temperature:
        fields["temperature"] = f"{options.temperature:g}"
    if settings.stream and not words:
        fields["stream"] = "true"
    return fields


def _text_of_event(event: Mapping[str, Any]) -> tuple[str, str | None]:
    """(more text, or all of it): OpenAI's events, or vLLM's, which are like those of a chat."""
    if "choices" in event:
        return "".join(choice.get("delta", {}).get("content") or "" for choice in event["choices"]), None
    match event["type"]:
        case "transcript.text.delta":
            return str(event["delta"]), None
        case "transcript.text.done":
            return "", str(event["text"])
    return "", None


def _transcript(answer: Mapping[str, Any], options: TranscribeOptions) -> Transcript:
    """What an answer says, whether it is ``json`` or ``verbose_json``. Raises ``KeyError``, ``TypeError``, ``ValueError``."""
    text = str(answer["text"])
    tags = [language_code(tag) for tag in _TAG.findall(text)]
    text = _TAG.sub("", text).strip()
    named = language_code(str(answer.get("language") or ""))
    language = named or next(filter(None, tags), None) or options.language or written_language(text) or "en"
    if options.translate:
        language = "en"
    segments = [segment for segment in answer.get("segments") or () if "avg_logprob" in segment]
    return Transcript(text, language, _words(answer.get("words") or (), language), confidence=_confidence(segments))


def _words(words: Sequence[Mapping[str, Any]], language: Language) -> tuple[Word, ...]:
    """Words with the space before them, which some servers leave out."""
    spaced = language not in ("zh", "ja", "th") and not any(str(word["word"]).startswith(" ") for word in words)
    return tuple(
        Word(
            f" {word['word']}" if spaced and number else str(word["word"]),
            round(float(word["start"]) * 1000),
            round(float(word["end"]) * 1000),
        )
        for number, word in enumerate(words)
    )


def _confidence(segments: Sequence[Mapping[str, Any]]) -> Confidence | None:
    """Of the utterance: the mean of its segments by log probability, the worst of the rest."""
    if not segments:
        return None
    return Confidence(
        sum(float(segment["avg_logprob"]) for segment in segments) / len(segments),
        min(float(segment.get("no_speech_prob", 0.0)) for segment in segments),
        max(float(segment.get("compression_ratio", 0.0)) for segment in segments),
    )


def _weights(settings: Mapping[str, Any]) -> Sequence[str]:
    RecognizerSettings.model_validate(settings)
    return ()


@needs_weights(_weights)
def load(context: EngineContext) -> OpenAIRecognizer:
    """Entry point; asks nothing yet. Raises ``pydantic.ValidationError``."""
    settings = RecognizerSettings.model_validate(context.settings)
    return OpenAIRecognizer(RemoteClient(context.name or "openai", settings), settings)
