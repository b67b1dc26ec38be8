"""Any audio language model behind an OpenAI-style ``/chat/completions`` as the perceiver, asked in a fixed JSON schema.

[engines]
perceiver = "audio_model"

[engines.settings.audio_model]
url = "http://127.0.0.1:8000/v1"
model = "Step-Audio-2-mini"

[perception]
patience_ms = 1500    # a turn waits for it so long

It hears the audio itself and takes its time; what comes too late is not known. Nothing is taken from its answer that
does not fit the schema.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec
from pydantic import Field, SecretStr
from typing_extensions import override

from vivavoce.audio.encoding import encode
from vivavoce.engines.base import EngineContext, Perceiver, needs_weights
from vivavoce.engines.settings import EngineSettings
from vivavoce.errors import EngineError
from vivavoce.perception.prosody import measure
from vivavoce.types import Samples
from vivavoce.voice_facts import Emotion, EmotionLabel, Labelled, Perceived, PerceiveOptions, Sound, SpeechEncoding

ENGINE = "audio model"
RETRIABLE_STATUS = 429
MAX_SOUNDS = 5

_QUESTION = (
    "Listen to how this is spoken and what else sounds; the words do not matter. Fill the JSON object. Scores from 0 to 1 "
    "and say how sure you are; leave out what you cannot tell. Do not guess."
)


def _scored(label: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a label with its score."""
    properties = {"label": label, "score": {"type": "number"}}
    return {"type": "object", "properties": properties, "required": ["label", "score"], "additionalProperties": False}


class AudioModelSettings(EngineSettings):
    """Where the endpoint is and what it is told. ``least`` is the score from which on an emotion is taken over."""

    url: str = Field(pattern=r"^https?://")
    model: str
    key: SecretStr | None = None
    least: float = Field(default=0.7, ge=0.0, le=1.0)
    timeout_s: float = Field(default=10.0, gt=0)


class _Scored(msgspec.Struct, frozen=True):
    label: str
    score: float


class _ScoredEmotion(msgspec.Struct, frozen=True):
    label: EmotionLabel
    score: float


class _AudioModelAnswer(msgspec.Struct, frozen=True):
    """What an answer may hold; the rest of it is ignored."""

    language: _Scored | None = None
    emotion: _ScoredEmotion | None = None
    sounds: tuple[_Scored, ...] = ()


class AudioModelPerceiver(Perceiver):
    """Asks once an utterance."""

    network = None

    def __init__(self, settings: AudioModelSettings, client: httpx.AsyncClient) -> None:
        self._settings = settings
        self._client = client

    @override
    async def perceive(
        self, samples: Samples, rate_hz: int, encoding: SpeechEncoding | None, options: PerceiveOptions
    ) -> Perceived:
        """What the model hears, and what can be measured."""
        answer = await self._ask(encode(samples, "wav", rate_hz), options)
        emotion = answer.emotion if options.emotion else None
        sure = emotion is not None and self._settings.least <= emotion.score <= 1
        length_ms = len(samples) * 1000 // rate_hz
        return Perceived(
            prosody=measure(samples, rate_hz),
            language=_labelled(answer.language),
            emotion=Emotion(
                label=emotion.label,
                score=emotion.score,
                scores={emotion.label: emotion.score},
                source=self._settings.model,
            )
            if emotion is not None and sure
            else None,
            sounds=tuple(
                Sound(label=sound.label[:80], score=sound.score, start_ms=0, end_ms=length_ms)
                for sound in answer.sounds[:MAX_SOUNDS]
                if 0 <= sound.score <= 1
            ),
        )

    async def _ask(self, wav: bytes, options: PerceiveOptions) -> _AudioModelAnswer:
        audio = {"data": base64.b64encode(wav).decode(), "format": "wav"}
        body = {
            "model": self._settings.model,
            "temperature": 0,
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": _QUESTION}, {"type": "input_audio", "input_audio": audio},
                ]},
            ],
            "response_format": {
                "type": "json_schema", "json_schema": {"name": "voice", "strict": True, "schema": _schema(options)},
            },
        }  # fmt: skip
        try:
            response = await self._client.post("chat/completions", json=body)
        except httpx.HTTPError as error:
            raise EngineError(ENGINE, f"cannot be reached: {error or type(error).__name__}", retriable=True) from error
        if response.is_error:
            status = response.status_code
            raise EngineError(ENGINE, f"answered {status}", retriable=status >= 500 or status == RETRIABLE_STATUS)
        try:
            content = response.json()["choices"][0]["message"]["content"]
            return msgspec.convert(json.loads(content), _AudioModelAnswer)
        except (ValueError, KeyError, IndexError, TypeError, msgspec.ValidationError) as error:
            raise EngineError(ENGINE, "answered something that does not fit the schema") from error

    @override
    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()


def _schema(options: PerceiveOptions) -> dict[str, Any]:
    text = {"type": "string"}
    properties = {"language": _scored(text), "sounds": {"type": "array", "items": _scored(text)}}
    if options.emotion:
        properties["emotion"] = _scored({"type": "string", "enum": ["angry", "happy", "neutral", "sad"]})
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _labelled(scored: _Scored | None) -> Labelled | None:
    if scored is None or not 0 <= scored.score <= 1:
        return None
    return Labelled(label=scored.label[:20], score=scored.score)


def _weights(settings: Mapping[str, Any]) -> Sequence[str]:
    AudioModelSettings.model_validate(settings)
    return ()


@needs_weights(_weights)
def load(context: EngineContext) -> AudioModelPerceiver:
    """Entry point; asks nothing yet. Raises ``pydantic.ValidationError`` for settings that do not fit."""
    settings = AudioModelSettings.model_validate(context.settings)
    headers = {"Authorization": f"Bearer {settings.key.get_secret_value()}"} if settings.key else {}
    client = httpx.AsyncClient(base_url=settings.url, headers=headers, timeout=settings.timeout_s)
    return AudioModelPerceiver(settings, client)
