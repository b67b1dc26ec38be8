"""Loudness against the values ITU-R BS.1770 gives, and the limiter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.loudness import CEILING, limited, loudness, true_peak
from vivavoce.types import Samples


def sine(hz: float, level: float, seconds: float = 2.0, rate_hz: int = 24_000) -> Samples:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_a_full_sine_of_997_hz_is_three_below(rate_hz: int) -> None:
    """BS.1770-4, annex 1: 0 dBFS at 997 Hz in one channel is -3.01 LKFS."""
    assert loudness(sine(997, 1.0, rate_hz=rate_hz), rate_hz) == pytest.approx(-3.01, abs=0.05)
    assert loudness(sine(997, 0.1, rate_hz=rate_hz), rate_hz) == pytest.approx(-23.01, abs=0.05)


def test_pauses_do_not_make_speech_softer() -> None:
    tone = sine(500, 0.2)
    with_pause = np.concatenate([tone, np.zeros(48_000, np.float32), tone])
    assert loudness(with_pause, 24_000) == pytest.approx(loudness(tone, 24_000), abs=0.5)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(1), np.zeros(24_000)])
def test_silence_is_not_loud(samples: Samples) -> None:
    assert loudness(samples.astype(np.float32), 24_000) == -math.inf


def test_short_pieces_have_a_loudness() -> None:
    assert loudness(sine(997, 0.1, 0.05), 24_000) == pytest.approx(-23, abs=0.5)


def test_the_limiter_turns_peaks_down_only() -> None:
    quiet = sine(300, 0.5)
    assert limited(quiet) is quiet
    assert limited(np.zeros(0, np.float32)).size == 0
    assert true_peak(limited(sine(300, 3.0))) < CEILING * 1.01
    click = sine(300, 0.5)
    click[20_000] = 2.0
    heard = limited(click)
    assert true_peak(heard) < CEILING * 1.01
    np.testing.assert_array_equal(heard[:19_800], click[:19_800])
    np.testing.assert_array_equal(heard[20_200:], click[20_200:])


@given(st.integers(0, 2**32), st.floats(0.2, 30.0), st.integers(1, 3000))
@settings(max_examples=50, deadline=None)
def test_no_signal_has_a_peak_above_the_ceiling(seed: int, level: float, length: int) -> None:
    """Between samples, too, as long as the signal has nothing near half its rate, which speech has not."""
    noise = np.random.default_rng(seed).normal(0, level, length + 8)
    smooth = np.convolve(noise, np.hanning(9)[1:-1] / 4, mode="valid")[:length].astype(np.float32)
    assert 20 * math.log10(true_peak(limited(smooth)) + 1e-9) < -1.5


def test_a_peak_between_two_samples_is_seen() -> None:
    between = (np.sin(2 * np.pi * np.arange(4800) / 4 + np.pi / 4)).astype(np.float32)
    assert np.abs(between).max() == pytest.approx(math.sqrt(0.5), abs=1e-3)
    assert true_peak(between[1000:2000]) == pytest.approx(1.0, abs=0.1)


def test_a_few_peaks_in_long_speech_are_turned_down_where_they_are() -> None:
    """Bursts whose highest values lie between samples: far from them nothing changes."""
    at = np.arange(72_000)
    signal = (0.2 * np.sin(2 * np.pi * 200 * at / 24_000)).astype(np.float32)
    burst = np.hanning(400) * np.sin(np.pi / 2 * np.arange(400) + np.pi / 4)
    for start in (100, 20_500, 20_800, 71_500):
        signal[start : start + 400] += (1.1 * burst).astype(np.float32)
    turned_down = limited(signal)
    assert true_peak(signal) > 1.05
    assert true_peak(turned_down) <= CEILING * 1.005
    changed = np.flatnonzero(turned_down != signal)
    assert set(changed // 10_000) == {0, 2, 7}
    assert len(changed) < 2_500
