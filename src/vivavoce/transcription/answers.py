"""A recording that has been read, in the words of the wire. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from vivavoce.protocol.transcription import (
    ChannelSegment,
    DiarizedSegment,
    DiarizedTranscription,
    DurationUsage,
    Logprob,
    TimedSegment,
    TimedWord,
    TokenUsage,
    VerboseTranscription,
)
from vivavoce.runtime.long_audio import Segment, most_spoken
from vivavoce.text.language_codes import language_name
from vivavoce.text.scripts import joined
from vivavoce.transcription.captions import Caption, captions
from vivavoce.types import Token, TranscribeOptions

TOKENS_PER_S = 12.5
"""The rate at which the platform's open weights hear; what ``usage`` counts is made of it."""


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """How a recording is to be transcribed, and the format of the answer; ``separate``: each channel by itself."""

    format: str
    options: TranscribeOptions
    granularities: Sequence[str] = ("segment",)
    logprobs: bool = False
    separate: bool = False


@dataclass(frozen=True, slots=True)
class TranscriptionResult:
    """A recording that has been read to its end; ``segments`` of several channels stand one channel after the other."""

    text: str
    segments: Sequence[Segment]
    duration_s: float

    @property
    def captions(self) -> list[Caption]:
        """All captions in the order of time."""
        return sorted(captions(self.segments), key=lambda caption: caption.start_ms)


def channels_together(channels: Sequence[TranscriptionResult]) -> TranscriptionResult:
    """The channels of a recording, each read by itself, as one; the text is what is said on them, in the order of time."""
    segments = [
        replace(segment, channel=number) for number, channel in enumerate(channels) for segment in channel.segments
    ]
    whole = TranscriptionResult("", segments, channels[0].duration_s)
    text = ""
    for caption in whole.captions:
        text = joined(text, caption.text)
    return replace(whole, text=text)


def channel_segments(read: TranscriptionResult) -> list[ChannelSegment]:
    """The captions of separate channels."""
    return [
        ChannelSegment(
            channel=caption.channel, start=caption.start_ms / 1000, end=caption.end_ms / 1000, text=caption.text
        )
        for caption in read.captions
        if caption.channel is not None
    ]


def diarized(read: TranscriptionResult, speakers: Sequence[str]) -> DiarizedTranscription:
    """``diarized_json``: captions and the speaker of each."""
    return DiarizedTranscription(
        duration=round(read.duration_s, 3),
        text=read.text,
        segments=[
            DiarizedSegment(
                id=f"seg_{number}",
                start=caption.start_ms / 1000,
                end=caption.end_ms / 1000,
                speaker=speaker,
                text=caption.text,
            )
            for number, (caption, speaker) in enumerate(zip(read.captions, speakers, strict=True))
        ],
        usage=DurationUsage(seconds=round(read.duration_s, 3)),
    )


def verbose(result: TranscriptionResult, request: TranscriptionRequest) -> VerboseTranscription:
    """``verbose_json``: captions, words, or both."""
    words = [
        TimedWord(word=word.text.strip(), start=word.start_ms / 1000, end=word.end_ms / 1000, channel=caption.channel)
        for caption in result.captions
        for word in caption.words
    ]
    language = "en" if request.options.translate else most_spoken(result.segments, request.options.language)
    return VerboseTranscription(
        task="translate" if request.options.translate else "transcribe",
        language=language_name(language),
        duration=round(result.duration_s, 3),
        text=result.text,
        segments=[_segment(number, caption, request) for number, caption in enumerate(result.captions)]
        if "segment" in request.granularities
        else None,
        words=words if "word" in request.granularities else None,
        usage=DurationUsage(seconds=round(result.duration_s, 3)),
    )


def _segment(number: int, caption: Caption, request: TranscriptionRequest) -> TimedSegment:
    confidence = caption.confidence
    return TimedSegment(
        id=number,
        seek=caption.from_ms // 10,
        start=caption.start_ms / 1000,
        end=caption.end_ms / 1000,
        text=caption.text,
        tokens=[token.id for token in caption.tokens],
        temperature=request.options.temperature,
        avg_logprob=confidence.log_probability if confidence else 0.0,
        compression_ratio=confidence.compression if confidence else 1.0,
        no_speech_prob=confidence.no_speech if confidence else 0.0,
        channel=caption.channel,
    )


def logprobs(tokens: Sequence[Token]) -> list[Logprob]:
    """The tokens as the wire has them."""
    return [
        Logprob(token=token.data.decode(errors="replace"), bytes=list(token.data), logprob=token.log_probability)
        for token in tokens
    ]


def token_usage(duration_s: float, prompt: str | None, output_tokens: int) -> TokenUsage:
    """What a transcription of so much audio counts as; a word of the prompt is a token."""
    audio_tokens, prompt_tokens = ceil(duration_s * TOKENS_PER_S), len((prompt or "").split())
    return TokenUsage(
        input_tokens=audio_tokens + prompt_tokens,
        input_token_details={"text_tokens": prompt_tokens, "audio_tokens": audio_tokens},
        output_tokens=output_tokens,
        total_tokens=audio_tokens + prompt_tokens + output_tokens,
    )
