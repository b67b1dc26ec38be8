"""Whisper and brightness: what they do to sound, and that pieces make no difference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vivavoce.audio.styled import StyledSound
from vivavoce.audio.whisper import Whisperer
from vivavoce.perception.prosody import measure
from vivavoce.speaking_style import PLAIN, WHISPER, SpeakingStyle
from vivavoce.types import Samples

RATE_HZ = 24_000


def voice(hz: float = 150.0, seconds: float = 1.0) -> Samples:
    """A buzz with two formants: harmonics of a pitch that glides, weighted as those of a vowel are."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(hz * (1 + 0.05 * np.sin(2 * np.pi * 3 * t))) / RATE_HZ
    harmonics = np.arange(1, 30)
    weights = 1 / (1 + ((harmonics * hz - 600) / 200) ** 2) + 0.5 / (1 + ((harmonics * hz - 1700) / 250) ** 2)
    sound = (weights[:, None] * np.sin(harmonics[:, None] * phase)).sum(axis=0)
    return np.asarray(0.2 * sound / np.abs(sound).max(), np.float32)


def styled(style: SpeakingStyle, samples: Samples, pieces: int = 1) -> Samples:
    sound = StyledSound(style, RATE_HZ)
    parts = [sound.push(piece) for piece in np.array_split(samples, pieces)]
    return np.concatenate([*parts, sound.finish()])


def bands(samples: Samples) -> NDArray[np.float64]:
    """The level in dB of each 250 Hz up to 3 kHz."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    width = 250 * len(samples) // RATE_HZ
    return np.asarray(10 * np.log10([power[at * width : (at + 1) * width].mean() for at in range(12)]))


def test_a_whisper_has_no_pitch_and_the_same_formants() -> None:
    spoken = voice()
    whispered = styled(WHISPER, spoken)
    before, after = measure(spoken, RATE_HZ), measure(whispered, RATE_HZ)
    assert before is not None
    assert after is not None
    assert before.f0_hz == pytest.approx(150, rel=0.05)
    assert after.f0_hz is None
    assert len(whispered) == len(spoken)
    assert np.argmax(bands(whispered)[1:5]) == np.argmax(bands(spoken)[1:5])
    assert after.tilt_db < before.tilt_db - 3
    assert after.level_db == pytest.approx(before.level_db, abs=6)


def test_a_whisper_begins_and_ends_where_the_speech_does() -> None:
    quiet = np.zeros(RATE_HZ // 2, np.float32)
    whispered = styled(WHISPER, np.concatenate([quiet, voice(), quiet]))
    heard = np.flatnonzero(np.abs(whispered) > 0.01) / RATE_HZ
    assert heard[0] == pytest.approx(0.5, abs=0.04)
    assert heard[-1] == pytest.approx(1.5, abs=0.04)


@given(st.lists(st.integers(0, 3000), max_size=12))
def test_pieces_make_no_difference_to_a_whisper(lengths: list[int]) -> None:
    samples = voice(seconds=0.6)[: sum(lengths)]
    one, many = Whisperer(RATE_HZ), Whisperer(RATE_HZ)
    whole = np.concatenate([one.push(samples), one.finish()])
    cuts = np.cumsum(lengths)
    parts = [many.push(piece) for piece in np.split(samples, cuts[cuts < len(samples)])]
    assert len(whole) == len(samples)
    np.testing.assert_allclose(np.concatenate([*parts, many.finish()]), whole, atol=1e-5)


@pytest.mark.parametrize("brightness_db", [-4.0, 4.0])
def test_brightness_tilts_the_spectrum(brightness_db: float) -> None:
    noise = np.random.default_rng(1).standard_normal(RATE_HZ).astype(np.float32) * 0.1
    style = SpeakingStyle(brightness_db=brightness_db)
    changed = styled(style, noise)
    assert len(changed) == len(noise)
    power = [np.abs(np.fft.rfft(each)) ** 2 for each in (noise, changed)]
    low, high = slice(200, 800), slice(6000, 10_000)
    gains = [10 * np.log10(power[1][band].mean() / power[0][band].mean()) for band in (low, high)]
    assert gains[0] == pytest.approx(0, abs=0.5)
    assert gains[1] == pytest.approx(brightness_db, abs=0.5)
    np.testing.assert_allclose(styled(style, noise, pieces=7), changed, atol=1e-4)


def test_the_usual_style_changes_nothing() -> None:
    assert not StyledSound(PLAIN, RATE_HZ).changes
    assert not StyledSound(SpeakingStyle(rate=2, pitch_st=3, gain_db=2), RATE_HZ).changes
    assert np.array_equal(styled(PLAIN, voice()), voice())
