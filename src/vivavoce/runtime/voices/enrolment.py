"""A clip becomes a voice: it is decoded, checked, understood, and matched with the stock voices."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.resample import resample
from vivavoce.engines.base import SpeechDetector, VectorSpeaker
from vivavoce.errors import ClientError
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.scheduling import Ticket, Urgency
from vivavoce.runtime.voices.measuring import Heard, heard
from vivavoce.types import Language, Samples, Sex, TranscribeOptions, Transcript
from vivavoce.voices.clips import Clip, check_length, check_one_speaker, check_sound, check_transcript, windows
from vivavoce.voices.matching import Recipe, blend, nearest, score, sex_of
from vivavoce.voices.stock import SENTENCES, StockTable, stock_table

CLIP_HZ = 24_000
"""Clips are kept at this rate: what cloning engines take."""

DECODED_S = 60.0
"""A longer recording is not decoded to its end, only to say that it is too long."""

AUDITION = SENTENCES[1:2]
"""What candidates say, so that the better one can be kept."""

_LOWEST_FEMALE_HZ = 165.0


@dataclass(frozen=True, slots=True)
class Examined:
    """A clip that passed every check. ``samples`` at ``CLIP_HZ``; ``sound`` is how its speech sounds to the verifier."""

    samples: Samples
    transcript: str
    language: Language
    sound: Heard

    @property
    def sex(self) -> Sex:
        """By the pitch alone: whose prosody is borrowed in other languages."""
        return "male" if self.sound.pitch_hz is not None and self.sound.pitch_hz < _LOWEST_FEMALE_HZ else "female"


@dataclass(frozen=True, slots=True)
class Match:
    """The stock voice or blend that comes nearest, as vectors, and how near it sounds (the verifier's cosine)."""

    recipe: Recipe
    vectors: NDArray[np.float16]
    sex: Sex
    similarity: float


async def examine(source: BinaryIO | Path, text: str | None, engines: Engines) -> Examined:
    """Decode and check a clip, in which ``text`` is said if that is known.

    Raises ``ClientError`` (a code a fault, see docs/voices.md) and ``EngineError``.
    """
    try:
        samples = await engines.decoder.decode(source, rate_hz=CLIP_HZ, most_s=DECODED_S)
    except ClientError as error:
        error.param = error.param or "file"
        if error.code == "audio_too_long":
            error.code = "clip_too_long"
        raise
    check_length(samples, CLIP_HZ)
    clip = await asyncio.to_thread(listen, samples, engines.ears.detector)
    check_sound(clip)
    voices = [await engines.verifier.embed(window) for window in windows(clip)]
    check_one_speaker(np.stack(voices))
    transcript = await understood(samples, CLIP_HZ, engines.recognition)
    if text is not None:
        check_transcript(text, transcript.text, transcript.language)
    elif not transcript.text.strip():
        raise ClientError("No words were understood in the clip.", code="clip_not_understood", param="file")
    sound = await heard(clip.speech(), clip.rate_hz, engines.verifier)
    return Examined(samples, text or transcript.text, transcript.language, sound)


async def match(wanted: Heard, speaker: VectorSpeaker, engines: Engines) -> Match:
    """The nearest stock voice or the blend, whichever sounds nearer. Raises ``ClientError`` and ``EngineError``."""
    table = table_of(speaker, engines)
    best = nearest(table, wanted.embedding, wanted.pitch_hz)
    mixed = blend(table, wanted.embedding, wanted.pitch_hz)
    recipes = (best,) if mixed == best else (best, mixed)
    candidates = [await _audition(recipe, wanted, speaker, engines, sex_of(table, recipe)) for recipe in recipes]
    return max(candidates, key=lambda candidate: candidate[0])[1]


def table_of(speaker: VectorSpeaker, engines: Engines) -> StockTable:
    """What is known of the speaker's voices. Raises ``ClientError`` when nothing is known of this pair of networks."""
    table = stock_table(speaker.network, engines.verifier.network)
    if table is None:
        raise ClientError(
            f"Voices of '{speaker.network}' have not been measured with '{engines.verifier.network}': no voice matching.",
            code="matching_unavailable",
            type="server_error",
        )
    return table


async def auditioned(
    vectors: NDArray[np.float16], sentences: Sequence[str], speaker: VectorSpeaker, engines: Engines
) -> Heard:
    """How a voice with these vectors sounds. Raises ``EngineError``."""
    speech = [await speaker.rehearse(sentence, vectors) for sentence in sentences]
    return await heard(np.concatenate(speech), speaker.rate_hz, engines.verifier)


async def _audition(
    recipe: Recipe, wanted: Heard, speaker: VectorSpeaker, engines: Engines, sex: Sex
) -> tuple[float, Match]:
    vectors = speaker.mix(recipe)
    sound = await auditioned(vectors, AUDITION, speaker, engines)
    similarity = float(sound.embedding @ wanted.embedding)
    return score(similarity, sound.pitch_hz, wanted.pitch_hz), Match(recipe, vectors, sex, similarity)


def listen(samples: Samples, detector: SpeechDetector) -> Clip:
    """What is speech in ``samples`` (at ``CLIP_HZ``). Blocking: a second takes 3 ms."""
    at_its_rate = resample(samples, CLIP_HZ, detector.rate_hz)
    size = detector.frame_samples
    stream = detector.open()
    frames = np.pad(at_its_rate, (0, -len(at_its_rate) % size)).reshape(-1, size)
    return Clip(at_its_rate, detector.rate_hz, [stream.probability(frame) for frame in frames], size)


async def understood(
    samples: Samples, rate_hz: int, recognition: Recognition, language: Language | None = None
) -> Transcript:
    """What is said in ``samples`` (at ``rate_hz``). Raises ``EngineError``."""
    at_its_rate = await asyncio.to_thread(resample, samples, rate_hz, recognition.rate_hz)
    return await recognition.piece(at_its_rate, TranscribeOptions(language), Ticket(Urgency.LONG, object()))
