"""Styles by the built-in speakers: the pitch is where it was asked for, words and loudness stay (Hibari brings its weights)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.loudness import TARGET_LUFS, loudness
from vivavoce.bench.speaking_styles import styles_measured
from vivavoce.engines.base import EngineContext, Synthesizer, controls_of
from vivavoce.engines.fake import FakeCloningSynthesizer, FakeSynthesizer
from vivavoce.engines.hibari import load
from vivavoce.engines.hibari.moved_voice import between_harmonics
from vivavoce.engines.kokoro.synthesizer import KokoroSynthesizer
from vivavoce.engines.pitch_curve import HIGHEST_HZ, LOWEST_HZ, VOICED_HZ, moved_pitch
from vivavoce.engines.router import SynthesizerRouter
from vivavoce.engines.whisper.recognizer import load as load_whisper
from vivavoce.perception.prosody import measure
from vivavoce.speaking.labels import EXCITED, SHOUTING, STYLES
from vivavoce.speaking_style import PLAIN, WHISPER, SpeakingStyle
from vivavoce.types import Samples, SpeakOptions
from vivavoce.voice_facts import ProsodyMeasures

TEXTS = {
    "en": "The train to the coast leaves at a quarter past nine from the second platform.",
    "zh": "火车九点一刻从第二站台出发，请大家提前十分钟上车。",
    "ja": "電車は九時十五分に二番線から出ます。",
}


@pytest.fixture(scope="module")
def hibari() -> Iterator[Synthesizer]:
    loaded = load(EngineContext(weights=lambda name: pytest.fail(name), threads=1, capacity=1))
    yield loaded
    loaded.close()


async def said(
    synthesizer: Synthesizer, voice: str, language: str, style: SpeakingStyle, speed: float = 1.0
) -> Samples:
    options = SpeakOptions(voice, language, speed, style)
    return np.concatenate([piece async for piece in synthesizer.speak(TEXTS[language], options)])


def measured(samples: Samples) -> ProsodyMeasures:
    measures = measure(samples, 24_000)
    assert measures is not None
    return measures


def semitones(one: ProsodyMeasures, other: ProsodyMeasures) -> float:
    assert one.f0_hz is not None
    assert other.f0_hz is not None
    return 12 * float(np.log2(one.f0_hz / other.f0_hz))


async def check_pitch(synthesizer: Synthesizer, voice: str, language: str) -> None:
    plain = measured(await said(synthesizer, voice, language, PLAIN))
    for moved_st in (-3.0, 3.0):
        moved = measured(await said(synthesizer, voice, language, SpeakingStyle(pitch_st=moved_st)))
        assert semitones(moved, plain) == pytest.approx(moved_st, abs=1.0)
        assert moved.speech_s == pytest.approx(plain.speech_s, rel=0.05)
    flat, lively = [
        measured(await said(synthesizer, voice, language, SpeakingStyle(pitch_range=factor))).f0_range_st
        for factor in (0.4, 1.6)
    ]
    assert plain.f0_range_st is not None
    assert (flat or 99) < 0.7 * plain.f0_range_st < 1.3 * plain.f0_range_st < (lively or 0)


async def check_sound(router: SynthesizerRouter, voice: str, language: str) -> None:
    plain = await said(router, voice, language, PLAIN)
    assert loudness(plain, 24_000) == pytest.approx(TARGET_LUFS, abs=2)
    higher = await said(router, voice, language, SpeakingStyle(pitch_st=3, brightness_db=3))
    assert loudness(higher, 24_000) == pytest.approx(TARGET_LUFS, abs=1)
    for gain_db in (-6.0, 4.0):
        changed = await said(router, voice, language, SpeakingStyle(gain_db=gain_db))
        assert loudness(changed, 24_000) - loudness(plain, 24_000) == pytest.approx(gain_db, abs=1)
    whispered = await said(router, voice, language, WHISPER)
    assert loudness(whispered, 24_000) == pytest.approx(TARGET_LUFS + WHISPER.gain_db, abs=1)
    slow = await said(router, voice, language, SpeakingStyle(rate=0.8))
    assert measured(slow).speech_s == pytest.approx(measured(plain).speech_s / 0.8, rel=0.15)


async def test_hibari_moves_its_pitch(hibari: Synthesizer) -> None:
    await check_pitch(hibari, "heart", "en")


async def test_a_style_is_heard_and_loudness_stays_but_for_what_was_asked(hibari: Synthesizer) -> None:
    await check_sound(SynthesizerRouter({"hibari": hibari}, {}), "heart", "en")


async def test_pauses_are_longer_or_shorter(hibari: Synthesizer) -> None:
    lengths = [len(await said(hibari, "heart", "en", SpeakingStyle(pauses=factor))) for factor in (0.5, 1.0, 2.0)]
    assert lengths[1] - lengths[0] == pytest.approx(0.12 * 24_000, abs=50)
    assert lengths[2] - lengths[1] == pytest.approx(0.24 * 24_000, abs=50)


@pytest.mark.real
@pytest.mark.parametrize(("voice", "language"), [("am_michael", "en"), ("zf_xiaobei", "zh"), ("jf_alpha", "ja")])
async def test_kokoro_moves_its_pitch(kokoro: KokoroSynthesizer, voice: str, language: str) -> None:
    await check_pitch(kokoro, voice, language)


@pytest.mark.real
async def test_kokoro_is_heard_in_a_style(kokoro: KokoroSynthesizer) -> None:
    await check_sound(SynthesizerRouter({"kokoro": kokoro}, {}), "zm_yunjian", "zh")


@pytest.mark.real
async def test_words_are_understood_in_every_style_that_is_far_from_the_usual(
    hibari: Synthesizer, weights: Callable[[str], Path]
) -> None:
    recognizer = load_whisper(EngineContext(weights=weights, threads=2, capacity=1))
    router = SynthesizerRouter({"hibari": hibari}, {})
    styles = {"whisper": WHISPER, "shouting": SHOUTING, "depressed": STYLES["沮丧"] or PLAIN, "excited": EXCITED}
    try:
        async for figures in styles_measured(router, recognizer, ["en"], styles):
            assert figures.error_rate <= 0.1, figures
            assert (figures.f0_hz is None) == (figures.name == "whisper"), figures
    finally:
        recognizer.close()


async def test_the_router_asks_for_the_rate_as_speed_and_knows_who_can_move_its_pitch() -> None:
    cloning = FakeCloningSynthesizer()
    await cloning.add_clone("own", np.sin(np.arange(24_000) / 20).astype(np.float32), 24_000, "Hello.")
    fake = FakeSynthesizer()
    router = SynthesizerRouter({"fake": fake, "cloning": cloning}, {})
    plain = await said(router, "fake", "en", PLAIN)
    assert len(await said(router, "fake", "en", SpeakingStyle(rate=2.0))) == pytest.approx(len(plain) / 2, abs=2)
    assert len(await said(router, "fake", "en", SpeakingStyle(rate=2.0), 4.0)) == pytest.approx(len(plain) / 4, abs=2)
    assert router.controls_of("fake", "en") == {"pitch"}
    assert controls_of(cloning, "own", "en") == frozenset()


@given(
    st.lists(st.floats(0, 500), min_size=1, max_size=50),
    st.floats(-5, 6),
    st.floats(0.3, 1.8),
)
def test_a_curve_is_moved_where_there_is_a_voice(curve: list[float], pitch_st: float, pitch_range: float) -> None:
    before = np.array([curve], np.float32)
    after = moved_pitch(before, SpeakingStyle(pitch_st=pitch_st, pitch_range=pitch_range))
    voiced = before > VOICED_HZ
    assert np.array_equal(after[~voiced], before[~voiced])
    if (pitch_st, pitch_range) == (0, 1):
        assert after is before
    elif voiced.any():
        assert after[voiced].min() >= LOWEST_HZ - 1e-3
        assert after[voiced].max() <= HIGHEST_HZ + 1e-2


def test_between_harmonics_the_envelope_is_drawn() -> None:
    """Levels are a straight line at the harmonics of 200 Hz and nonsense between them."""
    bins = np.arange(601, dtype=np.float32)[:, None]
    levels = np.where(bins % 10 == 0, -bins / 100, 50.0).astype(np.float32).repeat(2, axis=1)
    drawn, phases = between_harmonics(levels, levels.copy(), np.array([200.0, 0.0], np.float32))
    np.testing.assert_allclose(drawn[10:590, 0], -bins[10:590, 0] / 100, atol=1e-3)
    assert np.array_equal(drawn[:, 1], levels[:, 1])
    assert phases[:590, 0].max() <= 0
