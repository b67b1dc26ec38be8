from __future__ import annotations

import numpy as np
import pytest

from vivavoce.audio.tempo import at_tempo

RATE_HZ = 24_000
TONE = (0.5 * np.sin(2 * np.pi * 220 * np.arange(2 * RATE_HZ) / RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize("tempo", [0.25, 0.5, 0.8, 1.25, 2.0, 4.0])
def test_the_length_changes_and_the_pitch_does_not(tempo: float) -> None:
    made = at_tempo(TONE, RATE_HZ, tempo)
    assert made.dtype == np.float32
    assert len(made) == pytest.approx(len(TONE) / tempo, rel=0.05)
    strongest = int(np.argmax(np.abs(np.fft.rfft(made))))
    assert float(np.fft.rfftfreq(len(made), 1 / RATE_HZ)[strongest]) == pytest.approx(220, abs=6)
    assert float(np.abs(made).max()) == pytest.approx(0.5, abs=0.1)


def test_at_one_nothing_is_done() -> None:
    assert at_tempo(TONE, RATE_HZ, 1.0) is TONE
    assert len(at_tempo(TONE[:0], RATE_HZ, 2.0)) == 0
