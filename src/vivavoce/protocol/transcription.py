"""``/v1/audio/transcriptions`` and ``/translations``: OpenAI's fields, and StepFun's (audio reference, section 3.1)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field, StringConstraints, field_validator

from vivavoce.protocol.json_text import without_lone_surrogates

ResponseFormat: TypeAlias = Literal["json", "text", "srt", "verbose_json", "vtt"]
MOST_PROMPT = 4_000
MOST_HOTWORDS = 200

Hotword: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class TranslationFields(BaseModel):
    """The fields of a translation into English, beside its file."""

    model: str = Field(
        default="", description="Any name of a transcription model; without one the recogniser all the same."
    )
    prompt: str | None = Field(default=None, max_length=MOST_PROMPT)
    response_format: ResponseFormat = "json"
    temperature: float = Field(default=0.0, ge=0.0, le=1.0)


class TranscriptionFields(TranslationFields):
    """The fields of a transcription. ``hotwords`` is a JSON list, or a list; ``keywords`` is OpenAI's name for the same."""

    language: str | None = Field(default=None, max_length=40)
    languages: list[str] = Field(default=[], max_length=20)
    hotwords: list[Hotword] = Field(default=[], max_length=MOST_HOTWORDS)
    keywords: list[Hotword] = Field(default=[], max_length=MOST_HOTWORDS)
    stream: bool = False
    timestamp_granularities: list[Literal["word", "segment"]] = Field(default=[], max_length=2)
    include: list[Literal["logprobs"]] = Field(default=[], max_length=1)
    chunking_strategy: Any = None

    @field_validator("hotwords", mode="before")
    @classmethod
    def _of_json(cls, value: Any) -> Any:
        """In a form a list is JSON in a string."""
        if not isinstance(value, str):
            return value
        if not value.strip():
            return []
        try:
            return json.loads(without_lone_surrogates(value))
        except (ValueError, RecursionError) as error:
            raise ValueError('must be a JSON list of strings, such as ["alpha", "beta"]') from error

    @field_validator("keywords", "languages", "timestamp_granularities", "include", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        """In a form a list of one is easily written without brackets."""
        return [value] if isinstance(value, str) else value


class Logprob(BaseModel):
    """A token, its bytes, and the natural logarithm of its probability."""

    token: str
    bytes: list[int]
    logprob: float


class DurationUsage(BaseModel):
    """How much audio it was."""

    type: Literal["duration"] = "duration"
    seconds: float


class Transcription(BaseModel):
    """``response_format: json``. ``usage`` and ``logprobs`` are OpenAI's."""

    text: str
    logprobs: list[Logprob] | None = None
    usage: DurationUsage | None = None


class TimedWord(BaseModel):
    """A word; times in seconds."""

    word: str
    start: float
    end: float


class TimedSegment(BaseModel):
    """A caption; times in seconds, ``seek`` in hundredths. How sure the recogniser was holds for what it heard as one."""

    id: int
    seek: int
    start: float
    end: float
    text: str
    tokens: list[int]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


class VerboseTranscription(BaseModel):
    """``response_format: verbose_json``. ``duration`` in seconds; ``language`` by its English name."""

    task: Literal["transcribe", "translate"]
    language: str
    duration: float
    text: str
    segments: list[TimedSegment] | None = None
    words: list[TimedWord] | None = None
    usage: DurationUsage | None = None


class TextDelta(BaseModel):
    """Streaming: more of the text."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    delta: str
    logprobs: list[Logprob] | None = None


class TokenUsage(BaseModel):
    """What a transcription counts as: audio in, text out."""

    type: Literal["tokens"] = "tokens"
    input_tokens: int
    input_token_details: dict[str, int]
    output_tokens: int
    total_tokens: int


class TextDone(BaseModel):
    """Streaming: the whole text. The last event."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    text: str
    logprobs: list[Logprob] | None = None
    usage: TokenUsage
