"""Measures of utterances whose pitch, level and pauses are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.engines.voice import HEADS
from vivavoce.perception.head import load_head, pooled
from vivavoce.perception.prosody import measure
from vivavoce.types import Samples

RATE_HZ = 16_000


def voice(f0_hz: float, seconds: float, level: float = 0.1) -> Samples:
    """A buzz with falling harmonics."""
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave = sum(np.sin(2 * np.pi * f0_hz * n * time) / n**1.5 for n in range(1, 12))
    return np.asarray(level * wave / np.abs(wave).max(), np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


@given(st.floats(80, 400), st.floats(0.02, 0.9))
@settings(max_examples=25, deadline=None)
def test_pitch_is_found_and_does_not_depend_on_the_level(f0_hz: float, level: float) -> None:
    found = measure(voice(f0_hz, 0.8, level), RATE_HZ)
    assert found is not None
    assert found.f0_hz == pytest.approx(f0_hz, rel=0.03)


def test_level_is_in_decibels_of_full_scale() -> None:
    loud, soft = measure(voice(120, 1, 0.5), RATE_HZ), measure(voice(120, 1, 0.05), RATE_HZ)
    assert loud is not None
    assert soft is not None
    assert loud.level_db - soft.level_db == pytest.approx(20, abs=0.3)


def test_pauses_within_speech_are_counted_and_those_around_it_are_not() -> None:
    samples = np.concatenate([silence(1), voice(120, 1), silence(0.5), voice(120, 1), silence(2)])
    found = measure(samples, RATE_HZ)
    assert found is not None
    assert found.pause_share == pytest.approx(0.2, abs=0.03)
    assert found.speech_s == pytest.approx(2, abs=0.15)


def test_noise_has_no_pitch() -> None:
    found = measure(np.random.default_rng(1).standard_normal(RATE_HZ).astype(np.float32) * 0.1, RATE_HZ)
    assert found is not None
    assert found.f0_hz is None


@pytest.mark.parametrize("samples", [silence(0), silence(0.01), silence(2)])
def test_of_silence_nothing_is_known(samples: Samples) -> None:
    assert measure(samples, RATE_HZ) is None


@pytest.mark.parametrize("name", ["emotion.npz", "gender.npz"])
def test_the_shipped_heads_can_be_read_and_score_to_one(name: str) -> None:
    head = load_head(HEADS / name)
    scores = head.scores(np.zeros(head.weights.shape[1], np.float32))
    assert set(scores) == set(head.labels)
    assert sum(scores.values()) == pytest.approx(1, abs=1e-3)
    assert head.network == "whisper-base"


def test_pooling_leaves_out_what_is_no_speech_and_the_level() -> None:
    random = np.random.default_rng(2)
    states = random.standard_normal((100, 4)).astype(np.float32)
    mel = np.full((80, 200), -1.5, np.float32)
    mel[:, 80:160] = random.uniform(0.5, 1.0, (80, 80))
    features = pooled(states, mel)
    assert features is not None
    np.testing.assert_allclose(features[:4], states[40:80].mean(axis=0), rtol=1e-4)
    quieter = pooled(states, np.where(mel > 0, mel - 0.2, mel).astype(np.float32))
    assert quieter is not None
    np.testing.assert_allclose(features, quieter, atol=1e-4)
    assert pooled(states[:0], mel[:, :0]) is None
