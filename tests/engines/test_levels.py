"""Every voice is as loud as the others."""

from __future__ import annotations

import numpy as np
import pytest

from vivavoce.audio.loudness import CEILING, TARGET_LUFS, loudness
from vivavoce.engines.levels import MAX_DB, REMEMBERED, Levels, measured
from vivavoce.voices.presets import PRESETS

RATE_HZ = 24_000
TONE = np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)


def test_every_listed_voice_was_measured() -> None:
    """After a change of voices: ``python benchmarks/loudness.py src/vivavoce/engines/levels.json``."""
    table = measured()
    for voice in PRESETS.values():
        for language, (engine, own) in voice.synthesizers.items():
            assert abs(table[engine][f"{own}@{language}"]) <= MAX_DB


async def test_a_measured_voice_has_its_gain() -> None:
    levels = Levels({"small": {"a@en": 6.0}})
    louder = await levels.levelled("small", "a", "en", TONE * np.float32(0.1), RATE_HZ)
    assert louder.max() == pytest.approx(0.1995, abs=1e-3)


@pytest.mark.parametrize("level", [0.03, 0.1, 0.5])
async def test_another_voice_is_measured_as_it_speaks(level: float) -> None:
    levels = Levels({})
    for _ in range(3):
        spoken = await levels.levelled("small", "b", "en", TONE * np.float32(level), RATE_HZ)
        assert loudness(spoken, RATE_HZ) == pytest.approx(TARGET_LUFS, abs=0.2)


async def test_a_soft_word_of_a_known_voice_stays_softer() -> None:
    levels = Levels({})
    for _ in range(5):
        await levels.levelled("small", "b", "en", TONE * np.float32(0.2), RATE_HZ)
    soft = await levels.levelled("small", "b", "en", TONE * np.float32(0.1), RATE_HZ)
    assert loudness(soft, RATE_HZ) < TARGET_LUFS - 3


async def test_nothing_is_made_louder_without_end_or_clips() -> None:
    levels = Levels({"small": {"a@en": 14.0}})
    assert np.abs(await levels.levelled("small", "a", "en", TONE, RATE_HZ)).max() < CEILING * 1.01
    faint = TONE * np.float32(1e-3)
    assert (await levels.levelled("small", "c", "en", faint, RATE_HZ)).max() <= 1e-3 * 10 ** (MAX_DB / 20) * 1.01
    assert not (await levels.levelled("small", "d", "en", np.zeros(RATE_HZ, np.float32), RATE_HZ)).any()


async def test_voices_that_are_not_heard_are_forgotten() -> None:
    levels = Levels({})
    for number in range(REMEMBERED + 10):
        await levels.levelled("small", f"v{number}", "en", TONE[:9000], RATE_HZ)
    assert len(levels._measured) == REMEMBERED
