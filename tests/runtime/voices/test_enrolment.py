"""A clip becomes a voice: scripted engines tell each fault apart, and the real ones know their own voices again."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from recordings import HERE
from vivavoce.audio.encoding import encode
from vivavoce.config import load_config
from vivavoce.engines.base import EngineContext, VectorSynthesizer
from vivavoce.engines.dvector import load as load_verifier
from vivavoce.engines.kokoro.synthesizer import KokoroSynthesizer
from vivavoce.errors import ClientError
from vivavoce.runtime.engines import EngineLoader, Engines
from vivavoce.runtime.voices import enrolment
from vivavoce.runtime.voices.enrolment import CLIP_HZ, examine, match
from vivavoce.runtime.voices.voice_traits import VoiceTraits, measure_voice
from vivavoce.scheduling import Ticket
from vivavoce.types import Samples, SpeakOptions, TranscribeOptions, Transcript
from vivavoce.voices.measured_voices import SENTENCES, MeasuredVoice, MeasuredVoices
from voicing import hum

SAID = "the cat sat on the mat"


class Loud:
    """Speech is what is not silent, however quiet."""

    rate_hz = 16_000
    frame_samples = 512

    def open(self) -> Loud:
        return self

    def probability(self, frame: Samples) -> float:
        return float(np.sqrt(np.mean(frame**2)) > 0.001)


class Verifier:
    """Knows two people apart: above 500 Hz and below."""

    rate_hz = 16_000
    network = "scripted"
    min_s = 0.8

    async def embed(self, samples: Samples) -> NDArray[np.float32]:
        spectrum = np.abs(np.fft.rfft(samples))
        high = np.fft.rfftfreq(len(samples), 1 / self.rate_hz)[int(spectrum.argmax())] > 500
        return np.array([0.0, 1.0] if high else [1.0, 0.0], np.float32)


class Recognition:
    rate_hz = 16_000

    def __init__(self, text: str = SAID) -> None:
        self.text = text

    async def piece(self, samples: Samples, options: TranscribeOptions, ticket: Ticket) -> Transcript:
        return Transcript(self.text, "en")


def engines(text: str = SAID) -> Engines:
    nothing = cast(Any, None)
    vad = cast(Any, type("Ears", (), {"detector": Loud()}))
    recognition = cast(Any, Recognition(text))
    return Engines(vad, recognition, nothing, {}, nothing, nothing, cast(Any, Verifier()), HERE)


def clip(samples: Samples) -> io.BytesIO:
    return io.BytesIO(encode(samples.astype(np.float32), "flac", CLIP_HZ))


def noisy(level: float) -> Samples:
    sound = hum(200)
    return sound + level * np.random.default_rng(1).standard_normal(len(sound)).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "code"),
    [
        (hum(200, 4.8), "clip_too_short"),
        (hum(200, 10.2), "clip_too_long"),
        (hum(200, 61), "clip_too_long"),
        (hum(200) * (np.arange(6 * CLIP_HZ) < 3 * CLIP_HZ), "clip_too_little_speech"),
        (hum(200, level=0.006), "clip_too_quiet"),
        (np.clip(hum(200, level=3.0), -1, 1), "clip_clipped"),
        (noisy(0.12), "clip_too_noisy"),
        (np.concatenate([hum(200, 3), hum(900, 3)]), "clip_several_speakers"),
    ],
)
async def test_each_fault_of_a_clip_has_its_own_code(samples: Samples, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        await examine(clip(samples), SAID, engines())
    assert (refused.value.code, refused.value.param) == (code, "file")


@pytest.mark.parametrize("seconds", [5.0, 10.0])
async def test_a_good_clip_of_any_allowed_length_passes(seconds: float) -> None:
    examined = await examine(clip(hum(200, seconds)), None, engines())
    assert (examined.transcript, examined.language, examined.sex) == (SAID, "en", "female")
    assert len(examined.samples) == seconds * CLIP_HZ
    assert examined.sound.pitch_hz == pytest.approx(200, abs=4)
    assert examined.sound.embedding.tolist() == [1.0, 0.0]


async def test_half_of_the_transcript_may_be_misunderstood() -> None:
    told = "the dog sat on that mat"
    assert (await examine(clip(hum(120)), told, engines())).transcript == told
    with pytest.raises(ClientError) as refused:
        await examine(clip(hum(120)), "nobody has ever said such words", engines())
    assert (refused.value.code, refused.value.param) == ("clip_transcript_mismatch", "text")


async def test_a_clip_without_words_and_without_a_transcript_is_refused() -> None:
    with pytest.raises(ClientError) as refused:
        await examine(clip(hum(120)), None, engines(text=" "))
    assert (refused.value.code, refused.value.param) == ("clip_not_understood", "file")


# ---- matching


def direction(degrees: float) -> NDArray[np.float32]:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


class Synthesizer:
    """Its voices are angles: a built-in one sounds as measured, a blend at ``blended``."""

    network = "scripted"
    rate_hz = 16_000
    builtin_voices: Mapping[str, NDArray[np.float32]] = {"af_a": np.array([0.0]), "am_b": np.array([90.0])}

    def __init__(self, blended: float) -> None:
        self._blended = blended
        self.said: list[str] = []

    def mix(self, recipe: Mapping[str, int]) -> NDArray[np.float16]:
        [name, *others] = recipe
        return np.asarray([self._blended] if others else self.builtin_voices[name], np.float16)

    async def synthesize_offline(self, text: str, vectors: NDArray[np.float16]) -> Samples:
        self.said.append(text)
        return np.full(16, float(vectors[0]), np.float32)


@pytest.mark.parametrize(
    ("blended", "recipe", "similarity"),
    [(40.0, {"af_a", "am_b"}, np.cos(0)), (130.0, {"af_a"}, np.cos(np.radians(40)))],
)
async def test_the_nearest_voice_or_the_blend_is_kept_whichever_sounds_nearer(
    monkeypatch: pytest.MonkeyPatch, blended: float, recipe: set[str], similarity: float
) -> None:
    voices = (MeasuredVoice("af_a", direction(0), 150.0), MeasuredVoice("am_b", direction(90), 150.0))
    table = MeasuredVoices("scripted", "scripted", voices)

    async def sounds(samples: Samples, rate_hz: int, verifier: Any) -> VoiceTraits:
        return VoiceTraits(direction(float(samples[0])), 150.0)

    monkeypatch.setattr(enrolment, "measured_voices", lambda *networks: table)
    monkeypatch.setattr(enrolment, "measure_voice", sounds)
    synthesizer = Synthesizer(blended)
    found = await match(VoiceTraits(direction(40), 150.0), cast(Any, synthesizer), engines())
    assert set(found.recipe) == recipe
    assert sum(found.recipe.values()) == 100
    assert found.similarity == pytest.approx(float(similarity), abs=1e-3)
    assert (found.sex, len(synthesizer.said)) == ("female", 2)


async def test_networks_that_were_not_measured_cannot_match() -> None:
    with pytest.raises(ClientError) as refused:
        await match(VoiceTraits(direction(0), None), cast(Any, Synthesizer(0)), engines())
    assert refused.value.code == "matching_unavailable"


# ---- the real ones


@pytest.fixture(scope="module")
def real(weights: Callable[[str], Path]) -> Iterator[Engines]:
    """The real engines; the recogniser is scripted."""
    context = EngineContext(weights=weights, threads=2, capacity=1, settings={})
    verifier, detector = load_verifier(context), EngineLoader(load_config()).speech_detector()
    vad = cast(Any, type("Ears", (), {"detector": detector}))
    nothing = cast(Any, None)
    yield Engines(vad, cast(Any, Recognition()), nothing, {}, nothing, nothing, verifier, HERE)
    for engine in (verifier, detector):
        engine.close()


@pytest.mark.real
async def test_a_voice_of_the_synthesizer_is_matched_by_itself(real: Engines, kokoro: KokoroSynthesizer) -> None:
    assert isinstance(kokoro, VectorSynthesizer)
    try:
        samples = await kokoro.synthesize_offline(SENTENCES[2], kokoro.mix({"am_michael": 1}))
        spoken = enrolment.listen(samples, real.vad.detector)
        sound = await measure_voice(spoken.speech(), spoken.rate_hz, real.verifier)
        found = await match(sound, kokoro, real)
    finally:
        kokoro.end_offline_synthesis()
    assert max(found.recipe, key=lambda name: found.recipe[name]) == "am_michael"
    assert found.similarity > 0.85
    assert found.sex == "male"


@pytest.mark.real
@pytest.mark.parametrize(
    ("first", "second", "people"),
    [
        ("am_michael", "am_michael", 1),
        ("af_bella", "af_bella", 1),
        ("am_michael", "af_bella", 2),
        ("am_michael", "bm_lewis", 2),
        ("af_bella", "bf_emma", 2),
    ],
)
async def test_two_people_in_a_clip_are_heard(
    real: Engines, kokoro: KokoroSynthesizer, first: str, second: str, people: int
) -> None:
    said = (
        "The boat went slowly up the river that evening.",
        "Nobody on board said a word until the morning came.",
    )
    speech = [
        piece
        for voice, text in zip((first, second), said, strict=True)
        async for piece in kokoro.speak(text, SpeakOptions(voice, "en"))
    ]
    hearing = replace(real, recognition=cast(Any, Recognition(" ".join(said))))
    if people == 1:
        assert (await examine(clip(np.concatenate(speech)), None, hearing)).transcript == " ".join(said)
    else:
        with pytest.raises(ClientError) as refused:
            await examine(clip(np.concatenate(speech)), None, hearing)
        assert refused.value.code == "clip_several_speakers"
