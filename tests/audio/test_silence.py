from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.silence import FADE_MS, FLOOR, LEAD_MS, TAIL_MS, faded, silence, trim

RATE_HZ = 24_000


def tone(duration_ms: int, amplitude: float = 0.5) -> np.ndarray:
    at = np.arange(duration_ms * RATE_HZ // 1000) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * 200 * at + 0.5)).astype(np.float32)


def padded(lead_ms: int, speech: np.ndarray, tail_ms: int, noise: float = 0.0) -> np.ndarray:
    samples = np.concatenate([silence(lead_ms, RATE_HZ), speech, silence(tail_ms, RATE_HZ)])
    return samples + np.random.default_rng(1).uniform(-noise, noise, len(samples)).astype(np.float32)


@given(st.integers(0, 600), st.integers(20, 500), st.integers(0, 600))
def test_padding_is_cut_to_the_margins(lead_ms: int, speech_ms: int, tail_ms: int) -> None:
    trimmed = trim(padded(lead_ms, tone(speech_ms), tail_ms), RATE_HZ)
    expected_ms = min(lead_ms, LEAD_MS) + speech_ms + min(tail_ms, TAIL_MS)
    assert len(trimmed) / RATE_HZ * 1000 == pytest.approx(expected_ms, abs=1)
    assert trimmed.dtype == np.float32


def test_noise_in_the_padding_does_not_count_as_speech() -> None:
    trimmed = trim(padded(400, tone(300), 600, noise=FLOOR * 0.9), RATE_HZ)
    assert len(trimmed) / RATE_HZ * 1000 == pytest.approx(300 + LEAD_MS + TAIL_MS, abs=1)


def test_quiet_parts_within_speech_stay() -> None:
    speech = np.concatenate([tone(100), silence(200, RATE_HZ), tone(100)])
    assert len(trim(padded(300, speech, 300), RATE_HZ)) / RATE_HZ * 1000 == pytest.approx(
        400 + LEAD_MS + TAIL_MS, abs=1
    )


def test_edges_never_click() -> None:
    trimmed = trim(np.full(RATE_HZ, 0.5, np.float32), RATE_HZ)
    assert trimmed[0] == 0
    assert trimmed[-1] == 0
    assert np.max(np.abs(np.diff(trimmed))) < 0.5 * np.pi / (FADE_MS * RATE_HZ / 1000)


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), silence(500, RATE_HZ), tone(100, FLOOR / 2)])
def test_nothing_audible_gives_nothing(samples: np.ndarray) -> None:
    assert len(trim(samples, RATE_HZ)) == 0


@given(st.integers(0, 400))
def test_fading_keeps_length_and_input(count: int) -> None:
    samples = np.ones(count, np.float32)
    assert len(faded(samples, RATE_HZ)) == count
    assert np.all(samples == 1)


def test_silence_is_as_long_as_asked() -> None:
    assert len(silence(12.5, RATE_HZ)) == 300
    assert not silence(10, RATE_HZ).any()
