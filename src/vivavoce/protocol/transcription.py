"""``/v1/audio/transcriptions`` and ``/translations``: OpenAI's fields, and StepFun's (audio reference, section 3.1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field, StringConstraints, field_validator

from vivavoce.protocol.json_text import without_lone_surrogates
from vivavoce.text.scripts import is_cjk

ResponseFormat: TypeAlias = Literal["json", "text", "srt", "verbose_json", "vtt"]
TranscriptionFormat: TypeAlias = Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]
MAX_PROMPT_CHARACTERS = 4_000
MAX_HOTWORDS = 200

ROOM_BESIDE_HOTWORDS = 500
"""Letters of hotwords and prompt together, a Han character counts as three: what a recogniser keeps of both (Whisper: the last
223 tokens)."""

Hotword: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


def recognition_prompt(prompt: str | None, hotwords: Sequence[str]) -> str | None:
    """One prompt for the recogniser, which spells the words in it as they are.

    ``hotwords`` stand first. A prompt that would push them out is told without its beginning.
    """
    if not hotwords:
        return prompt or None
    listed = f"{', '.join(hotwords)}."
    room = ROOM_BESIDE_HOTWORDS - sum(map(_letters, listed))
    start = len(prompt or "")
    while prompt and start and (room := room - _letters(prompt[start - 1])) >= 0:
        start -= 1
    kept = (prompt or "")[start:]
    return f"{listed} {kept}" if kept else listed


def _letters(character: str) -> int:
    return 3 if is_cjk(character) else 1


class RecordingFields(BaseModel):
    """The fields of transcriptions and translations, beside the file."""

    model: str = Field(
        default="", description="Any name of a transcription model; without one the recogniser all the same."
    )
    prompt: str | None = Field(default=None, max_length=MAX_PROMPT_CHARACTERS)
    temperature: float = Field(default=0.0, ge=0.0, le=1.0)


class TranslationFields(RecordingFields):
    """The fields of a translation into English."""

    response_format: ResponseFormat = "json"


class TranscriptionFields(RecordingFields):
    """The fields of a transcription. ``hotwords`` is a JSON list, or a list; ``keywords`` is OpenAI's name for the same."""

    response_format: TranscriptionFormat = "json"
    language: str | None = Field(default=None, max_length=40)
    languages: list[str] = Field(default=[], max_length=20)
    hotwords: list[Hotword] = Field(default=[], max_length=MAX_HOTWORDS)
    keywords: list[Hotword] = Field(default=[], max_length=MAX_HOTWORDS)
    stream: bool = False
    timestamp_granularities: list[Literal["word", "segment"]] = Field(default=[], max_length=2)
    include: list[Literal["logprobs"]] = Field(default=[], max_length=1)
    chunking_strategy: Any = None
    channels: Annotated[
        Literal["mixed", "separate"], Field(description="Ours. `separate`: each channel of the recording by itself.")
    ] = "mixed"

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
    def _as_list(cls, value: Any) -> Any:
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


class ChannelSegment(BaseModel):
    """What is said on one ``channel`` (from 0); times in seconds."""

    channel: int
    start: float
    end: float
    text: str


class TranscriptionAnswer(BaseModel):
    """``response_format: json``. ``usage`` and ``logprobs`` are OpenAI's, ``segments`` (of separate channels) are ours."""

    text: str
    segments: list[ChannelSegment] | None = None
    logprobs: list[Logprob] | None = None
    usage: DurationUsage | None = None


class TimedWord(BaseModel):
    """A word; times in seconds. ``channel``: of separate channels."""

    word: str
    start: float
    end: float
    channel: int | None = None


class TimedSegment(BaseModel):
    """A caption; times in seconds, ``seek`` in hundredths. How sure the recogniser was holds for what it heard as one.

    ``channel``: of separate channels.
    """

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
    channel: int | None = None


class VerboseTranscription(BaseModel):
    """``response_format: verbose_json``. ``duration`` in seconds; ``language`` by its English name."""

    task: Literal["transcribe", "translate"]
    language: str
    duration: float
    text: str
    segments: list[TimedSegment] | None = None
    words: list[TimedWord] | None = None
    usage: DurationUsage | None = None


class DiarizedSegment(BaseModel):
    """A caption and who says it: ``A``, ``B`` and so on; times in seconds."""

    id: str
    type: Literal["transcript.text.segment"] = "transcript.text.segment"
    start: float
    end: float
    speaker: str
    text: str


class DiarizedTranscription(BaseModel):
    """``response_format: diarized_json``. ``duration`` in seconds."""

    task: Literal["transcribe"] = "transcribe"
    duration: float
    text: str
    segments: list[DiarizedSegment]
    usage: DurationUsage


class TranscriptTextDelta(BaseModel):
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


class TranscriptTextDone(BaseModel):
    """Streaming: the whole text. The last event."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    text: str
    logprobs: list[Logprob] | None = None
    usage: TokenUsage
