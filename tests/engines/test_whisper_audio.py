"""What goes into Whisper and how texts are put together: features, windows, characters. Pure."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.engines.mel import mel_filters
from vivavoce.engines.whisper.chinese import Simplifier
from vivavoce.engines.whisper.features import LogMel, frames_for
from vivavoce.engines.whisper.vocabulary import likeliest
from vivavoce.engines.windows import LONGEST_S, windows

RATE_HZ = 16_000


def tone(frequency_hz: float, duration_s: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    t = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    return (0.5 * np.sin(2 * np.pi * frequency_hz * t)).astype(np.float32)


def test_filters_rise_in_frequency_and_cover_the_band() -> None:
    filters = mel_filters()
    assert filters.shape == (80, 201)
    assert (np.diff(filters.argmax(axis=1)) >= 0).all()
    assert (filters[:, 1:-1].sum(axis=0) > 0).all()


@pytest.mark.parametrize(("frequency_hz", "band"), [(400.0, 10), (1000.0, 26), (4000.0, 62)])
def test_a_tone_lights_its_band(frequency_hz: float, band: int) -> None:
    # 81 steps of Slaney's scale up to 45.25 mel: 400 Hz is 6 mel, 1 kHz is 15, 4 kHz is 15 + 27 ln 4 / ln 6.4 = 35.16.
    features = LogMel()(tone(frequency_hz, 1.0), 1000)
    assert features.shape == (1, 80, 1000)
    assert features.dtype == np.float32
    assert abs(int(features[0, :, 50].argmax()) - band) <= 1


def test_what_follows_the_utterance_is_silence() -> None:
    features = LogMel()(tone(1000.0, 1.0), 1000)[0]
    assert (features[:, 105:] == features.min()).all()
    assert features.max() - features.min() == pytest.approx(2.0)


@pytest.mark.parametrize("samples", [1, 100, 159, 400, 16_000, 480_000, 500_000])
def test_any_length_gives_the_frames_asked_for(samples: int) -> None:
    noise = np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    features = LogMel()(noise, 3000)
    assert features.shape == (1, 80, 3000)
    assert np.isfinite(features).all()


@pytest.mark.parametrize(
    ("seconds", "context_s", "frames"),
    [(2.0, 10.0, 1000), (8.99, 10.0, 1000), (12.0, 10.0, 1300), (29.5, 10.0, 3000), (2.0, 30.0, 3000)],
)
def test_the_context_is_as_short_as_the_utterance_allows(seconds: float, context_s: float, frames: int) -> None:
    assert frames_for(int(seconds * RATE_HZ), context_s) == frames


def test_a_short_utterance_is_one_window() -> None:
    samples = tone(200.0, 12.0)
    [window] = windows(samples, RATE_HZ)
    assert window is samples
    assert list(windows(samples[:0], RATE_HZ)) == []


def test_a_long_utterance_is_cut_in_its_pauses() -> None:
    samples = tone(200.0, 70.0)
    pauses_s = (22.0, 45.0)
    for pause in pauses_s:
        samples[int(pause * RATE_HZ) : int((pause + 0.5) * RATE_HZ)] = 0.0
    pieces = list(windows(samples, RATE_HZ))
    cuts_s = np.cumsum([len(piece) for piece in pieces])[:-1] / RATE_HZ
    assert all(pause < cut < pause + 0.5 for pause, cut in zip(pauses_s, cuts_s, strict=True))


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 150.0), st.integers(0, 9))
def test_windows_lose_nothing_and_are_never_too_long(duration_s: float, seed: int) -> None:
    samples = np.random.default_rng(seed).standard_normal(int(duration_s * RATE_HZ)).astype(np.float32)
    pieces = list(windows(samples, RATE_HZ))
    assert (np.concatenate(pieces) == samples).all()
    assert all(0 < len(piece) <= LONGEST_S * RATE_HZ for piece in pieces)
    assert all(len(piece) >= 15 * RATE_HZ for piece, _ in pairwise(pieces))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("廣州市 佛地產", "广州市佛地产"),
        ("我用 Python 寫程式", "我用 Python 写程式"),
        ("你好。 再見", "你好。 再见"),
        ("睡不著，著名", "睡不着，著名"),
    ],
)
def test_chinese_is_simplified_and_without_spaces(written: str, expected: str) -> None:
    assert Simplifier()(written) == expected


def test_only_the_configured_languages_are_told_apart() -> None:
    chances = [("<|cy|>", 0.6), ("<|en|>", 0.3), ("<|zh|>", 0.1)]
    assert likeliest(chances, ("zh", "en"))[0] == "en"
    assert likeliest(chances, ("ja", "ko"))[0] == "ja"
