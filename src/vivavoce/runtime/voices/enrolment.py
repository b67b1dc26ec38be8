"""A clip becomes a voice: it is decoded, checked, understood, and matched with the built-in voices."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.resample import resample
from vivavoce.engines.base import SpeechDetector, VectorSynthesizer
from vivavoce.errors import ClientError
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.voices.voice_traits import VoiceTraits, measure_voice
from vivavoce.scheduling import Ticket, Urgency
from vivavoce.types import Language, Samples, Sex, TranscribeOptions, Transcript
from vivavoce.voices.clips import Clip, check_length, check_one_speaker, check_sound, check_transcript, windows
from vivavoce.voices.matching import Recipe, blend, nearest, score, sex_of
from vivavoce.voices.measured_voices import SENTENCES, MeasuredVoices, measured_voices

CLIP_HZ = 24_000
"""Clips are kept at this rate: what cloning engines take."""

DECODED_S = 60.0
"""A longer recording is not decoded to its end, only to say that it is too long."""

CANDIDATE_SENTENCES = SENTENCES[1:2]
"""What candidates say, so that the better one can be kept."""

_LOWEST_FEMALE_HZ = 165.0


@dataclass(frozen=True, slots=True)
class Examined:
    """A clip that passed every check. ``samples`` at ``CLIP_HZ``; ``sound`` is how its speech sounds to the verifier."""

    samples: Samples
    transcript: str
    language: Language
    sound: VoiceTraits

    @property
    def sex(self) -> Sex:
        """By the pitch alone: whose prosody is borrowed in other languages."""
        return "male" if self.sound.pitch_hz is not None and self.sound.pitch_hz < _LOWEST_FEMALE_HZ else "female"


@dataclass(frozen=True, slots=True)
class Match:
    """The built-in voice or blend that comes nearest, as vectors, and how near it sounds (the verifier's cosine)."""

    recipe: Recipe
    vectors: NDArray[np.float16]
    sex: Sex
    similarity: float


async def examine(source: BinaryIO | Path, text: str | None, engines: Engines) -> Examined:
    """Decode and check a clip, in which ``text`` is said if that is known.

    Raises ``ClientError`` (a code a fault, see docs/voices.md) and ``EngineError``.
    """
    try:
        samples = await engines.decoder.decode(source, rate_hz=CLIP_HZ, max_s=DECODED_S)
    except ClientError as error:
        error.param = error.param or "file"
        if error.code == "audio_too_long":
            error.code = "clip_too_long"
        raise
    check_length(samples, CLIP_HZ)
    clip = await asyncio.to_thread(listen, samples, engines.vad.detector)
    check_sound(clip)
    voices = [await engines.verifier.embed(window) for window in windows(clip)]
    check_one_speaker(np.stack(voices))
    transcript = await transcribe(samples, CLIP_HZ, engines.recognition)
    if text is not None:
        check_transcript(text, transcript.text, transcript.language)
    elif not transcript.text.strip():
        raise ClientError("No words were understood in the clip.", code="clip_not_understood", param="file")
    sound = await measure_voice(clip.speech(), clip.rate_hz, engines.verifier)
    return Examined(samples, text or transcript.text, transcript.language, sound)


async def match(target: VoiceTraits, synthesizer: VectorSynthesizer, engines: Engines) -> Match:
    """The nearest built-in voice or the blend, whichever sounds nearer. Raises ``ClientError`` and ``EngineError``."""
    table = table_of(synthesizer, engines)
    best = nearest(table, target.embedding, target.pitch_hz)
    mixed = blend(table, target.embedding, target.pitch_hz)
    recipes = (best,) if mixed == best else (best, mixed)
    candidates = [await _candidate(recipe, target, synthesizer, engines, sex_of(table, recipe)) for recipe in recipes]
    return max(candidates, key=lambda candidate: candidate[0])[1]


def table_of(synthesizer: VectorSynthesizer, engines: Engines) -> MeasuredVoices:
    """What is known of the synthesizer's voices. Raises ``ClientError`` when nothing is known of this pair of networks."""
    table = measured_voices(synthesizer.network, engines.verifier.network)
    if table is None:
        raise ClientError(
            f"Voices of '{synthesizer.network}' have not been measured with '{engines.verifier.network}': no voice matching.",
            code="matching_unavailable",
            type="server_error",
        )
    return table


async def audition(
    vectors: NDArray[np.float16], sentences: Sequence[str], synthesizer: VectorSynthesizer, engines: Engines
) -> VoiceTraits:
    """How a voice with these vectors sounds. Raises ``EngineError``."""
    speech = [await synthesizer.synthesize_offline(sentence, vectors) for sentence in sentences]
    return await measure_voice(np.concatenate(speech), synthesizer.rate_hz, engines.verifier)


async def _candidate(
    recipe: Recipe, target: VoiceTraits, synthesizer: VectorSynthesizer, engines: Engines, sex: Sex
) -> tuple[float, Match]:
    vectors = synthesizer.mix(recipe)
    sound = await audition(vectors, CANDIDATE_SENTENCES, synthesizer, engines)
    similarity = float(sound.embedding @ target.embedding)
    return score(similarity, sound.pitch_hz, target.pitch_hz), Match(recipe, vectors, sex, similarity)


def listen(samples: Samples, detector: SpeechDetector) -> Clip:
    """What is speech in ``samples`` (at ``CLIP_HZ``). Blocking: a second takes 3 ms."""
    resampled = resample(samples, CLIP_HZ, detector.rate_hz)
    size = detector.frame_samples
    stream = detector.open()
    frames = np.pad(resampled, (0, -len(resampled) % size)).reshape(-1, size)
    return Clip(resampled, detector.rate_hz, [stream.probability(frame) for frame in frames], size)


async def transcribe(
    samples: Samples, rate_hz: int, recognition: Recognition, language: Language | None = None
) -> Transcript:
    """What is said in ``samples`` (at ``rate_hz``). Raises ``EngineError``."""
    resampled = await asyncio.to_thread(resample, samples, rate_hz, recognition.rate_hz)
    return await recognition.piece(resampled, TranscribeOptions(language), Ticket(Urgency.LONG, object()))
