"""A recording that has been read, in the words of the wire. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from vivavoce.protocol.transcription import (
    DurationUsage,
    Logprob,
    TimedSegment,
    TimedWord,
    TokenUsage,
    VerboseTranscription,
)
from vivavoce.runtime.long_audio import Segment
from vivavoce.transcription.captions import Caption, captions
from vivavoce.transcription.languages import language_name
from vivavoce.types import Language, Token, TranscribeOptions

TOKENS_PER_S = 12.5
"""The rate at which the platform's open weights hear; what ``usage`` counts is made of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a recording is to be transcribed, and the format of the answer."""

    format: str
    options: TranscribeOptions
    granularities: Sequence[str] = ("segment",)
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """A recording that has been read to its end."""

    text: str
    segments: Sequence[Segment]
    duration_s: float


def verbose(read: Read, wanted: Wanted) -> VerboseTranscription:
    """``verbose_json``: captions, words, or both."""
    words = [word for segment in read.segments for word in segment.words]
    language = "en" if wanted.options.translate else _main_language(read.segments, wanted.options.language)
    return VerboseTranscription(
        task="translate" if wanted.options.translate else "transcribe",
        language=language_name(language),
        duration=round(read.duration_s, 3),
        text=read.text,
        segments=[_segment(number, one, wanted) for number, one in enumerate(captions(read.segments))]
        if "segment" in wanted.granularities
        else None,
        words=[TimedWord(word=word.text.strip(), start=word.start_ms / 1000, end=word.end_ms / 1000) for word in words]
        if "word" in wanted.granularities
        else None,
        usage=DurationUsage(seconds=round(read.duration_s, 3)),
    )


def _main_language(segments: Sequence[Segment], asked: Language | None) -> Language:
    """The language most of the recording is in."""
    if not segments:
        return asked or "en"
    lasting: dict[Language, int] = {}
    for segment in segments:
        lasting[segment.language] = lasting.get(segment.language, 0) + segment.end_ms - segment.start_ms
    return max(lasting, key=lasting.__getitem__)


def _segment(number: int, caption: Caption, wanted: Wanted) -> TimedSegment:
    sure = caption.confidence
    return TimedSegment(
        id=number,
        seek=caption.from_ms // 10,
        start=caption.start_ms / 1000,
        end=caption.end_ms / 1000,
        text=caption.text,
        tokens=[token.id for token in caption.tokens],
        temperature=wanted.options.temperature,
        avg_logprob=sure.log_probability if sure else 0.0,
        compression_ratio=sure.compression if sure else 1.0,
        no_speech_prob=sure.no_speech if sure else 0.0,
    )


def logprobs(tokens: Sequence[Token]) -> list[Logprob]:
    """The tokens as the wire has them."""
    return [
        Logprob(token=token.data.decode(errors="replace"), bytes=list(token.data), logprob=token.log_probability)
        for token in tokens
    ]


def token_usage(duration_s: float, prompt: str | None, written: int) -> TokenUsage:
    """What a transcription of so much audio counts as; a word of the prompt is a token."""
    heard, read = ceil(duration_s * TOKENS_PER_S), len((prompt or "").split())
    return TokenUsage(
        input_tokens=heard + read,
        input_token_details={"text_tokens": read, "audio_tokens": heard},
        output_tokens=written,
        total_tokens=heard + read + written,
    )
