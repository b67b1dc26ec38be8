"""The endpointing bench: pauses are found where they are, and rules are counted as documented."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from vivavoce.audio.pcm import encode_pcm16
from vivavoce.bench.endpointing import Pause, listen, outcome, pauses_of, rule_table, score_table, silences
from vivavoce.bench.recognition import Recording
from vivavoce.engines.fake import FakeSpeechDetector, FakeTurnScorer
from vivavoce.types import Samples

RATE_HZ = 16_000
FRAME = 512


def stretches(*frames: int) -> Samples:
    """Silence and tone in turn, so many detector frames each."""
    levels = np.repeat(np.arange(len(frames)) % 2, frames)
    return np.repeat(0.3 * levels, FRAME).astype(np.float32)


def write_wave(path: Path, samples: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(encode_pcm16(samples))
    return path


class ByLength:
    """Scores by how much it was shown: samples by a million."""

    rate_hz = RATE_HZ
    window_s = 8.0

    async def score(self, samples: Samples) -> float:
        return len(samples) / 1e6

    def close(self) -> None:
        pass


def test_short_gaps_are_no_pauses_and_the_last_is_the_end() -> None:
    samples = stretches(10, 20, 4, 20, 30, 20, 10)
    begin, (inner, end) = silences(samples, FakeSpeechDetector())
    assert begin == 10 * FRAME
    assert (inner.voiced_until, inner.noticed, inner.resumed) == (54 * FRAME, 59 * FRAME, 84 * FRAME)
    assert (end.voiced_until, end.noticed, end.resumed) == (104 * FRAME, 109 * FRAME, None)


def test_silence_alone_has_no_end() -> None:
    assert silences(stretches(50), FakeSpeechDetector()) == (0, [])


async def test_a_recording_that_stops_with_the_voice_has_an_end(tmp_path: Path) -> None:
    path = write_wave(tmp_path / "a.wav", stretches(0, 20))
    (end,) = await pauses_of(Recording(path, "one", "en", None), FakeSpeechDetector(), FakeTurnScorer())
    assert end == Pause("one", None, 0.99)


async def test_the_scorer_hears_the_turn_up_to_where_the_pause_is_noticed(tmp_path: Path) -> None:
    path = write_wave(tmp_path / "a.wav", stretches(30, 20, 30, 20, 10))
    inner, end = await listen([Recording(path, "one", "en", None)], FakeSpeechDetector(), ByLength())
    prefix = RATE_HZ // 2
    assert inner.length_ms == 30 * 32
    assert inner.score * 1e6 == pytest.approx(prefix + 25 * FRAME)
    assert end.length_ms is None
    assert end.score * 1e6 == pytest.approx(prefix + 75 * FRAME)


async def test_no_more_is_handed_over_than_the_scorer_looks_at(tmp_path: Path) -> None:
    path = write_wave(tmp_path / "a.wav", stretches(0, 400))
    (end,) = await pauses_of(Recording(path, "one", "en", None), FakeSpeechDetector(), ByLength())
    assert end.score * 1e6 == pytest.approx(8 * RATE_HZ)


PAUSES = [
    Pause("a", 500, 0.9), Pause("a", 300, 0.2), Pause("a", None, 0.9),
    Pause("b", 900, 0.1), Pause("b", None, 0.3), Pause("b", None, 0.99),
]  # fmt: skip


def test_a_rule_cuts_off_where_it_waits_less_than_the_pause_lasts() -> None:
    made = outcome(lambda score: 400 if score > 0.5 else 900, PAUSES)
    assert made.cut_off == 1
    assert made.waits_ms == (400, 900, 400)


def test_the_tables_have_a_row_for_every_group() -> None:
    assert list(score_table(PAUSES).columns[2].cells) == ["1", "2", "2", "1"]
    rules = rule_table(PAUSES)
    assert list(rules.columns[0].cells).count("a") == list(rules.columns[0].cells).count("b")
    assert next(iter(rules.columns[2].cells)) == "1 of 2"
